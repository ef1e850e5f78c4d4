"""One line for a rejected value: path, what is allowed, what was found."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError, model_validator

from leotrek_opt.models.base import (
    Identifier,
    Label,
    StrictModel,
    input_error,
    nearest_name,
    rejection,
)
from leotrek_opt.models.messages import field_path, shown


class Inner(StrictModel):
    type: Literal["inner"] = "inner"
    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(gt=0)] = 10

    @model_validator(mode="after")
    def _grows(self) -> Inner:
        if self.end <= self.start:
            raise rejection("end", f"must be > start = {self.start}")
        return self


class Other(StrictModel):
    type: Literal["other"] = "other"
    share: Annotated[float, Field(gt=0, lt=1)]


class Outer(StrictModel):
    id: Identifier = "x"
    label: Label = ""
    hold: Literal["forever"] | Inner = "forever"
    choice: Annotated[Inner | Other, Field(discriminator="type")] | None = None
    shift: Annotated[int, Field(ge=-5, le=5)] | Literal["best"] = "best"
    parts: tuple[Inner, ...] = ()
    amounts: dict[Identifier, Annotated[int, Field(le=3)]] = Field(default_factory=dict)
    by_name: dict[str, Inner] = Field(default_factory=dict)
    flag: bool = False


def said(values: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        Outer(**values)
    return str(input_error(caught.value, model=Outer))


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"hold": "never"}, "hold: must be 'forever' or an object (got \"never\")"),
        ({"hold": {"start": 3, "end": 2}}, "hold.end: must be > start = 3"),
        ({"hold": {"start": -1}}, "hold.start: must be >= 0 (got -1)"),
        ({"choice": {"type": "other", "share": 1.5}}, "choice.share: must be < 1.0 (got 1.5)"),
        ({"choice": {"type": "what"}}, "choice: 'type' must be one of 'inner', 'other'"),
        ({"choice": {}}, "choice: must name its 'type'"),
        ({"shift": 9}, "shift: must be <= 5 or 'best' (got 9)"),
        ({"shift": "worst"}, "shift: must be an integer or 'best' (got \"worst\")"),
        ({"parts": ({"start": 1}, {"start": "1"})}, "parts[1].start: must be an integer"),
        ({"parts": ({"strat": 1},)}, "parts[0].start: required field is missing (and 1 more)"),
        ({"amounts": {"a": 4}}, "amounts.a: must be <= 3 (got 4)"),
        ({"amounts": {"a b": 1}}, 'amounts["a b"]: must be 1 to 128 letters, digits or any of'),
        ({"by_name": {"inner": {"start": -1}}}, "by_name.inner.start: must be >= 0 (got -1)"),
        ({"flag": 1}, "flag: must be true or false (got 1)"),
        ({"flags": True}, 'flags: unknown field (did you mean "flag"?)'),
        ({"zzz": True}, "zzz: unknown field"),
        ({"label": "x" * 300}, "label: must have at most 256 characters"),
        ({"label": "a\x00b"}, "label: must be printable text on one line"),
    ],
)
def test_line_names_field_and_what_is_allowed(values: dict[str, Any], line: str) -> None:
    assert said(values).startswith(line)


def test_line_is_a_single_line_whatever_the_names() -> None:
    assert "\n" not in said({"by_name": {"a\nb": {"start": -1}}})
    assert "\n" not in said({"evil\nname": 1})


def test_unknown_nested_field_comes_with_its_nearest_name() -> None:
    assert said({"parts": ({"start": 1, "edn": 5},)}) == (
        'parts[0].edn: unknown field (did you mean "end"?)'
    )


def test_without_the_model_the_path_is_still_clean() -> None:
    with pytest.raises(ValidationError) as caught:
        Outer(hold={"start": 3, "end": 2})
    assert str(input_error(caught.value)) == "hold.end: must be > start = 3"


def test_number_of_further_problems_is_told() -> None:
    assert said({"flag": 1, "id": "a b", "label": 5}).endswith("(and 2 more)")


def test_file_stands_first() -> None:
    with pytest.raises(ValidationError) as caught:
        Outer(flag=0)
    error = input_error(caught.value, file="a.json", model=Outer)
    assert str(error) == "a.json: flag: must be true or false (got 0)"
    assert (error.file, error.field) == ("a.json", "flag")


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        (["a", 3, "b"], "a[3].b"),
        ([0, "a"], "[0].a"),
        (["a", "b c"], 'a["b c"]'),
        (["a\n"], '["a\\n"]'),
        ([""], '[""]'),
        (["a"] * 50, ".".join(["a"] * 12) + "..."),
    ],
)
def test_field_path(parts: list[int | str], path: str) -> None:
    assert field_path(parts) == path


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (None, "null"),
        (-2, "-2"),
        pytest.param(10**5000, "a very large integer", id="huge"),
        (1.5, "1.5"),
        (float("inf"), "Infinity"),
        (float("nan"), "NaN"),
        ("5", '"5"'),
        ("a\nb", '"a\\nb"'),
        ({"a": 1}, "an object"),
        ([1, 2], "a list of 2"),
        (object(), "object"),
    ],
)
def test_values_are_shown_as_in_json(value: object, text: str) -> None:
    assert shown(value) == text


def test_long_values_are_cut() -> None:
    assert len(shown("x" * 10**6)) == 60
    assert len(shown("\x00" * 10**6)) == 60


def test_nearest_name() -> None:
    assert nearest_name("resise", ["resize", "detect"]) == ' (did you mean "resize"?)'
    assert nearest_name("xyz", ["resize", "detect"]) == ""
    assert nearest_name("x", []) == ""


def test_nearest_name_among_very_many() -> None:
    known = {f"satellite-{index:05d}" for index in range(30_000)}
    assert nearest_name("satelite-04711", known) == ' (did you mean "satellite-04711"?)'
    assert nearest_name("satellite-4711x", known) == nearest_name("satellite-4711x", sorted(known))
    assert nearest_name("ground", known) == ""
