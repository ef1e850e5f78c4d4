"""Older documents come forward step by step, and are left as they are."""

from __future__ import annotations

from typing import Any

import pytest

from leotrek_opt.instances.kinds import KINDS
from leotrek_opt.models import migrations
from leotrek_opt.models.migrations import MIGRATIONS, migrate


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(document: dict[str, Any]) -> dict[str, Any]:
        return {("id" if key == "name" else key): value for key, value in document.items()}

    def double(document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "size": 2 * document["size"]}

    monkeypatch.setattr(migrations, "MIGRATIONS", {("flow", 1): rename, ("flow", 2): double})


@pytest.mark.usefixtures("steps")
def test_every_step_on_the_way_is_taken() -> None:
    old = {"kind": "flow", "version": 1, "name": "a", "size": 3}
    assert migrate(old, "flow", 1, 3) == {"kind": "flow", "version": 3, "id": "a", "size": 6}
    assert old == {"kind": "flow", "version": 1, "name": "a", "size": 3}


@pytest.mark.usefixtures("steps")
def test_later_versions_skip_the_earlier_steps() -> None:
    assert migrate({"version": 2, "size": 3}, "flow", 2, 3) == {"version": 3, "size": 6}
    assert migrate({"version": 3, "size": 3}, "flow", 3, 3) == {"version": 3, "size": 3}


def test_no_step_is_missing_for_any_kind() -> None:
    wanted = {(name, step) for name, kind in KINDS.items() for step in range(1, kind.version)}
    assert set(MIGRATIONS) == wanted
