"""Random linear models of every shape that the exchange formats have to carry."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.matrix import MatrixModel, model_from_arrays

LARGE = 2**53 - 1
whole = st.integers(-9, 9) | st.integers(-LARGE, LARGE)
entries = st.integers(-9, 9) | st.integers(-(2**49), 2**49)
decimals = st.integers(-99, 99) | st.sampled_from([0.5, -2.42, "1e-3", 12.625, "-0.70"])
names = st.text(max_size=8) | st.sampled_from(["RHS", "obj", "x 1", "*", "inf", "2", "place[0,1]"])


@st.composite
def bounds(draw: st.DrawFn, *, finite: bool = False) -> tuple[float, float]:
    pair = sorted([draw(whole), draw(whole)])
    if finite:
        return pair[0], pair[1]
    low = -math.inf if draw(st.booleans()) else float(pair[0])
    return low, math.inf if draw(st.booleans()) else float(pair[draw(st.integers(0, 1))])


@st.composite
def linear_models(draw: st.DrawFn) -> LinearModel:
    """Models with columns of all kinds, open sides, empty rows and columns, and any offset."""
    n, m = draw(st.integers(0, 5)), draw(st.integers(0, 5))
    model = LinearModel(
        minimise=draw(st.booleans()), offset=draw(st.integers(-3, 3) | st.integers())
    )
    kinds = draw(st.lists(st.sampled_from(["real", "integer", "implied"]), min_size=n, max_size=n))
    sides = [draw(bounds(finite=kind != "real")) for kind in kinds]
    title = {(at,): draw(names) for at in range(n)}
    model.add_variables(
        n,
        lower=[low for low, _ in sides],
        upper=[max(low, high) for low, high in sides],
        cost=draw(st.lists(whole, min_size=n, max_size=n)),
        integer=np.array([kind == "integer" for kind in kinds], dtype=bool),
        implied_integer=np.array([kind == "implied" for kind in kinds], dtype=bool),
        name="x",
        words=lambda *at: title[at],
    )
    if not n:
        m = 0
    row_sides = [draw(bounds()) for _ in range(m)]
    row_title = {(at,): draw(names) for at in range(m)}
    filled = draw(st.lists(entries, min_size=n * m, max_size=n * m))
    model.add_rows(
        np.tile(np.arange(n), (m, 1)),
        np.array(filled, dtype=np.int64).reshape(m, n),
        lower=[low for low, _ in row_sides],
        upper=[max(low, high) for low, high in row_sides],
        name="r",
        words=lambda *at: row_title[at],
    )
    return model


@st.composite
def decimal_models(draw: st.DrawFn) -> MatrixModel:
    """Models in decimals; continuous columns may have fractional bounds."""
    n, m = draw(st.integers(1, 4)), draw(st.integers(0, 4))
    lower = draw(st.lists(decimals, min_size=n, max_size=n))
    width = draw(st.lists(st.integers(1, 5), min_size=n, max_size=n))
    parts: dict[str, Any] = {
        "cost": draw(st.lists(decimals, min_size=n, max_size=n)),
        "lower": lower,
        "upper": [float(low) + 100 * w for low, w in zip(lower, width, strict=True)],
        "integer": draw(st.lists(st.booleans(), min_size=n, max_size=n)),
        "indptr": [n * row for row in range(m + 1)],
        "indices": list(range(n)) * m,
        "data": draw(st.lists(decimals, min_size=n * m, max_size=n * m)),
        "row_lower": draw(st.lists(decimals | st.just(-math.inf), min_size=m, max_size=m)),
        "row_upper": draw(
            st.lists(st.sampled_from([100, 150.25, math.inf]), min_size=m, max_size=m)
        ),
        "minimise": draw(st.booleans()),
        "offset": draw(decimals),
    }
    return model_from_arrays(**parts)
