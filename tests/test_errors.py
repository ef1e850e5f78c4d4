"""Errors: files are named once, by whoever knows them first."""

from __future__ import annotations

import pytest

from leotrek_opt.errors import InputError, StepError, errors_in


def test_an_error_without_a_file_gets_one_and_keeps_its_class_and_field() -> None:
    with pytest.raises(StepError) as caught, errors_in("a.json"):
        raise StepError("no step 7", field="step")
    assert (caught.value.file, caught.value.field) == ("a.json", "step")
    assert str(caught.value) == "a.json: step: no step 7"


def test_a_file_that_was_named_stays_named() -> None:
    with pytest.raises(InputError) as caught, errors_in("whole.json"):
        raise InputError("is damaged", file="part.npz")
    assert caught.value.file == "part.npz"


def test_content_without_a_file_stays_without_one() -> None:
    with pytest.raises(InputError) as caught, errors_in(None):
        raise InputError("is damaged")
    assert caught.value.file is None


def test_other_errors_pass() -> None:
    with pytest.raises(KeyError), errors_in("a.json"):
        raise KeyError("x")
