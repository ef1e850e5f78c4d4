"""What is known of the solvers that Pyomo can reach: whose code they are, what they can be told.

Pyomo has one way to pass a time limit for all of them and none for gaps, threads or seeds. A solver
that is not in the table below is therefore taken for what any of them can do, and its word that an
integer program is solved counts for no bound, because nobody knows the gap at which it stops.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyomo.environ as pyo

from leotrek_opt.errors import InputError, MissingDependencyError, UnsupportedError
from leotrek_opt.solvers.engines.protocol import Feature

IN_PROCESS = "appsi_highs"
"""The one solver that runs in this process; all others run in a child process."""
HIGHS_SOLVERS = (IN_PROCESS, "highs")
"""Those that take the options of HiGHS."""

_ANY = frozenset(
    {
        Feature.CONTINUOUS,
        Feature.INTEGER,
        Feature.INFINITE_BOUNDS,
        Feature.TIME_LIMIT,
        Feature.INTERRUPT,
    }
)
_TUNED = frozenset({Feature.GAP, Feature.THREADS, Feature.SEED})
_HIGHS = frozenset({Feature.NODE_LIMIT}) | _TUNED
_WATCHED = frozenset({Feature.WARM_START, Feature.INCUMBENTS, Feature.BOUNDS, Feature.DUALS})


@dataclass(frozen=True)
class Traits:
    """What one solver can be told and how far it is believed.

    Parameters
    ----------
    name
        As Pyomo knows it.
    family
        Code base that it stands on.
    features
        What the engine may declare.
    limits
        Its option for each field of ``Limits`` that it takes.
    words
        Common options: name to word to its option and value.
    optimum_slack
        By what part of its objective a solution that the solver calls optimal may be off when a gap
        of 0 was asked for; None if it cannot be asked. GLPK drops what is not better by 1e-7.
    reports_bounds
        Whether its bounds are exact numbers, not read off a log where they were rounded.
    whole_seconds
        Whether it takes a time limit in whole seconds only.
    time_option
        Its option for the time limit where Pyomo does not pass one on.
    one_thread
        Number of threads that it is given to have one: CBC calls its serial code 0.
    """

    name: str
    family: str
    features: frozenset[Feature] = _ANY
    limits: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, tuple[str, object]]] = field(default_factory=dict)
    optimum_slack: float | None = None
    reports_bounds: bool = False
    whole_seconds: bool = False
    time_option: str | None = None
    one_thread: int = 1


_HIGHS_LIMITS = {
    "relative_gap": "mip_rel_gap",
    "absolute_gap": "mip_abs_gap",
    "threads": "threads",
    "seed": "random_seed",
    "max_nodes": "mip_max_nodes",
}
_KNOWN = {
    traits.name: traits
    for traits in (
        Traits(
            IN_PROCESS,
            "highs",
            _ANY | _HIGHS | _WATCHED,
            _HIGHS_LIMITS,
            optimum_slack=0.0,
            reports_bounds=True,
        ),
        Traits(
            "highs",
            "highs",
            _ANY | _HIGHS,
            _HIGHS_LIMITS,
            optimum_slack=0.0,
            reports_bounds=True,
        ),
        Traits(
            "cbc",
            "cbc",
            _ANY | _TUNED,
            {
                "relative_gap": "ratioGap",
                "absolute_gap": "allowableGap",
                "threads": "threads",
                "seed": "randomCbcSeed",
            },
            {
                "presolve": {"on": ("preprocess", "on"), "off": ("preprocess", "off")},
                "cuts": {"off": ("cuts", "off")},
                "heuristics": {"off": ("heuristicsOnOff", "off")},
            },
            optimum_slack=0.0,
            one_thread=0,
        ),
        Traits(
            "glpk",
            "glpk",
            _ANY | {Feature.GAP, Feature.SEED},
            {"relative_gap": "mipgap", "seed": "seed"},
            {"presolve": {"on": ("presol", ""), "off": ("nopresol", "")}},
            optimum_slack=1e-7,
            whole_seconds=True,
        ),
        Traits(
            "scip_direct",
            "scip",
            _ANY | {Feature.GAP, Feature.SEED, Feature.NODE_LIMIT},
            {
                "relative_gap": "limits/gap",
                "absolute_gap": "limits/absgap",
                "seed": "randomization/randomseedshift",
                "max_nodes": "limits/nodes",
            },
            optimum_slack=0.0,
            reports_bounds=True,
        ),
        Traits(
            "gurobi_direct",
            "gurobi",
            _ANY | _TUNED | {Feature.NODE_LIMIT},
            {
                "relative_gap": "MIPGap",
                "absolute_gap": "MIPGapAbs",
                "threads": "Threads",
                "seed": "Seed",
                "max_nodes": "NodeLimit",
            },
            optimum_slack=0.0,
            reports_bounds=True,
            time_option="TimeLimit",
        ),
    )
}
_INSTALL = {
    "highs": "pip install 'highspy>=1.13,<1.14'",
    "cbc": "install COIN-OR CBC so that its executable cbc is on the PATH",
    "glpk": "install GLPK so that its executable glpsol is on the PATH",
    "scip": "install SCIP so that its executable scip is on the PATH, or pip install pyscipopt",
    "gurobi": "pip install gurobipy, and a licence",
    "cplex": "pip install cplex, and a licence",
    "xpress": "pip install xpress, and a licence",
    "mosek": "pip install mosek, and a licence",
}
_TIME_OPTIONS = frozenset(
    {"time_limit", "timelimit", "limits/time", "sec", "seconds", "tmlim", "TimeLimit", "maxtime"}
)
_NO_LINEAR_SOLVER = re.compile(
    r"cp_optimizer|gdpopt.*|mindtpy.*|mpec_.*|multistart|path|py|scipy\..*|trustregion"
)
_CONTINUOUS_ONLY = re.compile(r"(appsi_|cy)?ipopt(_v2)?|conopt|contrib\.gjh")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


def traits_of(name: str) -> Traits:
    """Find a solver and make sure that it can run.

    Parameters
    ----------
    name
        As Pyomo knows it, or ``asl:<executable>`` for a solver that reads AMPL's format.

    Returns
    -------
    Traits
        What it can be told.

    Raises
    ------
    InputError
        If Pyomo knows no solver of that name.
    MissingDependencyError
        If it is not installed; the text says what to install.
    UnsupportedError
        If it does not solve linear models.
    """
    known = sorted(str(each) for each in pyo.SolverFactory._cls if not str(each).startswith("_"))
    base, _, argument = name.partition(":")
    if _NAME.fullmatch(name) is None or base not in known or (argument and base != "asl"):
        close = difflib.get_close_matches(name, known, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise InputError(f"Pyomo knows no solver {name!r}{hint}", field="engine")
    if _NO_LINEAR_SOLVER.fullmatch(base) or name == "asl":
        raise UnsupportedError(f"pyomo:{name} does not solve linear models")
    if name in _KNOWN:
        traits = _KNOWN[name]
    elif _CONTINUOUS_ONLY.fullmatch(argument or name):
        traits = Traits(name, family_of(name), _ANY - {Feature.INTEGER})
    else:
        traits = Traits(name, family_of(name))
    if not pyo.SolverFactory(name).available(exception_flag=False):
        how = _INSTALL.get(traits.family, f"install {argument or traits.family}")
        raise MissingDependencyError(f"pyomo:{name} cannot run here: {how}")
    return traits


def require_free(traits: Traits, own: Mapping[str, object]) -> dict[str, object]:
    """Check what can be checked of options that only the solver itself knows.

    Parameters
    ----------
    traits
        The solver.
    own
        Values by option name.

    Returns
    -------
    dict
        The same.

    Raises
    ------
    InputError
        If a name or a value cannot be passed on.
    UnsupportedError
        If an option belongs to ``Limits``.
    """
    by_option = {option: limit for limit, option in traits.limits.items()}
    for name, value in own.items():
        if name in _TIME_OPTIONS or name in by_option:
            limit = by_option.get(name, "time_limit_s")
            raise UnsupportedError(f"options.{name}: set {limit} of the limits instead")
        if re.fullmatch(r"[A-Za-z][A-Za-z0-9_./:-]*", name) is None:
            raise InputError("is no name of an option", field=f"options.{name}")
        if not isinstance(value, bool | int | float | str):
            raise InputError(f"must be a plain value, not {value!r}", field=f"options.{name}")
    return dict(own)


def family_of(name: str) -> str:
    """Return the code base of a solver that is not in the table: its name without the interface.

    Parameters
    ----------
    name
        Such as ``gurobi_persistent_v2``, ``appsi_cplex`` or ``asl:couenne``.

    Returns
    -------
    str
        Such as ``gurobi``, ``cplex`` or ``couenne``.
    """
    words = name.removeprefix("asl:").removeprefix("appsi_")
    return re.sub(r"(_direct|_persistent|_minlp|_v2)+$", "", words)
