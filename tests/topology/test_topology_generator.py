"""The generator step by step: streaming, routing graphs, relays, handover, rates and cables."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from tests.topology.element_tables import round_fleet

from leotrek_opt.errors import InputError
from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.models.continuum import Continuum, NodeTable, PositionSeries, TimeGrid
from leotrek_opt.models.ground_links import FibreLinks, GroundLinks, TerrestrialNetwork
from leotrek_opt.models.inter_satellite import Nearest, PlusGrid
from leotrek_opt.models.link_models import OpticalLink, RfLink
from leotrek_opt.models.topology import ExplicitTopology, GeneratedTopology
from leotrek_opt.topology.frames import FIGURES, ecef_to_geodetic
from leotrek_opt.topology.freeze import freeze
from leotrek_opt.topology.generated import MIN_BANDWIDTH_BPS, topology_generator
from leotrek_opt.topology.materialise import materialise
from leotrek_opt.topology.routing import RouteGraph
from leotrek_opt.topology.series import Snapshot
from leotrek_opt.topology.state import (
    GROUND,
    INTER_SATELLITE,
    TERRESTRIAL,
    LinkPairs,
    SatelliteState,
    TopologyState,
)
from leotrek_opt.topology.strategies import inter_satellite_strategy

EPOCH = datetime(2025, 6, 1, tzinfo=UTC)
PLACES = [(48.2, 16.4), (32.5, -106.6), (0.0, 0.0), (-30.0, 150.0)]
SHELL = WalkerShell(
    planes=12, satellites_per_plane=10, phasing=5, inclination_deg=53.0, altitude_km=550.0
)
RADIO = RfLink(
    frequency_ghz=20.0, channel_mhz=250.0, eirp_dbw=30.0, gain_over_temperature_db_k=10.0
)


def continuum(steps: int = 6, moving: bool = False, **topology: object) -> Continuum:
    values: dict[str, object] = {
        "shells": (SHELL,),
        "epoch": EPOCH,
        "ground": GroundLinks(min_elevation_deg=10.0),
    }
    recipe = GeneratedTopology(**(values | topology))  # type: ignore[arg-type]
    satellites = recipe.satellite_count
    count = satellites + len(PLACES)
    latitude, longitude = np.array(PLACES).T
    rows = steps if moving else 1
    return Continuum(
        nodes=NodeTable(
            id=tuple(f"n{k}" for k in range(count)),
            kind=("satellite",) * satellites + ("ground_station",) * len(PLACES),
            architecture=("arm64",) * count,
            capacity={},
        ),
        time=TimeGrid(steps=steps, step_s=120.0),
        positions=(
            PositionSeries(
                node=np.arange(satellites, count),
                latitude_deg=latitude + np.arange(rows)[:, None],
                longitude_deg=np.tile(longitude, (rows, 1)),
                altitude_km=np.zeros((rows, len(PLACES))),
            ),
        ),
        topology=recipe,
    )


def contents(state: TopologyState) -> list[list[object]]:
    links = state.links
    return [
        [] if column is None else column.tolist()
        for column in (
            links.source, links.target, links.latency_ns, links.bandwidth_bps, state.link_kind,
            np.nan_to_num(state.position_km), state.satellites.valid,
        )
    ]  # fmt: skip


def test_streaming_equals_asking_for_steps_in_any_order() -> None:
    made = continuum(inter_satellite=Nearest(k=3))
    streamed = list(topology_generator(made).states())
    assert [state.step for state in streamed] == list(range(6))
    assert [state.time for state in streamed] == [
        EPOCH + timedelta(seconds=120 * step) for step in range(6)
    ]
    generator = topology_generator(made)
    for step in (4, 0, 5, 5, 2):
        assert contents(generator.state(step)) == contents(streamed[step])
    assert [state.step for state in generator.states(2, 4)] == [2, 3]
    assert [state.step for state in generator.states(4)] == [4, 5]


def test_a_state_keeps_its_arrays_while_others_are_made() -> None:
    generator = topology_generator(continuum())
    state = generator.state(0)
    before = contents(state)
    for step in range(1, 6):
        generator.graph(generator.state(step)).rows([0])
    assert contents(state) == before


@pytest.mark.parametrize("step", [-1, 6])
def test_steps_outside_the_grid_are_refused(step: int) -> None:
    generator = topology_generator(continuum())
    for method in (generator.satellites, generator.state, generator.snapshot):
        with pytest.raises(IndexError, match=f"no step {step}, there are 6"):
            method(step)


@pytest.mark.parametrize(
    ("start", "stop", "field"), [(-1, None, "start"), (7, None, "start"), (0, 7, "stop")]
)
def test_stretches_outside_the_grid_are_refused_before_the_first_step(
    start: int, stop: int | None, field: str
) -> None:
    generator = topology_generator(continuum())
    with pytest.raises(InputError, match=rf"^{field}: must be in 0 … 6"):
        generator.states(start, stop)
    assert list(generator.states(6)) == []


@pytest.mark.parametrize("step", [1.5, "1", None])
def test_steps_that_are_no_whole_numbers_are_refused(step: object) -> None:
    with pytest.raises(InputError, match=r"^step: must be a whole number"):
        topology_generator(continuum()).state(step)  # type: ignore[arg-type]


def test_an_explicit_topology_is_refused() -> None:
    made = continuum().replace(topology=ExplicitTopology(source=[], target=[], latency_ms=[[]]))
    with pytest.raises(InputError, match=r"topology\.type: an explicit topology has no recipe"):
        topology_generator(made)


def test_positions_and_kinds_of_a_state() -> None:
    state = topology_generator(continuum(fibre=FibreLinks(neighbours=1))).state(3)
    assert state.position_km.shape == (124, 3)
    assert np.shares_memory(state.position_km, state.satellites.position_km)
    kind = np.where(
        state.links.target < 120,
        INTER_SATELLITE,
        np.where(state.links.source < 120, GROUND, TERRESTRIAL),
    )
    assert (state.link_kind == kind).all()
    assert set(kind) == {0, 1, 2}
    length = np.linalg.norm(
        state.position_km[state.links.source] - state.position_km[state.links.target], axis=1
    )
    in_space = kind != TERRESTRIAL
    latency = length[in_space] / 299_792.458 * 1e9
    assert np.abs(state.links.latency_ns[in_space] - latency).max() < 0.51


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ground_relay": False},
        {"inter_satellite": PlusGrid(max_range_km=2500.0)},
        {"inter_satellite": Nearest(k=2), "ground": GroundLinks(strategy="all_visible")},
        {"inter_satellite": None, "ground": None},
        {"inter_satellite": PlusGrid(), "ground": None, "fibre": FibreLinks()},
        {"moving": True, "fibre": FibreLinks()},
    ],
)
def test_graph_of_a_state_is_that_of_its_links(changes: dict[str, object]) -> None:
    made = continuum(**changes)  # type: ignore[arg-type]
    generator = topology_generator(made)
    for state in generator.states(0, 3):
        other = RouteGraph.of_snapshot(state.links, 124)
        graph = generator.graph(state)
        for mine, theirs in (
            (graph.indptr, other.indptr),
            (graph.head, other.head),
            (graph.weight, other.weight),
        ):
            assert np.array_equal(mine, theirs)
        rows = graph.rows([0, 120, 123])
        assert np.array_equal(rows, other.rows([0, 120, 123]))


def test_a_state_that_a_plugin_changed_has_the_graph_of_its_own_links() -> None:
    generator = topology_generator(continuum())
    state = generator.state(0)
    links = state.links
    cut = dataclasses.replace(
        state,
        links=Snapshot(links.source[:-5], links.target[:-5], links.latency_ns[:-5], None),
        link_kind=state.link_kind[:-5],
    )
    assert len(generator.graph(cut).head) == len(generator.graph(state).head) - 10


def test_a_strategy_of_ones_own_takes_the_place_of_the_rule() -> None:
    def ring(satellites: SatelliteState) -> LinkPairs:
        count = len(satellites.valid)
        source = np.arange(0, count - 1, 2)[::-1]
        return LinkPairs(source + 1, source)

    generator = topology_generator(continuum(), inter_satellite=ring)
    state = generator.state(0)
    between = state.link_kind == INTER_SATELLITE
    assert between.sum() <= 60
    assert (state.links.target[between] == state.links.source[between] + 1).all()
    assert (np.diff(state.links.source[between]) > 0).all()
    wrong = topology_generator(continuum(), inter_satellite=lambda _: LinkPairs([0], [120]))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="120"):
        wrong.state(0)
    with pytest.raises(InputError, match=r"topology\.inter_satellite: a strategy needs"):
        topology_generator(continuum(inter_satellite=None), inter_satellite=ring)


def test_ground_nodes_that_do_not_relay_keep_routes_out_of_them() -> None:
    """Without links between satellites every route of two links passes through the ground."""
    ground = GroundLinks(strategy="all_visible", min_elevation_deg=0.0)
    free = continuum(inter_satellite=None, ground=ground)
    held = continuum(inter_satellite=None, ground=ground, ground_relay=False)
    relay = topology_generator(held).snapshot(0).relay
    assert relay is not None
    assert relay.tolist() == [True] * 120 + [False] * 4
    assert topology_generator(free).snapshot(0).relay is None
    series = materialise(held)
    assert series.relay is not None
    assert series.digest != materialise(free).digest
    frozen = freeze(held)
    assert isinstance(frozen.topology, ExplicitTopology)
    assert frozen.topology.relay is not None
    assert materialise(frozen).digest == series.digest
    reached = {}
    for made in (free, held):
        generator = topology_generator(made)
        state = generator.state(0)
        satellite = int(state.links.source[0])
        reached[made is free] = np.isfinite(generator.graph(state).rows([satellite])[0, :120]).sum()
    # Without links between satellites, only a ground node leads to another satellite.
    assert reached[False] == 1
    assert reached[True] > 1


@pytest.mark.parametrize("moving", [False, True])
@pytest.mark.parametrize("strategy", ["nearest", "best_elevation"])
def test_held_links_do_not_depend_on_what_was_asked_before(moving: bool, strategy: str) -> None:
    rule = GroundLinks(
        strategy=strategy,  # type: ignore[arg-type]
        max_links=1,
        min_elevation_deg=10.0,
        handover="when_lost",
    )
    made = continuum(steps=40, moving=moving, ground=rule)
    streamed = [contents(state) for state in topology_generator(made).states()]
    generator = topology_generator(made)
    for step in (30, 3, 39, 0, 17):
        assert contents(generator.state(step)) == streamed[step]
    eager = continuum(steps=40, moving=moving, ground=rule.replace(handover="immediate"))
    others = [contents(state) for state in topology_generator(eager).states()]
    assert others[0] == streamed[0]
    assert others != streamed


def test_a_held_satellite_stays_until_it_sets() -> None:
    rule = GroundLinks(max_links=1, min_elevation_deg=10.0, handover="when_lost")
    visible = rule.replace(strategy="all_visible", handover="immediate")
    chosen = topology_generator(continuum(steps=40, ground=rule))
    everything = topology_generator(continuum(steps=40, ground=visible))

    def down(state: TopologyState) -> set[tuple[int, int]]:
        links = state.links
        at = state.link_kind == GROUND
        return set(zip(links.source[at].tolist(), links.target[at].tolist(), strict=True))

    before: set[tuple[int, int]] = set()
    for mine, all_links in zip(chosen.states(), everything.states(), strict=True):
        now = down(mine)
        assert before & down(all_links) <= now
        before = now


def test_the_longest_contact_outlasts_the_others() -> None:
    """Whoever holds on to it changes satellites least often."""
    changes = {}
    for strategy in ("longest_contact", "nearest"):
        rule = GroundLinks(
            strategy=strategy,  # type: ignore[arg-type]
            max_links=1,
            min_elevation_deg=10.0,
            handover="when_lost",
        )
        states = list(topology_generator(continuum(steps=30, ground=rule)).states())
        links = [
            set(
                zip(
                    state.links.source[state.link_kind == GROUND].tolist(),
                    state.links.target[state.link_kind == GROUND].tolist(),
                    strict=True,
                )
            )
            for state in states
        ]
        changes[strategy] = sum(len(now - before) for before, now in itertools.pairwise(links))
    assert 0 < changes["longest_contact"] < changes["nearest"]


def test_rates_follow_from_the_length_at_every_step() -> None:
    made = continuum(
        inter_satellite=PlusGrid(link_model=OpticalLink(sensitivity_dbm=-25.0)),
        ground=GroundLinks(min_elevation_deg=10.0, link_model=RADIO),
        fibre=FibreLinks(neighbours=1, bandwidth_mbps=1e5),
    )
    series = materialise(made)
    assert series.bandwidth_bps is not None
    assert series.up is not None
    assert series.bandwidth_bps.shape == (6, len(series.source))
    assert (series.bandwidth_bps >= MIN_BANDWIDTH_BPS).all()
    ground = (series.source < 120) & (series.target >= 120)
    assert (series.bandwidth_bps[:, ground][~series.up[:, ground]] == MIN_BANDWIDTH_BPS).all()
    generator = topology_generator(made)
    for state in generator.states():
        assert state.links.bandwidth_bps is not None
        for kind in (INTER_SATELLITE, GROUND):
            at = state.link_kind == kind
            latency, bandwidth = state.links.latency_ns[at], state.links.bandwidth_bps[at]
            # Never faster where it is longer.
            assert (np.diff(bandwidth[np.lexsort((-bandwidth, latency))]) <= 0).all()
        snapshot = series.snapshot(state.step)
        assert snapshot.bandwidth_bps is not None
        assert (snapshot.bandwidth_bps == state.links.bandwidth_bps).all()
        graph = generator.graph(state)
        other = RouteGraph.of_snapshot(state.links, 124)
        assert graph.bandwidth is not None
        assert np.array_equal(graph.bandwidth, other.bandwidth)  # type: ignore[arg-type]
    frozen = freeze(made)
    again = Continuum.model_validate_json(frozen.model_dump_json())
    assert materialise(again).digest == series.digest


def test_a_link_whose_rate_vanishes_is_down() -> None:
    near = OpticalLink(rate_mbps=1000.0, min_rate_mbps=1000.0, sensitivity_dbm=-15.0)
    far = topology_generator(continuum(inter_satellite=PlusGrid(), ground=None)).state(0)
    model = topology_generator(
        continuum(inter_satellite=PlusGrid(link_model=near), ground=None)
    ).state(0)
    assert 0 < len(model.links) < len(far.links)
    assert model.links.latency_ns.max() < far.links.latency_ns.max()
    assert set(model.links.bandwidth_bps.tolist()) == {10**9}  # type: ignore[union-attr]


def test_listed_cables_stand_beside_fibre_and_parallel_ones_stay_apart() -> None:
    cables = TerrestrialNetwork(
        source=[123, 120, 121, 120],
        target=[120, 121, 120, 122],
        length_km=[5000.0, 100.0, 90.0, 7.0],
        signal_speed_km_s=200_000.0,
        bandwidth_mbps=[1.0, 2.0, 3.0, 4.0],
    )
    made = continuum(
        terrestrial=cables,
        inter_satellite=None,
        ground=None,
        fibre=FibreLinks(neighbours=3, bandwidth_mbps=9.0),
    )
    state = topology_generator(made).state(0)
    links = state.links
    assert (state.link_kind == TERRESTRIAL).all()
    assert links.bandwidth_bps is not None
    found = sorted(
        zip(
            links.source.tolist(),
            links.target.tolist(),
            links.bandwidth_bps.tolist(),
            links.latency_ns.tolist(),
            strict=True,
        )
    )
    listed = [row for row in found if row[2] != 9_000_000]
    assert listed == [
        (120, 121, 2_000_000, 500_000),
        (120, 121, 3_000_000, 450_000),
        (120, 122, 4_000_000, 35_000),
        (120, 123, 1_000_000, 25_000_000),
    ]
    assert len(found) == 4 + 6
    series = materialise(made)
    assert series.up is None
    assert len(series.source) == 10
    assert series.snapshot(2).latency_ns.tolist() == links.latency_ns.tolist()
    assert materialise(freeze(made)).digest == series.digest


@pytest.mark.parametrize("name", ["wgs84", "wgs72"])
def test_ground_nodes_stand_on_the_named_ellipsoid(name: str) -> None:
    state = topology_generator(continuum(ellipsoid=name)).state(0)
    latitude, longitude, altitude = ecef_to_geodetic(state.position_km[120:], FIGURES[name])  # type: ignore[index]
    assert np.stack((latitude, longitude), axis=1) == pytest.approx(np.array(PLACES), abs=1e-9)
    assert altitude == pytest.approx(np.zeros(4), abs=1e-8)
    on_wgs84 = ecef_to_geodetic(state.position_km[120:])[2]
    assert (np.abs(on_wgs84).max() > 1e-3) == (name != "wgs84")


def test_shells_come_before_the_fleet() -> None:
    fleet = round_fleet(5, epoch_jd=2_460_827.5)
    made = continuum(fleet=fleet, inter_satellite=Nearest(k=2))
    generator = topology_generator(made)
    assert generator.start == EPOCH + timedelta(hours=6)
    state = generator.state(0)
    assert state.position_km.shape == (129, 3)
    alone = topology_generator(
        continuum(shells=(), epoch=None, fleet=fleet, inter_satellite=None)
    ).satellites(0)
    assert np.array_equal(state.satellites.position_km[120:], alone.position_km)
    assert materialise(made) == materialise(made)


def test_a_decaying_satellite_loses_its_links_and_keeps_its_row() -> None:
    fleet = round_fleet(20, epoch_jd=2_460_827.5)
    bstar, motion = np.zeros(20), fleet.mean_motion_rev_per_day.copy()
    bstar[7], motion[7] = 0.1, 16.4
    made = continuum(
        shells=(),
        epoch=None,
        fleet=fleet.replace(bstar=bstar, mean_motion_rev_per_day=motion),
        inter_satellite=Nearest(k=3),
        steps=4,
    ).replace(time=TimeGrid(steps=4, step_s=86_400.0))
    states = list(topology_generator(made).states())
    assert states[0].satellites.valid.all()
    last = states[3]
    assert np.flatnonzero(~last.satellites.valid).tolist() == [7]
    assert np.isnan(last.position_km[7]).all()
    assert not ((last.links.source == 7) | (last.links.target == 7)).any()
    assert len(last.links) > 20
    frozen = freeze(made)
    assert materialise(frozen).digest == materialise(made).digest
    assert 7 not in frozen.positions[0].node


@pytest.mark.parametrize("propagator", ["sgp4", "circular_j2"])
def test_without_the_seam_shift_links_across_it_are_several_times_too_long(propagator: str) -> None:
    """F = 39 of 72 planes: the Walker phase has advanced by 39 of 22 slots at the seam."""
    shell = WalkerShell(
        planes=72, satellites_per_plane=22, phasing=39, inclination_deg=53.0, altitude_km=550.0
    )
    longest = {}
    for seam in ("phased", "unshifted"):
        made = continuum(
            shells=(shell,),
            propagator=propagator,
            inter_satellite=PlusGrid(cross_link_shift=-1, seam=seam),  # type: ignore[arg-type]
        )
        satellites = topology_generator(made).satellites(0)
        assert isinstance(made.topology, GeneratedTopology)
        source, target, _ = inter_satellite_strategy(made.topology, satellites)(satellites)
        position = satellites.position_km
        length = np.linalg.norm(position[source] - position[target], axis=1)
        at_seam = (source // 22 == 0) & (target // 22 == 71)
        crossing = ~at_seam & (source // 22 != target // 22)
        assert at_seam.sum() == 22
        assert 500 < length[crossing].max() < 760
        longest[seam] = length[at_seam].max()
    assert longest["phased"] < 760
    assert longest["unshifted"] > 3 * longest["phased"]
