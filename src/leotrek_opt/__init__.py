"""Optimization of serverless workflows on the Edge-Cloud-Space continuum, with proof.

Everything a program needs stands here; each name is loaded when it is first used, so that importing
the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leotrek_opt.instances.constellation_continuum import constellation_continuum
    from leotrek_opt.instances.documents import digest, load, save
    from leotrek_opt.instances.elements import read_elements
    from leotrek_opt.instances.lp_format import write_lp
    from leotrek_opt.instances.mps import read_mps, write_mps
    from leotrek_opt.instances.presets import preset
    from leotrek_opt.instances.scenarios import generate
    from leotrek_opt.models.constellation import WalkerShell
    from leotrek_opt.models.continuum import Continuum
    from leotrek_opt.models.placement import PlacementProblem, PlacementSolution
    from leotrek_opt.models.topology import GeneratedTopology
    from leotrek_opt.models.workflow import DataEdge, DataSource, Function, Workflow
    from leotrek_opt.solvers.api import compare, methods, solve, verify
    from leotrek_opt.solvers.explain.linear import explain_model
    from leotrek_opt.solvers.explain.placement import explain
    from leotrek_opt.solvers.formulations.formulate import formulate
    from leotrek_opt.solvers.formulations.pyomo_twins import solution_of, to_pyomo
    from leotrek_opt.solvers.linear import LinearModel
    from leotrek_opt.solvers.matrix import MatrixModel, model_from_arrays
    from leotrek_opt.solvers.model_api import solve_model
    from leotrek_opt.solvers.model_check import verify_model
    from leotrek_opt.solvers.model_result import ModelResult
    from leotrek_opt.solvers.result import Result
    from leotrek_opt.solvers.status import Proof, Status
    from leotrek_opt.topology.contacts.windows import contact_windows
    from leotrek_opt.topology.generated import topology_generator
    from leotrek_opt.topology.routes.table import route
    from leotrek_opt.topology.simulation.run import simulate
    from leotrek_opt.versions import show_versions

    __version__: str

_HOMES = {
    "Continuum": "leotrek_opt.models.continuum",
    "DataEdge": "leotrek_opt.models.workflow",
    "DataSource": "leotrek_opt.models.workflow",
    "Function": "leotrek_opt.models.workflow",
    "GeneratedTopology": "leotrek_opt.models.topology",
    "LinearModel": "leotrek_opt.solvers.linear",
    "MatrixModel": "leotrek_opt.solvers.matrix",
    "ModelResult": "leotrek_opt.solvers.model_result",
    "PlacementProblem": "leotrek_opt.models.placement",
    "PlacementSolution": "leotrek_opt.models.placement",
    "Proof": "leotrek_opt.solvers.status",
    "Result": "leotrek_opt.solvers.result",
    "Status": "leotrek_opt.solvers.status",
    "WalkerShell": "leotrek_opt.models.constellation",
    "Workflow": "leotrek_opt.models.workflow",
    "__version__": "leotrek_opt.versions",
    "compare": "leotrek_opt.solvers.api",
    "constellation_continuum": "leotrek_opt.instances.constellation_continuum",
    "contact_windows": "leotrek_opt.topology.contacts.windows",
    "digest": "leotrek_opt.instances.documents",
    "explain": "leotrek_opt.solvers.explain.placement",
    "explain_model": "leotrek_opt.solvers.explain.linear",
    "formulate": "leotrek_opt.solvers.formulations.formulate",
    "generate": "leotrek_opt.instances.scenarios",
    "load": "leotrek_opt.instances.documents",
    "methods": "leotrek_opt.solvers.api",
    "model_from_arrays": "leotrek_opt.solvers.matrix",
    "preset": "leotrek_opt.instances.presets",
    "read_elements": "leotrek_opt.instances.elements",
    "read_mps": "leotrek_opt.instances.mps",
    "route": "leotrek_opt.topology.routes.table",
    "save": "leotrek_opt.instances.documents",
    "show_versions": "leotrek_opt.versions",
    "simulate": "leotrek_opt.topology.simulation.run",
    "solution_of": "leotrek_opt.solvers.formulations.pyomo_twins",
    "solve": "leotrek_opt.solvers.api",
    "solve_model": "leotrek_opt.solvers.model_api",
    "to_pyomo": "leotrek_opt.solvers.formulations.pyomo_twins",
    "topology_generator": "leotrek_opt.topology.generated",
    "verify": "leotrek_opt.solvers.api",
    "verify_model": "leotrek_opt.solvers.model_check",
    "write_lp": "leotrek_opt.instances.lp_format",
    "write_mps": "leotrek_opt.instances.mps",
}

__all__ = [
    "Continuum",
    "DataEdge",
    "DataSource",
    "Function",
    "GeneratedTopology",
    "LinearModel",
    "MatrixModel",
    "ModelResult",
    "PlacementProblem",
    "PlacementSolution",
    "Proof",
    "Result",
    "Status",
    "WalkerShell",
    "Workflow",
    "__version__",
    "compare",
    "constellation_continuum",
    "contact_windows",
    "digest",
    "explain",
    "explain_model",
    "formulate",
    "generate",
    "load",
    "methods",
    "model_from_arrays",
    "preset",
    "read_elements",
    "read_mps",
    "route",
    "save",
    "show_versions",
    "simulate",
    "solution_of",
    "solve",
    "solve_model",
    "to_pyomo",
    "topology_generator",
    "verify",
    "verify_model",
    "write_lp",
    "write_mps",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
