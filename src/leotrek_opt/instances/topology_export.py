"""A topology into a file: a document, a recording, Stardust's state, a graph, element sets."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Literal, get_args

from leotrek_opt.errors import InputError, UnsupportedError
from leotrek_opt.instances.recording_writer import FileRecorder
from leotrek_opt.instances.stardust_writer import write_stardust_state
from leotrek_opt.instances.tle import write_tle
from leotrek_opt.instances.topology_source import TopologySource
from leotrek_opt.instances.writer import save, write_bytes
from leotrek_opt.models.base import nearest_name
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.freeze import freeze
from leotrek_opt.topology.simulation.run import Progress, simulate

ExportForm = Literal["continuum", "frozen", "recording", "stardust", "graphml", "tle"]

FORMS: tuple[str, ...] = get_args(ExportForm)
"""What a topology can be written as."""

_SUFFIXES: dict[str, ExportForm] = {
    ".json": "continuum",
    ".json.gz": "continuum",
    ".npz": "recording",
    ".graphml": "graphml",
    ".tle": "tle",
    ".txt": "tle",
}


def export_form(path: str | Path, form: str | None = None) -> ExportForm:
    """Say what a file is to hold.

    Parameters
    ----------
    path
        Its suffix decides: ``.json`` a continuum, ``.npz`` a recording, ``.graphml`` a graph,
        ``.tle`` element sets.
    form
        Decides in place of the suffix.

    Returns
    -------
    ExportForm
        One of :data:`FORMS`.

    Raises
    ------
    leotrek_opt.errors.InputError
        If neither says it.
    """
    if form is not None:
        if form not in FORMS:
            raise InputError(
                f'must be one of {", ".join(FORMS)}, got "{form}"{nearest_name(form, FORMS)}',
                field="form",
            )
        return form  # type: ignore[return-value]
    name = Path(path).name.lower()
    for suffix, known in _SUFFIXES.items():
        if name.endswith(suffix):
            return known
    raise InputError(f"must end in {', '.join(_SUFFIXES)}, or name the form", file=path)


def export_topology(
    source: TopologySource,
    path: str | Path,
    form: str | None = None,
    *,
    step: int = 0,
    on_progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Path:
    """Write a topology to a file.

    Parameters
    ----------
    source
        The topology.
    path
        The file; an existing one is replaced when the new one is complete.
    form
        ``continuum`` (the recipe), ``frozen`` (every link and position written out), ``recording``
        (every step, compressed), ``stardust`` (the JSON of Stardust's simulation states),
        ``graphml`` (one step) or ``tle`` (the element sets of a catalogue); by default as the
        suffix says.
    step
        For ``graphml``.
    on_progress
        Told how many steps of a recording are done.
    cancel
        Once set, a recording ends; its steps so far are kept in ``<path>.partial``.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    leotrek_opt.errors.InputError
        If the form does not go with the topology, or the file cannot be written.
    leotrek_opt.errors.UnsupportedError
        If element sets are asked of a topology that has none.
    """
    chosen, file = export_form(path, form), Path(path)
    if chosen == "continuum":
        return save(source.continuum, file)
    if chosen == "frozen":
        return save(freeze(source.continuum), file)
    if chosen == "recording":
        return _recorded(source, file, on_progress, cancel)
    if chosen == "stardust":
        return write_stardust_state(source.states, file, leave_out_unknown=True)
    if chosen == "graphml":
        write_bytes(_graphml(source, step), file)
        return file
    topology = source.continuum.topology
    if not isinstance(topology, GeneratedTopology) or topology.fleet is None or topology.shells:
        raise UnsupportedError(
            "only a catalogue has element sets to write; shells are exact in a continuum document"
        )
    return write_tle(topology.fleet, file)


def _recorded(
    source: TopologySource,
    file: Path,
    on_progress: Progress | None,
    cancel: threading.Event | None,
) -> Path:
    with FileRecorder(file) as recorder:
        for _ in simulate(source.states, record=recorder, on_progress=on_progress, cancel=cancel):
            pass
    return file


def _graphml(source: TopologySource, step: int) -> bytes:
    import networkx as nx

    from leotrek_opt.instances.networkx_graph import to_networkx

    if not 0 <= step < source.states.steps:
        raise InputError(f"must be in 0 … {source.states.steps - 1}, got {step}", field="step")
    state = next(iter(source.states.states(step, step + 1)))
    graph = to_networkx(state, source.continuum)
    graph.graph["time"] = state.time.isoformat()
    for _, data in graph.nodes(data=True):
        # The format knows plain values only.
        position = data.pop("position_km", None)
        if position is not None:
            data |= dict(zip(("x_km", "y_km", "z_km"), position, strict=True))
    written = io.BytesIO()
    nx.write_graphml(graph, written)
    return written.getvalue()
