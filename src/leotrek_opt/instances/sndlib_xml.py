"""The XML format of SNDlib."""

from __future__ import annotations

import math

from leotrek_opt.errors import InputError
from leotrek_opt.instances.network_file import Module, Notes
from leotrek_opt.instances.sndlib_records import (
    RawDemand,
    RawLink,
    RawNetwork,
    RawNode,
    number,
    path_length,
)
from leotrek_opt.instances.xml_reader import XmlElement, xml_tree
from leotrek_opt.models.messages import shown


def read_xml(data: bytes, notes: Notes) -> RawNetwork:
    """Read a network.

    Parameters
    ----------
    data
        Content of a file.
    notes
        Takes what is left out.

    Returns
    -------
    RawNetwork
        As it stands there.

    Raises
    ------
    InputError
        If it is no such network; the field is the line.
    """
    root = xml_tree(data)
    structure = root.child("networkStructure")
    if root.tag != "network" or structure is None:
        raise InputError(
            f"is no network of SNDlib, its root is {shown(root.tag)}", field=f"line {root.line}"
        )
    meta = root.child("meta")
    nodes = _part(structure, "nodes")
    network = RawNetwork(
        unit="" if meta is None else _text(meta, "unit"),
        in_pixels=nodes.attributes.get("coordinatesType", "geographical") == "pixel",
    )
    network.nodes = [_node(element) for element in nodes.all("node")]
    network.links = [_link(element) for element in _part(structure, "links").all("link")]
    demands = root.child("demands")
    if demands is not None:
        network.demands = [_demand(element, notes) for element in demands.all("demand")]
    return network


def _part(structure: XmlElement, tag: str) -> XmlElement:
    part = structure.child(tag)
    if part is None:
        raise InputError(f"has no {tag}", field=f"line {structure.line}")
    return part


def _node(element: XmlElement) -> RawNode:
    node = RawNode(element.line, _identifier(element))
    coordinates = element.child("coordinates")
    if coordinates is not None:
        node.x = _number(coordinates, "x")
        node.y = _number(coordinates, "y")
    return node


def _link(element: XmlElement) -> RawLink:
    link = RawLink(element.line, _identifier(element), *_ends(element))
    installed, offered = element.child("preInstalledModule"), element.child("additionalModules")
    if installed is not None:
        link.installed_capacity = _number(installed, "capacity")
        link.installed_cost = _number(installed, "cost", 0.0)
    link.routing_cost = _number(element, "routingCost", math.nan)
    link.setup_cost = _number(element, "setupCost", math.nan)
    if offered is not None:
        link.modules = tuple(
            Module(_number(module, "capacity"), _number(module, "cost"))
            for module in offered.all("addModule")
        )
    return link


def _demand(element: XmlElement, notes: Notes) -> RawDemand:
    if element.child("admissiblePaths") is not None:
        notes.add(element.line, "the admissible paths of a demand are left out")
    longest = _text(element, "maxPathLength")
    return RawDemand(
        element.line,
        _identifier(element),
        *_ends(element),
        value=_number(element, "demandValue"),
        routing_unit=_number(element, "routingUnit", 1.0),
        max_path_length=path_length(longest, element.line) if longest else None,
    )


def _identifier(element: XmlElement) -> str:
    identifier = element.attributes.get("id")
    if not identifier:
        raise InputError(f"a {element.tag} needs an id", field=f"line {element.line}")
    return identifier


def _ends(element: XmlElement) -> tuple[str, str]:
    return _required(element, "source").text, _required(element, "target").text


def _text(element: XmlElement, tag: str) -> str:
    child = element.child(tag)
    return "" if child is None else child.text


def _number(element: XmlElement, tag: str, otherwise: float | None = None) -> float:
    if otherwise is not None and element.child(tag) is None:
        return otherwise
    child = _required(element, tag)
    return number(child.text, tag, child.line)


def _required(element: XmlElement, tag: str) -> XmlElement:
    child = element.child(tag)
    if child is None:
        raise InputError(f"a {element.tag} needs a {tag}", field=f"line {element.line}")
    return child
