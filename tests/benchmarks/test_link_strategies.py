"""The comparison of rules for links on a small fleet."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.topology.strategies.fleets import fleet_of, walker

from leotrek_opt.instances.tle import write_tle

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

Measured = Callable[..., tuple[int, str, str]]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Measured:
    """Run the script; return its exit code, what it prints, and what it says aside."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import link_strategies

    def run(*options: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["link_strategies.py", *options])
        code: int = link_strategies.main()
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_every_rule_is_measured(tmp_path: Path, measured: Measured) -> None:
    table = fleet_of(walker(12, 10, 53.0, 1200.0, phasing=1))
    exact = {
        "mean_motion_rev_per_day": np.round(table.mean_motion_rev_per_day, 8),
        "raan_deg": np.round(table.raan_deg, 4),
        "mean_anomaly_deg": np.round(table.mean_anomaly_deg, 4),
        "inclination_deg": np.round(table.inclination_deg, 4),
    }
    path = write_tle(table.replace(**exact), tmp_path / "fleet.tle")
    code, out, _ = measured("--quick", "--data", str(path), "--format", "json")
    assert code == 0
    figures = json.loads(out)["figures"]
    assert figures["satellites"] == 120
    assert figures["shell_53.00deg_1200km_planes"] == 12
    assert figures["grid_not_joined_links"] == 240
    assert figures["grid_in_sight_components"] == 1
    assert figures["nearest_k_max_degree"] == 4
    assert figures["plus_grid_inferred_mean_latency_ms"] > 0
    assert figures["mst_ms"] > 0


def test_a_missing_fleet_is_one_line(tmp_path: Path, measured: Measured) -> None:
    code, _, said = measured("--data", str(tmp_path / "none.tle"))
    assert code == 2
    assert len(said.splitlines()) == 1
