"""Options of SCIP by name: its parameters, each tried on an empty model before it is used.

SCIP knows some three thousand parameters and checks names, types and ranges itself, so the trial
decides. Parameters that the engine answers for itself, that print, that touch files or that make
MathOpt end the process are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ortools.math_opt import model_pb2, parameters_pb2

from leotrek_opt.errors import EngineError, InputError, UnsupportedError
from leotrek_opt.solvers.engines import mathopt
from leotrek_opt.solvers.engines.options import nearest_option, split_options
from leotrek_opt.solvers.engines.scip_library import parameter_names, silence

_BY_LIMITS = {
    "limits/time": "time_limit_s",
    "limits/gap": "relative_gap",
    "limits/absgap": "absolute_gap",
    "limits/totalnodes": "max_nodes",
    "limits/memory": "memory_limit_mib",
    "limits/primal": "target",
    "randomization/randomseedshift": "seed",
}
_THREADS = ("parallel/", "concurrent/", "lp/threads")
_SILENCE_AND_FILES = ("display/", "table/", "visual/", "reading/", "write/", "misc/printreason")
_FILES = ("filename", "setname")
_REFUSED = {
    "limits/dual": "MathOpt ends the process when SCIP reaches it",
    "misc/catchctrlc": "the engine leaves signals alone",
    "numerics/dualfeastol": "SoPlex complains on stderr about values that it cannot keep",
}
_EFFORTS = {
    "off": parameters_pb2.EMPHASIS_OFF,
    "low": parameters_pb2.EMPHASIS_LOW,
    "high": parameters_pb2.EMPHASIS_HIGH,
    "on": parameters_pb2.EMPHASIS_MEDIUM,
}
_ALGORITHMS = {
    "dual_simplex": parameters_pb2.LP_ALGORITHM_DUAL_SIMPLEX,
    "primal_simplex": parameters_pb2.LP_ALGORITHM_PRIMAL_SIMPLEX,
}
_COMMON = {
    "presolve": ("on", "off"),
    "cuts": ("off", "low", "high"),
    "heuristics": ("off", "low", "high"),
    "lp_algorithm": tuple(_ALGORITHMS),
}
_INT32 = 2**31
_INT64 = 2**63

# What SCIP's error codes mean; MathOpt passes on no more than the code.
_UNKNOWN_NAME = "SCIP error code -12 "
_OTHER_TYPE = "SCIP error code -13 "


def checked_parameters(options: Mapping[str, object] | None) -> Any:
    """Turn a caller's options into parameters of MathOpt, once SCIP has accepted them.

    Parameters
    ----------
    options
        Words of the common vocabulary, or SCIP's parameters such as ``separating/maxrounds``; None.

    Returns
    -------
    SolveParametersProto
        Parameters to go on with.

    Raises
    ------
    InputError
        If SCIP has no such parameter or does not take the value.
    UnsupportedError
        If the parameter belongs to ``Limits``, prints, touches files, or does harm.
    """
    common, own = split_options(options, "scip", _COMMON)
    parameters = parameters_pb2.SolveParametersProto()
    for name, word in common.items():
        setattr(parameters, name, (_ALGORITHMS if name == "lp_algorithm" else _EFFORTS)[word])
    for name, value in own.items():
        _require_free(name)
        parameters.gscip.MergeFrom(_accepted(name, value))
    return parameters


def _require_free(name: str) -> None:
    reason = None
    if name in _BY_LIMITS:
        reason = f"set {_BY_LIMITS[name]} of the limits instead"
    elif name.startswith(_THREADS):
        reason = "SCIP comes without threads here"
    elif name.startswith(_SILENCE_AND_FILES) or name.endswith(_FILES):
        reason = "the engine neither prints nor touches files"
    elif name in _REFUSED:
        reason = _REFUSED[name]
    if reason is not None:
        raise UnsupportedError(f"options.{name}: {reason}")


def _accepted(name: str, value: object) -> Any:
    """Return the parameter in the first type in which SCIP takes it."""
    if not name.isascii():
        raise InputError(_no_such_parameter(name), field=f"options.{name}")
    refusal = f"must be a boolean, a number or printable ASCII, not {value!r}"
    for kind, number in _readings(value):
        trial = parameters_pb2.SolveParametersProto()
        getattr(trial.gscip, kind)[name] = number
        try:
            with silence():
                mathopt.run(mathopt.GSCIP, model_pb2.ModelProto(), trial)
        except EngineError as error:
            if _UNKNOWN_NAME in str(error):
                refusal = _no_such_parameter(name)
                break
            refusal = f"SCIP does not take {value!r}"
            if _OTHER_TYPE not in str(error):
                break
        else:
            return trial.gscip
    raise InputError(refusal, field=f"options.{name}")


def _no_such_parameter(name: str) -> str:
    return f"SCIP has no such parameter{nearest_option(name, parameter_names())}"


def _readings(value: object) -> list[tuple[str, Any]]:
    """List the types that SCIP may know a value by."""
    if isinstance(value, bool):
        return [("bool_params", value)]
    if isinstance(value, int):
        readings = [("int_params", _INT32), ("long_params", _INT64)]
        whole = [(kind, value) for kind, room in readings if -room <= value < room]
        return [*whole, ("real_params", float(value))] if whole else []
    if isinstance(value, float):
        return [("real_params", value)]
    if isinstance(value, str):
        kinds = ["char_params", "string_params"] if len(value) == 1 else ["string_params"]
        return [(kind, value) for kind in kinds] if value.isascii() and value.isprintable() else []
    return []
