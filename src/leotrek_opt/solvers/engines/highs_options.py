"""Options of HiGHS by name: checked before they are set, because HiGHS itself only returns a code.

HiGHS leaves an unknown option or a bad value without effect and goes on, so every code is looked
at. Options that the engine answers for itself, that print or that touch files are refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import highspy

from leotrek_opt.errors import EngineError, InputError, UnsupportedError
from leotrek_opt.solvers.engines.options import nearest_option, split_options

Option = bool | int | float | str

_OK = highspy.HighsStatus.kOk
_Type = highspy.HighsOptionType
_BY_LIMITS = {
    "time_limit": "time_limit_s",
    "mip_rel_gap": "relative_gap",
    "mip_abs_gap": "absolute_gap",
    "threads": "threads",
    "random_seed": "seed",
    "mip_max_nodes": "max_nodes",
    "objective_bound": "cutoff",
    "objective_target": "target",
}
_SILENCE_AND_FILES = ("log_", "write_", "read_", "solution_file", "output_flag")
_COMMON: Mapping[str, Mapping[str, tuple[str, Option]]] = {
    "presolve": {"on": ("presolve", "on"), "off": ("presolve", "off")},
    "heuristics": {
        "off": ("mip_heuristic_effort", 0.0),
        "low": ("mip_heuristic_effort", 0.02),
        "high": ("mip_heuristic_effort", 0.3),
    },
    "lp_algorithm": {
        "dual_simplex": ("simplex_strategy", 1),
        "primal_simplex": ("simplex_strategy", 4),
        "barrier": ("solver", "ipm"),
    },
}
# With symmetry detection HiGHS 1.13.1 has called wrong values optimal, on whole numbers too:
# knapsacks with choices of like options, which the tests keep as canaries.
_DEFAULTS: Mapping[str, Option] = {"mip_detect_symmetry": False}
_DROPS_INTEGRALITY = ("solver", "solve_relaxation")


def set_option(highs: highspy.Highs, name: str, value: Option) -> None:
    """Set an option and make sure that it was taken.

    Parameters
    ----------
    highs
        The solver.
    name, value
        Option of HiGHS and its value.

    Raises
    ------
    EngineError
        If HiGHS refuses it.
    """
    if highs.setOptionValue(name, value) != _OK:
        raise EngineError(f"HiGHS refuses option {name}={value!r}")


def checked_options(options: Mapping[str, object] | None, *, integer: bool) -> dict[str, Option]:
    """Check a caller's options against those of HiGHS.

    Parameters
    ----------
    options
        Values by option name, or None.
    integer
        Whether the model has integer columns that must stay integer.

    Returns
    -------
    dict
        The options, with numbers in the type HiGHS wants, and what we set unless told otherwise:
        no symmetry detection, which makes HiGHS 1.13.1 claim wrong optima.

    Raises
    ------
    InputError
        If HiGHS has no such option, or does not take the value.
    UnsupportedError
        If the option belongs to ``Limits``, prints, touches files, or would drop integrality.
    """
    if not options:
        return dict(_DEFAULTS)
    takes = {
        name: words for name, words in _COMMON.items() if name != "lp_algorithm" or not integer
    }
    common, own = split_options(options, "highs", takes)
    checked = dict(_DEFAULTS) | dict(_COMMON[name][word] for name, word in common.items())
    highs = highspy.Highs()
    set_option(highs, "output_flag", False)
    for name, value in own.items():
        status, kind = highs.getOptionType(name)
        if status != _OK:
            known = [option for option in dir(highspy.HighsOptions()) if option[0] != "_"]
            hint = nearest_option(name, known)
            raise InputError(f"HiGHS has no such option{hint}", field=f"options.{name}")
        _require_free(name, value, integer)
        checked[name] = _typed(name, value, kind)
        if highs.setOptionValue(name, checked[name]) != _OK:
            raise InputError(f"HiGHS does not take {value!r}", field=f"options.{name}")
    return checked


def _require_free(name: str, value: object, integer: bool) -> None:
    if name in _BY_LIMITS:
        raise UnsupportedError(f"options.{name}: set {_BY_LIMITS[name]} of the limits instead")
    if name.startswith(_SILENCE_AND_FILES):
        raise UnsupportedError(f"options.{name}: the engine neither prints nor touches files")
    if integer and name in _DROPS_INTEGRALITY and value not in {"choose", False}:
        raise UnsupportedError(f"options.{name}: would drop the integrality of the model")


def _typed(name: str, value: object, kind: highspy.HighsOptionType) -> Option:
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    if kind == _Type.kBool and isinstance(value, bool):
        return value
    if kind == _Type.kInt and is_integer and -(2**31) <= int(str(value)) < 2**31:
        return int(str(value))
    if kind == _Type.kDouble and (is_integer or isinstance(value, float)):
        number = float(str(value))
        if not math.isnan(number):
            return number
    if kind == _Type.kString and isinstance(value, str):
        return value
    wanted = {_Type.kBool: "a boolean", _Type.kInt: "an integer", _Type.kDouble: "a number"}
    raise InputError(
        f"must be {wanted.get(kind, 'a string')}, not {value!r}", field=f"options.{name}"
    )
