"""Solver engines behind one protocol, loaded when they are asked for by name."""

from __future__ import annotations

import difflib
import importlib
from typing import TYPE_CHECKING, cast

from leotrek_opt.errors import InputError

if TYPE_CHECKING:
    from leotrek_opt.solvers.engines.protocol import Engine

__all__ = ["ENGINE_NAMES", "engine_named"]

_ENGINES = {"highs": ("leotrek_opt.solvers.engines.highs", "HighsEngine")}

ENGINE_NAMES = tuple(_ENGINES)
"""Names that :func:`engine_named` knows."""


def engine_named(name: str) -> Engine:
    """Load an engine.

    Parameters
    ----------
    name
        One of :data:`ENGINE_NAMES`.

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
    if name not in _ENGINES:
        close = difflib.get_close_matches(name, ENGINE_NAMES, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise InputError(
            f"no engine {name!r}; known: {', '.join(ENGINE_NAMES)}{hint}", field="engine"
        )
    module, attribute = _ENGINES[name]
    return cast("Engine", getattr(importlib.import_module(module), attribute)())
