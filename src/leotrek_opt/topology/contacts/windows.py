"""Contact windows between ground nodes and satellites."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.models.continuum import Continuum
from leotrek_opt.models.ground_links import GroundLinks
from leotrek_opt.topology.contacts.arguments import chosen_nodes, generated, number_within, span_s
from leotrek_opt.topology.contacts.motion import Motion, Samples, motion_of
from leotrek_opt.topology.contacts.pieces import Joiner, Pieces
from leotrek_opt.topology.contacts.scan import sample_times, scan
from leotrek_opt.topology.contacts.sight import Places, SightRule, places_at, seen_pieces
from leotrek_opt.topology.contacts.table import WindowTable

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Contacts:
    """Everything that windows depend on, apart from the span of time.

    Parameters
    ----------
    continuum
        Ground nodes and time grid.
    motion
        The satellites.
    ground, satellites
        Node indices, sorted.
    rule
        What is seen.
    """

    continuum: Continuum
    motion: Motion
    ground: Indices
    satellites: Indices
    rule: SightRule

    def pieces(self, start_s: float, end_s: float) -> Iterator[tuple[Pieces, float]]:
        """Cut pieces out of one chunk of time after another, see :func:`scan.scan`.

        Parameters
        ----------
        start_s, end_s
            The span.

        Yields
        ------
        Pieces
            ``pair`` is a row of ``ground`` times the number of satellites plus a satellite index.
        float
            Where the chunk ends.
        """
        for first_s, last_s, places in self._stands(start_s, end_s):

            def cut(
                samples: Samples, satellites: Indices, row: int | None, places: Places = places
            ) -> Pieces:
                return self._cut(samples, satellites, row, places)

            times = sample_times(self.motion, first_s, last_s)
            yield from scan(self.motion, times, self.satellites, cut)

    def windows(self, pieces: Pieces, start_s: float, end_s: float) -> WindowTable:
        """Turn whole intervals into windows.

        Parameters
        ----------
        pieces
            Of :meth:`pieces`, joined.
        start_s, end_s
            The span, whose ends cut windows off.

        Returns
        -------
        WindowTable
            In the order of the pieces.
        """
        row, satellite = np.divmod(pieces.pair, self.motion.satellites)
        return WindowTable(
            ground=self.ground[row],
            satellite=satellite,
            aos_s=pieces.start_s,
            los_s=pieces.end_s,
            max_elevation_deg=np.degrees(np.arcsin(np.clip(pieces.peak, -1.0, 1.0))),
            max_elevation_s=pieces.peak_s,
            clipped_start=pieces.open_start & (pieces.start_s == start_s),
            clipped_end=pieces.open_end & (pieces.end_s == end_s),
        )

    def _cut(
        self, samples: Samples, satellites: Indices, row: int | None, places: Places
    ) -> Pieces:
        if row is not None:
            kept = slice(row, row + 1)
            satellites = satellites[kept]
            samples = Samples(
                samples.time_s,
                samples.position_km[:, kept],
                samples.velocity_km_s[:, kept],
                samples.valid[kept],
            )
        count = self.motion.satellites
        return seen_pieces(
            samples,
            places,
            self.rule,
            lambda ground, chosen: ground * count + satellites[chosen],
            lambda time_s, chosen: self.motion.sample(time_s, satellites[chosen]),
        )

    def _stands(self, start_s: float, end_s: float) -> Iterator[tuple[float, float, Places]]:
        """Spans of time in which no ground node moves, and where all of them stand."""
        if all(len(series.latitude_deg) == 1 for series in self.continuum.positions):
            yield start_s, end_s, places_at(self.continuum, self.ground, 0)
            return
        time = self.continuum.time
        begin = np.array([time.offset_s(step) for step in range(time.steps)])
        first = max(int(np.searchsorted(begin, start_s, side="right")) - 1, 0)
        last = max(int(np.searchsorted(begin, end_s, side="left")) - 1, first)
        for step in range(first, last + 1):
            yield (
                start_s if step == first else float(begin[step]),
                end_s if step == last else float(begin[step + 1]),
                places_at(self.continuum, self.ground, step),
            )


def contacts_of(
    continuum: Continuum,
    *,
    ground: Sequence[int | str] | None = None,
    satellites: Sequence[int | str] | None = None,
    rule: GroundLinks | None = None,
    min_elevation_deg: float | None = None,
    max_range_km: float | None = None,
) -> Contacts:
    """Check what windows are asked for and prepare to compute them.

    Parameters
    ----------
    continuum
        With a generated topology.
    ground, satellites, rule, min_elevation_deg, max_range_km
        As in :func:`contact_windows`.

    Returns
    -------
    Contacts
        For any span of time.
    """
    topology = generated(continuum)
    count = topology.satellite_count
    chosen_satellites = chosen_nodes(continuum, satellites, 0, count, "satellites")
    chosen_ground = chosen_nodes(continuum, ground, count, len(continuum.nodes), "ground")
    sight = SightRule.of(rule or topology.ground or GroundLinks())
    if min_elevation_deg is not None:
        mask = number_within(min_elevation_deg, -90.0, 89.999, "min_elevation_deg")
        sight = sight._replace(min_elevation_deg=mask)
    if max_range_km is not None:
        sight = sight._replace(max_range_km=number_within(max_range_km, 1e-3, 1e6, "max_range_km"))
    return Contacts(continuum, motion_of(continuum), chosen_ground, chosen_satellites, sight)


def contact_windows(
    continuum: Continuum,
    *,
    ground: Sequence[int | str] | None = None,
    satellites: Sequence[int | str] | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
    rule: GroundLinks | None = None,
    min_elevation_deg: float | None = None,
    max_range_km: float | None = None,
) -> WindowTable:
    """Compute when ground nodes see satellites.

    Parameters
    ----------
    continuum
        With a generated topology. A ground node that moves stands still from one step to the next.
    ground, satellites
        Node indices, ids or labels; None for all.
    start_s, end_s
        Span in seconds after the start of the time grid; without an end, that of its last step.
    rule
        What is seen: by elevation, by range, or both. None for the topology's own rule (or that of
        an empty ``GroundLinks`` if it has no ground links).
    min_elevation_deg, max_range_km
        Replace that part of the rule.

    Returns
    -------
    WindowTable
        In the order of (ground, satellite, aos).

    Raises
    ------
    leotrek_opt.errors.UnsupportedError
        If the topology is explicit.
    leotrek_opt.errors.InputError
        For unknown nodes and impossible spans or limits.

    Notes
    -----
    Positions and velocities are sampled, up to 60 s apart at 550 km altitude, and joined by cubics
    that stay within half a metre of the propagator. Times of rise and set, and passes of any
    length between two samples, are found on the cubics. Where a pass only just touches the mask or
    the range, half a metre would be a long time; there the samples are set twelve times as close.
    Times are within a hundredth of a second of the propagator.
    """
    parts = list(
        iter_contact_windows(
            continuum,
            ground=ground,
            satellites=satellites,
            start_s=start_s,
            end_s=end_s,
            rule=rule,
            min_elevation_deg=min_elevation_deg,
            max_range_km=max_range_km,
        )
    )
    return WindowTable.stacked(parts).by_pair()


def iter_contact_windows(
    continuum: Continuum,
    *,
    ground: Sequence[int | str] | None = None,
    satellites: Sequence[int | str] | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
    rule: GroundLinks | None = None,
    min_elevation_deg: float | None = None,
    max_range_km: float | None = None,
) -> Iterator[WindowTable]:
    """Stream contact windows as they close, in memory that does not grow with the span.

    Parameters
    ----------
    continuum, ground, satellites, start_s, end_s, rule, min_elevation_deg, max_range_km
        As in :func:`contact_windows`.

    Yields
    ------
    WindowTable
        What closes in one chunk of time, in the order of (ground, satellite, aos); the last table
        has what is still open at the end. At least one table, which may be empty.
    """
    contacts = contacts_of(
        continuum,
        ground=ground,
        satellites=satellites,
        rule=rule,
        min_elevation_deg=min_elevation_deg,
        max_range_km=max_range_km,
    )
    start, end = span_s(continuum.time, start_s, end_s)
    joiner = Joiner()
    if len(contacts.ground) and len(contacts.satellites):
        for pieces, until_s in contacts.pieces(start, end):
            yield contacts.windows(joiner.add(pieces, until_s), start, end)
    yield contacts.windows(joiner.rest(), start, end)
