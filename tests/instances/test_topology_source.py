"""A topology from files, names and designs: what each turns out to be, and what is refused."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.topology.contacts.scenes import element_table, scene

from leotrek_opt.errors import InputError, UnsupportedError
from leotrek_opt.instances.constellation_continuum import constellation_continuum
from leotrek_opt.instances.documents import save
from leotrek_opt.instances.tle import tle_text, write_tle
from leotrek_opt.instances.topology_export import FORMS, export_form, export_topology
from leotrek_opt.instances.topology_source import SourceOptions, topology_source
from leotrek_opt.models.constellation import CircularJ2
from leotrek_opt.models.inter_satellite import CappedTree, InferredPlusGrid, PlusGrid
from leotrek_opt.models.topology import ExplicitTopology, GeneratedTopology

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
DESIGN = "53:40/5/1@550"


def recipe(source: str | Path, **options: object) -> GeneratedTopology:
    topology = topology_source(source, SourceOptions(**options)).continuum.topology  # type: ignore[arg-type]
    assert isinstance(topology, GeneratedTopology)
    return topology


def test_names_and_designs_are_built() -> None:
    made = topology_source("KUIPER")
    assert made.kind == "preset"
    assert made.preset is not None
    assert made.continuum == constellation_continuum("kuiper")
    design = topology_source("97.6:44/4/0@560,star")
    (shell,) = design.continuum.topology.shells  # type: ignore[union-attr]
    assert design.kind == "walker"
    assert (shell.planes, shell.satellites_per_plane, shell.phasing) == (4, 11, 0)
    assert (shell.pattern, shell.inclination_deg, shell.altitude_km) == ("star", 97.6, 560.0)


def test_files_are_told_apart_by_content(tmp_path: Path) -> None:
    fleet = element_table([{"raan_deg": 10.0 * k} for k in range(5)])
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    write_tle(fleet, plain)
    packed.write_bytes(gzip.compress(tle_text(fleet).encode()))
    for path in (plain, packed):
        source = topology_source(path)
        assert source.kind == "elements"
        assert source.elements is not None
        assert source.continuum.topology.fleet == fleet  # type: ignore[union-attr]
        assert isinstance(source.continuum.topology.inter_satellite, InferredPlusGrid)  # type: ignore[union-attr]
    placement = topology_source(GOLDEN / "placement-1.json")
    assert placement.kind == "document"
    made = scene([(48.2, 16.4)], steps=2)
    file = save(made, tmp_path / "made.json")
    assert topology_source(file).continuum == made
    omm = tmp_path / "one.json"
    omm.write_text('{"OBJECT_NAME": "A", "NORAD_CAT_ID": 5}')
    with pytest.raises(InputError, match="no valid element set"):
        topology_source(omm)
    empty = tmp_path / "empty.json"
    empty.write_text("{}")
    with pytest.raises(InputError, match="kind"):
        topology_source(empty)


def test_a_recording_and_a_state_of_stardust_are_replayed(tmp_path: Path) -> None:
    source = topology_source(DESIGN, SourceOptions(steps=3))
    links = [len(state.links) for state in source.states.states()]
    for name, form in (("a.npz", "recording"), ("a.zip", "recording"), ("a.json", "stardust")):
        export_topology(source, tmp_path / name, form)
        again = topology_source(tmp_path / name)
        assert again.kind == form
        assert isinstance(again.continuum.topology, ExplicitTopology)
        assert [len(state.links) for state in again.states.states()] == links
        with pytest.raises(InputError, match=r"steps: .* leave it out"):
            topology_source(tmp_path / name, SourceOptions(steps=2))


def test_options_reach_the_recipe() -> None:
    start = datetime(2025, 5, 5, tzinfo=UTC)
    made = topology_source(
        DESIGN, SourceOptions(start=start, steps=7, step_s=5.0, propagator="circular_j2")
    ).continuum
    assert (made.time.start, made.time.steps, made.time.step_s) == (start, 7, 5.0)
    assert isinstance(made.topology.propagator, CircularJ2)  # type: ignore[union-attr]
    assert recipe(DESIGN, inter_satellite="none").inter_satellite is None
    assert recipe(DESIGN, inter_satellite="capped-tree").inter_satellite == CappedTree()
    stated = '{"type": "plus_grid", "seam": "none"}'
    assert recipe(DESIGN, inter_satellite=stated).inter_satellite == PlusGrid(seam="none")


def test_ground_nodes_relay_unless_they_are_told_not_to(tmp_path: Path) -> None:
    assert recipe(DESIGN).ground_relay
    assert not recipe(DESIGN, ground_relay=False).ground_relay
    silent = save(
        topology_source(DESIGN, SourceOptions(ground_relay=False)).continuum, tmp_path / "c"
    )
    assert not recipe(silent).ground_relay
    assert recipe(silent, ground_relay=True).ground_relay


def test_duplicates_are_kept_on_request_and_only_where_there_can_be_some(tmp_path: Path) -> None:
    file = write_tle(
        element_table([{"raan_deg": 9.0 * i} for i in range(3)]), tmp_path / "once.tle"
    )
    twice = tmp_path / "twice.tle"
    twice.write_bytes(file.read_bytes() * 2)
    kept = {
        duplicates: topology_source(twice, SourceOptions(duplicates=duplicates)).continuum
        for duplicates in (None, "newest", "all")
    }
    assert [len(made.nodes) for made in kept.values()] == [3, 3, 6]
    for other in (DESIGN, "kuiper", save(kept[None], tmp_path / "c.json")):
        with pytest.raises(InputError, match=r"^duplicates: .* is no file of element sets"):
            topology_source(other, SourceOptions(duplicates="all"))


def test_options_change_a_document_where_they_are_given(tmp_path: Path) -> None:
    made = scene([(48.2, 16.4)], steps=4, step_s=30.0)
    file = save(made, tmp_path / "made.json")
    changed = topology_source(file, SourceOptions(steps=9, min_elevation_deg=5.0)).continuum
    assert changed.time == made.time.replace(steps=9)
    ground = changed.topology.ground  # type: ignore[union-attr]
    assert ground == made.topology.ground.replace(min_elevation_deg=5.0)  # type: ignore[union-attr]
    with pytest.raises(InputError, match=r"ground: .* has ground nodes of its own"):
        topology_source(file, SourceOptions(ground=tmp_path / "more.csv"))


@pytest.mark.parametrize("name", ["", "53:40/5/1", "53:40/5/1@", "a:40/5/1@550", "53:40/0/0@550"])
def test_no_design_and_no_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        topology_source(name or tmp_path / "missing")


def test_forms_follow_the_suffix_or_the_word() -> None:
    assert export_form("a.json") == export_form("A.JSON.GZ") == "continuum"
    assert export_form("a.npz") == "recording"
    assert export_form("a.any", "tle") == "tle"
    assert len(FORMS) == 6
    with pytest.raises(InputError, match="form: must be one of"):
        export_form("a.json", "picture")


def test_shells_have_no_element_sets(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="only a catalogue"):
        export_topology(topology_source(DESIGN), tmp_path / "a.tle")
    assert not list(tmp_path.iterdir())
