"""Networks in GraphML as the Internet Topology Zoo publishes them.

S. Knight et al., The Internet Topology Zoo, IEEE J. Sel. Areas Commun. 29(9), 2011. Attributes are
found by the names that ``<key>`` elements declare, whatever their case.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from leotrek_opt.errors import InputError, errors_in
from leotrek_opt.instances.foreign_file import content_of, decimal
from leotrek_opt.instances.network_file import (
    NetworkFile,
    Notes,
    bandwidth_column,
    is_bandwidth,
    is_geographic,
    label_of,
)
from leotrek_opt.instances.node_names import node_identifiers
from leotrek_opt.instances.xml_reader import XmlElement, xml_tree
from leotrek_opt.models.base import BPS_PER_MBPS
from leotrek_opt.models.messages import shown

_UNITS_MBPS = {"K": 1e-3, "M": 1.0, "G": 1e3, "T": 1e6}
"""Values of ``LinkSpeedUnits``, which stands before ``bit/s``."""

_LATITUDE, _LONGITUDE = ("latitude", "lat"), ("longitude", "lon", "lng")
_LINK_LABELS = ("linklabel", "label", "linknote")
_DOMAINS = ("node", "edge", "graph", "all")
_SPEEDS = ("linkspeedraw", "linkspeed", "linkspeedunits")
_WANTED = frozenset(
    (*_LATITUDE, *_LONGITUDE, *_LINK_LABELS, *_SPEEDS, "network", "country", "internal")
)


class _Keys(NamedTuple):
    """The attributes of interest that a file declares.

    ``name`` has their names in small letters by what they are for (node, edge, graph, all) and
    their identifier; ``default`` has the values to take where an element has none.
    """

    name: dict[tuple[str, str], str]
    default: dict[tuple[str, str], str]


def read_graphml(source: str | Path | bytes) -> NetworkFile:
    """Read a network from GraphML, compressed by gzip or not.

    Of nodes it takes ``label``, ``Latitude``, ``Longitude``, ``Country`` and ``Internal``; of edges
    ``LinkLabel`` and the speed, from ``LinkSpeedRaw`` (bit/s) or else from ``LinkSpeed`` and
    ``LinkSpeedUnits``. Nodes without a place are kept. Edges from a node to itself, hyperedges,
    nested and further graphs are left out. The notes say so, line by line.

    Parameters
    ----------
    source
        Path of a file of at most 64 MiB, or its content as bytes.

    Returns
    -------
    NetworkFile
        With several links between a pair where the file has several edges.

    Raises
    ------
    InputError
        If the file cannot be read, is not GraphML, or an edge names a node that is not there; the
        field is the line.

    Examples
    --------
    >>> network = read_graphml(b'''<graphml>
    ...   <key id="d0" for="node" attr.name="label" attr.type="string"/>
    ...   <key id="d1" for="node" attr.name="Latitude" attr.type="double"/>
    ...   <key id="d2" for="node" attr.name="Longitude" attr.type="double"/>
    ...   <graph edgedefault="undirected">
    ...     <node id="0"><data key="d0">Wien</data>
    ...       <data key="d1">48.21</data><data key="d2">16.37</data></node>
    ...     <node id="1"><data key="d0">Graz</data>
    ...       <data key="d1">47.07</data><data key="d2">15.44</data></node>
    ...     <edge source="0" target="1"/>
    ...   </graph>
    ... </graphml>''')
    >>> network.node, network.source.tolist(), network.target.tolist()
    (('Wien', 'Graz'), [0], [1])
    """
    data, file = content_of(source)
    with errors_in(file):
        return _network(xml_tree(data))


def _network(root: XmlElement) -> NetworkFile:
    if root.tag != "graphml":
        raise InputError(
            f"is not GraphML, its root is {shown(root.tag)}", field=f"line {root.line}"
        )
    graphs = root.all("graph")
    if not graphs:
        raise InputError("has no graph", field=f"line {root.line}")
    notes = Notes()
    for graph in graphs[1:]:
        notes.add(graph.line, "a second graph is left out")
    keys = _declared(root)
    graph = graphs[0]
    for element in graph.all("hyperedge"):
        notes.add(element.line, "a hyperedge is left out")
    nodes = _Nodes(graph, keys, notes)
    links = _Links(graph, keys, notes, nodes.row)
    values = _values(graph, keys, "graph")
    return NetworkFile(
        name=label_of(values.get("network") or graph.attributes.get("id", "")),
        format="graphml",
        directed=_is_directed(graph),
        node=node_identifiers(nodes.label, [f"node-{row}" for row in range(len(nodes.label))]),
        label=tuple(nodes.label),
        country=tuple(nodes.country),
        internal=np.array(nodes.internal, dtype=np.bool_),
        latitude_deg=np.array(nodes.latitude, dtype=np.float64),
        longitude_deg=np.array(nodes.longitude, dtype=np.float64),
        source=np.array(links.source, dtype=np.int64),
        target=np.array(links.target, dtype=np.int64),
        link_label=tuple(links.label),
        bandwidth_mbps=bandwidth_column(links.mbps),
        notes=notes.kept(),
        noted=notes.count,
    )


def _declared(root: XmlElement) -> _Keys:
    keys = _Keys({}, {})
    for key in root.all("key"):
        identifier, domain = key.attributes.get("id", ""), key.attributes.get("for", "all")
        name = key.attributes.get("attr.name", identifier).lower()
        if name not in _WANTED or domain not in _DOMAINS:
            continue
        keys.name[domain, identifier] = name
        default = key.child("default")
        if default is not None:
            keys.default[domain, name] = default.text
    return keys


def _values(element: XmlElement, keys: _Keys, owner: str) -> dict[str, str]:
    """Attributes of an element by name; the first of a name counts."""
    values: dict[str, str] = {}
    for data in element.children:
        if data.tag == "data":
            identifier = data.attributes.get("key", "")
            name = keys.name.get((owner, identifier)) or keys.name.get(("all", identifier))
            if name is not None:
                values.setdefault(name, data.text)
    for (domain, name), default in keys.default.items():
        if domain in {owner, "all"}:
            values.setdefault(name, default)
    return values


def _is_directed(graph: XmlElement) -> bool:
    kind = graph.attributes.get("edgedefault", "undirected")
    if kind not in {"directed", "undirected"}:
        raise InputError(
            f"edgedefault must be directed or undirected (got {shown(kind)})",
            field=f"line {graph.line}",
        )
    return kind == "directed"


class _Nodes:
    """Columns of the nodes, and their rows by the identifiers of the file."""

    def __init__(self, graph: XmlElement, keys: _Keys, notes: Notes) -> None:
        self.row: dict[str, int] = {}
        self.label: list[str] = []
        self.country: list[str] = []
        self.internal: list[bool] = []
        self.latitude: list[float] = []
        self.longitude: list[float] = []
        for element in graph.all("node"):
            self._add(element, _values(element, keys, "node"), notes)
        if not self.row:
            raise InputError("has no node", field=f"line {graph.line}")

    def _add(self, element: XmlElement, values: dict[str, str], notes: Notes) -> None:
        identifier = element.attributes.get("id")
        if identifier is None:
            raise InputError("a node needs an id", field=f"line {element.line}")
        if identifier in self.row:
            raise InputError(f"duplicate node {shown(identifier)}", field=f"line {element.line}")
        if element.child("graph") is not None:
            notes.add(element.line, "a graph inside a node is left out")
        self.row[identifier] = len(self.row)
        self.label.append(label_of(values.get("label") or identifier))
        self.country.append(label_of(values.get("country", "")))
        self.internal.append(values.get("internal", "1").lower() not in {"0", "false"})
        latitude, longitude = _place(element, values, self.label[-1], notes)
        self.latitude.append(latitude)
        self.longitude.append(longitude)


def _place(
    element: XmlElement, values: dict[str, str], label: str, notes: Notes
) -> tuple[float, float]:
    texts = [
        next((values[name] for name in names if name in values), None)
        for names in (_LATITUDE, _LONGITUDE)
    ]
    if texts == [None, None]:
        notes.add(element.line, f"node {shown(label)} has no place")
        return math.nan, math.nan
    latitude, longitude = (None if text is None else decimal(text) for text in texts)
    if latitude is None or longitude is None or not is_geographic(latitude, longitude):
        notes.add(
            element.line,
            f"node {shown(label)} has no place: {shown(texts[0])}, {shown(texts[1])} are no "
            "latitude and longitude",
        )
        return math.nan, math.nan
    return latitude, longitude


class _Links:
    """Columns of the links."""

    def __init__(self, graph: XmlElement, keys: _Keys, notes: Notes, row: dict[str, int]) -> None:
        self.source: list[int] = []
        self.target: list[int] = []
        self.label: list[str] = []
        self.mbps: list[float] = []
        directed = _is_directed(graph)
        for element in graph.all("edge"):
            ends = [_end(element, side, row) for side in ("source", "target")]
            if ends[0] == ends[1]:
                notes.add(element.line, "an edge from a node to itself is left out")
                continue
            own = element.attributes.get("directed")
            if own is not None and (own.lower() in {"true", "1"}) != directed:
                word = "directed" if directed else "undirected"
                notes.add(element.line, f"an edge is taken as {word}, like its graph")
            values = _values(element, keys, "edge")
            self.source.append(ends[0])
            self.target.append(ends[1])
            self.label.append(
                label_of(next((values[name] for name in _LINK_LABELS if values.get(name)), ""))
            )
            self.mbps.append(_speed_mbps(element, values, notes))


def _end(element: XmlElement, side: str, row: dict[str, int]) -> int:
    name = element.attributes.get(side)
    if name is None:
        raise InputError(f"an edge needs a {side}", field=f"line {element.line}")
    if name not in row:
        raise InputError(f"no node {shown(name)} for the {side}", field=f"line {element.line}")
    return row[name]


def _speed_mbps(element: XmlElement, values: dict[str, str], notes: Notes) -> float:
    raw, speed = values.get("linkspeedraw"), values.get("linkspeed")
    if not raw and not speed:
        return math.nan
    number = decimal(raw) if raw else None
    mbps = None if number is None else number / BPS_PER_MBPS
    unit = values.get("linkspeedunits", "").upper()
    if mbps is None and speed and unit in _UNITS_MBPS:
        number = decimal(speed)
        mbps = None if number is None else number * _UNITS_MBPS[unit]
    if mbps is None or not is_bandwidth(mbps):
        text = " ".join(part for part in (raw or speed, None if raw else unit) if part)
        notes.add(element.line, f"the speed {shown(text)} is not used")
        return math.nan
    return mbps
