"""Which kinds of documents there are, and which model each is read with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from leotrek_opt.errors import InputError
from leotrek_opt.models.base import StrictModel, nearest_name


@dataclass(frozen=True)
class DocumentKind:
    """One kind of document.

    Parameters
    ----------
    model
        ``module:Class``, imported when a document of this kind is met.
    summary
        What it is, in a few words.
    version
        Version that this release writes.
    by_problem
        Models of the problems that have one of their own, by the document's ``problem_kind``.
    parts
        Fields that hold other documents (or a list of them), and their kind. Such a part may stand
        in a file of its own and be named by its digest.
    """

    model: str
    summary: str
    version: int = 1
    by_problem: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)

    def load_model(self, problem_kind: object = None) -> type[StrictModel]:
        """Import the model.

        Parameters
        ----------
        problem_kind
            What the document says it belongs to, if it says anything.

        Returns
        -------
        type
            A strict model class.
        """
        where = self.by_problem.get(problem_kind, "") if isinstance(problem_kind, str) else ""
        return _imported(where or self.model)

    def load_models(self) -> tuple[type[StrictModel], ...]:
        """Import the models of all problems.

        Returns
        -------
        tuple of type
            One unless some problem has a model of its own.
        """
        return tuple(_imported(where) for where in (self.model, *self.by_problem.values()))


def _imported(where: str) -> type[StrictModel]:
    module, _, name = where.partition(":")
    found: type[StrictModel] = getattr(import_module(module), name)
    return found


KINDS: Mapping[str, DocumentKind] = {
    "placement": DocumentKind(
        "leotrek_opt.models.placement:PlacementProblem",
        "workflows to be placed on a continuum",
        parts={"continuum": "continuum", "workflows": "workflow"},
    ),
    "continuum": DocumentKind(
        "leotrek_opt.models.continuum:Continuum", "nodes, links over time, and node events"
    ),
    "workflow": DocumentKind(
        "leotrek_opt.models.workflow:Workflow", "functions and the data they pass on"
    ),
    "solution": DocumentKind(
        "leotrek_opt.models.placement:PlacementSolution",
        "which function runs on which node; or the values of a linear model",
        by_problem={"linear": "leotrek_opt.solvers.model_result:ModelSolution"},
    ),
    "result": DocumentKind(
        "leotrek_opt.solvers.result:Result",
        "a solution with its bound, its proof and how it came",
        by_problem={"linear": "leotrek_opt.solvers.model_result:ModelResult"},
    ),
}
"""Every kind of document, by the name that stands in its field ``kind``."""


def kind_of(document: Mapping[str, Any]) -> str:
    """Return the kind that a document states.

    Parameters
    ----------
    document
        Parsed JSON.

    Returns
    -------
    str
        A key of :data:`KINDS`.

    Raises
    ------
    InputError
        If it states none, or an unknown one.
    """
    allowed = ", ".join(KINDS)
    if "kind" not in document:
        raise InputError(f"required field is missing; one of {allowed}", field="kind")
    kind = document["kind"]
    if not isinstance(kind, str) or kind not in KINDS:
        hint = nearest_name(kind, KINDS) if isinstance(kind, str) else ""
        raise InputError(f"must be one of {allowed}{hint}", field="kind")
    return kind


def version_of(document: Mapping[str, Any], kind: str, *, at: str = "") -> int:
    """Return the version that a document states.

    Parameters
    ----------
    document
        Parsed JSON.
    kind
        Its kind.
    at
        Where the document stands inside another one, such as ``workflows[0].``; a part that states
        no version is in version 1.

    Returns
    -------
    int
        Between 1 and the version that this release writes.

    Raises
    ------
    InputError
        If it states none, something that is no version, or a newer one.
    """
    current = KINDS[kind].version
    if "version" not in document and at:
        return 1
    if "version" not in document:
        raise InputError(f"required field is missing; {kind} is at {current}", field="version")
    version = document["version"]
    if type(version) is not int or version < 1:
        allowed = "1" if current == 1 else f"an integer from 1 to {current}"
        raise InputError(f"must be {allowed} in a {kind} document", field=f"{at}version")
    if version > current:
        raise InputError(
            f"{kind} document of version {version}, this release reads up to {current};"
            " a newer leotrek_opt is needed",
            field=f"{at}version",
        )
    return version
