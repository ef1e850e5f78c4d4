"""Recordings and continua as Stardust's simulation state."""

from __future__ import annotations

import gzip
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError, errors_in
from leotrek_opt.instances.json_reader import MAX_FILE_BYTES, MAX_UNPACKED_BYTES
from leotrek_opt.instances.recording_file import RecordingFile
from leotrek_opt.instances.stardust_nodes import COMPUTING_COLUMN, PLUGINS_ANNOTATION
from leotrek_opt.instances.stardust_terms import COMPUTING_OF_KIND
from leotrek_opt.models.continuum import Continuum, NodeTable
from leotrek_opt.topology.frames import turned
from leotrek_opt.topology.recording.collector import LinkIndex
from leotrek_opt.topology.recording.layout import EARTH_ROTATION_RAD_S, satellites_first
from leotrek_opt.topology.recording.recording import Recording
from leotrek_opt.topology.simulation.sources import StateSource, state_source
from leotrek_opt.topology.state import TopologyState

_M_PER_KM = 1000.0


def write_stardust_state(
    states: Continuum | StateSource, path: str | Path, *, leave_out_unknown: bool = False
) -> Path:
    """Write states in the schema of Stardust's JSON.

    Satellites come first, then the nodes on the ground, with ``ComputingType`` as a number. A link
    has the index of its first establishment, names the node on the ground in ``NodeName1`` (else
    the node that comes first), and stands in the ``Established`` lists of both its ends, as
    Stardust writes it. Positions that were read from Stardust stay as they were; others are turned
    from the Earth-fixed frame into Stardust's, with Greenwich on the x axis at the first state.
    Latency and bandwidth have no place in the format, nor have the outputs of plugins; only names
    of plugins that were read from Stardust are written, as it looks for a file for each.

    Parameters
    ----------
    states
        A recording, a continuum, or another source of states.
    path
        File to write, when it is complete; compressed with gzip if it ends in ``.gz``.
    leave_out_unknown
        Leave out nodes that have no position at some step, such as satellites that have decayed,
        together with their links, instead of refusing them.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    leotrek_opt.errors.InputError
        If a node has no position at some step, there is no such folder, or the file would be larger
        than what can be read back.
    """
    source = state_source(states)
    file = Path(path)
    if not file.parent.is_dir():
        raise InputError(f"there is no folder {file.parent}", file=path)
    kept = np.arange(len(source.nodes))
    if leave_out_unknown:
        known = np.ones(len(kept), dtype=bool)
        for state in source.states():
            known &= np.isfinite(state.position_km).all(axis=1)
        kept = kept[known]
        if not len(kept):
            raise InputError("no node has a position at every step", field="positions")
    limit = MAX_UNPACKED_BYTES if file.suffix == ".gz" else MAX_FILE_BYTES
    partial = Path(f"{path}.partial")
    try:
        with (
            errors_in(file),
            tempfile.TemporaryFile(dir=file.parent) as body,
            partial.open("wb") as raw,
        ):
            _Document(source, kept, _Limited(body, limit)).write(
                raw, compressed=file.suffix == ".gz"
            )
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    return file


class _Limited:
    """Takes text up to a limit."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self.stream = stream
        self._limit = self._left = limit

    def write(self, text: str) -> None:
        data = text.encode("ascii")
        self._left -= len(data)
        if self._left < 0:
            hint = "" if self._limit == MAX_UNPACKED_BYTES else "; a name ending in .gz allows more"
            raise InputError(
                f"would be larger than the {self._limit // 2**20} MiB that are read{hint}"
            )
        self.stream.write(data)


class _Document:
    """A document under way: links are known only when all states are written."""

    def __init__(self, source: StateSource, kept: NDArray[np.int64], body: _Limited) -> None:
        self._source = source
        self._kept = kept
        self._names = _names(source.nodes)
        self._texts = [json.dumps(name) for name in self._names]
        self._satellites = satellites_first(source.nodes)
        self._links = LinkIndex(len(source.nodes))
        self._body = body

    def write(self, raw: IO[bytes], *, compressed: bool) -> None:
        separator = ""
        for index, (state, position_km) in enumerate(_recorded(self._source)):
            self._body.write(f"{separator}\n{self._state(index, state, position_km)}")
            separator = ","
        self._body.write("\n]}\n")
        head = self._head()
        self._body.stream.seek(0)
        if not compressed:
            raw.write(head)
            shutil.copyfileobj(self._body.stream, raw)
            return
        # The same content gives the same bytes: no name and no time of day.
        with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as stream:
            stream.write(head)
            shutil.copyfileobj(self._body.stream, stream)

    def _head(self) -> bytes:
        satellites = self._satellites
        types = _computing_types(self._source)
        plugins = _layout_of(self._source, "annotations").get(PLUGINS_ANNOTATION, ())
        links = self._links.table()
        head = {
            "StatePlugins": list(plugins),
            "Satellites": [
                {"Index": index, "Name": self._names[node], "ComputingType": types[node]}
                for index, node in enumerate(self._kept[self._kept < satellites].tolist())
            ],
            "Grounds": [
                {"Name": self._names[node], "ComputingType": types[node]}
                for node in self._kept[self._kept >= satellites].tolist()
            ],
            "Links": [
                # The node on the ground comes first; among the like, the one of the smaller index.
                {
                    "NodeName1": self._names[target if source < satellites <= target else source],
                    "NodeName2": self._names[source if source < satellites <= target else target],
                }
                for source, target in zip(links.source.tolist(), links.target.tolist(), strict=True)
            ],
        }
        text = ",\n".join(
            f"{json.dumps(key)}:[{self._lines(entries)}]" for key, entries in head.items()
        )
        return f'{{{text},\n"States":['.encode("ascii")

    @staticmethod
    def _lines(entries: list[Any]) -> str:
        return ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries)

    def _state(self, index: int, state: TopologyState, position_km: NDArray[np.float64]) -> str:
        established = self._established(state)
        position = metres(position_km[self._kept])
        unknown = ~np.isfinite(position).all(axis=1)
        if unknown.any():
            name = self._names[int(self._kept[int(unknown.argmax())])]
            raise InputError(
                f'"{name}" has no position, which the format cannot hold; leave_out_unknown leaves '
                "such nodes out",
                field=f"States[{index}]",
            )
        nodes = ",\n".join(
            f'{{"Name":{self._texts[node]},"Position":{{"X":{x!r},"Y":{y!r},"Z":{z!r}}},'
            f'"Established":{established[node]}}}'
            for node, (x, y, z) in zip(self._kept.tolist(), position.tolist(), strict=True)
        )
        time = state.time.isoformat().replace("+00:00", "Z")
        return f'{{"Time":"{time}","NodeStates":[\n{nodes}]}}'

    def _established(self, state: TopologyState) -> list[str]:
        """Return for every node the indices of its links as JSON."""
        count = len(self._names)
        source, target = state.links.source, state.links.target
        kept = np.zeros(count, dtype=bool)
        kept[self._kept] = True
        among = kept[source] & kept[target]
        # Parallel links of any kind are one link to Stardust.
        pair = np.unique(source[among].astype(np.int64) * count + target[among])
        low, high = (end.astype(np.int32) for end in np.divmod(pair, count))
        number = self._links.numbers(low, high, np.zeros(len(low), dtype=np.int8))
        node = np.concatenate((low, high))
        link = np.concatenate((number, number))
        order = np.lexsort((link, node))
        ends = np.cumsum(np.bincount(node, minlength=count)).tolist()
        links = link[order].tolist()
        return [
            json.dumps(links[start:end], separators=(",", ":"))
            for start, end in zip([0, *ends[:-1]], ends, strict=True)
        ]


def metres(position_km: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return positions in metres that are read back as the same kilometres wherever that can be.

    Parameters
    ----------
    position_km
        Any shape.

    Returns
    -------
    ndarray
        A thousand times as much, up to a rounding error that dividing by a thousand undoes.
    """
    product = position_km * _M_PER_KM
    for neighbour in (np.nextafter(product, -np.inf), np.nextafter(product, np.inf)):
        better = (product / _M_PER_KM != position_km) & (neighbour / _M_PER_KM == position_km)
        product = np.where(better, neighbour, product)
    return product


def _recorded(source: StateSource) -> Iterator[tuple[TopologyState, NDArray[np.float64]]]:
    """Stream states with their positions in Stardust's frame."""
    first = source.instant(0)
    own = isinstance(source, (Recording, RecordingFile)) and source.layout.frame == "stardust"
    for row, state in enumerate(source.states()):
        if own and isinstance(source, (Recording, RecordingFile)):
            yield state, source.recorded_km(row)
        else:
            elapsed_s = (state.time - first).total_seconds()
            yield state, turned(state.position_km, EARTH_ROTATION_RAD_S * elapsed_s)


def _names(nodes: NodeTable) -> list[str]:
    """Return unique names: those that people use, or else the identifiers."""
    return list(nodes.names if len(set(nodes.names)) == len(nodes) else nodes.id)


def _layout_of(source: StateSource, part: str) -> dict[str, Any]:
    if isinstance(source, (Recording, RecordingFile)):
        return dict(getattr(source.layout, part))
    return {}


def _computing_types(source: StateSource) -> list[int]:
    column = _layout_of(source, "node_columns").get(COMPUTING_COLUMN)
    if column is not None:
        types: list[int] = column.tolist()
        return types
    return [COMPUTING_OF_KIND[kind] for kind in source.nodes.kind]
