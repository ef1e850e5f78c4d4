"""Numeric columns of a document: read-only numpy arrays, validated like any other field.

A column is a JSON list (of lists). A large one may lie beside the document; then the JSON holds
``{"array": sha256, "shape": [...], "dtype": "..."}`` and whoever reads the document passes
``context={"load_array": function}``, whoever writes it ``context={"store_array": function}``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SerializationInfo,
    ValidationInfo,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

from leotrek_opt.models.base import (
    MAX_BANDWIDTH_MBPS,
    MAX_LATENCY_MS,
    MAX_QUANTITY,
    MAX_STEPS,
    MIN_BANDWIDTH_MBPS,
    rejection,
)

MAX_CELLS = 500_000_000
"""Largest number of entries of one column."""

REFERENCE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "An array that lies beside the document, in <npz>.npz.",
    "properties": {
        "array": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
        "dtype": {"enum": ["<f8", "<i8", "|b1"]},
        "npz": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    },
    "required": ["array", "shape", "dtype"],
    "additionalProperties": False,
}
"""JSON Schema of what stands in a document for an array beside it."""

ArrayLoader = Callable[[dict[str, Any]], NDArray[Any]]
ArrayStore = Callable[[NDArray[Any]], "dict[str, Any] | None"]


@dataclass(frozen=True)
class Column:
    """Annotation that makes a numpy array a strict pydantic field.

    Parameters
    ----------
    dtype
        ``int64``, ``float64`` or ``bool``.
    minimum, maximum
        Inclusive bounds of every entry.
    dimensions
        1 for a list, 2 for a list of equally long lists.
    """

    dtype: type[np.int64] | type[np.float64] | type[np.bool_]
    minimum: float | None = None
    maximum: float | None = None
    dimensions: int = 1

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Build the schema: a strict list, an array, or a reference to one beside the document."""
        entries = self._entry_schema()
        for _ in range(self.dimensions):
            entries = core_schema.list_schema(entries, strict=True, fail_fast=True)
        return core_schema.with_info_wrap_validator_function(
            self._validate,
            entries,
            serialization=core_schema.plain_serializer_function_ser_schema(
                _serialise, info_arg=True, return_schema=core_schema.any_schema()
            ),
        )

    def _entry_schema(self) -> core_schema.CoreSchema:
        if self.dtype is np.int64:
            return core_schema.int_schema(
                strict=True,
                ge=None if self.minimum is None else int(self.minimum),
                le=None if self.maximum is None else int(self.maximum),
            )
        if self.dtype is np.bool_:
            return core_schema.bool_schema(strict=True)
        return core_schema.float_schema(
            strict=True, allow_inf_nan=False, ge=self.minimum, le=self.maximum
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the list, or the reference that stands for a large one."""
        del schema
        entries = handler(self._entry_schema())
        for _ in range(self.dimensions):
            entries = {"type": "array", "items": entries}
        return {"anyOf": [entries, REFERENCE_SCHEMA]}

    def _validate(
        self,
        value: Any,
        validate_list: core_schema.ValidatorFunctionWrapHandler,
        info: ValidationInfo,
    ) -> NDArray[Any]:
        if isinstance(value, dict):
            return self._checked(self._from_reference(value, info))
        if isinstance(value, np.ndarray):
            return self._from_array(value)
        if isinstance(value, tuple):
            value = [list(row) if isinstance(row, tuple) else row for row in value]
        rows = validate_list(value)
        if self.dimensions == 2:
            for index, row in enumerate(rows):
                if len(row) != len(rows[0]):
                    raise rejection(
                        f"[{index}]", f"must have {len(rows[0])} entries like [0], got {len(row)}"
                    )
        array = np.array(rows, dtype=self.dtype)
        if array.ndim != self.dimensions:
            array = array.reshape((len(rows),) + (0,) * (self.dimensions - 1))
        return self._sealed(array)

    def _from_reference(self, reference: dict[str, Any], info: ValidationInfo) -> NDArray[Any]:
        load: ArrayLoader | None = (info.context or {}).get("load_array")
        if load is None:
            raise rejection("", "must be a list of numbers")
        return load(reference)

    def _from_array(self, array: NDArray[Any]) -> NDArray[Any]:
        allowed_kinds = {np.int64: "iu", np.float64: "iuf", np.bool_: "b"}[self.dtype]
        if array.dtype.kind not in allowed_kinds:
            raise rejection("", f"must be an array of {self.dtype.__name__}")
        return self._sealed(self._checked(np.array(array, dtype=self.dtype, order="C")))

    def _checked(self, array: NDArray[Any]) -> NDArray[Any]:
        if array.ndim != self.dimensions:
            raise rejection("", f"must have {self.dimensions} dimension(s), got {array.ndim}")
        if array.size > MAX_CELLS:
            raise rejection("", f"must have at most {MAX_CELLS} entries, got {array.size}")
        if array.dtype != self.dtype:
            raise rejection("", f"must be an array of {self.dtype.__name__}, got {array.dtype}")
        if not array.size or array.dtype.kind == "b":
            return array
        # The extremes are NaN when any entry is, so two passes settle all three questions.
        low, high = array.min(), array.max()
        if not (np.isfinite(low) and np.isfinite(high)):
            raise self._entry_rejection(array, ~np.isfinite(array), "must be a finite number")
        if self.minimum is not None and low < self.minimum:
            raise self._entry_rejection(array, array < self.minimum, f"must be >= {self.minimum}")
        if self.maximum is not None and high > self.maximum:
            raise self._entry_rejection(array, array > self.maximum, f"must be <= {self.maximum}")
        return array

    def _entry_rejection(
        self, array: NDArray[Any], bad: NDArray[np.bool_], message: str
    ) -> PydanticCustomError:
        where = np.unravel_index(int(bad.argmax()), array.shape)
        path = "".join(f"[{int(index)}]" for index in where)
        return rejection(path, f"{message} (got {array[where].item()})")

    def _sealed(self, array: NDArray[Any]) -> NDArray[Any]:
        if array.dtype.kind == "f":
            # Equal columns have equal bytes, hence equal digests, only without a negative zero.
            array += 0.0
        array.flags.writeable = False
        return array


def _serialise(array: NDArray[Any], info: SerializationInfo) -> Any:
    store: ArrayStore | None = (info.context or {}).get("store_array")
    if store is not None:
        reference = store(array)
        if reference is not None:
            return reference
    return array.tolist()


def array_reference(array: NDArray[Any]) -> dict[str, Any]:
    """Describe an array by content.

    Parameters
    ----------
    array
        Any numeric array.

    Returns
    -------
    dict
        ``array`` (SHA-256 of type, shape and little-endian bytes), ``shape`` and ``dtype``.
    """
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    shape = list(array.shape)
    # Type and shape belong to the content: a million zeros are the same bytes as integers, as
    # floats and in every shape.
    content = hashlib.sha256(f"{little.dtype.str}{shape}".encode())
    content.update(little.reshape(-1).view(np.uint8).data)
    return {"array": content.hexdigest(), "shape": shape, "dtype": little.dtype.str}


IndexColumn = Annotated[NDArray[np.int64], Column(np.int64, 0, 2**31 - 1)]
OptionalIndexColumn = Annotated[NDArray[np.int64], Column(np.int64, -1, 2**31 - 1)]
StepColumn = Annotated[NDArray[np.int64], Column(np.int64, 0, MAX_STEPS - 1)]
QuantityColumn = Annotated[NDArray[np.int64], Column(np.int64, 0, MAX_QUANTITY)]
BooleanColumn = Annotated[NDArray[np.bool_], Column(np.bool_)]
LatencySeries = Annotated[NDArray[np.float64], Column(np.float64, 0, MAX_LATENCY_MS, 2)]
BandwidthSeries = Annotated[
    NDArray[np.float64], Column(np.float64, MIN_BANDWIDTH_MBPS, MAX_BANDWIDTH_MBPS, 2)
]
LatitudeSeries = Annotated[NDArray[np.float64], Column(np.float64, -90, 90, 2)]
LongitudeSeries = Annotated[NDArray[np.float64], Column(np.float64, -360, 360, 2)]
AltitudeSeries = Annotated[NDArray[np.float64], Column(np.float64, -12, 1_000_000, 2)]
