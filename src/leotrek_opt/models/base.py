"""What every model shares: strictness, identifiers, bounds, quanta and one-line errors."""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
    ValidationError,
)
from pydantic_core import PydanticCustomError, core_schema

from leotrek_opt.errors import InputError

NS_PER_MS = 1_000_000
"""Latency and transfer times are integers of one nanosecond once a topology is materialised."""

BPS_PER_MBPS = 1_000_000
"""Bandwidths are integers of one bit per second once a topology is materialised."""

EXACT_LIMIT = 2**53
"""Every path, objective and bound stays below this, where float64 is still exact."""

MAX_LATENCY_MS = 100_000.0
MAX_BANDWIDTH_MBPS = 1e9
MIN_BANDWIDTH_MBPS = 1e-3
MAX_SIZE_BYTES = 10**13
MAX_EXECUTION_MS = 10**9
MAX_QUANTITY = 10**12
MAX_STEPS = 100_000

MAX_COMPARED_NAMES = 200
"""Names that are compared thoroughly to find the nearest one."""

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:#-]{1,128}$")]
"""A name used in cross references; never a file name."""

FunctionReference = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9._:#-]{1,128}/[A-Za-z0-9._:#-]{1,128}$")
]
"""A function by ``workflow/function``."""

Label = Annotated[str, StringConstraints(max_length=256, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""Free printable text kept from a foreign document."""

LatencyMs = Annotated[float, Field(ge=0, le=MAX_LATENCY_MS)]
BandwidthMbps = Annotated[float, Field(ge=MIN_BANDWIDTH_MBPS, le=MAX_BANDWIDTH_MBPS)]
SizeBytes = Annotated[int, Field(ge=0, le=MAX_SIZE_BYTES)]
ExecutionMs = Annotated[int, Field(ge=0, le=MAX_EXECUTION_MS)]
Quantity = Annotated[int, Field(ge=0, le=MAX_QUANTITY)]
StepIndex = Annotated[int, Field(ge=0, lt=MAX_STEPS)]
TemperatureC = Annotated[float, Field(ge=-273.15, le=10_000)]


def _stop_at_first_bad_entry(schema: Any) -> None:
    if isinstance(schema, dict):
        if schema.get("type") in ("list", "tuple"):
            schema["fail_fast"] = True
        for part in schema.values():
            _stop_at_first_bad_entry(part)
    elif isinstance(schema, list):
        for part in schema:
            _stop_at_first_bad_entry(part)


class StrictModel(BaseModel):
    """Base of every model: frozen, strict, no unknown field, no NaN and no infinity."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, arbitrary_types_allowed=True
    )

    later_fields: ClassVar[tuple[str, ...]] = ()
    """Fields younger than saved digests; the canonical form leaves them out at their default."""

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Build the schema; a list stops at its first bad entry.

        A few megabytes of wrong entries would otherwise become gigabytes of error objects.
        """
        schema = handler(source)
        _stop_at_first_bad_entry(schema)
        return schema

    def __eq__(self, other: object) -> bool:
        """Compare type and every field; arrays by shape and content."""
        if type(self) is not type(other):
            return NotImplemented
        return all(
            same_value(mine, other.__dict__.get(name)) for name, mine in self.__dict__.items()
        )

    __hash__ = None  # type: ignore[assignment]

    def replace(self, **changes: Any) -> Self:
        """Return a validated copy with some fields changed.

        Parameters
        ----------
        **changes
            New values by field name.

        Returns
        -------
        Self
            A new model; this one is unchanged.

        Raises
        ------
        pydantic.ValidationError
            If the changed model breaks a rule.
        """
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**(values | changes))


def same_value(left: Any, right: Any) -> bool:
    """Compare two field values; arrays by shape and content.

    Parameters
    ----------
    left, right
        Values of one field.

    Returns
    -------
    bool
        Whether they are equal.
    """
    if isinstance(left, np.ndarray) or isinstance(right, np.ndarray):
        return (
            isinstance(left, np.ndarray)
            and isinstance(right, np.ndarray)
            and np.array_equal(left, right)
        )
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(
            same_value(left[key], right[key]) for key in left
        )
    return bool(left == right)


def quantise(values: ArrayLike, scale: int) -> NDArray[np.int64]:
    """Round decimals to integer quanta, half to even, as if done in decimal arithmetic.

    Parameters
    ----------
    values
        Finite floats; each is read as the shortest decimal that prints it.
    scale
        Quanta per unit, a power of ten.

    Returns
    -------
    ndarray of int64
        ``round_half_even(values * scale)``, same shape.
    """
    numbers = np.asarray(values, dtype=np.float64)
    scaled = numbers * float(scale)
    rounded = np.rint(scaled)
    # Multiplying in binary can fall on the wrong side of a tie; those few are redone in decimal.
    doubtful = np.abs(np.abs(scaled - np.floor(scaled)) - 0.5) < 1e-4
    if doubtful.any():
        exact = [
            int((Decimal(repr(float(x))) * scale).to_integral_value(ROUND_HALF_EVEN))
            for x in numbers[doubtful]
        ]
        rounded[doubtful] = exact
    return rounded.astype(np.int64)


def quantum_ns(latency_ms: float) -> int:
    """Return a latency in whole nanoseconds, rounded half to even.

    Parameters
    ----------
    latency_ms
        Milliseconds, read as the shortest decimal that prints it.

    Returns
    -------
    int
        Nanoseconds.
    """
    return int((Decimal(repr(latency_ms)) * NS_PER_MS).to_integral_value(ROUND_HALF_EVEN))


def quantum_bps(bandwidth_mbps: float) -> int:
    """Return a bandwidth in whole bits per second, rounded half to even.

    Parameters
    ----------
    bandwidth_mbps
        Megabits per second, read as the shortest decimal that prints it.

    Returns
    -------
    int
        Bits per second.
    """
    return int((Decimal(repr(bandwidth_mbps)) * BPS_PER_MBPS).to_integral_value(ROUND_HALF_EVEN))


def rejection(at: str, message: str) -> PydanticCustomError:
    """Return an error for a cross-field rule, to be raised inside a validator.

    Parameters
    ----------
    at
        Path below the model that is being validated, such as ``edges[3].target``.
    message
        What is wrong and what is allowed.

    Returns
    -------
    PydanticCustomError
        Carries ``at`` so that :func:`input_error` can name the whole path.
    """
    return PydanticCustomError("leotrek", "{message}", {"message": message, "at": at})


def nearest_name(name: str, known: Iterable[str]) -> str:
    """Return a hint naming the closest valid name, or an empty string.

    Parameters
    ----------
    name
        What was written.
    known
        What would have been valid.

    Returns
    -------
    str
        `` (did you mean "x"?)`` or ``""``.
    """
    names = list(known)
    if len(names) > MAX_COMPARED_NAMES:
        # Comparing with every node of a constellation would take longer than to load it.
        names = heapq.nlargest(
            MAX_COMPARED_NAMES, names, key=lambda other: (_shared_ends(name, other), other)
        )
    matches = difflib.get_close_matches(name, names, n=1)
    return f' (did you mean "{matches[0]}"?)' if matches else ""


def _shared_ends(left: str, right: str) -> int:
    """Return how many characters two names have in common at their start and at their end."""
    shorter = min(len(left), len(right))
    start = 0
    while start < shorter and left[start] == right[start]:
        start += 1
    end = 0
    while end < shorter - start and left[-1 - end] == right[-1 - end]:
        end += 1
    return start + end


def input_error(
    error: ValidationError,
    *,
    file: str | Path | None = None,
    model: type[BaseModel] | None = None,
) -> InputError:
    """Turn a validation error into one line that names field, value and what is allowed.

    Parameters
    ----------
    error
        What pydantic raised.
    file
        The file being read, if any.
    model
        The model that was validated; with it, an unknown field comes with the nearest known one.

    Returns
    -------
    InputError
        Names the first offending field and how many more there are.
    """
    from leotrek_opt.models.messages import describe

    field, message = describe(error, model)
    return InputError(message, file=file, field=field or None)
