"""Quanta are rounded as in decimal arithmetic; models are frozen, strict and compare by content."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from leotrek_opt.models.base import (
    MAX_BANDWIDTH_MBPS,
    MAX_LATENCY_MS,
    NS_PER_MS,
    StrictModel,
    quantise,
    quantum_bps,
    quantum_ns,
)


class Point(StrictModel):
    x: Annotated[int, Field(ge=0)] = 0
    share: float = 0.0
    names: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class Other(StrictModel):
    x: int = 0
    share: float = 0.0
    names: dict[str, tuple[str, ...]] = Field(default_factory=dict)


@pytest.mark.parametrize(
    ("latency_ms", "latency_ns"),
    [
        (0.0, 0),
        (1.0, 1_000_000),
        (0.0000005, 0),
        (0.0000015, 2),
        (0.0000025, 2),
        (3.3356409, 3_335_641),
        (0.1 + 0.2, 300_000),
        (100_000.0, 100_000_000_000),
    ],
)
def test_latency_is_rounded_half_to_even(latency_ms: float, latency_ns: int) -> None:
    assert quantum_ns(latency_ms) == latency_ns
    assert quantise([latency_ms], NS_PER_MS).tolist() == [latency_ns]


@given(st.lists(st.floats(0, MAX_LATENCY_MS), min_size=1, max_size=20))
def test_arrays_are_rounded_like_decimals(values: list[float]) -> None:
    exact = [
        int((Decimal(repr(value)) * NS_PER_MS).to_integral_value(ROUND_HALF_EVEN))
        for value in values
    ]
    assert quantise(values, NS_PER_MS).tolist() == exact
    assert [quantum_ns(value) for value in values] == exact


@given(st.integers(0, 10**11), st.integers(0, 9))
def test_ties_are_rounded_like_decimals(quanta: int, digit: int) -> None:
    """Numbers that end in a half or next to it, where binary arithmetic errs."""
    text = f"{quanta // 10**6}.{quanta % 10**6:06d}{digit}"
    value = float(text)
    exact = int((Decimal(repr(value)) * NS_PER_MS).to_integral_value(ROUND_HALF_EVEN))
    assert quantise([value], NS_PER_MS).tolist() == [exact]


@given(st.floats(1e-3, MAX_BANDWIDTH_MBPS))
def test_bandwidth_is_rounded_like_decimals(value: float) -> None:
    exact = int((Decimal(repr(value)) * 1_000_000).to_integral_value(ROUND_HALF_EVEN))
    assert quantum_bps(value) == exact
    assert quantise([value], 1_000_000).tolist() == [exact]


def test_shape_stays() -> None:
    assert quantise(np.ones((3, 2)), NS_PER_MS).shape == (3, 2)
    assert quantise(np.ones((0, 2)), NS_PER_MS).shape == (0, 2)


def test_models_are_frozen_and_strict() -> None:
    point = Point(x=1)
    with pytest.raises(ValidationError):
        point.x = 2  # type: ignore[misc]
    for wrong in ({"x": "1"}, {"x": True}, {"x": 1.0}, {"share": float("nan")}, {"y": 1}):
        with pytest.raises(ValidationError):
            Point(**wrong)  # type: ignore[arg-type]


def test_replace_validates_and_leaves_the_original() -> None:
    point = Point(x=1, names={"a": ("b",)})
    assert point.replace(x=2) == Point(x=2, names={"a": ("b",)})
    assert point.x == 1
    with pytest.raises(ValidationError):
        point.replace(x=-1)
    with pytest.raises(ValidationError):
        point.replace(z=1)


def test_models_of_different_types_differ() -> None:
    assert Point() == Point(x=0)
    assert Point() != Other()
    assert Point() != 0
    with pytest.raises(TypeError):
        hash(Point())
