"""States of a topology to columns, a step at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.topology.ordering import rank_among_equals
from leotrek_opt.topology.recording.columns import LinkTable, StepColumns, microseconds
from leotrek_opt.topology.recording.layout import Layout, PositionType, Run
from leotrek_opt.topology.state import LINK_KINDS, TopologyState

Outputs = Mapping[str, Mapping[str, NDArray[Any]]]
"""What plugins gave at one step, by plugin and name."""

_MAX_PARALLEL = 1024
"""Most links of one kind between the same two nodes at one step."""


class LinkIndex:
    """Numbers links in the order in which they are first up.

    Parameters
    ----------
    n_nodes
        Number of nodes.
    known
        Links numbered so far.
    """

    def __init__(self, n_nodes: int, known: LinkTable | None = None) -> None:
        self._n_nodes = n_nodes
        self._tables = [known] if known is not None else []
        self._count = 0 if known is None else len(known)
        self._key = np.empty(0, dtype=np.int64)
        self._number = np.empty(0, dtype=np.int32)
        if known is not None:
            key = self._keys(known.source, known.target, known.kind)
            order = np.argsort(key)
            self._key, self._number = key[order], order.astype(np.int32)

    def __len__(self) -> int:
        return self._count

    def numbers(
        self, source: NDArray[np.int32], target: NDArray[np.int32], kind: NDArray[np.int8]
    ) -> NDArray[np.int32]:
        """Return the numbers of the links of a step; new ones are numbered on.

        Parameters
        ----------
        source, target, kind
            One entry per link.

        Returns
        -------
        ndarray of int32
            Shape (links,).
        """
        key = self._keys(source, target, kind)
        place = np.searchsorted(self._key, key)
        new = np.ones(len(key), dtype=bool)
        inside = place < len(self._key)
        new[inside] = self._key[place[inside]] != key[inside]
        numbers = np.empty(len(key), dtype=np.int32)
        numbers[~new] = self._number[place[~new]]
        if new.any():
            numbers[new] = self._count + np.arange(np.count_nonzero(new), dtype=np.int32)
            self._count += int(np.count_nonzero(new))
            # Sorted among themselves first, as several may belong into the same gap.
            order = np.argsort(key[new])
            self._key = np.insert(self._key, place[new][order], key[new][order])
            self._number = np.insert(self._number, place[new][order], numbers[new][order])
            self._tables.append(LinkTable(source[new], target[new], kind[new]))
        return numbers

    def table(self, start: int = 0) -> LinkTable:
        """Return the numbered links.

        Parameters
        ----------
        start
            Number of the first one wanted.

        Returns
        -------
        LinkTable
            By number.
        """
        whole = LinkTable(
            *(
                np.concatenate(
                    [np.empty(0, dtype=dtype), *(getattr(t, name) for t in self._tables)]
                )
                for name, dtype in (("source", np.int32), ("target", np.int32), ("kind", np.int8))
            )
        )
        self._tables = [whole]
        return whole.rows(slice(start, None))

    def _keys(
        self, source: NDArray[np.int32], target: NDArray[np.int32], kind: NDArray[np.int8]
    ) -> NDArray[np.int64]:
        pair = source.astype(np.int64) * self._n_nodes + target
        key = (pair * len(LINK_KINDS) + kind) * _MAX_PARALLEL
        if (key[1:] > key[:-1]).all():
            return key
        # Links alike are told apart by how many of them came before.
        order = np.argsort(key, kind="stable")
        alike = rank_among_equals(key[order])
        if alike.max() >= _MAX_PARALLEL:
            raise InputError(f"more than {_MAX_PARALLEL} links join the same two nodes")
        key[order] += alike
        return key


class StepCollector:
    """Gathers steps until they are taken.

    Parameters
    ----------
    run
        Nodes and declared outputs.
    position_type
        How positions are kept.
    layout
        Of the steps recorded before, where there are some.
    links
        Links of those steps.
    last
        Index and microseconds of the last of those steps.
    """

    def __init__(
        self,
        run: Run,
        position_type: PositionType = "float64",
        *,
        layout: Layout | None = None,
        links: LinkTable | None = None,
        last: tuple[int, int] | None = None,
    ) -> None:
        self._run = run
        self._position_type = position_type
        self._layout = layout
        self._links = LinkIndex(len(run.nodes), links)
        self._last = last
        self._rows: list[dict[str, Any]] = []
        self._outputs: list[Outputs] = []

    def __len__(self) -> int:
        """Return how many steps wait to be taken."""
        return len(self._rows)

    @property
    def layout(self) -> Layout:
        """Conventions of the recording; some are known only after the first step."""
        if self._layout is None:
            raise InputError("nothing was recorded")
        return self._layout

    @property
    def links(self) -> LinkIndex:
        """The numbered links of all steps so far."""
        return self._links

    def add(self, state: TopologyState, outputs: Outputs) -> None:
        """Record a step.

        Parameters
        ----------
        state
            Later than the one before.
        outputs
            As declared, by plugin and name; a plugin may be absent.

        Raises
        ------
        leotrek_opt.errors.InputError
            If the step does not go with those before.
        """
        if self._layout is None:
            self._layout = self._layout_of(state)
        layout, links = self._layout, state.links
        time_us = microseconds(state.time)
        at = f"step {state.step}"
        if self._last is not None and not (state.step > self._last[0] and time_us > self._last[1]):
            raise InputError(f"comes no later than step {self._last[0]} before it", field=at)
        if state.position_km.shape != (len(layout.nodes), 3):
            raise InputError(f"must have positions of {len(layout.nodes)} nodes", field=at)
        if (links.bandwidth_bps is not None) != layout.limited:
            raise InputError("must limit bandwidth at all steps or at none", field=at)
        if not _same(_relay(state), layout.relay):
            raise InputError("must have the same relays as the steps before", field=at)
        self._last = (state.step, time_us)
        position = state.position_km.astype(layout.position_dtype)
        # Every NaN by the same bytes, so that equal states have equal digests.
        position[np.isnan(position)] = np.nan
        self._rows.append(
            {
                "step": state.step,
                "time_us": time_us,
                "julian_day": state.satellites.julian_day,
                "day_fraction": state.satellites.day_fraction,
                "position_km": position,
                "valid": state.satellites.valid.copy(),
                "link": self._links.numbers(links.source, links.target, state.link_kind),
                "latency_ns": links.latency_ns.astype(np.int64),
                "bandwidth_bps": (
                    None if links.bandwidth_bps is None else links.bandwidth_bps.astype(np.int64)
                ),
            }
        )
        self._outputs.append(
            {
                plugin: {name: np.array(array) for name, array in arrays.items()}
                for plugin, arrays in outputs.items()
                if plugin in layout.outputs
            }
        )

    def take(self) -> StepColumns:
        """Return the steps gathered since they were last taken, and forget them.

        Returns
        -------
        StepColumns
            At least one step; ``link`` refers to :attr:`links`.
        """
        rows, outputs = self._rows, self._outputs
        self._rows, self._outputs = [], []
        layout = self.layout
        return StepColumns(
            step=np.array([row["step"] for row in rows], dtype=np.int64),
            time_us=np.array([row["time_us"] for row in rows], dtype=np.int64),
            julian_day=np.array([row["julian_day"] for row in rows], dtype=np.float64),
            day_fraction=np.array([row["day_fraction"] for row in rows], dtype=np.float64),
            position_km=np.stack([row["position_km"] for row in rows]),
            valid=np.stack([row["valid"] for row in rows]),
            link_count=np.array([len(row["link"]) for row in rows], dtype=np.int64),
            link=np.concatenate([row["link"] for row in rows]),
            latency_ns=np.concatenate([row["latency_ns"] for row in rows]),
            bandwidth_bps=(
                np.concatenate([row["bandwidth_bps"] for row in rows]) if layout.limited else None
            ),
            present={
                plugin: np.array([plugin in each for each in outputs], dtype=bool)
                for plugin in layout.outputs
            },
            outputs={
                plugin: {
                    name: np.stack([_given(each, layout, plugin, name) for each in outputs])
                    for name in declared
                }
                for plugin, declared in layout.outputs.items()
            },
        )

    def _layout_of(self, state: TopologyState) -> Layout:
        return Layout(
            nodes=self._run.nodes,
            limited=state.links.bandwidth_bps is not None,
            position_type=self._position_type,
            relay=_relay(state),
            outputs=self._run.outputs,
            source_digest=self._run.source_digest,
        )


def _given(outputs: Outputs, layout: Layout, plugin: str, name: str) -> NDArray[Any]:
    if plugin in outputs:
        return outputs[plugin][name]
    shape = layout.output_shape(plugin, name)
    return np.zeros(shape, dtype=layout.outputs[plugin][name].dtype)


def _relay(state: TopologyState) -> NDArray[np.bool_] | None:
    relay = state.links.relay
    return None if relay is None or relay.all() else relay


def _same(left: NDArray[np.bool_] | None, right: NDArray[np.bool_] | None) -> bool:
    if left is None or right is None:
        return left is right
    return np.array_equal(left, right)
