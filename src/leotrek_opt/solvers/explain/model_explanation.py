"""What an explanation of an infeasible linear model says, as data and as sentences."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from leotrek_opt.models.base import StrictModel
from leotrek_opt.solvers.explain.explanation import conjoined
from leotrek_opt.solvers.status import Status

MAX_LISTED = 20
"""Groups that sentences list one by one."""
MAX_PROPOSED = 5
"""Relaxations that sentences list."""


class RowGroup(StrictModel):
    """Rows that are kept or given up together."""

    name: str
    rows: tuple[int, ...]


class RowRelaxation(StrictModel):
    """One side of a row, moved by a whole number.

    ``scale`` tells how many times the row of its author the row of the model is, as a fraction;
    ``words`` are in the author's numbers.
    """

    row: int
    name: str
    side: Literal["lower", "upper"]
    amount: int
    before: int
    after: int
    scale: str = "1"

    @property
    def words(self) -> str:
        """Such as ``raise the upper side of capacity[2] by 3 to 7``."""
        verb = "lower" if self.side == "lower" else "raise"
        amount, after = (self._in_units(value) for value in (self.amount, self.after))
        return f"{verb} the {self.side} side of {self.name} by {amount} to {after}"

    def _in_units(self, value: int) -> str:
        exact = value / Fraction(self.scale)
        return str(exact.numerator) if exact.denominator == 1 else f"{float(exact):.12g}"


class ModelRelaxation(StrictModel):
    """Sides of rows that, moved together, make the whole model feasible."""

    rows: tuple[RowRelaxation, ...]

    @property
    def amount(self) -> int:
        """Total amount."""
        return sum(change.amount for change in self.rows)

    @property
    def words(self) -> str:
        """The changes in one phrase."""
        return ", and ".join(change.words for change in self.rows)


class ModelExplanation(StrictModel):
    """Why a linear model is infeasible, and what would help.

    ``status`` is ``infeasible``; ``feasible`` if the model is not infeasible after all;
    ``no_solution`` or ``interrupted`` if the budget was spent before either was known. ``groups``
    cannot all be kept; without any group, bounds of columns and rows in no group are infeasible
    already. ``is_irreducible``: any one of them less, and the others can be kept. ``is_smallest``:
    no conflict has fewer groups.

    ``confirmed_by`` names what showed anew that they cannot be kept: ``farkas`` for multipliers of
    rows in exact arithmetic, or engines; ``needed_confirmed_by`` the engines that decided again
    that each is needed. ``relaxations`` have the fewest groups (``is_fewest`` tells whether that is
    shown) and the least total amount for these, fewest rows first.
    """

    kind: Literal["model_explanation"] = "model_explanation"
    version: Literal[1] = 1
    status: Status
    groups: tuple[RowGroup, ...] = ()
    is_irreducible: bool = False
    is_smallest: bool = False
    relaxations: tuple[ModelRelaxation, ...] = ()
    is_fewest: bool = False
    confirmed_by: tuple[str, ...] = ()
    needed_confirmed_by: tuple[str, ...] = ()
    engine: str = ""
    checks: int = 0
    seconds: Annotated[float, Field(ge=0)] = 0.0
    seed: int = 0

    def sentences(self) -> tuple[str, ...]:
        """Say it in sentences, one a line.

        Returns
        -------
        tuple of str
            The conflict, what would help, and who confirmed it.
        """
        if self.status is Status.FEASIBLE:
            return ("there is nothing to explain: the model is feasible",)
        if self.status is not Status.INFEASIBLE:
            return ("whether the model is feasible was not found out in the time given",)
        if not self.groups:
            return ("the model is infeasible whatever rows are given up",)
        return (
            self._headline(),
            *(f"- {group.name}" for group in self.groups[:MAX_LISTED]),
            *self._more(),
            *self._proposals(),
            *self._confirmation(),
        )

    def _headline(self) -> str:
        count = len(self.groups)
        if not self.is_irreducible:
            return f"the reason lies within these {count}, perhaps not all of them:"
        if count == 1:
            return "nothing keeps this:"
        return f"nothing keeps these {count} together, but without any one of them the others hold:"

    def _more(self) -> list[str]:
        left = len(self.groups) - MAX_LISTED
        return [f"- and {left:,} more"] if left > 0 else []

    def _proposals(self) -> list[str]:
        shown = self.relaxations[:MAX_PROPOSED]
        return [
            f"{'it would be enough' if index == 0 else 'or'} to {relaxation.words}"
            for index, relaxation in enumerate(shown)
        ]

    def _confirmation(self) -> list[str]:
        return conjoined(self.confirmed_by)
