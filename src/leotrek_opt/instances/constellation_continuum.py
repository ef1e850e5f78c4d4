"""A continuum with a generated topology, in one call."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from leotrek_opt.errors import InputError
from leotrek_opt.instances.element_file import ElementFile
from leotrek_opt.instances.ground_csv import GroundPlace, checked_place, read_ground_csv
from leotrek_opt.instances.node_names import node_identifiers
from leotrek_opt.instances.presets import Preset, preset
from leotrek_opt.models.base import input_error
from leotrek_opt.models.constellation import CircularJ2, ElementTable, Sgp4, WalkerShell
from leotrek_opt.models.continuum import (
    CPU,
    MEMORY,
    Architecture,
    Continuum,
    NodeKind,
    NodeTable,
    PositionSeries,
    TimeGrid,
)
from leotrek_opt.models.ground_links import FibreLinks, GroundLinks
from leotrek_opt.models.inter_satellite import InferredPlusGrid, InterSatelliteRule, PlusGrid
from leotrek_opt.models.messages import shown
from leotrek_opt.models.topology import GeneratedTopology

EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
"""Instant of the elements of shells where neither epoch nor start is given."""

SATELLITE_CAPACITY: Mapping[str, int] = {CPU: 4000, MEMORY: 4096}
"""What HyperDrive gives a satellite."""

GROUND_CAPACITY: Mapping[str, int] = {CPU: 32_000, MEMORY: 32_768}
"""What HyperDrive gives a ground station."""

_SATELLITE: NodeKind = "satellite"
_ARM: Architecture = "arm64"
_X86: Architecture = "x86_64"

Satellites = str | Preset | WalkerShell | Sequence[WalkerShell] | ElementTable | ElementFile
Ground = str | Path | Sequence[GroundPlace | tuple[Any, ...]]


def constellation_continuum(
    source: Satellites,
    *,
    ground: Ground = (),
    start: datetime | None = None,
    steps: int = 1,
    step_s: float = 60.0,
    epoch: datetime | None = None,
    propagator: Sgp4 | CircularJ2 | Literal["sgp4", "circular_j2"] = "sgp4",
    inter_satellite: InterSatelliteRule | Literal["default"] | None = "default",
    ground_links: GroundLinks | None = None,
    fibre: FibreLinks | None = None,
    satellite_capacity: Mapping[str, int] = SATELLITE_CAPACITY,
    ground_capacity: Mapping[str, int] = GROUND_CAPACITY,
    id: str | None = None,  # noqa: A002 - the name of the model's field
) -> Continuum:
    """Build a continuum of satellites and ground nodes whose links are generated.

    Satellites come first. Those of shells are called ``sat-<plane>-<slot>``, with the number of the
    shell before the plane if there are several; those of a fleet after their names (else
    ``sat-<catalogue number>``), and ground nodes after theirs. Characters that an identifier cannot
    hold become hyphens; labels keep the names.

    Parameters
    ----------
    source
        Name of a preset (``kuiper``), a preset, one or several shells, or element sets of a
        catalogue (a table, or what a reader returned).
    ground
        Ground nodes as ``(name, latitude_deg, longitude_deg[, altitude_m[, kind]])``, or a CSV file
        with columns ``name``, ``lat_deg``, ``lon_deg``, and ``alt_m`` and ``kind`` if wanted.
    start
        First instant, with a time zone; by default the epoch of the shells, or the newest of the
        fleet.
    steps, step_s
        Number of snapshots, and seconds between them.
    epoch
        Instant of the elements of shells; by default ``start``, or else 2025-01-01 00:00 UTC.
    propagator
        As in a generated topology.
    inter_satellite
        Links between satellites; by default a +Grid, found in the planes of the element sets for a
        fleet. None for none.
    ground_links
        Links from the ground; by default to the four nearest satellites, above the least elevation
        that the preset states, or else above 25 degrees.
    fibre
        Links between ground nodes.
    satellite_capacity, ground_capacity
        Resources of every satellite, and of every ground node.
    id
        Of the continuum; by default the name of the preset, else ``constellation``.

    Returns
    -------
    Continuum
        With a generated topology. Satellites are arm64, ground nodes x86_64.

    Raises
    ------
    InputError
        If anything is wrong with an argument.
    """
    named = preset(source) if isinstance(source, str) else source
    shells, fleet = _satellites(named)
    places = _places(ground)
    if inter_satellite == "default":
        inter_satellite = PlusGrid() if shells else InferredPlusGrid()
    if ground_links is None:
        stated = named.min_elevation_deg if isinstance(named, Preset) else None
        ground_links = GroundLinks() if stated is None else GroundLinks(min_elevation_deg=stated)
    if id is None:
        id = named.id if isinstance(named, Preset) else "constellation"  # noqa: A001
    try:
        return Continuum(
            id=id,
            nodes=_nodes(shells, fleet, places, satellite_capacity, ground_capacity),
            positions=_positions(shells, fleet, places),
            time=TimeGrid(start=start, steps=steps, step_s=step_s),
            topology=GeneratedTopology(
                shells=shells,
                fleet=fleet,
                epoch=(epoch or start or EPOCH) if shells else None,
                propagator=propagator,  # type: ignore[arg-type]
                inter_satellite=inter_satellite,
                ground=ground_links if places else None,
                fibre=fibre,
            ),
        )
    except ValidationError as error:
        raise input_error(error, model=_model_of(error)) from None


def _model_of(error: ValidationError) -> type[BaseModel] | None:
    models = (Continuum, NodeTable, TimeGrid, GeneratedTopology, PositionSeries)
    return next((model for model in models if model.__name__ == error.title), None)


def _satellites(
    source: Preset | WalkerShell | Sequence[WalkerShell] | ElementTable | ElementFile,
) -> tuple[tuple[WalkerShell, ...], ElementTable | None]:
    if isinstance(source, ElementFile):
        return (), source.table
    if isinstance(source, ElementTable):
        return (), source
    if isinstance(source, Preset):
        return source.shells, None
    shells = (source,) if isinstance(source, WalkerShell) else _listed(source)
    if not shells or not all(isinstance(shell, WalkerShell) for shell in shells):
        raise InputError(
            "must be a preset or its name, shells, or a table of element sets", field="source"
        )
    return shells, None


def _listed(values: Any) -> tuple[Any, ...]:
    return tuple(values) if isinstance(values, Sequence) else ()


def _places(ground: Ground) -> tuple[GroundPlace, ...]:
    if isinstance(ground, (str, Path)):
        return read_ground_csv(ground)
    if not isinstance(ground, Sequence):
        raise InputError("must be a CSV file or a list of ground nodes", field="ground")
    return tuple(checked_place(place, f"ground[{index}]") for index, place in enumerate(ground))


def _nodes(
    shells: Sequence[WalkerShell],
    fleet: ElementTable | None,
    places: Sequence[GroundPlace],
    satellite_capacity: Mapping[str, int],
    ground_capacity: Mapping[str, int],
) -> NodeTable:
    names, fallbacks, labels = _satellite_names(shells, fleet)
    satellites, count = len(names), len(names) + len(places)
    names += [place.name for place in places]
    fallbacks += [f"ground-{index}" for index in range(len(places))]
    labels += [place.name for place in places]
    resources = dict.fromkeys((*satellite_capacity, *ground_capacity))

    def column(resource: str) -> NDArray[np.int64]:
        values = np.empty(count, dtype=np.int64)
        values[:satellites] = _amount(satellite_capacity, resource, "satellite_capacity")
        values[satellites:] = _amount(ground_capacity, resource, "ground_capacity")
        return values

    return NodeTable(
        id=node_identifiers(names, fallbacks),
        kind=(*[_SATELLITE] * satellites, *(place.kind for place in places)),
        architecture=(*[_ARM] * satellites, *[_X86] * len(places)),
        capacity={resource: column(resource) for resource in resources},
        label=tuple(labels),
    )


def _amount(capacity: Mapping[str, int], resource: str, field: str) -> int:
    amount = capacity.get(resource, 0)
    try:
        return operator.index(amount)
    except TypeError:
        raise InputError(
            f"must be a whole number (got {shown(amount)})", field=f"{field}.{resource}"
        ) from None


def _satellite_names(
    shells: Sequence[WalkerShell], fleet: ElementTable | None
) -> tuple[list[str], list[str], list[str]]:
    """Return names, what to call them without one, and labels."""
    if fleet is not None:
        numbers = [f"sat-{number}" for number in fleet.catalogue_number.tolist()]
        return list(fleet.name), numbers, list(fleet.name)
    names = [
        f"sat-{index}-{plane}-{slot}" if len(shells) > 1 else f"sat-{plane}-{slot}"
        for index, shell in enumerate(shells)
        for plane in range(shell.planes)
        for slot in range(shell.satellites_per_plane)
    ]
    return names, list(names), [""] * len(names)


def _positions(
    shells: Sequence[WalkerShell], fleet: ElementTable | None, places: Sequence[GroundPlace]
) -> tuple[PositionSeries, ...]:
    if not places:
        return ()
    first = sum(shell.satellite_count for shell in shells)
    first += 0 if fleet is None else len(fleet)
    columns = np.array([place[1:4] for place in places], dtype=np.float64).T
    return (
        PositionSeries(
            node=np.arange(first, first + len(places)),
            latitude_deg=columns[0][None, :],
            longitude_deg=columns[1][None, :],
            altitude_km=columns[2][None, :] / 1000.0,
        ),
    )
