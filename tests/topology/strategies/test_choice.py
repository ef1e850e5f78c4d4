"""Every rule against its definition in plain Python, and what must not matter to any."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.topology.strategies.plain_links import (
    Plain,
    cloud,
    components_of,
    degree_of,
    state_at,
)

from leotrek_opt.models.constellation import WalkerShell
from leotrek_opt.models.continuum import TimeGrid
from leotrek_opt.models.inter_satellite import (
    CappedTree,
    InterSatelliteRule,
    Nearest,
    NearestK,
    TreeLinks,
    Visibility,
)
from leotrek_opt.models.topology import GeneratedTopology
from leotrek_opt.topology.propagation import satellite_ecef
from leotrek_opt.topology.state import LinkPairs, SatelliteState
from leotrek_opt.topology.strategies import inter_satellite_strategy
from leotrek_opt.topology.strategies.sight import link_lengths

EPOCH = datetime(2025, 6, 1, tzinfo=UTC)
ANY_SHELL = WalkerShell(planes=1, satellites_per_plane=1, inclination_deg=53.0, altitude_km=550.0)

RULES: tuple[InterSatelliteRule, ...] = (
    NearestK(),
    NearestK(k=2, max_range_km=900.0),
    Nearest(),
    Nearest(k=1),
    TreeLinks(type="mst"),
    TreeLinks(type="mst", max_range_km=None),
    TreeLinks(type="mst_loop"),
    TreeLinks(type="mst_loop", degree=3),
    TreeLinks(type="mst_smart_loop"),
    TreeLinks(type="mst_smart_loop", max_range_km=None, degree=2),
    TreeLinks(type="pst"),
    TreeLinks(type="pst_loop"),
    TreeLinks(type="pst_smart_loop"),
    CappedTree(),
    CappedTree(degree=2),
    CappedTree(degree=3, max_range_km=None),
    Visibility(),
    Visibility(max_range_km=None),
)
RULE_NAMES = [f"{rule.type}-{index}" for index, rule in enumerate(RULES)]


def chosen(rule: InterSatelliteRule, state: SatelliteState) -> LinkPairs:
    topology = GeneratedTopology(shells=(ANY_SHELL,), epoch=EPOCH, inter_satellite=rule)
    return inter_satellite_strategy(topology, state)(state)


def links(rule: InterSatelliteRule, state: SatelliteState) -> set[tuple[int, int]]:
    pairs = chosen(rule, state)
    listed = list(zip(pairs.source.tolist(), pairs.target.tolist(), strict=True))
    assert listed == sorted(set(listed))
    assert all(source < target for source, target in listed)
    return set(listed)


def by_definition(rule: InterSatelliteRule, state: SatelliteState) -> set[tuple[int, int]]:
    plain = Plain(state, rule.line_of_sight_margin_km)
    reach = rule.max_range_km
    if isinstance(rule, NearestK):
        return plain.nearest_k(rule.k, reach)
    if isinstance(rule, Nearest):
        return plain.nearest(rule.k)
    if isinstance(rule, CappedTree):
        return plain.capped_tree(rule.degree, reach)
    if isinstance(rule, Visibility):
        return plain.visibility(reach)
    assert isinstance(rule, TreeLinks)
    tree = plain.pst() if rule.type.startswith("pst") else plain.mst(reach)
    if rule.type.endswith("smart_loop"):
        return plain.smart_loops(tree, rule.degree, reach)
    if rule.type.endswith("loop"):
        return plain.loops(tree, rule.degree, reach)
    return tree


@pytest.mark.parametrize("rule", RULES, ids=RULE_NAMES)
@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(0, 28),
    spread=st.sampled_from([0.05, 0.3, 2.0]),
    thickness_km=st.sampled_from([0.0, 500.0, 5000.0]),
    grid_km=st.sampled_from([0.0, 200.0]),
    lost=st.sampled_from([0.0, 0.2]),
)
def test_links_are_those_of_the_definition(
    rule: InterSatelliteRule,
    seed: int,
    count: int,
    spread: float,
    thickness_km: float,
    grid_km: float,
    lost: float,
) -> None:
    """Crowds and far shells, with and without ties, with and without lost satellites."""
    position = cloud(seed, count, spread, thickness_km, grid_km)
    valid = np.random.default_rng(seed).random(len(position)) >= lost
    state = state_at(position, valid)
    assert links(rule, state) == by_definition(rule, state)


@pytest.mark.parametrize("rule", RULES, ids=RULE_NAMES)
@pytest.mark.parametrize("seed", [1, 2])
def test_links_of_a_larger_sky_are_those_of_the_definition(
    rule: InterSatelliteRule, seed: int
) -> None:
    """So many that lengths come in several bands."""
    state = state_at(cloud(seed, 110, 3.0, 700.0, grid_km=50.0 * (seed - 1)))
    assert links(rule, state) == by_definition(rule, state)


def test_greedy_links_and_trees_of_a_full_sky_are_those_of_all_pairs() -> None:
    """2,000 satellites, against one list of all pairs in order."""
    position = cloud(3, 2000, 30.0, 600.0)
    state = state_at(position)
    pairs = chosen(Visibility(), state)
    length, _ = link_lengths(position, state.valid, pairs, Visibility())
    order = np.lexsort((pairs.target, pairs.source, np.rint(length * 1e6)))
    ordered = list(zip(pairs.source[order].tolist(), pairs.target[order].tolist(), strict=True))
    degree, greedy = [0] * 2000, set()
    label = list(range(2000))
    tree = set()

    def root(one: int) -> int:
        while label[one] != one:
            label[one] = label[label[one]]
            one = label[one]
        return one

    for i, j in ordered:
        if degree[i] < 4 and degree[j] < 4:
            greedy.add((i, j))
            degree[i] += 1
            degree[j] += 1
        if root(i) != root(j):
            label[root(i)] = root(j)
            tree.add((i, j))
    assert links(NearestK(max_range_km=2126.0), state) == greedy
    assert links(TreeLinks(type="mst"), state) == tree


@pytest.mark.parametrize("rule", RULES, ids=RULE_NAMES)
def test_lost_satellites_have_no_link(rule: InterSatelliteRule) -> None:
    position = cloud(4, 80, 1.0)
    valid = np.random.default_rng(4).random(80) > 0.3
    pairs = chosen(rule, state_at(position, valid))
    assert valid[pairs.source].all()
    assert valid[pairs.target].all()
    assert len(pairs.source)


@pytest.mark.parametrize("rule", RULES, ids=RULE_NAMES)
def test_links_pass_their_own_limits(rule: InterSatelliteRule) -> None:
    """Line of sight and range, applied after every strategy, take nothing away."""
    state = state_at(cloud(5, 150, 4.0, 900.0))
    _, up = link_lengths(state.position_km, state.valid, chosen(rule, state), rule)
    assert up.all()


@pytest.mark.parametrize("rule", RULES, ids=RULE_NAMES)
@pytest.mark.parametrize("count", [0, 1])
def test_no_pair_no_link(rule: InterSatelliteRule, count: int) -> None:
    assert links(rule, state_at(np.full((count, 3), 7000.0))) == set()
    assert links(rule, state_at(np.full((3, 3), 7000.0), np.arange(3) < count)) == set()


@pytest.mark.parametrize("rule", RULES, ids=RULE_NAMES)
def test_nobody_sees_anybody_below_the_margin(rule: InterSatelliteRule) -> None:
    low = cloud(6, 20, 0.2) * (6400.0 / 7000.0)
    assert links(rule, state_at(low / np.linalg.norm(low, axis=1)[:, None] * 6400.0)) == set()


ORDER_FREE = [
    (name, rule)
    for name, rule in zip(RULE_NAMES, RULES, strict=True)
    if not isinstance(rule, TreeLinks) or rule.type == "mst"
]


@pytest.mark.parametrize("rule", [rule for _, rule in ORDER_FREE], ids=[n for n, _ in ORDER_FREE])
@given(seed=st.integers(0, 1000))
@settings(max_examples=10)
def test_the_order_of_satellites_does_not_matter(rule: InterSatelliteRule, seed: int) -> None:
    """Of rules that do not go satellite by satellite, as long as no two links are equally long."""
    position = cloud(seed, 60)
    order = np.random.default_rng(seed).permutation(60)
    shuffled = {
        tuple(sorted((int(order[i]), int(order[j]))))
        for i, j in links(rule, state_at(position[order]))
    }
    assert shuffled == links(rule, state_at(position))


@pytest.mark.parametrize("rule", RULES, ids=RULE_NAMES)
def test_the_frame_does_not_matter_even_where_lengths_are_equal(rule: InterSatelliteRule) -> None:
    """A symmetric shell turned about the axis of the Earth: the last bits of all lengths change."""
    shell = WalkerShell(
        planes=8, satellites_per_plane=10, phasing=3, inclination_deg=53.0, altitude_km=1200.0
    )
    position, _ = satellite_ecef(GeneratedTopology(shells=(shell,), epoch=EPOCH), TimeGrid(), 0)
    expected = links(rule, state_at(position))
    for turn in (0.3, 1.7):
        cosine, sine = np.cos(turn), np.sin(turn)
        matrix = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])
        assert links(rule, state_at(position @ matrix.T)) == expected


def test_equal_lengths_go_to_the_smaller_index() -> None:
    """A square of equal sides, far enough out that everybody sees everybody."""
    square = np.array([[8000.0, y, z] for y, z in ((0, 0), (300, 0), (300, 300), (0, 300))])
    state = state_at(square)
    assert links(TreeLinks(type="mst"), state) == {(0, 1), (0, 3), (1, 2)}
    assert links(NearestK(k=1), state) == {(0, 1), (2, 3)}
    assert links(Nearest(k=1), state) == {(0, 1), (1, 2), (0, 3)}


def test_among_many_equally_near_the_smallest_indices_are_chosen() -> None:
    """Sixteen satellites round one, more than are looked at first, in shuffled order."""
    turns = [(a, b) for a, b in ((7, 24), (15, 20), (20, 15), (24, 7))]
    ring = [(x * a, y * b) for a, b in turns for x in (1, -1) for y in (1, -1)]
    offset = np.random.default_rng(12).permutation(ring)
    position = np.full((17, 3), 9000.0) + np.array([[0.0, *pair] for pair in (*offset, (0, 0))])
    assert len(np.unique(np.linalg.norm(position - position[16], axis=1))) == 2
    own = {pair for pair in links(Nearest(k=2), state_at(position)) if 16 in pair}
    rivals = {pair for pair in by_definition(Nearest(k=2), state_at(position)) if 16 in pair}
    assert own == rivals
    assert {(0, 16), (1, 16)} <= own


@pytest.mark.parametrize("type_", ["mst", "pst"])
def test_a_forest_has_as_many_links_as_satellites_less_components(type_: str) -> None:
    state = state_at(cloud(8, 120, 5.0, 300.0))
    rule = TreeLinks(type=type_, max_range_km=1500.0)  # type: ignore[arg-type]
    found = links(rule, state)
    assert len(found) == 120 - components_of(found, range(120))


def test_a_capped_tree_keeps_its_cap_and_contains_a_tree() -> None:
    state = state_at(cloud(9, 150, 5.0, 300.0))
    found = links(CappedTree(degree=3), state)
    everything = links(Visibility(), state)
    assert max(degree_of(found, one) for one in range(150)) == 3
    assert components_of(found, range(150)) == components_of(everything, range(150))


@pytest.mark.parametrize("rule", RULES, ids=RULE_NAMES)
def test_satellites_at_one_place_are_linked_like_others(rule: InterSatelliteRule) -> None:
    position = np.repeat(cloud(10, 9, 0.5), 2, axis=0)
    state = state_at(position)
    assert links(rule, state) == by_definition(rule, state)


def test_without_a_rule_there_is_no_link() -> None:
    topology = GeneratedTopology(shells=(ANY_SHELL,), epoch=EPOCH, inter_satellite=None)
    state = state_at(cloud(1, 5))
    assert len(inter_satellite_strategy(topology, state)(state).source) == 0


def digest() -> str:
    """Return one number for the links of all rules over one sky."""
    state = state_at(cloud(11, 400, 4.0, 500.0))
    content = hashlib.sha256()
    for rule in RULES:
        for column in chosen(rule, state)[:2]:
            content.update(column.tobytes())
    return content.hexdigest()


def test_another_process_gives_the_same_bytes() -> None:
    program = "from tests.topology.strategies.test_choice import digest; print(digest())"
    root = Path(__file__).parents[3]
    other = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root
    )
    assert other.stdout.strip() == digest()
