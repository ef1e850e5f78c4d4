"""Pictures: what is in them, files of every kind, hostile names, size, bad input."""

from __future__ import annotations

import hashlib
import html
import itertools
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.report.worlds import shortest_route, world

from leotrek_opt.errors import InputError, MissingDependencyError
from leotrek_opt.report import style
from leotrek_opt.report.topology_figure import topology_figure
from leotrek_opt.report.topology_page import page_figure, page_html
from leotrek_opt.report.topology_picture import (
    picture_bytes,
    save_topology_picture,
    topology_picture,
)

MAGIC = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF", ".html": b"<!DOCTYPE html>"}
VIENNA, TOKYO, AUCKLAND = 80, 81, 82


def test_a_picture_holds_what_the_state_holds() -> None:
    continuum, state = world()
    picture = topology_picture(state, continuum)
    assert picture.title == "small"
    kinds = np.bincount(state.link_kind, minlength=3)
    assert [group.count for group in picture.links] == kinds.tolist() == [160, kinds[1], 1]
    assert sum(len(group.names) for group in picture.satellites) == 80
    assert [group.style for group in picture.satellites] == [style.IN_ECLIPSE, style.IN_SUNLIGHT]
    assert [(group.style.label, group.names) for group in picture.ground] == [
        ("ground station", ("Vienna",)), ("edge node", ("Auckland",)), ("cloud", ("Tokyo",)),
    ]  # fmt: skip
    bright = len(picture.satellites[1].names)
    assert picture.caption == (
        f"2025-06-01 10:00:00 UTC · 80 satellites, {bright} in sunlight · 3 ground nodes · "
        f"160 links between satellites · {kinds[1]} links to the ground · 1 link on the ground"
    )
    assert 0 < bright < 80


def test_light_may_come_from_the_environment() -> None:
    continuum, state = world()
    picture = topology_picture(state, continuum, sunlit=np.ones(80), title="All day")
    assert picture.title == "All day"
    assert [group.style for group in picture.satellites] == [style.IN_SUNLIGHT]
    dim = topology_picture(state, continuum, sunlit=np.linspace(0, 1, 80))
    assert [len(group.names) for group in dim.satellites] == [40, 40]


def test_lost_satellites_and_their_links_are_left_out() -> None:
    continuum, state = world()
    position = state.position_km.copy()
    position[:2] = np.nan
    valid = np.ones(80, dtype=bool)
    valid[:2] = False
    satellites = replace(state.satellites, position_km=position[:80], valid=valid)
    links = topology_picture(replace(state, satellites=satellites, position_km=position), continuum)
    assert sum(len(group.names) for group in links.satellites) == 78
    assert "78 satellites" in links.caption
    assert "(2 more without position)" in links.caption
    touched = (state.links.source < 2) | (state.links.target < 2)
    assert sum(group.count for group in links.links) == len(touched) - touched.sum()
    for group in links.links:
        gaps = np.isnan(group.path_km).all(axis=1)
        assert gaps.sum() == group.count
        assert not np.isnan(group.path_km[~gaps]).any()
    picture_bytes(links, ".png")


def test_a_route_tells_its_latency() -> None:
    continuum, state = world()
    route = shortest_route(state, VIENNA, AUCKLAND)
    latency = {
        (a, b): ns
        for a, b, ns in zip(
            state.links.source.tolist(),
            state.links.target.tolist(),
            state.links.latency_ns.tolist(),
            strict=True,
        )
    }
    total = sum(latency[min(a, b), max(a, b)] for a, b in itertools.pairwise(route))
    drawn = topology_picture(state, continuum, route=route).route
    assert drawn is not None
    assert drawn.latency_ms == total / 1e6
    assert drawn.summary == (
        f"Route Vienna → Auckland: {total / 1e6:.2f} ms one way over {len(route) - 1} links"
    )
    assert (drawn.position_km == state.position_km[route]).all()
    alone = topology_picture(state, continuum, route=[VIENNA]).route
    assert alone is not None
    assert alone.summary == "Route Vienna → Vienna: 0.00 ms one way over 0 links"


def test_another_process_writes_the_same_files(tmp_path: Path) -> None:
    program = (
        "import sys, hashlib\n"
        "sys.path.insert(0, '.')\n"
        "from tests.report.worlds import shortest_route, world\n"
        "from leotrek_opt.report.topology_picture import picture_bytes, topology_picture\n"
        "continuum, state = world()\n"
        f"route = shortest_route(state, {VIENNA}, {TOKYO})\n"
        "picture = topology_picture(state, continuum, route=route)\n"
        f"for kind in {tuple(MAGIC)}:\n"
        "    print(hashlib.sha256(picture_bytes(picture, kind)).hexdigest())\n"
    )
    child = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env={"PYTHONHASHSEED": "7", "PATH": ""},
    )
    continuum, state = world()
    route = shortest_route(state, VIENNA, TOKYO)
    for suffix, digest in zip(MAGIC, child.stdout.split(), strict=True):
        file = tmp_path / f"picture{suffix.upper()}"
        save_topology_picture(file, state, continuum, route=route)
        drawn = file.read_bytes()
        assert drawn.startswith(MAGIC[suffix])
        assert len(drawn) > 20_000
        assert hashlib.sha256(drawn).hexdigest() == digest


def test_names_are_text_and_nothing_else() -> None:
    hostile = ("</script><script>alert(1)</script>", "<b>bold</b> & $x^2$", "<img src=x>")
    continuum, state = world(labels=hostile)
    route = shortest_route(state, VIENNA, AUCKLAND)
    picture = topology_picture(state, continuum, route=route, title="<i>title</i> $\\frac$")
    page = page_html(picture)
    outside = re.sub(r"<script>.*?</script>", "", page, count=1, flags=re.DOTALL)
    assert len(outside) < len(page)
    for name in (*hostile, "<i>title</i>"):
        assert name not in outside
    assert html.escape(hostile[0]) in outside
    assert "<h1>&lt;i&gt;title&lt;/i&gt; $\\frac$</h1>" in outside
    texts = [annotation.text for annotation in page_figure(picture).layout.annotations]
    assert texts
    assert not any("<" in text for text in texts)
    assert picture_bytes(picture, ".svg")


def test_a_page_fetches_nothing() -> None:
    continuum, state = world()
    page = page_html(topology_picture(state, continuum))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in re.split(r";\s*", policy[1]))
    assert rules["default-src"] == "'none'"
    assert not any("http" in rule or "*" in rule for rule in rules.values())
    # The policy stands before anything that could be fetched, and no tag names a file.
    assert page.index("Content-Security-Policy") < page.index("<script")
    outside = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert re.findall(r"""(?:src|href)\s*=""", outside) == []
    assert "http:" not in outside
    assert "https:" not in outside


def test_page_and_figure_show_the_same_links() -> None:
    continuum, state = world()
    picture = topology_picture(state, continuum, route=shortest_route(state, VIENNA, TOKYO))
    figure = page_figure(picture)
    lines = [trace for trace in figure.data if trace.type == "scattergl" and trace.mode == "lines"]
    assert [line.name for line in lines if line.showlegend is not False] == [
        "link between satellites", "link to the ground", "link on the ground", "route",
    ]  # fmt: skip
    spatial = [
        trace for trace in figure.data if trace.type == "scatter3d" and trace.mode == "lines"
    ]
    assert len(spatial) == 1 + 3 + 1
    radii = [
        np.sqrt(np.square([trace.x, trace.y, trace.z]).sum(axis=0))[0] for trace in spatial[1:3]
    ]
    assert radii[0] == pytest.approx((6378.137 + 1200) / 6378.137, abs=0.01)
    legend = topology_figure(picture).legends[0]
    assert {text.get_text() for text in legend.get_texts()} == {
        "satellite in eclipse", "satellite in sunlight", "ground station", "edge node", "cloud",
        "link between satellites", "link to the ground", "link on the ground", "route", "night",
    }  # fmt: skip


def test_a_mega_constellation_stays_a_reasonable_file() -> None:
    continuum, state = world(planes=72, slots=96)
    picture = topology_picture(state, continuum)
    assert picture.links[0].count == 13_824
    page = page_html(picture)
    library = max(re.findall(r"<script>.*?</script>", page, re.DOTALL), key=len)
    assert len(page) - len(library) < 4_000_000
    assert len(picture_bytes(picture, ".svg")) < 6_000_000
    # One line object per kind, however many links.
    assert len(json.loads(page_figure(picture).to_json())["data"]) < 25


def test_users_settings_of_matplotlib_are_left_alone() -> None:
    import matplotlib as mpl

    continuum, state = world()
    picture = topology_picture(state, continuum)
    plain = picture_bytes(picture, ".svg")
    before = "matplotlib.pyplot" in sys.modules
    with mpl.rc_context({"font.size": 31, "svg.hashsalt": "other", "lines.linewidth": 9}):
        assert picture_bytes(picture, ".svg") == plain
        assert mpl.rcParams["font.size"] == 31
    # pyplot keeps global state; another library may have loaded it, but pictures do not.
    assert ("matplotlib.pyplot" in sys.modules) == before


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    continuum, state = world()
    for file in ("picture.jpg", "picture"):
        with pytest.raises(InputError, match=r"must end in \.html, \.png, \.svg or \.pdf"):
            save_topology_picture(tmp_path / file, state, continuum)
    with pytest.raises(InputError, match="there is no folder"):
        save_topology_picture(tmp_path / "no" / "picture.svg", state, continuum)
    with pytest.raises(InputError, match=r"route: must name at least one node"):
        topology_picture(state, continuum, route=[])
    with pytest.raises(InputError, match=r"route\[1\]: no node 83, there are 83"):
        topology_picture(state, continuum, route=[0, 83])
    with pytest.raises(InputError, match=r'route: no link joins "sat 0" and "Vienna" at step 0'):
        topology_picture(state, continuum, route=[0, VIENNA])
    with pytest.raises(InputError, match=r"sunlit: must have 80 entries"):
        topology_picture(state, continuum, sunlit=[1.0])
    other, _ = world(planes=3)
    with pytest.raises(InputError, match="continuum: has 33 nodes, the state has 83"):
        topology_picture(state, other)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("suffix", "package"), [(".html", "plotly"), (".svg", "matplotlib"), (".png", "matplotlib")]
)
def test_a_missing_extra_names_its_command(
    monkeypatch: pytest.MonkeyPatch, suffix: str, package: str
) -> None:
    continuum, state = world()
    picture = topology_picture(state, continuum)
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Without(package), *sys.meta_path])
    with pytest.raises(
        MissingDependencyError,
        match=rf"{package} is not installed: pip install 'leotrek-opt\[report\]'",
    ):
        picture_bytes(picture, suffix)


class _Without:
    """Finds no module of a package, as if it were not installed."""

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] == self.package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_importing_the_room_loads_no_drawing_library() -> None:
    program = (
        "import leotrek_opt.report.topology_picture, leotrek_opt.report.topology_page\n"
        "import leotrek_opt.report.topology_figure, sys\n"
        "assert not {'matplotlib', 'plotly'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
