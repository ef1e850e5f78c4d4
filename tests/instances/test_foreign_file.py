"""Content, lines and numbers of files that others write."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leotrek_opt.errors import InputError
from leotrek_opt.instances.foreign_file import content_of, decimal, text_lines


def test_content_is_the_same_packed_or_not_in_a_file_or_as_bytes(tmp_path: Path) -> None:
    path = tmp_path / "set.txt"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbftext"))
    assert content_of(path) == (b"text", path)
    assert content_of(b"text") == (b"text", None)


def test_content_beyond_the_limit_is_refused_with_its_file(tmp_path: Path) -> None:
    path = tmp_path / "set.txt"
    path.write_bytes(bytes(2**20 + 1))
    with pytest.raises(InputError, match=r"set\.txt: is larger than 1 MiB"):
        content_of(path, 2**20)
    with pytest.raises(InputError, match=r"^is larger than 1 MiB"):
        content_of(bytes(2**20 + 1), 2**20)


@given(st.text(alphabet="ab\r\n\x0b\x85\u2028", max_size=30))
def test_lines_end_at_line_feeds_alone(text: str) -> None:
    expected = [line.rstrip("\r") for line in text.split("\n")]
    if text.endswith("\n") or not text:
        expected.pop()
    assert list(text_lines(text)) == list(enumerate(expected, 1))


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1.0), ("-.5", -0.5), ("+2.", 2.0), ("1e-3", 1e-3), ("7E+02", 700.0)],
)
def test_decimals_are_read(text: str, value: float) -> None:
    assert decimal(text) == value


@pytest.mark.parametrize(
    "text", ["", ".", "1_0", " 1", "nan", "inf", "0x1", "1e400", "1e1000", "١", "1" * 41]
)
def test_what_is_no_finite_decimal_is_none(text: str) -> None:
    assert decimal(text) is None
