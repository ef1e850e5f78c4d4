"""MathOpt of OR-Tools, spoken to in protos and without its modelling layer.

MathOpt's own Python interface takes a model coefficient by coefficient, imports pandas, and loses
the text of every error (or-tools #4606). Here the arrays of a model become the wire format of a
proto, which is parsed at the speed of memory, and the solver behind the interface is called itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ortools.math_opt import (
    callback_pb2,
    model_parameters_pb2,
    model_pb2,
    parameters_pb2,
    result_pb2,
)
from ortools.math_opt.core.python import solver as native
from ortools.util.python.pybind_solve_interrupter import PySolveInterrupter
from pybind11_abseil.status import StatusNotOk

from leotrek_opt.errors import EngineError, MissingDependencyError, UnsupportedError
from leotrek_opt.solvers.engines.protocol import Termination
from leotrek_opt.solvers.linear import ColumnKind, ModelArrays
from leotrek_opt.solvers.linear_arrays import FloatArray

GSCIP = parameters_pb2.SOLVER_TYPE_GSCIP
PDLP = parameters_pb2.SOLVER_TYPE_PDLP

_UNIMPLEMENTED = 12
_TAG_OF_BYTES = 2
"""Wire type of a field that says how long it is, such as packed numbers."""

# An end that is in neither table is a failure, or something a later version added: it raises.
_BY_REASON = {
    result_pb2.TERMINATION_REASON_OPTIMAL: Termination.PROVEN,
    result_pb2.TERMINATION_REASON_INFEASIBLE: Termination.PROVEN,
    result_pb2.TERMINATION_REASON_UNBOUNDED: Termination.PROVEN,
    result_pb2.TERMINATION_REASON_INFEASIBLE_OR_UNBOUNDED: Termination.UNKNOWN,
    result_pb2.TERMINATION_REASON_IMPRECISE: Termination.UNKNOWN,
    result_pb2.TERMINATION_REASON_NUMERICAL_ERROR: Termination.UNKNOWN,
}
_BY_LIMIT = {
    result_pb2.LIMIT_UNDETERMINED: Termination.UNKNOWN,
    result_pb2.LIMIT_ITERATION: Termination.ENGINE_LIMIT,
    result_pb2.LIMIT_TIME: Termination.TIME_LIMIT,
    result_pb2.LIMIT_NODE: Termination.NODE_LIMIT,
    result_pb2.LIMIT_SOLUTION: Termination.ENGINE_LIMIT,
    result_pb2.LIMIT_MEMORY: Termination.MEMORY_LIMIT,
    result_pb2.LIMIT_CUTOFF: Termination.CUTOFF,
    result_pb2.LIMIT_OBJECTIVE: Termination.TARGET,
    result_pb2.LIMIT_NORM: Termination.ENGINE_LIMIT,
    result_pb2.LIMIT_INTERRUPTED: Termination.CANCELLED,
    result_pb2.LIMIT_SLOW_PROGRESS: Termination.ENGINE_LIMIT,
    result_pb2.LIMIT_OTHER: Termination.ENGINE_LIMIT,
}
_STOPPED = {
    result_pb2.TERMINATION_REASON_FEASIBLE,
    result_pb2.TERMINATION_REASON_NO_SOLUTION_FOUND,
}


def version() -> str:
    """Return the version of OR-Tools."""
    return metadata.version("ortools")


def require_version() -> None:
    """Refuse an OR-Tools whose native interface this module has not met.

    Raises
    ------
    MissingDependencyError
        If it is not 9.15.
    """
    if not version().startswith("9.15."):
        raise MissingDependencyError(
            f"ortools {version()} is not supported: pip install 'ortools>=9.15,<9.16'"
        )


# Models


def model_proto(arrays: ModelArrays, *, offset: float = 0.0) -> model_pb2.ModelProto:
    """Write a model as a proto, to be minimised.

    Parameters
    ----------
    arrays
        The model; if it maximises, its costs are negated. Columns implied to be integer are
        continuous.
    offset
        Constant to hand over with it.

    Returns
    -------
    ModelProto
        Column and row ids are indices.
    """
    n, m = arrays.cost.size, arrays.row_lower.size
    proto = model_pb2.ModelProto()
    _fill(
        proto.variables,
        ids=np.arange(n),
        lower_bounds=arrays.lower,
        upper_bounds=arrays.upper,
        integers=arrays.kind == ColumnKind.INTEGER,
    )
    priced = np.flatnonzero(arrays.cost)
    proto.objective.offset = offset
    _fill(
        proto.objective.linear_coefficients,
        ids=priced,
        values=arrays.sign * arrays.cost[priced],
    )
    _fill(
        proto.linear_constraints,
        ids=np.arange(m),
        lower_bounds=arrays.row_lower,
        upper_bounds=arrays.row_upper,
    )
    _fill(
        proto.linear_constraint_matrix,
        row_ids=np.repeat(np.arange(m, dtype=np.int32), np.diff(arrays.indptr)),
        column_ids=arrays.indices,
        coefficients=arrays.data,
    )
    return proto


def _fill(message: Any, **fields: NDArray[Any]) -> None:
    """Append arrays to the repeated fields of a message, by way of its wire format."""
    for name, values in fields.items():
        payload = _packed(values)
        number = message.DESCRIPTOR.fields_by_name[name].number
        head = _varint(number << 3 | _TAG_OF_BYTES) + _varint(len(payload))
        message.MergeFromString(head + payload)


def _packed(values: NDArray[Any]) -> bytes:
    """Encode numbers as a packed field: doubles, booleans, or integers from 0 to 2**31."""
    if values.dtype == np.float64:
        return values.astype("<f8", copy=False).tobytes()
    if values.dtype == np.bool_:
        return values.tobytes()
    largest = int(values.max(initial=0))
    width = next(width for width in (1, 2, 4, 8) if largest < 1 << 7 * width)
    # Seven bits a byte, and all integers padded to one width: every byte but the last says that
    # another follows, which readers of protos must take. That way numpy does it without a loop.
    number = values.astype(f"<u{width}")
    unit = number.dtype.type
    encoded = number & unit(127)
    for byte in range(1, width):
        encoded |= (number & unit(127 << 7 * byte)) << unit(byte)
    encoded |= unit(int.from_bytes(b"\x80" * (width - 1), "little"))
    return bytes(encoded.tobytes())


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def fill_vector(vector: Any, values: FloatArray) -> None:
    """Write a dense vector into an empty sparse vector of a proto.

    Parameters
    ----------
    vector
        A ``SparseDoubleVectorProto``.
    values
        Shape (n,).
    """
    _fill(vector, ids=np.arange(values.size), values=values)


def dense(vector: Any, size: int) -> FloatArray:
    """Read a sparse vector of a proto.

    Parameters
    ----------
    vector
        A ``SparseDoubleVectorProto``.
    size
        Length of the result.

    Returns
    -------
    numpy.ndarray
        float64, 0 where the vector says nothing.
    """
    values = np.zeros(size)
    values[np.array(vector.ids, dtype=np.int64)] = vector.values
    return values


# Runs


class Stop(threading.Event):
    """An event that interrupts a run of MathOpt as soon as it is set."""

    def __init__(self) -> None:
        super().__init__()
        self.interrupter = PySolveInterrupter()

    def set(self) -> None:
        """Set the event, and tell the solver."""
        super().set()
        self.interrupter.interrupt()


def run(
    kind: int,
    model: model_pb2.ModelProto,
    parameters: parameters_pb2.SolveParametersProto,
    *,
    model_parameters: model_parameters_pb2.ModelSolveParametersProto | None = None,
    registration: callback_pb2.CallbackRegistrationProto | None = None,
    on_callback: Callable[[Any], Any] | None = None,
    on_messages: Callable[[list[str]], None] | None = None,
    stop: Stop | None = None,
    deadline: float | None = None,
) -> result_pb2.SolveResultProto:
    """Solve a proto. Nothing is printed, and the calling thread waits.

    Parameters
    ----------
    kind
        :data:`GSCIP` or :data:`PDLP`.
    model, parameters, model_parameters, registration
        As MathOpt takes them.
    on_callback, on_messages
        Called on this thread; they must not raise.
    stop
        Interrupts the run.
    deadline
        Moment on the clock of ``time.monotonic`` when the solver shall end; building counts.

    Returns
    -------
    SolveResultProto
        As MathOpt gives it.

    Raises
    ------
    UnsupportedError
        If MathOpt says that the solver has no such feature.
    EngineError
        If MathOpt refuses or fails otherwise.
    """
    try:
        built = native.new(kind, model, parameters_pb2.SolverInitializerProto())
        if deadline is not None:
            limit_s = max(0.0, deadline - time.monotonic())
            parameters.time_limit.FromNanoseconds(round(1e9 * limit_s))
        return built.solve(
            parameters,
            model_parameters or model_parameters_pb2.ModelSolveParametersProto(),
            on_messages,
            registration or callback_pb2.CallbackRegistrationProto(),
            on_callback,
            None if stop is None else stop.interrupter,
        )
    except StatusNotOk as error:
        text = " ".join(str(error.message).split())
        if error.code == _UNIMPLEMENTED or "not supported" in text:
            raise UnsupportedError(f"MathOpt: {text}") from None
        raise EngineError(f"MathOpt: {text}") from None
    except RuntimeError as error:
        raise EngineError(f"MathOpt: {' '.join(str(error).split())}") from None


def termination_of(end: result_pb2.TerminationProto) -> Termination:
    """Translate MathOpt's word on why a run ended.

    Parameters
    ----------
    end
        Its termination.

    Returns
    -------
    Termination
        In the engines' vocabulary.

    Raises
    ------
    EngineError
        If the run failed, or ended in a way that is not known.
    """
    known = _BY_LIMIT.get(end.limit) if end.reason in _STOPPED else _BY_REASON.get(end.reason)
    if known is None:
        reason = result_pb2.TerminationReasonProto.Name(end.reason)
        raise EngineError(f"MathOpt ended with {reason} {end.detail}".strip())
    return known
