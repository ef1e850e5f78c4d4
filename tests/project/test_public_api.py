"""The names that a user imports from the package."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import leotrek_opt


def names_for_type_checkers() -> dict[str, str]:
    """Return name to module as the ``TYPE_CHECKING`` block states them."""
    tree = ast.parse(Path(leotrek_opt.__file__).read_text(encoding="utf-8"))
    block = next(
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    return {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module is not None
        for alias in node.names
    }


def test_type_checkers_see_what_the_interpreter_finds() -> None:
    loaded_at_run_time = dict(leotrek_opt._HOMES)
    del loaded_at_run_time["__version__"]
    assert names_for_type_checkers() == loaded_at_run_time


def test_all_names_every_public_name() -> None:
    assert list(leotrek_opt.__all__) == sorted(leotrek_opt._HOMES)
    assert set(leotrek_opt.__all__) <= set(dir(leotrek_opt))


@pytest.mark.parametrize("name", leotrek_opt.__all__)
def test_public_name_resolves_and_is_documented(name: str) -> None:
    value = getattr(leotrek_opt, name)
    assert name == "__version__" or inspect.getdoc(value)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'solv'"):
        _ = leotrek_opt.solv
