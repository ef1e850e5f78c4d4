"""Links over time as integer arrays: what routing, solvers and evaluation read."""

from __future__ import annotations

import hashlib
import operator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError, StepError
from leotrek_opt.models.base import EXACT_LIMIT


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The links that are up at one step, in link order.

    Parameters
    ----------
    source, target
        Node indices of the two ends, shape (links,). Links are undirected.
    latency_ns
        Nanoseconds, shape (links,).
    bandwidth_bps
        Bits per second, shape (links,), or None for unlimited.
    relay
        Whether a route may pass through a node, shape (nodes,); it may begin and end anywhere.
        None where every node relays.
    """

    source: NDArray[np.int32]
    target: NDArray[np.int32]
    latency_ns: NDArray[np.int64]
    bandwidth_bps: NDArray[np.int64] | None
    relay: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        """Return the number of links."""
        return len(self.source)


@dataclass(frozen=True, eq=False)
class LinkSeries:
    """One link pattern and, per step, latency, bandwidth and which links are up.

    Two series are equal when their digests are. All arrays are read-only.

    Parameters
    ----------
    n_nodes
        Number of nodes.
    source, target
        Node indices of the two ends, shape (links,). Links are undirected; two links may join the
        same pair.
    latency_ns
        Nanoseconds, shape (1, links) for all steps alike or (steps, links).
    bandwidth_bps
        Bits per second, shape (1, links) or (steps, links), or None for unlimited.
    up
        Shape (steps, links), or None when every link is always up, as a mask that says so becomes.
    steps
        Number of steps.
    relay
        Whether a route may pass through a node, shape (n_nodes,), or None when every node relays,
        as a mask that says so becomes.

    Attributes
    ----------
    digest
        SHA-256 of all of the above, the same on every machine.

    Raises
    ------
    leotrek_opt.errors.InputError
        If a path could be as long as 2**53 ns, where float64 stops being exact.
    """

    n_nodes: int
    source: NDArray[np.int32]
    target: NDArray[np.int32]
    latency_ns: NDArray[np.int64]
    bandwidth_bps: NDArray[np.int64] | None
    up: NDArray[np.bool_] | None
    steps: int
    relay: NDArray[np.bool_] | None = None
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        """Take the arrays in their final type, check them and compute the digest."""
        for name, dtype in (
            ("source", np.int32),
            ("target", np.int32),
            ("latency_ns", np.int64),
            ("bandwidth_bps", np.int64),
            ("up", np.bool_),
            ("relay", np.bool_),
        ):
            column = getattr(self, name)
            if column is not None:
                object.__setattr__(self, name, _read_only(column, dtype))
        self._check_shapes()
        if self.up is not None and self.up.all():
            object.__setattr__(self, "up", None)
        if self.relay is not None and self.relay.all():
            object.__setattr__(self, "relay", None)
        longest = int(self.latency_ns.max(initial=0))
        if (self.n_nodes - 1) * longest >= EXACT_LIMIT:
            raise InputError(
                f"{self.n_nodes} nodes with links of {longest} ns allow paths of 2^53 ns or more, "
                "beyond exact arithmetic; shorten the latencies or use fewer nodes",
                field="topology",
            )
        object.__setattr__(self, "digest", self._digest())

    def _check_shapes(self) -> None:
        links = len(self.source)
        rows = {1, self.steps}
        fits = (
            self.target.shape == (links,)
            and self.latency_ns.ndim == 2
            and self.latency_ns.shape[1] == links
            and self.latency_ns.shape[0] in rows
            and (
                self.bandwidth_bps is None
                or (
                    self.bandwidth_bps.ndim == 2
                    and self.bandwidth_bps.shape[1] == links
                    and self.bandwidth_bps.shape[0] in rows
                )
            )
            and (self.up is None or self.up.shape == (self.steps, links))
            and (self.relay is None or self.relay.shape == (self.n_nodes,))
        )
        if not fits:
            raise ValueError("the arrays of a link series disagree in shape")

    def _digest(self) -> str:
        digest = hashlib.sha256(f"link-series 1 {self.n_nodes} {self.steps}".encode())
        for column in (self.source, self.target, self.latency_ns, self.bandwidth_bps, self.up):
            if column is None:
                digest.update(b" none")
                continue
            digest.update(f" {column.shape}".encode())
            digest.update(column.astype(column.dtype.newbyteorder("<"), copy=False).data)
        if self.relay is not None:
            # Series whose nodes all relay keep the digest that they had before this field.
            digest.update(b" relay")
            digest.update(self.relay.data)
        return digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        """Compare by digest."""
        if not isinstance(other, LinkSeries):
            return NotImplemented
        return self.digest == other.digest

    def __hash__(self) -> int:
        """Hash by digest, so that a series can key a cache."""
        return hash(self.digest)

    def snapshot(self, step: int) -> Snapshot:
        """Return the links that are up at a step.

        Parameters
        ----------
        step
            Index of the snapshot.

        Returns
        -------
        Snapshot
            Views of this series where every link is up, copies of the rows' parts otherwise.

        Raises
        ------
        leotrek_opt.errors.StepError
            If there is no such step.
        """
        step = checked_step(step, self.steps)
        latency = self.latency_ns[step if len(self.latency_ns) > 1 else 0]
        bandwidth = self.bandwidth_bps
        if bandwidth is not None:
            bandwidth = bandwidth[step if len(bandwidth) > 1 else 0]
        if self.up is None or self.up[step].all():
            return Snapshot(self.source, self.target, latency, bandwidth, self.relay)
        links = np.flatnonzero(self.up[step])
        return Snapshot(
            self.source[links],
            self.target[links],
            latency[links],
            None if bandwidth is None else bandwidth[links],
            self.relay,
        )


def checked_step(step: int, steps: int) -> int:
    """Return the index of a step that exists.

    Parameters
    ----------
    step
        What the caller gave; not counted from the end if negative.
    steps
        How many there are.

    Returns
    -------
    int
        The same.

    Raises
    ------
    leotrek_opt.errors.StepError
        If there is no such step.
    """
    index = _whole(step, "step")
    if not 0 <= index < steps:
        raise StepError(f"no step {index}, there are {steps} (from 0 on)", field="step")
    return index


def checked_steps(start: int, stop: int | None, steps: int) -> range:
    """Return the steps of a stretch that exists, which may be empty.

    Parameters
    ----------
    start, stop
        First step, and the one after the last; None for the end.
    steps
        How many there are.

    Returns
    -------
    range
        From ``start`` on.

    Raises
    ------
    leotrek_opt.errors.StepError
        If an end lies outside 0 … ``steps``.
    """
    ends = _whole(start, "start"), steps if stop is None else _whole(stop, "stop")
    for field_name, end in zip(("start", "stop"), ends, strict=True):
        if not 0 <= end <= steps:
            raise StepError(
                f"must be in 0 … {steps}, the number of steps (got {end})", field=field_name
            )
    return range(*ends)


def _whole(value: int, field_name: str) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise StepError(f"must be a whole number, got {value!r}", field=field_name) from None


def _read_only(column: NDArray[Any], dtype: type[np.generic]) -> NDArray[Any]:
    array = np.ascontiguousarray(column, dtype=dtype)
    if array.flags.writeable:
        # Whoever built the series may go on writing into its own array.
        array = array.copy() if array is column else array
        array.flags.writeable = False
    return array
