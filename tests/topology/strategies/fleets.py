"""Fleets of element sets made from designs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from leotrek_opt.models.constellation import ElementTable, WalkerShell
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.constellation import walker_elements
from leotrek_opt.topology.instants import julian_date
from leotrek_opt.topology.propagation import ephemeris
from leotrek_opt.topology.state import SatelliteState

EPOCH = datetime(2025, 6, 1, tzinfo=UTC)


def walker(
    planes: int, slots: int, inclination_deg: float, altitude_km: float, **changes: object
) -> WalkerShell:
    return WalkerShell(
        planes=planes,
        satellites_per_plane=slots,
        inclination_deg=inclination_deg,
        altitude_km=altitude_km,
        **changes,  # type: ignore[arg-type]
    )


def fleet_of(*shells: WalkerShell, epoch: datetime = EPOCH) -> ElementTable:
    """List the satellites of some shells as a catalogue would."""
    elements = walker_elements(shells)
    count = len(elements.raan_rad)
    zero = np.zeros(count)
    day, fraction = julian_date(epoch)
    return ElementTable(
        name=tuple(f"S{index}" for index in range(count)),
        catalogue_number=np.arange(1, count + 1),
        epoch_jd=np.full(count, day),
        epoch_fraction=np.full(count, fraction),
        inclination_deg=np.degrees(elements.inclination_rad),
        raan_deg=np.degrees(elements.raan_rad) % 360.0,
        eccentricity=zero,
        argument_of_perigee_deg=zero,
        mean_anomaly_deg=np.degrees(elements.argument_of_latitude_rad) % 360.0,
        mean_motion_rev_per_day=elements.mean_motion_rad_min * 1440 / (2 * np.pi),
        mean_motion_dot=zero,
        mean_motion_ddot=zero,
        bstar=zero,
    )


def permuted(table: ElementTable, order: np.ndarray) -> ElementTable:
    """List the same satellites in another order."""
    columns = {
        field: getattr(table, field)[order]
        for field in type(table).model_fields
        if isinstance(getattr(table, field), np.ndarray)
    }
    return table.replace(name=tuple(table.name[index] for index in order), **columns)


def fleet_state(table: ElementTable, epoch: datetime = EPOCH, days: float = 0.0) -> SatelliteState:
    """Return where a fleet is some days after an instant."""
    instant = julian_date(epoch, days * 86_400.0)
    topology = GeneratedTopology(fleet=table, inter_satellite=None, ground=None)
    position, valid = ephemeris(topology).ecef(*instant)
    return SatelliteState(0, epoch + timedelta(days=days), *instant, position, valid)
