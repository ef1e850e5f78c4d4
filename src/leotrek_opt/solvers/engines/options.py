"""Options that mean the same on every engine, beside those that each engine has of its own.

=================  ==========================================================================
``presolve``       ``auto``, ``on``, ``off``: simplify the model before it is solved
``cuts``           ``auto``, ``off``, ``low``, ``high``: effort for cutting planes
``heuristics``     ``auto``, ``off``, ``low``, ``high``: effort for finding solutions
``lp_algorithm``   ``auto``, ``dual_simplex``, ``primal_simplex``, ``barrier``
=================  ==========================================================================

An engine refuses a word that it cannot follow. Every other name is one of the engine's own, which
it checks itself.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping

from leotrek_opt.errors import InputError, UnsupportedError

_EFFORT = ("auto", "off", "low", "high")

VOCABULARY: Mapping[str, tuple[str, ...]] = {
    "presolve": ("auto", "on", "off"),
    "cuts": _EFFORT,
    "heuristics": _EFFORT,
    "lp_algorithm": ("auto", "dual_simplex", "primal_simplex", "barrier"),
}
"""Common options and their words."""


def split_options(
    options: Mapping[str, object] | None, engine: str, takes: Mapping[str, Collection[str]]
) -> tuple[dict[str, str], dict[str, object]]:
    """Tell common options from an engine's own.

    Parameters
    ----------
    options
        Values by name, or None.
    engine
        Name of the engine, for errors.
    takes
        Words that the engine follows, by common option; ``auto`` goes without saying.

    Returns
    -------
    common
        Common options, those that say ``auto`` left out.
    own
        All others, unchecked.

    Raises
    ------
    InputError
        If the options are no mapping, or a common option has an unknown word.
    UnsupportedError
        If the engine cannot follow it.
    """
    if options is not None and not isinstance(options, Mapping):
        raise InputError(f"must map names to values, not {type(options).__name__}", field="options")
    common: dict[str, str] = {}
    own: dict[str, object] = {}
    for name, value in (options or {}).items():
        if name not in VOCABULARY:
            own[name] = value
            continue
        if not isinstance(value, str) or value not in VOCABULARY[name]:
            allowed = ", ".join(VOCABULARY[name])
            raise InputError(f"must be one of {allowed}, not {value!r}", field=f"options.{name}")
        if value == "auto":
            continue
        if value not in takes.get(name, ()):
            raise UnsupportedError(f"options.{name}: engine {engine} cannot follow {value!r}")
        common[name] = value
    return common, own


def nearest_option(name: str, known: Collection[str]) -> str:
    """Return a hint at the option that somebody may have meant.

    Parameters
    ----------
    name
        As it was written.
    known
        Options that exist, beside the common ones.

    Returns
    -------
    str
        Such as `` (did you mean presolve?)``, or nothing.
    """
    close = difflib.get_close_matches(name, [*VOCABULARY, *known], n=1)
    return f" (did you mean {close[0]}?)" if close else ""
