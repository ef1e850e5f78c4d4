"""A topology from whatever describes one: a document, a preset, a design, a catalogue, a record."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from leotrek_opt.errors import InputError
from leotrek_opt.instances.constellation_continuum import constellation_continuum
from leotrek_opt.instances.documents import parse
from leotrek_opt.instances.element_file import Duplicates, ElementFile
from leotrek_opt.instances.elements import read_elements
from leotrek_opt.instances.json_reader import read_bytes
from leotrek_opt.instances.presets import PRESET_NAMES, Preset, preset, walker_shell
from leotrek_opt.instances.recording_file import load_recording
from leotrek_opt.instances.stardust import read_stardust_state
from leotrek_opt.models.base import StrictModel, input_error, nearest_name
from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.models.continuum import Continuum, TimeGrid
from leotrek_opt.models.ground_links import GroundLinks
from leotrek_opt.models.inter_satellite import InterSatelliteRule
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.recording.recording import Recording
from leotrek_opt.topology.simulation.sources import StateSource, state_source

SourceKind = Literal["document", "preset", "walker", "elements", "recording", "stardust"]

_WALKER = re.compile(
    r"(?P<inclination>[0-9]{1,3}(?:\.[0-9]{1,8})?):(?P<count>[0-9]{1,6})/(?P<planes>[0-9]{1,4})"
    r"/(?P<phasing>[0-9]{1,4})@(?P<altitude>[0-9]{1,6}(?:\.[0-9]{1,8})?)(?:,(?P<pattern>delta|star))?"
)
_OMM_KEY = re.compile(rb'"(?:OBJECT_NAME|OBJECT_ID|NORAD_CAT_ID|MEAN_MOTION)"')
_NONE = "none"
_RULE: TypeAdapter[Any] = TypeAdapter(InterSatelliteRule)


@dataclass(frozen=True)
class SourceOptions:
    """What to change or add; None leaves it as the source or the default has it.

    Parameters
    ----------
    ground
        CSV file of ground nodes, see :func:`leotrek_opt.instances.ground_csv.read_ground_csv`.
    start, epoch
        First instant, and instant of the elements of shells, with a time zone.
    steps, step_s
        Number of snapshots, and seconds between them.
    propagator
        ``sgp4`` or ``circular_j2``.
    inter_satellite
        Name of a rule for links between satellites, the rule as a JSON object, or ``none``.
    strategy, max_links, min_elevation_deg, max_range_km
        Of the ground links.
    ground_relay
        Whether routes may pass through ground nodes.
    duplicates
        Which of several element sets with one catalogue number count, as for readers.
    """

    ground: Path | None = None
    start: datetime | None = None
    epoch: datetime | None = None
    steps: int | None = None
    step_s: float | None = None
    propagator: Literal["sgp4", "circular_j2"] | None = None
    inter_satellite: str | None = None
    strategy: str | None = None
    max_links: int | None = None
    min_elevation_deg: float | None = None
    max_range_km: float | None = None
    ground_relay: bool | None = None
    duplicates: Duplicates | None = None


@dataclass(frozen=True, eq=False)
class TopologySource:
    """A topology, and where it is from.

    Parameters
    ----------
    name
        As it was asked for.
    kind
        What it turned out to be.
    continuum
        Nodes, time grid and topology.
    states
        Streams its steps.
    elements
        What was read from a file of element sets, with the records that were set aside.
    preset
        The constellation, with sources and notes.
    """

    name: str
    kind: SourceKind
    continuum: Continuum
    states: StateSource
    elements: ElementFile | None = None
    preset: Preset | None = None


def topology_source(
    source: str | Path,
    options: SourceOptions = SourceOptions(),
) -> TopologySource:
    """Read, look up or build a topology.

    Parameters
    ----------
    source
        A file: a continuum or placement document, element sets (TLE or OMM), a recording, or a
        simulation state of Stardust; else the name of a preset; else a Walker design
        ``i:T/P/F@h[,star]`` with inclination in degrees, number of satellites, of planes, phasing
        and altitude in km, such as ``53:1584/72/1@550``.
    options
        What to change or add.

    Returns
    -------
    TopologySource
        Ready to be streamed.

    Raises
    ------
    leotrek_opt.errors.InputError
        If there is no such thing, it is damaged, or an option does not go with it.
    """
    name = str(source)
    if Path(name).exists():
        return _of_file(name, options)
    design = _WALKER.fullmatch(name)
    if design is not None:
        return _built(name, "walker", _shell(design), options)
    if _is_preset(name):
        named = _named(name)
        return _built(name, "preset", named, options, preset=named)
    hint = nearest_name(name.lower(), PRESET_NAMES)
    raise InputError(
        f'no file, preset or Walker design i:T/P/F@h "{name}"{hint}'
        + ("" if hint else f"; presets are {', '.join(PRESET_NAMES)}")
    )


def _is_preset(name: str) -> bool:
    return name.replace("_", "-").lower() in PRESET_NAMES


def _named(name: str) -> Preset:
    try:
        return preset(name)
    except InputError as error:
        raise InputError(f"{error} in Python, or write a Walker design i:T/P/F@h") from None


def _shell(design: re.Match[str]) -> WalkerShell:
    planes, count = int(design["planes"]), int(design["count"])
    if planes < 1 or count < planes or count % planes:
        raise InputError(f"{design[0]}: {count} satellites cannot fill {planes} planes evenly")
    try:
        return walker_shell(
            planes=planes,
            satellites_per_plane=count // planes,
            phasing=int(design["phasing"]),
            inclination_deg=float(design["inclination"]),
            altitude_km=float(design["altitude"]),
            pattern="star" if design["pattern"] == "star" else "delta",
        )
    except ValueError as error:
        fault = error if isinstance(error, InputError) else InputError(str(error))
        raise InputError(f"{design[0]}: {fault}") from None


def _of_file(name: str, options: SourceOptions) -> TopologySource:
    path = Path(name)
    if path.name.endswith((".npz", ".npz.partial")) or _is_archive(path):
        recording = load_recording(path)
        return _recorded(name, "recording", recording, options)
    data = read_bytes(path)
    if not data.strip():
        raise InputError("is empty", file=path)
    if data[:4096].lstrip().startswith(b"{") and not _OMM_KEY.search(data):
        if b'"kind"' not in data and b'"States"' in data:
            return _recorded(name, "stardust", read_stardust_state(path), options)
        try:
            document = parse(data, folder=path.parent)
        except InputError as error:
            raise (error if error.file else error.in_file(path)) from None
        return _of_document(name, document, options)
    elements = read_elements(path, duplicates=options.duplicates or "newest")
    return _built(name, "elements", elements, options, elements=elements)


def _is_archive(path: Path) -> bool:
    """Say whether a file is a ZIP archive, as recordings are under any name."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError:
        return False


def _recorded(
    name: str, kind: SourceKind, recording: Recording, options: SourceOptions
) -> TopologySource:
    _refuse(options, name, "a recording is as it was recorded")
    return TopologySource(name, kind, recording.continuum(), recording)


def _of_document(name: str, document: StrictModel, options: SourceOptions) -> TopologySource:
    continuum = getattr(document, "continuum", document)
    if not isinstance(continuum, Continuum):
        kind = getattr(document, "kind", "other")
        raise InputError(
            f'must be a document with a continuum (got "{kind}")', file=name, field="kind"
        )
    topology = continuum.topology
    if not isinstance(topology, GeneratedTopology):
        _refuse(options, name, "its links are written out")
        return TopologySource(name, "document", continuum, state_source(continuum))
    if options.ground is not None:
        raise InputError(f"{name} has ground nodes of its own; leave it out", field="ground")
    _refuse_duplicates(options, name)
    changes: dict[str, Any] = {}
    if options.ground_relay is not None:
        changes["ground_relay"] = options.ground_relay
    if options.epoch is not None:
        changes["epoch"] = options.epoch
    if options.propagator is not None:
        changes["propagator"] = options.propagator
    if options.inter_satellite is not None:
        changes["inter_satellite"] = _inter_satellite(options.inter_satellite)
    ground = _ground_links(options, topology.ground or GroundLinks())
    if ground is not None:
        changes["ground"] = ground
    time = continuum.time
    grid = TimeGrid(
        start=options.start or time.start,
        steps=time.steps if options.steps is None else options.steps,
        step_s=time.step_s if options.step_s is None else options.step_s,
        offsets_s=None if options.steps or options.step_s else time.offsets_s,
    )
    try:
        changed = topology.replace(**changes) if changes else topology
        continuum = continuum.replace(topology=changed, time=grid)
    except ValidationError as error:
        raise input_error(error, model=Continuum).in_file(name) from None
    return TopologySource(name, "document", continuum, state_source(continuum))


def _built(
    name: str,
    kind: SourceKind,
    satellites: Preset | WalkerShell | ElementFile,
    options: SourceOptions,
    **more: Any,
) -> TopologySource:
    if not isinstance(satellites, ElementFile):
        _refuse_duplicates(options, name)
    least_deg = satellites.min_elevation_deg if isinstance(satellites, Preset) else None
    usual = GroundLinks() if least_deg is None else GroundLinks(min_elevation_deg=least_deg)
    continuum = constellation_continuum(
        satellites,
        ground=() if options.ground is None else options.ground,
        start=options.start,
        epoch=options.epoch,
        steps=1 if options.steps is None else options.steps,
        step_s=60.0 if options.step_s is None else options.step_s,
        propagator=options.propagator or "sgp4",
        inter_satellite=(
            "default"
            if options.inter_satellite is None
            else _inter_satellite(options.inter_satellite)
        ),
        ground_links=_ground_links(options, usual) or usual,
    )
    if options.ground_relay is False and isinstance(continuum.topology, GeneratedTopology):
        continuum = continuum.replace(topology=continuum.topology.replace(ground_relay=False))
    return TopologySource(name, kind, continuum, state_source(continuum), **more)


def _inter_satellite(text: str) -> InterSatelliteRule | None:
    if text == _NONE:
        return None
    try:
        if text.lstrip().startswith("{"):
            return _RULE.validate_json(text)  # type: ignore[no-any-return]
        return _RULE.validate_python({"type": text.replace("-", "_")})  # type: ignore[no-any-return]
    except ValidationError as error:
        kinds = _rule_names()
        if any(fault["type"].startswith("union_tag") for fault in error.errors()):
            raise InputError(
                f'no rule "{text}"{nearest_name(text, kinds)}; rules are {", ".join(kinds)}, or a '
                "JSON object with type and fields",
                field="inter_satellite",
            ) from None
        raise InputError(str(input_error(error)), field="inter_satellite") from None


def _rule_names() -> list[str]:
    schema = _RULE.json_schema()
    mapping: dict[str, Any] = schema["discriminator"]["mapping"]
    return [*mapping, _NONE]


def _ground_links(options: SourceOptions, usual: GroundLinks) -> GroundLinks | None:
    changes = {
        field: value
        for field, value in (
            ("strategy", options.strategy),
            ("max_links", options.max_links),
            ("min_elevation_deg", options.min_elevation_deg),
            ("max_range_km", options.max_range_km),
        )
        if value is not None
    }
    if not changes:
        return None
    try:
        return usual.replace(**changes)
    except ValidationError as error:
        raise input_error(error, model=GroundLinks) from None


def _refuse_duplicates(options: SourceOptions, name: str) -> None:
    if options.duplicates is not None:
        raise InputError(f"{name} is no file of element sets; leave it out", field="duplicates")


def _refuse(options: SourceOptions, name: str, why: str) -> None:
    for field in SourceOptions.__dataclass_fields__:
        if getattr(options, field) is not None:
            raise InputError(f"{name}: {why}; leave it out", field=field)
