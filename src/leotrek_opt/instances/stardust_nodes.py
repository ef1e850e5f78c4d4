"""Names, computing and links of a Stardust simulation state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.instances.node_names import node_identifiers
from leotrek_opt.instances.stardust_fields import MAX_NAME, entries_of, field_of, name_of
from leotrek_opt.instances.stardust_terms import (
    KIND_OF_COMPUTING,
    Computing,
    computing_type,
)
from leotrek_opt.models.base import nearest_name
from leotrek_opt.models.continuum import CPU, MAX_NODES, MEMORY, Architecture, NodeKind, NodeTable
from leotrek_opt.models.messages import shown
from leotrek_opt.topology.recording.columns import microseconds
from leotrek_opt.topology.recording.layout import Layout

COMPUTING_COLUMN = "stardust_computing_type"
"""Node column of a recording that keeps the computing type of every node."""
PLUGINS_ANNOTATION = "stardust_state_plugins"
"""Annotation of a recording with the names of state plugins, whose side files are not read."""


@dataclass(frozen=True, eq=False)
class StardustNodes:
    """What a state file says beside the states.

    Parameters
    ----------
    names
        Of all nodes, satellites first.
    satellites
        How many of them are satellites.
    layout
        Of the recording.
    source, target
        Ends of the links of the file, the smaller index first.
    """

    names: list[str]
    satellites: int
    layout: Layout
    source: NDArray[np.int64]
    target: NDArray[np.int64]

    @property
    def place(self) -> dict[str, int]:
        """Index of every node by its name."""
        return {name: index for index, name in enumerate(self.names)}


def read_nodes(
    parts: Mapping[str, Any],
    computing: Mapping[int, Computing],
    limited: bool,
    start: datetime,
) -> StardustNodes:
    """Check everything beside the states.

    Parameters
    ----------
    parts
        ``Satellites``, ``Grounds``, ``Links`` and ``StatePlugins`` as they were decoded.
    computing
        What nodes offer by their computing type.
    limited
        Whether links have a bandwidth.
    start
        When Greenwich lies on the x axis.

    Returns
    -------
    StardustNodes
        Nodes and links.

    Raises
    ------
    leotrek_opt.errors.InputError
        Naming the field.
    """
    satellites = entries_of(parts["Satellites"], "Satellites")
    grounds = entries_of(parts["Grounds"], "Grounds")
    if not 0 < len(satellites) + len(grounds) <= MAX_NODES:
        raise InputError(f"there must be 1 … {MAX_NODES} nodes", field="Satellites")
    names: list[str] = []
    types: list[int] = []
    seen: set[str] = set()
    for kind, entries in (("Satellites", satellites), ("Grounds", grounds)):
        for index, entry in enumerate(entries):
            at = f"{kind}[{index}]"
            if not isinstance(entry, dict):
                raise InputError(f"must be an object (got {shown(entry)})", field=at)
            name = name_of(field_of(entry, "Name", at), f"{at}.Name")
            if name in seen:
                raise InputError(f"duplicate node {shown(name)}", field=f"{at}.Name")
            if kind == "Satellites":
                _require_index(field_of(entry, "Index", at), f"{at}.Index")
            seen.add(name)
            names.append(name)
            computing_at = f"{at}.ComputingType"
            types.append(computing_type(field_of(entry, "ComputingType", at), computing_at))
    source, target = _link_ends(parts["Links"], names)
    return StardustNodes(
        names=names,
        satellites=len(satellites),
        layout=Layout(
            nodes=_node_table(names, types, len(satellites), computing),
            limited=limited,
            frame="stardust",
            frame_start_us=microseconds(start),
            node_columns={COMPUTING_COLUMN: np.array(types, dtype=np.int64)},
            annotations={PLUGINS_ANNOTATION: _plugins(parts["StatePlugins"])},
        ),
        source=source,
        target=target,
    )


def _node_table(
    names: list[str], types: list[int], satellites: int, computing: Mapping[int, Computing]
) -> NodeTable:
    grounds = len(names) - satellites
    nothing = Computing(0, 0)
    offers = [computing.get(each, nothing) for each in types]
    arm: Architecture = "arm64"
    x86: Architecture = "x86_64"
    satellite: NodeKind = "satellite"
    return NodeTable(
        id=node_identifiers(
            names,
            [f"sat-{index}" for index in range(satellites)]
            + [f"ground-{index}" for index in range(grounds)],
        ),
        kind=(satellite,) * satellites
        + tuple(KIND_OF_COMPUTING[each] for each in types[satellites:]),
        architecture=(arm,) * satellites + (x86,) * grounds,
        capacity={
            CPU: np.array([offer.cores * 1000 for offer in offers], dtype=np.int64),
            MEMORY: np.array([offer.memory_mb for offer in offers], dtype=np.int64),
        },
        label=tuple(names),
    )


def _plugins(value: Any) -> tuple[str, ...]:
    return tuple(
        name_of(name, f"StatePlugins[{index}]")
        for index, name in enumerate(entries_of(value, "StatePlugins"))
    )


def _link_ends(value: Any, names: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    place = {name: index for index, name in enumerate(names)}
    ends: list[tuple[int, int]] = []
    for index, link in enumerate(entries_of(value, "Links")):
        at = f"Links[{index}]"
        if not isinstance(link, dict):
            raise InputError(f"must be an object (got {shown(link)})", field=at)
        pair = []
        for key in ("NodeName1", "NodeName2"):
            name = field_of(link, key, at)
            if not isinstance(name, str) or name not in place:
                hint = nearest_name(name[:MAX_NAME], names) if isinstance(name, str) else ""
                raise InputError(f"no node {shown(name)}{hint}", field=f"{at}.{key}")
            pair.append(place[name])
        if pair[0] == pair[1]:
            raise InputError("a link must join two different nodes", field=f"{at}.NodeName2")
        ends.append((min(pair), max(pair)))
    source, target = np.array(ends, dtype=np.int64).reshape(-1, 2).T
    return source, target


def _require_index(value: Any, at: str) -> None:
    if type(value) is not int or not 0 <= value < MAX_NODES:
        raise InputError(f"must be an index (got {shown(value)})", field=at)
