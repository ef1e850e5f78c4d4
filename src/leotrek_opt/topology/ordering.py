"""Orders of integers, by counting: several times faster than by comparing; ranks among equals."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]

_DIGIT_BITS = 16
"""numpy sorts sixteen-bit integers by counting."""


def order_of(*keys: NDArray[np.integer[Any] | np.bool_]) -> Indices:
    """Return the order of rows by several integer keys.

    Parameters
    ----------
    *keys
        Integers, not negative, or booleans; equally long, the most significant first.

    Returns
    -------
    ndarray
        Indices that sort the rows; rows equal in all keys keep their order.
    """
    order: Indices | None = None
    for key in reversed(keys):
        bits = int(key.max(initial=0)).bit_length()
        for shift in range(0, max(bits, 1), _DIGIT_BITS):
            # The cast keeps the lowest sixteen bits.
            digit = (key >> shift if shift else key).astype(np.uint16)
            if order is None:
                order = np.argsort(digit, kind="stable")
            else:
                order = order[np.argsort(digit[order], kind="stable")]
    return np.empty(0, dtype=np.int64) if order is None else order


def rank_among_equals(ordered: NDArray[np.integer[Any]]) -> Indices:
    """Return how many equal entries stand before each.

    Parameters
    ----------
    ordered
        Sorted, shape (n,).

    Returns
    -------
    ndarray
        0 for the first of its kind, shape (n,).
    """
    return np.arange(len(ordered)) - np.searchsorted(ordered, ordered)
