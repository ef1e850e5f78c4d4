"""What every test may rely on: reference data, hypothesis profiles, skips that say why."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

REFERENCE_VARIABLE = "LEOTREK_REFERENCE_DATA"
REFERENCE_SKIP = f"{REFERENCE_VARIABLE} is not set"

# One stream of examples for everybody: a failure seen once is seen by all, and no test fails
# because a shared machine was slow.
settings.register_profile("dev", derandomize=True, deadline=None)
settings.register_profile("ci", parent=settings.get_profile("dev"), print_blob=True)
settings.register_profile(
    "robustness",
    parent=settings.get_profile("dev"),
    derandomize=False,
    max_examples=5_000,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what this environment cannot run, with the reason."""
    reference = bool(os.environ.get(REFERENCE_VARIABLE))
    torch = importlib.util.find_spec("torch") is not None
    for item in items:
        if not reference and item.get_closest_marker("reference"):
            item.add_marker(pytest.mark.skip(reason=REFERENCE_SKIP))
        if not torch and item.get_closest_marker("torch"):
            item.add_marker(pytest.mark.skip(reason="PyTorch is not installed: make test-torch"))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Say as the very last line how many reference tests did not run."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or os.environ.get(REFERENCE_VARIABLE):
        return
    skipped = reporter.stats.get("skipped", [])
    count = sum(REFERENCE_SKIP in str(report.longrepr) for report in skipped)
    if count:
        reporter.write_line(f"{count} reference tests skipped: {REFERENCE_SKIP}")


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """Folder of the reference data, holding ``placement/``, ``state/`` and so on.

    Tests that use it carry the marker ``reference``. Once the variable is set, whatever is missing
    is a failure: a test that opens an absent file fails by itself.
    """
    value = os.environ.get(REFERENCE_VARIABLE)
    if not value:
        pytest.skip(REFERENCE_SKIP)
    folder = Path(value).resolve()
    if not folder.is_dir():
        pytest.fail(f"{REFERENCE_VARIABLE} names {value!r}, which is not a folder")
    return folder
