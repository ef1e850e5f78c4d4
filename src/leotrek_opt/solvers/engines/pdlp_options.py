"""Options of PDLP by name: the scalar fields of its parameters, checked against their types.

``eps_optimal_absolute`` and ``eps_optimal_relative`` say how exactly rows, duals and the gap have
to be met: each row to the sum of the first and of the second times its side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ortools.math_opt import model_pb2, parameters_pb2
from ortools.pdlp import solvers_pb2

from leotrek_opt.errors import EngineError, InputError, UnsupportedError
from leotrek_opt.solvers.engines import mathopt
from leotrek_opt.solvers.engines.options import nearest_option, split_options

_ABSOLUTE, _RELATIVE = 1e-9, 2.5e-10
"""Tight enough for a bound derived from the duals to meet the objective as an optimum must."""
_COMMON = {"presolve": ("on", "off")}
_BY_LIMITS = {"num_threads": "threads", "time_sec_limit": "time_limit_s"}
_SILENCE = ("verbosity_level", "log_interval_seconds", "record_iteration_stats")
_INT32 = 2**31


def checked_parameters(options: Mapping[str, object] | None) -> Any:
    """Turn a caller's options into parameters of MathOpt, once PDLP has accepted them.

    Parameters
    ----------
    options
        Words of the common vocabulary, or fields of PDLP's parameters by name; None.

    Returns
    -------
    SolveParametersProto
        Parameters to go on with.

    Raises
    ------
    InputError
        If PDLP has no such parameter or does not take the value.
    UnsupportedError
        If the parameter belongs to ``Limits`` or prints.
    """
    common, own = split_options(options, "pdlp", _COMMON)
    parameters = parameters_pb2.SolveParametersProto()
    parameters.pdlp.presolve_options.use_glop = common.get("presolve") == "on"
    criteria = parameters.pdlp.termination_criteria
    criteria.optimality_norm = solvers_pb2.OPTIMALITY_NORM_L_INF_COMPONENTWISE
    criteria.simple_optimality_criteria.eps_optimal_absolute = _ABSOLUTE
    criteria.simple_optimality_criteria.eps_optimal_relative = _RELATIVE
    fields = dict(_fields(parameters.pdlp))
    for name, value in own.items():
        if name in _BY_LIMITS:
            raise UnsupportedError(f"options.{name}: set {_BY_LIMITS[name]} of the limits instead")
        if name in _SILENCE:
            raise UnsupportedError(f"options.{name}: the engine neither prints nor keeps a log")
        if name not in fields:
            hint = nearest_option(name, fields)
            raise InputError(f"PDLP has no such parameter{hint}", field=f"options.{name}")
        if name == "eps_optimal_relative" and value == 0:
            # 0 times the side of a row that has none is not a number, which PDLP takes for met.
            raise InputError("must be positive", field=f"options.{name}")
        message, field = fields[name]
        setattr(message, name, _typed(name, value, field))
    if own:
        _try(parameters, own)
    return parameters


def _fields(parameters: Any) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """List the scalar fields with the message that each stands in, later names over earlier."""
    criteria = parameters.termination_criteria
    for message in (parameters, criteria, criteria.simple_optimality_criteria):
        for field in message.DESCRIPTOR.fields:
            if field.message_type is None and not field.is_repeated:
                yield field.name, (message, field)


def _typed(name: str, value: object, field: Any) -> Any:
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    if field.enum_type is not None:
        words = field.enum_type.values_by_name
        if isinstance(value, str) and value in words:
            return words[value].number
        wanted = f"one of {', '.join(words)}"
    elif field.cpp_type == field.CPPTYPE_BOOL:
        if isinstance(value, bool):
            return value
        wanted = "a boolean"
    elif field.cpp_type == field.CPPTYPE_DOUBLE:
        if is_integer or isinstance(value, float):
            return float(str(value))
        wanted = "a number"
    else:
        if is_integer and -_INT32 <= int(str(value)) < _INT32:
            return value
        wanted = "an integer"
    raise InputError(f"must be {wanted}, not {value!r}", field=f"options.{name}")


def _try(parameters: Any, own: Mapping[str, object]) -> None:
    """Let PDLP look at the parameters, with nothing to solve."""
    trial = parameters_pb2.SolveParametersProto()
    trial.CopyFrom(parameters)
    try:
        mathopt.run(mathopt.PDLP, model_pb2.ModelProto(), trial, on_messages=lambda _: None)
    except EngineError as error:
        reason = str(error).rpartition("INVALID_ARGUMENT: ")[2]
        name = next((f".{name}" for name in own if name in reason), "")
        raise InputError(f"PDLP says: {reason}", field=f"options{name}") from None
