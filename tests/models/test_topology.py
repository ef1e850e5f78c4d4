"""The recipe of a generated topology: what it refuses, and what its digest rests on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from leotrek_opt.models.base import input_error
from leotrek_opt.models.canonical import canonical_json, digest
from leotrek_opt.models.constellation import CircularJ2, ElementTable, Sgp4, WalkerShell
from leotrek_opt.models.ground_links import FibreLinks, GroundLinks, TerrestrialNetwork
from leotrek_opt.models.inter_satellite import (
    InferredPlusGrid,
    InterSatelliteRule,
    NearestK,
    PlusGrid,
    TreeLinks,
)
from leotrek_opt.models.link_models import OpticalLink, RfLink
from leotrek_opt.models.topology import ExplicitTopology, GeneratedTopology

EPOCH = datetime(2025, 6, 1, tzinfo=UTC)
SHELL = WalkerShell(
    planes=3, satellites_per_plane=4, phasing=1, inclination_deg=53.0, altitude_km=550.0
)


def fleet(count: int = 2) -> ElementTable:
    """Return satellites of one catalogue."""
    column = np.linspace(1.0, 2.0, count)
    return ElementTable(
        name=tuple(f"SAT-{i}" for i in range(count)),
        catalogue_number=np.arange(count),
        epoch_jd=np.full(count, 2_460_000.5),
        epoch_fraction=np.zeros(count),
        inclination_deg=53 + column,
        raan_deg=column,
        eccentricity=column * 1e-4,
        argument_of_perigee_deg=column,
        mean_anomaly_deg=column,
        mean_motion_rev_per_day=15 + column / 10,
        mean_motion_dot=column * 0,
        mean_motion_ddot=column * 0,
        bstar=column * 0,
    )


def refusal(model: Any, **fields: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        model(**fields)
    return str(input_error(caught.value))


def test_recipe_without_satellites_is_refused() -> None:
    assert "at least one shell, or a fleet" in refusal(GeneratedTopology)


def test_shells_without_epoch_are_refused() -> None:
    assert refusal(GeneratedTopology, shells=(SHELL,)).startswith("epoch: ")


def test_fleet_needs_no_epoch_and_counts_after_the_shells() -> None:
    alone = GeneratedTopology(fleet=fleet(), inter_satellite=InferredPlusGrid())
    both = GeneratedTopology(
        shells=(SHELL,), epoch=EPOCH, fleet=fleet(), inter_satellite=NearestK()
    )
    assert (alone.satellite_count, both.satellite_count) == (2, 14)


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"fleet": fleet()}, "plus_grid_inferred"),
        (
            {"shells": (SHELL,), "epoch": EPOCH, "inter_satellite": InferredPlusGrid()},
            "use plus_grid",
        ),
    ],
)
def test_grid_that_does_not_fit_its_satellites_names_the_one_that_does(
    fields: dict[str, Any], hint: str
) -> None:
    message = refusal(GeneratedTopology, **fields)
    assert message.startswith("inter_satellite.type: ")
    assert hint in message


def test_bandwidth_of_some_links_only_is_refused() -> None:
    optical = NearestK(link_model=OpticalLink())
    message = refusal(GeneratedTopology, shells=(SHELL,), epoch=EPOCH, inter_satellite=optical)
    assert "every kind of link, or for none" in message
    limited = GeneratedTopology(
        shells=(SHELL,),
        epoch=EPOCH,
        inter_satellite=optical,
        ground=GroundLinks(bandwidth_mbps=500.0),
    )
    assert limited.ground is not None
    assert limited.ground.bandwidth_mbps == 500.0
    assert limited.limits_bandwidth


@pytest.mark.parametrize("model", [PlusGrid, GroundLinks])
def test_two_sources_of_bandwidth_are_refused(model: Any) -> None:
    radio = RfLink(
        frequency_ghz=20.0, channel_mhz=100.0, eirp_dbw=30.0, gain_over_temperature_db_k=10.0
    )
    assert refusal(model, bandwidth_mbps=1.0, link_model=radio).startswith("bandwidth_mbps: ")


def test_ground_links_need_an_elevation_or_a_range() -> None:
    message = refusal(GroundLinks, min_elevation_deg=None)
    assert "min_elevation_deg, max_range_km or both" in message
    assert GroundLinks(min_elevation_deg=None, max_range_km=1260.0).max_range_km == 1260.0


@pytest.mark.parametrize("column", ["target", "length_km", "bandwidth_mbps"])
def test_cables_of_unequal_columns_are_refused(column: str) -> None:
    fields: dict[str, Any] = {"source": [0, 1], "target": [1, 2]} | {column: [1]}
    if column != "target":
        fields[column] = [1.0]
    assert refusal(TerrestrialNetwork, **fields).startswith(f"{column}: ")


def test_cable_from_a_node_to_itself_is_refused() -> None:
    assert refusal(TerrestrialNetwork, source=[0, 2], target=[1, 2]).startswith("target[1]: ")


def test_element_columns_must_be_equally_long() -> None:
    fields = {name: getattr(fleet(), name) for name in ElementTable.model_fields}
    assert refusal(ElementTable, **(fields | {"bstar": np.zeros(1)})).startswith("bstar: ")


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("sgp4", Sgp4()),
        ("circular_j2", CircularJ2()),
        ({"type": "sgp4", "gravity": "wgs84"}, Sgp4(gravity="wgs84")),
    ],
)
def test_propagator_may_be_given_by_name(given: Any, meant: Any) -> None:
    recipe = GeneratedTopology(shells=(SHELL,), epoch=EPOCH, propagator=given)
    assert recipe.propagator == meant
    again = GeneratedTopology.model_validate_json(recipe.model_dump_json())
    assert again == recipe


def test_rule_without_a_name_is_a_plus_grid_and_tree_rules_share_a_model() -> None:
    rules: TypeAdapter[Any] = TypeAdapter(InterSatelliteRule)
    assert rules.validate_python({"cross_link_shift": 1}) == PlusGrid(cross_link_shift=1)
    for name in ("mst", "mst_loop", "mst_smart_loop", "pst", "pst_loop", "pst_smart_loop"):
        rule = rules.validate_python({"type": name})
        assert isinstance(rule, TreeLinks)
        assert rule.type == name


def test_later_field_enters_the_canonical_form_only_when_it_is_set() -> None:
    recipe = GeneratedTopology(shells=(SHELL,), epoch=EPOCH, fibre=FibreLinks())
    text = canonical_json(recipe).decode()
    for name in ("fleet", "ellipsoid", "ground_relay", "environment", "satellite_beams"):
        assert name not in text
    assert '"propagator":"sgp4"' in text
    changed = [
        recipe.replace(ellipsoid="wgs72"),
        recipe.replace(ground_relay=False),
        recipe.replace(ground=GroundLinks(handover="when_lost")),
        recipe.replace(inter_satellite=PlusGrid(max_cross_plane_latitude_deg=70.0)),
        recipe.replace(propagator=Sgp4(gravity="wgs84")),
        recipe.replace(shells=(SHELL.replace(angle_decimals=4),)),
    ]
    assert len({digest(recipe), *map(digest, changed)}) == 1 + len(changed)


def test_relay_column_enters_the_digest_of_an_explicit_topology() -> None:
    fields: dict[str, Any] = {"source": [0], "target": [1], "latency_ms": [[1.0]]}
    plain = ExplicitTopology(**fields)
    assert "relay" not in canonical_json(plain).decode()
    assert digest(plain) != digest(ExplicitTopology(**fields, relay=[True, True]))
