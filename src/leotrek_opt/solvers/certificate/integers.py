"""Vectors of integers without overflow: int64 where it provably suffices, else Python ints."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[Any]
"""int64 with entries below 2**62 in absolute value, or Python ints (dtype object)."""

INT64_ROOM = 2.0**62
"""Sums whose terms, taken as floats, stay below this in absolute value fit in int64 for sure."""


def integers(values: NDArray[Any]) -> Integers:
    """Turn whole floats or Python ints into int64 if they fit, else into Python ints.

    Parameters
    ----------
    values
        Finite whole numbers.

    Returns
    -------
    numpy.ndarray
        The same numbers.
    """
    if values.dtype == np.int64:
        return values
    if _largest(values) < INT64_ROOM:
        return values.astype(np.int64)
    return python_integers(values)


def python_integers(values: NDArray[Any]) -> NDArray[Any]:
    """Turn finite whole numbers into Python ints (dtype object)."""
    exact = np.empty(values.shape, dtype=object)
    exact[:] = [int(value) for value in values.tolist()]
    return exact


def scaled(values: Integers, factor: int) -> Integers:
    """Multiply a vector by an integer."""
    largest = max(1.0, _largest(values)) * float(abs(factor))
    if values.dtype != object and largest < INT64_ROOM:
        return np.asarray(values * np.int64(factor))
    return np.asarray(values.astype(object) * factor)


def added(left: Integers, right: Integers) -> Integers:
    """Add two vectors."""
    if "O" in left.dtype.kind + right.dtype.kind or _largest(left) + _largest(right) >= INT64_ROOM:
        return np.asarray(left.astype(object) + right.astype(object))
    return np.asarray(left + right)


def dot(left: Integers, right: Integers) -> int:
    """Multiply two vectors and add up the products."""
    weights = np.abs(left.astype(np.float64) * right.astype(np.float64))
    if float(weights.sum()) >= INT64_ROOM:
        left, right = left.astype(object), right.astype(object)
    return int((left * right).sum()) if left.size else 0


def grouped_dot(groups: NDArray[Any], left: Integers, right: Integers, n_groups: int) -> Integers:
    """Multiply two vectors and add up the products by group.

    Parameters
    ----------
    groups
        Group of each product, below `n_groups`.
    left, right
        Factors.
    n_groups
        Length of the result.

    Returns
    -------
    numpy.ndarray
        Sum of each group, shape (n_groups,).
    """
    weights = np.abs(left.astype(np.float64) * right.astype(np.float64))
    if np.max(np.bincount(groups, weights, n_groups), initial=0.0) >= INT64_ROOM:
        left, right = left.astype(object), right.astype(object)
    products = left * right
    total = np.zeros(n_groups, dtype=products.dtype)
    np.add.at(total, groups, products)
    return total


def _largest(values: Integers) -> float:
    return float(np.max(np.abs(values.astype(np.float64)), initial=0.0))
