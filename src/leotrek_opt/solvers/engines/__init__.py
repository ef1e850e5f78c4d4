"""Solver engines behind one protocol, loaded when they are asked for by name."""

from __future__ import annotations

import difflib
import importlib
from typing import TYPE_CHECKING, cast

from leotrek_opt.errors import InputError

if TYPE_CHECKING:
    from leotrek_opt.solvers.engines.protocol import Engine

__all__ = ["ENGINE_NAMES", "MIP_ENGINES", "engine_named"]

_ROOM = "leotrek_opt.solvers.engines"
_ENGINES = {
    "highs": (f"{_ROOM}.highs", "HighsEngine"),
    "cpsat": (f"{_ROOM}.cpsat", "CpSatEngine"),
    "scip": (f"{_ROOM}.scip", "ScipEngine"),
    "pdlp": (f"{_ROOM}.pdlp", "PdlpEngine"),
    "pyomo": (f"{_ROOM}.pyomo", "PyomoEngine"),
}

ENGINE_NAMES = tuple(_ENGINES)
"""Names that :func:`engine_named` knows; ``pyomo`` wants a solver, as in ``pyomo:appsi_highs``."""
MIP_ENGINES = ("highs", "cpsat", "scip", "pyomo:appsi_highs")
"""Engines for integer columns that come with the core dependencies."""


def engine_named(name: str) -> Engine:
    """Load an engine.

    Parameters
    ----------
    name
        One of :data:`ENGINE_NAMES`; for Pyomo with one of its solvers, ``pyomo:<solver>``.

    Returns
    -------
    Engine
        A new engine object.

    Raises
    ------
    InputError
        If there is no engine of that name.
    MissingDependencyError
        If its solver is not installed in a version that it takes.
    """
    if not isinstance(name, str):
        raise InputError(f"must be the name of an engine, not {name!r}", field="engine")
    base, colon, argument = name.partition(":")
    if base not in _ENGINES or bool(colon) != (base == "pyomo") or (colon and not argument):
        words = ["pyomo:<solver>" if word == "pyomo" else word for word in ENGINE_NAMES]
        close = difflib.get_close_matches(name, words, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise InputError(f"no engine {name!r}; known: {', '.join(words)}{hint}", field="engine")
    module, attribute = _ENGINES[base]
    engine = getattr(importlib.import_module(module), attribute)
    return cast("Engine", engine(argument) if argument else engine())
