"""The vocabulary in which every method says how far it came and how it knows."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """How a solve ended."""

    OPTIMAL = "optimal"
    """A solution, and a bound that meets its objective."""
    FEASIBLE = "feasible"
    """A solution that passed verification; a better one may exist."""
    INFEASIBLE = "infeasible"
    """Proven: no solution exists."""
    UNBOUNDED = "unbounded"
    """The objective has no finite optimum."""
    NO_SOLUTION = "no_solution"
    """The method ended without a solution that keeps every rule; one may exist."""
    INTERRUPTED = "interrupted"
    """Cancelled; the best answer so far, if any, is kept."""
    ERROR = "error"
    """A claim was refuted, or the engine failed; never an answer."""


class Proof(StrEnum):
    """How a bound is known."""

    CERTIFIED = "certified"
    """The bound is re-derived in exact arithmetic by code that imports no solver."""
    CONFIRMED = "confirmed"
    """Two engine families agree."""
    CLAIMED = "claimed"
    """One engine says so."""
    NONE = "none"
    """No bound is known."""
