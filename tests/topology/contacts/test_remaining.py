"""Time until set: what windows say, from wherever one starts to ask."""

from __future__ import annotations

import numpy as np
import pytest
from tests.topology.contacts.scenes import SHELL, element_table, scene

from leotrek_opt.models.continuum import Continuum
from leotrek_opt.models.ground_links import GroundLinks
from leotrek_opt.topology.contacts import remaining
from leotrek_opt.topology.contacts.remaining import RemainingContact, remaining_contact
from leotrek_opt.topology.contacts.windows import contact_windows
from leotrek_opt.topology.generated import topology_generator

PLACES = [(48.2, 16.4), (-33.9, 151.2), (0.0, -78.5), (30.0, 60.0), (51.0, -100.0)]
DENSE = SHELL.replace(planes=10, satellites_per_plane=8)


def all_pairs(made: Continuum) -> tuple[np.ndarray, np.ndarray]:
    satellites = made.topology.satellite_count  # type: ignore[union-attr]
    places = len(made.nodes) - satellites
    ground, satellite = np.divmod(np.arange(places * satellites), satellites)
    return ground, satellite


def answers(asked: RemainingContact, made: Continuum, time_s: float) -> np.ndarray:
    return asked.at(time_s)(*all_pairs(made))


def test_it_is_what_the_windows_say() -> None:
    made = scene(PLACES, shell=DENSE, steps=300)
    windows = contact_windows(made, end_s=20_000.0)
    asked = remaining_contact(made)
    for time_s in (0.0, 7.0, 899.0, 900.0, 3333.0, 12_345.6):
        expected = np.zeros(len(PLACES) * 80)
        now = windows.at(time_s)
        expected[(now.ground - 80) * 80 + now.satellite] = now.los_s - time_s
        assert (expected > 0).any()
        assert answers(asked, made, time_s) == pytest.approx(expected, abs=1e-3)
        assert (asked.at_step(5)(*all_pairs(made)) == answers(asked, made, 300.0)).all()


def test_it_does_not_depend_on_what_was_asked_before() -> None:
    made = scene(PLACES, shell=DENSE, steps=300)
    forward, backward = remaining_contact(made), remaining_contact(made)
    times = [60.0 * step for step in range(0, 300, 13)]
    there = {time_s: answers(forward, made, time_s).tobytes() for time_s in times}
    back = {time_s: answers(backward, made, time_s).tobytes() for time_s in reversed(times)}
    assert there == back
    assert there[780.0] == answers(remaining_contact(made), made, 780.0).tobytes()


def test_long_contacts_are_followed_up_to_the_horizon() -> None:
    """Navigation satellites stay for hours, a geostationary one for good."""
    rows = [
        {"inclination_deg": 55.0, "mean_motion_rev_per_day": 2.0057, "mean_anomaly_deg": 45.0 * k}
        for k in range(8)
    ]
    rows.append({"inclination_deg": 0.05, "mean_motion_rev_per_day": 1.00273, "raan_deg": 250.0})
    made = scene([(0.0, 5.0), (50.0, 30.0)], shell=None, fleet=element_table(rows), steps=1440)
    windows = contact_windows(made, end_s=40 * 3600.0)
    asked = remaining_contact(made)
    times = [0.0, 4000.0, 4060.0, 40_000.0, 80_000.0]
    found = {}
    for time_s in (*times, *reversed(times)):
        now = windows.at(time_s)
        expected = np.zeros(18)
        expected[(now.ground - 9) * 9 + now.satellite] = np.minimum(
            now.los_s - time_s, remaining.HORIZON_S
        )
        assert (expected == remaining.HORIZON_S).any()
        found[time_s] = answers(asked, made, time_s)
        assert found[time_s] == pytest.approx(expected, abs=1e-3)
    middle = answers(remaining_contact(made), made, 40_000.0)
    assert middle.tobytes() == found[40_000.0].tobytes()


def test_moving_ground_nodes_are_followed() -> None:
    made = scene(PLACES, shell=DENSE, steps=100, drift_deg=0.3)
    windows = contact_windows(made)
    now = windows.at(2400.0)
    left = remaining_contact(made).at_step(40)(now.ground - 80, now.satellite)
    assert len(left) >= 2
    assert left == pytest.approx(now.los_s - 2400.0, abs=1e-3)


def test_equal_questions_need_not_be_sorted_or_unique() -> None:
    made = scene(PLACES, shell=DENSE, steps=20)
    asked = remaining_contact(made).at(600.0)
    ground, satellite = all_pairs(made)
    whole = asked(ground, satellite)
    order = np.random.default_rng(0).integers(0, len(ground), 200)
    assert (asked(ground[order], satellite[order]) == whole[order]).all()
    assert len(asked(ground[:0], satellite[:0])) == 0


def test_the_longest_contacts_are_chosen_at_every_step() -> None:
    rule = GroundLinks(strategy="longest_contact", max_links=2)
    made = scene(PLACES, shell=DENSE, steps=60, rule=rule)
    windows = contact_windows(made)
    generator = topology_generator(made)
    chosen = 0
    for state in generator.states(10, 40):
        now = windows.at(60.0 * state.step)
        expected = set()
        for ground in range(80, 85):
            here = now.of(ground=ground)
            longest = np.lexsort((here.satellite, -np.rint(here.los_s * 1e3)))[:2]
            expected |= {(satellite, ground) for satellite in here.satellite[longest].tolist()}
        found = zip(state.links.source.tolist(), state.links.target.tolist(), strict=True)
        assert set(found) == expected
        chosen += len(expected)
    assert chosen > 100
