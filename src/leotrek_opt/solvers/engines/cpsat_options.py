"""Options of CP-SAT by name: its parameters, checked, and ``continuous_steps``, which is our own.

Parameters that the engine answers for itself, that print, touch files, may end the process or
change what an answer means are refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ortools.sat.python import cp_model_helper as native

from leotrek_opt.errors import InputError, UnsupportedError
from leotrek_opt.solvers.engines.options import nearest_option, split_options

Parameter = bool | int | float | str | tuple[str, ...]

STEPS = "continuous_steps"
"""Continuous columns take multiples of one over this."""
_MOST_STEPS = 2**31
_BY_LIMITS = {
    "max_time_in_seconds": "time_limit_s",
    "relative_gap_limit": "relative_gap",
    "absolute_gap_limit": "absolute_gap",
    "num_workers": "threads",
    "num_search_workers": "threads",
    "random_seed": "seed",
}
_REFUSED = {
    "log_": "the engine does not print",
    "debug_": "may end the process",
    "check_": "may end the process",
    "output_": "the engine does not touch files",
    "catch_sigint_signal": "the engine leaves signals alone",
    "enumerate_all_solutions": "would change what an answer means",
    "fix_variables_to_their_hinted_value": "would change what an answer means",
    "fill_additional_solutions_in_response": "the engine does not hand it on",
    "fill_tightened_domains_in_response": "the engine does not hand it on",
    "max_memory_in_mb": "CP-SAT does not keep to it",
    "name": "has no effect",
}
_COMMON: Mapping[str, Mapping[str, Mapping[str, Parameter]]] = {
    "presolve": {"on": {"cp_model_presolve": True}, "off": {"cp_model_presolve": False}},
    "cuts": {"off": {"cut_level": 0}},
    "heuristics": {
        "off": {
            "use_lns": False,
            "use_feasibility_jump": False,
            "use_feasibility_pump": False,
            "use_rins_lns": False,
            "use_lb_relax_lns": False,
        }
    },
}
_LISTS = ("subsolvers", "extra_subsolvers", "ignore_subsolvers", "filter_subsolvers")
_ENDINGS = frozenset(
    {
        "max_deterministic_time",
        "max_num_deterministic_batches",
        "max_number_of_conflicts",
        "stop_after_first_solution",
        "stop_after_presolve",
        "stop_after_root_propagation",
    }
)


@dataclass(frozen=True)
class CpSatOptions:
    """Checked options.

    Attributes
    ----------
    parameters
        Parameters of CP-SAT by name; enumerated ones by the name of their value.
    continuous_steps
        Continuous columns take multiples of one over this; None if they are refused.
    """

    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    continuous_steps: int | None = None

    @property
    def may_end_early(self) -> bool:
        """Whether a parameter is a limit of its own."""
        return bool(_ENDINGS & self.parameters.keys())


def checked_options(options: Mapping[str, object] | None) -> CpSatOptions:
    """Check a caller's options against the parameters of CP-SAT.

    Parameters
    ----------
    options
        Values by option name, or None.

    Returns
    -------
    CpSatOptions
        The options, ready to be set.

    Raises
    ------
    InputError
        If CP-SAT has no such parameter, or does not take the value.
    UnsupportedError
        If the parameter belongs to ``Limits``, or is one that the engine refuses.
    """
    if not options:
        return CpSatOptions()
    common, own = split_options(options, "cpsat", _COMMON)
    checked = {
        name: value for key, word in common.items() for name, value in _COMMON[key][word].items()
    }
    steps = _checked_steps(own.pop(STEPS, None))
    for name, value in own.items():
        checked[name] = _checked(name, value)
    return CpSatOptions(checked, steps)


def quiet_parameters() -> native.SatParameters:
    """Return parameters of a run with one thread that neither prints nor catches signals.

    Returns
    -------
    SatParameters
        A new object.
    """
    parameters = native.SatParameters()
    parameters.num_workers = 1
    parameters.catch_sigint_signal = False
    parameters.log_to_stdout = False
    return parameters


def set_parameters(target: native.SatParameters, parameters: Mapping[str, Parameter]) -> None:
    """Set checked parameters.

    Parameters
    ----------
    target
        Where to set them.
    parameters
        Values by name.
    """
    for name, value in parameters.items():
        before = getattr(target, name)
        if isinstance(value, tuple):
            before.extend(value)
        elif _words(before):
            setattr(target, name, _words(before)[str(value)])
        else:
            setattr(target, name, value)


def _checked_steps(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value < _MOST_STEPS:
        return value
    raise InputError(
        f"must be an integer in [1, {_MOST_STEPS}), not {value!r}", field=f"options.{STEPS}"
    )


def _checked(name: str, value: object) -> Parameter:
    defaults = native.SatParameters()
    known = [*_LISTS, *(word[6:] for word in dir(defaults) if word.startswith("clear_"))]
    if name not in known:
        hint = nearest_option(name, [STEPS, *known])
        raise InputError(f"CP-SAT has no such option{hint}", field=f"options.{name}")
    if name in _BY_LIMITS:
        raise UnsupportedError(f"options.{name}: set {_BY_LIMITS[name]} of the limits instead")
    for refused, reason in _REFUSED.items():
        if name == refused or (refused.endswith("_") and name.startswith(refused)):
            raise UnsupportedError(f"options.{name}: {reason}")
    typed = _typed(name, value, getattr(defaults, name))
    _require_taken(name, typed)
    return typed


def _typed(name: str, value: object, default: object) -> Parameter:
    """Bring a value to the type of its default, or refuse it."""
    words = _words(default)
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    if words:
        wanted = f"one of {', '.join(words)}"
        if isinstance(value, str) and value in words:
            return value
    elif isinstance(default, bool):
        wanted = "a boolean"
        if isinstance(value, bool):
            return value
    elif isinstance(default, int):
        wanted = "an integer"
        if is_integer:
            return int(str(value))
    elif isinstance(default, float):
        wanted = "a number"
        if is_integer or (isinstance(value, float) and not math.isnan(value)):
            return float(str(value))
    elif isinstance(default, str):
        wanted = "a string"
        if isinstance(value, str):
            return value
    else:
        wanted = "a list of strings"
        if isinstance(value, list | tuple) and all(isinstance(word, str) for word in value):
            return tuple(value)
    raise InputError(f"must be {wanted}, not {value!r}", field=f"options.{name}")


def _words(default: object) -> Mapping[str, object]:
    """Return the values of an enumerated parameter by name, nothing for any other."""
    return getattr(type(default), "__members__", {})


def _require_taken(name: str, value: Parameter) -> None:
    """Let CP-SAT judge a value by a run without a model."""
    parameters, reason = quiet_parameters(), ""
    try:
        set_parameters(parameters, {name: value})
    except TypeError:
        reason = "out of range"
    else:
        wrapper: Any = native.SolveWrapper()
        wrapper.set_parameters(parameters)
        response = wrapper.solve(native.CpModelProto())
        if response.status == native.MODEL_INVALID:
            reason = response.solution_info
    if reason:
        raise InputError(f"CP-SAT does not take {value!r}: {reason}", field=f"options.{name}")
