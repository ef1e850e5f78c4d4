"""Networks in the two formats of SNDlib, XML and native text.

S. Orlowski et al., SNDlib 1.0: Survivable Network Design Library, Networks 55(3), 2010.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from leotrek_opt.errors import InputError, errors_in
from leotrek_opt.instances.foreign_file import content_of
from leotrek_opt.instances.network_file import (
    Array,
    Demand,
    LinkDesign,
    NetworkFile,
    NetworkFormat,
    Notes,
    bandwidth_column,
    is_bandwidth,
    is_geographic,
    label_of,
)
from leotrek_opt.instances.node_names import node_identifiers
from leotrek_opt.instances.sndlib_native import read_native
from leotrek_opt.instances.sndlib_records import RawDemand, RawLink, RawNetwork, RawNode
from leotrek_opt.instances.sndlib_xml import read_xml
from leotrek_opt.models.messages import shown

_UNITS_MBPS = {"BITPERSEC": 1e-6, "KBITPERSEC": 1e-3, "MBITPERSEC": 1.0, "GBITPERSEC": 1e3}


def read_sndlib(source: str | Path | bytes) -> NetworkFile:
    """Read a network of SNDlib, compressed by gzip or not; the format is found by content.

    A link has the bandwidth of its pre-installed capacity, where the file names a unit of bits per
    second and that capacity is above 0; capacities, modules and costs are kept in ``design``, in
    the units of the file. Demands are kept, admissible paths are not. Coordinates in pixels are no
    places: those that an XML file calls so, and in either format all of them as soon as one is out
    of the range of longitudes and latitudes. Links from a node to itself are left out. The notes
    say so, line by line.

    Parameters
    ----------
    source
        Path of a file of at most 64 MiB, or its content as bytes.

    Returns
    -------
    NetworkFile
        Undirected.

    Raises
    ------
    InputError
        If the file cannot be read, is no such network, or a link or demand names a node that is not
        there; the field is the line.

    Examples
    --------
    >>> network = read_sndlib(b'''?SNDlib native format; type: network; version: 1.0
    ... META ( unit = MBITPERSEC )
    ... NODES (
    ...   Wien ( 16.37 48.21 )
    ...   Graz ( 15.44 47.07 )
    ... )
    ... LINKS ( L1 ( Wien Graz ) 2500.0 0.0 0.0 0.0 ( 10000.0 133.0 ) )
    ... DEMANDS ( D1 ( Wien Graz ) 1 120.0 UNLIMITED )''')
    >>> network.node, network.bandwidth_mbps.tolist(), network.demands[0].value
    (('Wien', 'Graz'), [2500.0], 120.0)
    """
    data, file = content_of(source)
    with errors_in(file):
        return _network(data)


def _network(data: bytes) -> NetworkFile:
    notes = Notes()
    start = data[:4096].lstrip()
    kind: NetworkFormat
    if start.startswith(b"?SNDlib"):
        kind, raw = "sndlib-native", read_native(data, notes)
    elif start.startswith((b"<", b"\xff\xfe", b"\xfe\xff")):
        kind, raw = "sndlib-xml", read_xml(data, notes)
    else:
        raise InputError(
            'is neither SNDlib XML nor native text, which begins with "?SNDlib native format"',
            field="line 1",
        )
    rows = _rows(raw.nodes)
    latitude, longitude = _places(raw, notes)
    links = _joined(raw.links, notes)
    ends = [(_end(link, link.source, rows), _end(link, link.target, rows)) for link in links]
    source, target = np.array(ends, dtype=np.int64).reshape(-1, 2).T.copy()
    names = [label_of(node.name) for node in raw.nodes]
    return NetworkFile(
        name=label_of(raw.name),
        format=kind,
        directed=False,
        node=node_identifiers(names, [f"node-{row}" for row in range(len(names))]),
        label=tuple(names),
        country=("",) * len(names),
        internal=np.ones(len(names), dtype=np.bool_),
        latitude_deg=latitude,
        longitude_deg=longitude,
        source=source,
        target=target,
        link_label=tuple(label_of(link.name) for link in links),
        bandwidth_mbps=_bandwidth(links, raw.unit, notes),
        design=_design(links, raw.unit),
        demands=tuple(_demand(demand, rows) for demand in raw.demands),
        notes=notes.kept(),
        noted=notes.count,
    )


def _rows(nodes: list[RawNode]) -> dict[str, int]:
    if not nodes:
        raise InputError("has no node")
    rows: dict[str, int] = {}
    for row, node in enumerate(nodes):
        if rows.setdefault(node.name, row) != row:
            raise InputError(f"duplicate node {shown(node.name)}", field=f"line {node.line}")
    return rows


def _end(entry: RawLink | RawDemand, name: str, rows: dict[str, int]) -> int:
    if name not in rows:
        raise InputError(f"no node {shown(name)}", field=f"line {entry.line}")
    return rows[name]


def _places(raw: RawNetwork, notes: Notes) -> tuple[Array, Array]:
    x = np.array([node.x for node in raw.nodes], dtype=np.float64)
    y = np.array([node.y for node in raw.nodes], dtype=np.float64)
    known = ~(np.isnan(x) | np.isnan(y))
    in_pixels = raw.in_pixels or not is_geographic(y[known], x[known])
    if in_pixels and known.any():
        first = raw.nodes[int(known.argmax())]
        notes.add(first.line, "no node has a place: coordinates are in pixels")
        known[:] = False
    elif not known.all():
        for row in np.flatnonzero(~known).tolist():
            node = raw.nodes[row]
            notes.add(node.line, f"node {shown(label_of(node.name))} has no place")
    return np.where(known, y, math.nan), np.where(known, x, math.nan)


def _joined(links: list[RawLink], notes: Notes) -> list[RawLink]:
    kept = []
    for link in links:
        if link.source == link.target:
            notes.add(link.line, "a link from a node to itself is left out")
        else:
            kept.append(link)
    return kept


def _bandwidth(links: list[RawLink], unit: str, notes: Notes) -> Array | None:
    scale = _UNITS_MBPS.get(unit.upper())
    if scale is None:
        if links:
            text = f"the unit {shown(unit)}" if unit else "no unit"
            notes.add(links[0].line, f"capacities give no bandwidth: they have {text}")
        return None
    mbps = [link.installed_capacity * scale for link in links]
    return bandwidth_column([value if is_bandwidth(value) else math.nan for value in mbps])


def _design(links: list[RawLink], unit: str) -> LinkDesign:
    return LinkDesign(
        unit=label_of(unit),
        installed_capacity=np.array([link.installed_capacity for link in links], dtype=np.float64),
        installed_cost=np.array([link.installed_cost for link in links], dtype=np.float64),
        routing_cost=np.array([link.routing_cost for link in links], dtype=np.float64),
        setup_cost=np.array([link.setup_cost for link in links], dtype=np.float64),
        modules=tuple(link.modules for link in links),
    )


def _demand(demand: RawDemand, rows: dict[str, int]) -> Demand:
    return Demand(
        label=label_of(demand.name),
        source=_end(demand, demand.source, rows),
        target=_end(demand, demand.target, rows),
        value=demand.value,
        routing_unit=demand.routing_unit,
        max_path_length=demand.max_path_length,
    )
