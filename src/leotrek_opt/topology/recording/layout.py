"""What does not change from step to step of a recording."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError
from leotrek_opt.models.continuum import NodeTable

PositionType = Literal["float64", "float32"]
"""How positions are kept. ``float32`` halves their size and rounds them to about half a metre."""

Frame = Literal["ecef", "stardust"]
"""``ecef``, or Stardust's inertial frame, in which the Earth turns from its starting position."""

OutputType = Literal["float64", "float32", "int64", "int32", "uint8", "bool"]
OUTPUT_TYPES: tuple[OutputType, ...] = ("float64", "float32", "int64", "int32", "uint8", "bool")

MAX_OUTPUT_ENTRIES = 50_000_000
"""Most entries of one output at one step."""

EARTH_ROTATION_RAD_S = 7.2921150e-5
"""Rate at which the Earth turns in Stardust's frame."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Output:
    """One array that a state plugin gives at every step.

    Parameters
    ----------
    dtype
        Type of its entries.
    per
        One entry per ``node``, per ``satellite``, or a single one per ``step``.
    shape
        Shape of an entry; ``()`` for a number.
    """

    dtype: OutputType = "float64"
    per: Literal["node", "satellite", "step"] = "node"
    shape: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be stored."""
        if self.dtype not in OUTPUT_TYPES:
            raise InputError(f"must be one of {', '.join(OUTPUT_TYPES)}", field="dtype")
        if self.per not in ("node", "satellite", "step"):
            raise InputError("must be node, satellite or step", field="per")
        if len(self.shape) > 3 or any(
            type(size) is not int or not 0 < size <= MAX_OUTPUT_ENTRIES for size in self.shape
        ):
            raise InputError("must be at most three positive sizes", field="shape")

    def shape_at_a_step(self, nodes: int, satellites: int) -> tuple[int, ...]:
        """Return the shape of the whole array at one step.

        Parameters
        ----------
        nodes, satellites
            How many there are.

        Returns
        -------
        tuple of int
            One axis for nodes or satellites where there is one, then that of an entry.
        """
        entries = {"node": (nodes,), "satellite": (satellites,), "step": ()}[self.per]
        return (*entries, *self.shape)


@dataclass(frozen=True, eq=False)
class Run:
    """What a recorder is told before the first step.

    Parameters
    ----------
    nodes
        Satellites first.
    outputs
        Declared outputs, by plugin and name.
    source_digest
        SHA-256 of the document that the steps follow from, or None where there is none. Steps of
        another document are never appended to a recording.
    """

    nodes: NodeTable
    outputs: Mapping[str, Mapping[str, Output]] = field(default_factory=dict)
    source_digest: str | None = None

    @cached_property
    def satellites(self) -> int:
        """Number of satellites."""
        return satellites_first(self.nodes)


@dataclass(frozen=True, eq=False)
class Layout:
    """Nodes, conventions and declared outputs of a recording.

    Parameters
    ----------
    nodes
        Satellites first.
    limited
        Whether links have a bandwidth.
    position_type
        How positions are kept.
    relay
        Nodes that routes may pass through, shape (nodes,), or None for all.
    outputs
        Declared outputs, by plugin and name.
    frame
        What the recorded positions refer to. States are given in ECEF whatever it is.
    frame_start_us
        For ``stardust``: the instant, in microseconds since 1970 UTC, at which Greenwich lies on
        the x axis. None for ``ecef``.
    node_columns
        Integers per node that a foreign format knows beside ours.
    annotations
        Texts that a foreign format knows beside ours.
    source_digest
        As for :class:`Run`; not part of what is compared.

    Raises
    ------
    leotrek_opt.errors.InputError
        If satellites do not come first, a name cannot be used, or a column has another length.
    """

    nodes: NodeTable
    limited: bool
    position_type: PositionType = "float64"
    relay: NDArray[np.bool_] | None = None
    outputs: Mapping[str, Mapping[str, Output]] = field(default_factory=dict)
    frame: Frame = "ecef"
    frame_start_us: int | None = None
    node_columns: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    annotations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    source_digest: str | None = None

    def __post_init__(self) -> None:
        """Check what the types do not say."""
        satellites_first(self.nodes)
        if self.position_type not in ("float64", "float32"):
            raise InputError("must be float64 or float32", field="position_type")
        if (self.frame == "ecef") != (self.frame_start_us is None):
            raise InputError("goes with the frame stardust alone", field="frame_start_us")
        if self.relay is not None and self.relay.shape != (len(self.nodes),):
            raise InputError(f"must have {len(self.nodes)} entries", field="relay")
        for name, column in self.node_columns.items():
            checked_name(name, "node_columns")
            if column.shape != (len(self.nodes),):
                raise InputError(
                    f"must have {len(self.nodes)} entries", field=f"node_columns.{name}"
                )
        for name in self.annotations:
            checked_name(name, "annotations")
        for plugin, outputs in self.outputs.items():
            check_outputs(plugin, outputs, len(self.nodes), self.satellites)
        # One order, whether they were declared or read from a file.
        ordered = {
            plugin: dict(sorted(outputs.items()))
            for plugin, outputs in sorted(self.outputs.items())
        }
        object.__setattr__(self, "outputs", ordered)

    @cached_property
    def satellites(self) -> int:
        """Number of satellites."""
        return satellites_first(self.nodes)

    @property
    def position_dtype(self) -> np.dtype[Any]:
        """Type of the stored positions."""
        return np.dtype(self.position_type)

    def output_shape(self, plugin: str, name: str) -> tuple[int, ...]:
        """Return the shape of an output at one step.

        Parameters
        ----------
        plugin, name
            A declared output.

        Returns
        -------
        tuple of int
            As :meth:`Output.shape_at_a_step`.
        """
        return self.outputs[plugin][name].shape_at_a_step(len(self.nodes), self.satellites)

    def document(self) -> dict[str, Any]:
        """Return the layout as JSON holds it.

        Returns
        -------
        dict
            Every convention written out.
        """
        return {
            "nodes": self.nodes.model_dump(mode="json"),
            "limited": self.limited,
            "position_type": self.position_type,
            "relay": None if self.relay is None else self.relay.tolist(),
            "outputs": {
                plugin: {
                    name: {"dtype": each.dtype, "per": each.per, "shape": list(each.shape)}
                    for name, each in outputs.items()
                }
                for plugin, outputs in self.outputs.items()
            },
            "frame": self.frame,
            "frame_start_us": self.frame_start_us,
            "node_columns": {name: column.tolist() for name, column in self.node_columns.items()},
            "annotations": {name: list(texts) for name, texts in self.annotations.items()},
        }

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the document, with which the digest of a recording begins."""
        text = json.dumps(self.document(), sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(f"recording 1 {text}".encode()).digest()


def satellites_first(nodes: NodeTable) -> int:
    """Count the satellites, which must come before all other nodes.

    Parameters
    ----------
    nodes
        Any nodes.

    Returns
    -------
    int
        Number of satellites.

    Raises
    ------
    leotrek_opt.errors.InputError
        If a satellite stands after another node.
    """
    count = nodes.kind.count("satellite")
    for index in range(count):
        if nodes.kind[index] != "satellite":
            raise InputError(
                f'satellites must come first, but "{nodes.id[index]}" is of kind '
                f"{nodes.kind[index]}",
                field=f"nodes.kind[{index}]",
            )
    return count


def checked_name(name: object, at: str) -> str:
    """Return a name that can stand in a file.

    Parameters
    ----------
    name
        What was given.
    at
        Field path for the error.

    Returns
    -------
    str
        The name.

    Raises
    ------
    leotrek_opt.errors.InputError
        If it is no text of letters, digits, ``_`` and ``-``.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InputError(
            "a name must begin with a letter and have at most 64 letters, digits, _ and - "
            f"(got {str(name)[:80]!r})",
            field=at,
        )
    return name


def check_outputs(plugin: str, outputs: Mapping[str, Output], nodes: int, satellites: int) -> None:
    """Refuse declarations that cannot be recorded.

    Parameters
    ----------
    plugin
        Name of the plugin.
    outputs
        Its declared outputs.
    nodes, satellites
        How many there are.

    Raises
    ------
    leotrek_opt.errors.InputError
        Naming plugin and output.
    """
    at = f"outputs.{checked_name(plugin, 'outputs')}"
    for name, output in outputs.items():
        checked_name(name, at)
        if not isinstance(output, Output):
            raise InputError(
                f"must be an Output, got {type(output).__name__}", field=f"{at}.{name}"
            )
        if math.prod(output.shape_at_a_step(nodes, satellites)) > MAX_OUTPUT_ENTRIES:
            raise InputError(
                f"must have at most {MAX_OUTPUT_ENTRIES} entries", field=f"{at}.{name}"
            )
