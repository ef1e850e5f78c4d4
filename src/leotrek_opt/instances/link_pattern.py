"""Snapshots with different links, as one link pattern with links that go up and down."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.models.topology import ExplicitTopology, LinkEvents

LinkColumns = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
"""Ends and latency in ms of the links of one snapshot."""


def link_pattern(snapshots: Sequence[LinkColumns], n_nodes: int) -> ExplicitTopology:
    """Join snapshots into one topology.

    Parameters
    ----------
    snapshots
        One per step. Links are undirected.
    n_nodes
        Number of nodes.

    Returns
    -------
    ExplicitTopology
        The union of all links, by their smaller and larger end; down (with latency 0) in the steps
        that do not have them.

    Raises
    ------
    leotrek_opt.errors.InputError
        If a snapshot names a link twice.
    """
    keys = [
        np.minimum(source, target) * n_nodes + np.maximum(source, target)
        for source, target, _ in snapshots
    ]
    union = np.unique(np.concatenate(keys)) if keys else np.empty(0, dtype=np.int64)
    latency = np.zeros((len(snapshots), len(union)))
    up = np.zeros((len(snapshots), len(union)), dtype=bool)
    for step, (key, (_, _, milliseconds)) in enumerate(zip(keys, snapshots, strict=True)):
        link = np.searchsorted(union, key)
        if len(np.unique(link)) < len(link):
            twice = union[np.bincount(link).argmax()]
            raise InputError(
                f"step {step} links nodes {twice // n_nodes} and {twice % n_nodes} twice",
                field="topology",
            )
        latency[step, link] = milliseconds
        up[step, link] = True
    return ExplicitTopology(
        source=union // n_nodes,
        target=union % n_nodes,
        latency_ms=latency,
        events=_changes(up),
    )


def _changes(up: NDArray[np.bool_]) -> LinkEvents | None:
    before = np.vstack([np.ones((1, up.shape[1]), dtype=bool), up[:-1]])
    step, link = np.nonzero(up != before)
    if not len(step):
        return None
    return LinkEvents(step=step, link=link, up=up[step, link])
