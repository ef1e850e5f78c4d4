"""Kinds of links by their ends."""

from __future__ import annotations

import numpy as np

from leotrek_opt.topology.state import LINK_KINDS, link_kinds


def test_kinds_follow_from_how_many_ends_are_satellites() -> None:
    kinds = link_kinds(np.array([0, 1, 3]), np.array([2, 3, 4]), 3)
    assert [LINK_KINDS[kind] for kind in kinds] == ["inter_satellite", "ground", "terrestrial"]
    assert kinds.dtype == np.int8
