"""Optimization of serverless workflows on the Edge-Cloud-Space continuum, with proof.

Everything a program needs stands here; each name is loaded when it is first used, so that importing
the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leotrek_opt.instances.documents import digest, load, save
    from leotrek_opt.instances.scenarios import generate
    from leotrek_opt.models.continuum import Continuum
    from leotrek_opt.models.placement import PlacementProblem, PlacementSolution
    from leotrek_opt.models.workflow import DataEdge, DataSource, Function, Workflow
    from leotrek_opt.solvers.api import compare, methods, solve, verify
    from leotrek_opt.solvers.result import Result
    from leotrek_opt.solvers.status import Proof, Status
    from leotrek_opt.versions import show_versions

    __version__: str

_HOMES = {
    "Continuum": "leotrek_opt.models.continuum",
    "DataEdge": "leotrek_opt.models.workflow",
    "DataSource": "leotrek_opt.models.workflow",
    "Function": "leotrek_opt.models.workflow",
    "PlacementProblem": "leotrek_opt.models.placement",
    "PlacementSolution": "leotrek_opt.models.placement",
    "Proof": "leotrek_opt.solvers.status",
    "Result": "leotrek_opt.solvers.result",
    "Status": "leotrek_opt.solvers.status",
    "Workflow": "leotrek_opt.models.workflow",
    "__version__": "leotrek_opt.versions",
    "compare": "leotrek_opt.solvers.api",
    "digest": "leotrek_opt.instances.documents",
    "generate": "leotrek_opt.instances.scenarios",
    "load": "leotrek_opt.instances.documents",
    "methods": "leotrek_opt.solvers.api",
    "save": "leotrek_opt.instances.documents",
    "show_versions": "leotrek_opt.versions",
    "solve": "leotrek_opt.solvers.api",
    "verify": "leotrek_opt.solvers.api",
}

__all__ = [
    "Continuum",
    "DataEdge",
    "DataSource",
    "Function",
    "PlacementProblem",
    "PlacementSolution",
    "Proof",
    "Result",
    "Status",
    "Workflow",
    "__version__",
    "compare",
    "digest",
    "generate",
    "load",
    "methods",
    "save",
    "show_versions",
    "solve",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
