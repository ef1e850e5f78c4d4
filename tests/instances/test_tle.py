"""Two-line element sets: strict about each, forgiving about the file, exact in every value."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sgp4.api import Satrec
from tests.instances.tle_sets import FIRST, SECOND, changed, element_lines, numbered

from leotrek_opt.errors import InputError
from leotrek_opt.instances.element_file import ElementFile, ElementSet, element_table
from leotrek_opt.instances.tle import parse_tle, read_tle, tle_text, write_tle
from leotrek_opt.models.constellation import ElementTable

GOOD = numbered("25544", name="STATION")


def assert_equals_reference(table: ElementTable, pairs: list[tuple[str, str]]) -> None:
    """Compare every orbital value with those of the sgp4 package, to the bit."""
    assert len(table) == len(pairs)
    revolutions_per_day = 1440.0 / (2.0 * math.pi)
    for row, (first, second) in enumerate(pairs):
        satellite = Satrec.twoline2rv(first, second)
        mine = (
            int(table.catalogue_number[row]),
            table.epoch_jd[row],
            table.epoch_fraction[row],
            table.inclination_deg[row] * (math.pi / 180.0),
            table.raan_deg[row] * (math.pi / 180.0),
            table.eccentricity[row],
            table.argument_of_perigee_deg[row] * (math.pi / 180.0),
            table.mean_anomaly_deg[row] * (math.pi / 180.0),
            table.mean_motion_rev_per_day[row] / revolutions_per_day,
            table.mean_motion_dot[row] / (revolutions_per_day * 1440.0),
            table.mean_motion_ddot[row] / (revolutions_per_day * 1440.0 * 1440),
            table.bstar[row],
        )
        assert mine == (
            satellite.satnum,
            satellite.jdsatepoch,
            satellite.jdsatepochF,
            satellite.inclo,
            satellite.nodeo,
            satellite.ecco,
            satellite.argpo,
            satellite.mo,
            satellite.no_kozai,
            satellite.ndot,
            satellite.nddot,
            satellite.bstar,
        ), first


def element_pairs(text: str) -> list[tuple[str, str]]:
    lines = [line for line in text.splitlines() if line[:2] in {"1 ", "2 "}]
    return [(a[:69], b[:69]) for a, b in zip(lines[::2], lines[1::2], strict=True)]


def one_fault(text: str) -> str:
    """Return why the first of two sets is quarantined."""
    read = parse_tle(text + numbered("00005"))
    assert len(read.table) == 1
    assert read.refused == len(read.quarantined) == 1
    return read.quarantined[0].reason


def test_values_are_those_of_the_lines() -> None:
    table = parse_tle(GOOD).table
    assert table.name == ("STATION",)
    assert table.international_designator == ("1998-067A",)
    # 2024-10-22 is day 296 of a leap year.
    assert table.epoch_jd[0] == 2460605.5
    assert table.epoch_fraction[0] == 0.183125
    assert table.eccentricity[0] == 0.0006703
    assert table.mean_motion_rev_per_day[0] == 15.72125391
    assert table.bstar[0] == pytest.approx(1.027e-4, rel=1e-15)
    assert_equals_reference(table, element_pairs(GOOD))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("0 STATION", "STATION"),
        ("1 KUNS", "1 KUNS"),
        ("1998 TEST", "1998 TEST"),
        ("2 BE OR NOT", "2 BE OR NOT"),
        ("2", "2"),
        (
            "A NAME OF MORE THAN TWENTY-FOUR CHARACTERS",
            "A NAME OF MORE THAN TWENTY-FOUR CHARACTERS",
        ),
    ],
)
def test_names_may_begin_with_any_character(name: str, expected: str) -> None:
    read = parse_tle(numbered("00005") + numbered("25544", name=name) + numbered("00007", name="B"))
    assert read.table.name == ("", expected, "B")
    assert not read.quarantined


def test_blank_lines_comments_line_ends_and_mixed_forms_are_read() -> None:
    text = "# list\n\n" + numbered("00005") + "\n#1 comment\n" + GOOD + "   \n" + numbered("00007")
    read = parse_tle(text.replace("\n", "  \r\n"))
    assert read.table.catalogue_number.tolist() == [5, 25544, 7]
    assert read.table == parse_tle(text.rstrip("\n")).table
    assert not read.quarantined


@pytest.mark.parametrize(
    ("line", "column", "text", "reason"),
    [
        (1, 3, "I0001", "line 1, columns 3-7: catalogue number must be five digits"),
        (1, 3, "O0001", "line 1, columns 3-7: catalogue number"),
        (1, 3, "     ", "line 1, columns 3-7: catalogue number"),
        (1, 8, "7", "line 1, column 8: classification must be one letter"),
        (1, 9, "x", "line 1, column 9 must be blank"),
        (1, 19, "x4", "line 1, columns 19-20: year"),
        (1, 21, "000", "line 1, columns 21-32: 2024 has days 1 … 366 (got 0)"),
        (1, 21, "367", "2024 has days 1 … 366 (got 367)"),
        (1, 19, "23366", "2023 has days 1 … 365 (got 366)"),
        (1, 19, "00367", "2000 has days 1 … 366"),
        (1, 24, ",", "line 1, columns 21-32: day of the year"),
        (1, 34, "0", "line 1, columns 34-43: first derivative"),
        (1, 45, "  1234-5", "line 1, columns 45-52: second derivative"),
        (1, 54, " 1234567", "line 1, columns 54-61: drag term"),
        (1, 54, " 99999+9", "bstar must be in -1000 … 1000"),
        (1, 63, "4", "line 1, column 63: ephemeris type 4 is not SGP4"),
        (1, 65, "9 9 ", "line 1, columns 65-68: element set number"),
        (2, 9, "180.0001", "inclination_deg must be in 0 … 180"),
        (2, 9, "-51.6416", "line 2, columns 9-16: inclination"),
        (2, 9, " 051.641", "line 2, columns 9-16: inclination"),
        (2, 18, "360.0001", "raan_deg must be in 0 … 360"),
        (2, 27, "000 703", "line 2, columns 27-33: eccentricity must be seven decimals"),
        (2, 35, "360.1000", "argument_of_perigee_deg must be in 0 … 360"),
        (2, 44, "999.0000", "mean_anomaly_deg must be in 0 … 360"),
        (2, 53, " 0.00000000", "mean_motion_rev_per_day must be in 1e-08 … 20"),
        (2, 53, "20.00000001", "mean_motion_rev_per_day must be in"),
        (2, 53, "1.572125391", "line 2, columns 53-63: mean motion"),
        (2, 64, "5 3 5", "line 2, columns 64-68: revolution number"),
        (2, 3, "25545", "one catalogue number (got 25544 and 25545)"),
    ],
)
def test_bad_fields_are_quarantined_with_their_columns(
    line: int, column: int, text: str, reason: str
) -> None:
    lines = [FIRST, SECOND]
    lines[line - 1] = changed(lines[line - 1], column, text)
    assert reason in one_fault("\n".join(element_lines(*lines)) + "\n")


@pytest.mark.parametrize("line", [0, 1])
def test_wrong_checksums_are_quarantined_unless_waived(line: int) -> None:
    lines = list(element_lines())
    digit = str((int(lines[line][68]) + 1) % 10)
    lines[line] = lines[line][:68] + digit
    text = "\n".join(lines) + "\n"
    assert f"line {line + 1}: the checksum must be" in one_fault(text)
    assert len(parse_tle(text, verify_checksums=False).table) == 1


def test_length_of_lines_is_exact() -> None:
    first, second = element_lines()
    assert "line 2 must have 69 characters (got 68)" in one_fault(f"{first}\n{second[:-1]}\n")
    assert "line 1 must have 69 characters (got 71)" in one_fault(f"{first} x\n{second}\n")
    assert "line 2 must have 69 characters (got 7)" in one_fault(f"{first}\n{second[:7]}\n")
    read = parse_tle(f"{first}\n{second}  0.0 10.0\n", allow_trailing=True)
    assert read.table == parse_tle(f"{first}\n{second}\n").table


def test_text_that_is_not_ascii_is_quarantined() -> None:
    first, second = element_lines()
    assert "line 1 must be ASCII" in one_fault(f"{changed(first, 10, 'é')}\n{second}\n")
    assert one_fault(f"ÉTOILE\n{first}\n{second}\n") == "the name must be ASCII text"
    data = f"ÉTOILE\n{first}\n{second}\n{GOOD}".encode()
    assert parse_tle(data).table.name == ("STATION",)


def test_lines_without_partner_are_quarantined_and_nothing_else_is_lost() -> None:
    first, second = element_lines()
    text = (
        f"A\n{first}\nB\n{first}\n{second}\n{second}\nC\nD\n{numbered('00007')}{first}\n"
        f"{numbered('00008', name='E')}{'x' * 69}\nF\n"
    )
    read = parse_tle(text)
    assert read.table.name == ("B", "D", "E")
    assert [(record.line, record.reason.split(",")[0]) for record in read.quarantined] == [
        (2, "line 1 must be followed by line 2"),
        (6, "line 2 must follow a line 1"),
        (7, "must be an element line"),
        (11, "line 1 must be followed by line 2"),
        (15, "must be an element line"),
        (16, "must be an element line"),
    ]


def test_a_damaged_line_never_becomes_the_name_of_the_next_satellite() -> None:
    first, second = element_lines()
    for damaged in (f"3{second[1:]}", second[:20], second[:6]):
        read = parse_tle(f"{first}\n{damaged}\n{numbered('00005')}")
        assert read.table.name == ("",)
        assert read.refused >= 1


def test_alpha5_numbers_and_years_of_both_centuries_are_read() -> None:
    text = (
        numbered("A0000", epoch="57001.00000000")
        + numbered("H9999", epoch="56366.99999999")
        + numbered("J0000", epoch="99365.50000000")
        + numbered("Z9999", epoch="00001.00000000")
        + numbered("  123")
    )
    read = parse_tle(text)
    assert read.table.catalogue_number.tolist() == [100_000, 179_999, 180_000, 339_999, 123]
    assert_equals_reference(read.table, element_pairs(text))


def test_sets_of_one_number_are_kept_by_the_rule() -> None:
    text = (
        numbered("00007", name="old", epoch="24001.00000000")
        + numbered("00005", name="other")
        + numbered("00007", name="new", epoch="24002.00000000")
        + numbered("00007", name="same", epoch="24002.00000000")
    )
    assert parse_tle(text).table.name == ("other", "new")
    assert parse_tle(text).replaced == 2
    assert parse_tle(text, duplicates="first").table.name == ("old", "other")
    assert parse_tle(text, duplicates="all").table.name == ("old", "other", "new", "same")


def test_compressed_files_are_found_by_content(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.gz", tmp_path / "b.tle"
    plain.write_text(GOOD, encoding="ascii")
    packed.write_bytes(gzip.compress(GOOD.encode()))
    table = parse_tle(GOOD).table
    assert read_tle(plain).table == read_tle(str(packed)).table == table
    assert read_tle(gzip.compress(GOOD.encode())).table == table


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "holds no element set"),
        (b"\n# nothing\n", "holds no element set"),
        (b"\x00\x01\x02", "holds no valid element set among 1; the first, line 1: must be an"),
        (GOOD[:-2].encode(), "line 2 must have 69 characters"),
        (b"\x1f\x8b\x00", "damaged gzip"),
    ],
)
def test_files_without_a_set_are_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "sets.tle"
    file.write_bytes(content)
    with pytest.raises(InputError, match=reason) as caught:
        read_tle(file)
    assert str(caught.value).startswith(f"{file}: ")
    with pytest.raises(InputError, match="no such file"):
        read_tle(tmp_path / "absent")


def test_quarantine_is_bounded() -> None:
    read = parse_tle(GOOD + "x" * 5000 + "\n" + "2 x\x07\n" * 3000)
    assert read.refused == 3001
    assert len(read.quarantined) == 1000
    assert len(read.quarantined[0].text) == 160
    assert all(record.text.isprintable() for record in read.quarantined)


def test_files_of_too_many_records_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leotrek_opt.instances.element_file.MAX_RECORDS", 3)
    with pytest.raises(InputError, match="holds more than 3 records, good and bad"):
        parse_tle(GOOD * 3 + "x\ny\n")
    assert len(parse_tle(GOOD * 3, duplicates="all").table) == 3


def test_written_sets_read_back_the_same(tmp_path: Path) -> None:
    text = GOOD + numbered("A0001", name="0 0 X") + numbered("00007") + numbered("00007", name="Y")
    for old, new in ((" 10270-3", " 00012-3"), ("  00000-0", " -00500-9")):
        lines = element_lines(FIRST.replace(old, new, 1), SECOND)
        text += "\n".join(lines) + "\n"
    read = parse_tle(text, duplicates="all")
    assert len(read.table) == 6
    assert parse_tle(tle_text(read.table), duplicates="all").table == read.table
    file = write_tle(read.table, tmp_path / "out.tle")
    assert read_tle(file, duplicates="all").table == read.table
    with pytest.raises(InputError, match="cannot be written"):
        write_tle(read.table, tmp_path / "absent" / "out.tle")


ROW = ElementSet(
    "A", 1, "", 2460605.5, 0.25, 53.0, 10.0, 0.001, 20.0, 30.0, 15.0, 1e-5, 0.0, 1.25e-4
)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("catalogue_number", 340_000),
        ("catalogue_number", 799_500_123),
        ("name", "é"),
        ("name", "x" * 60),
        ("international_designator", "2024-12345X"),
        ("epoch_fraction", 1 / 3),
        ("epoch_jd", 2473000.5),
        ("inclination_deg", 53.00001),
        ("eccentricity", 1e-8),
        ("mean_motion_rev_per_day", 1 / 3),
        ("mean_motion_dot", 1.0),
        ("mean_motion_dot", 1e-9),
        ("bstar", 1.234567e-4),
        ("mean_motion_ddot", 1e-20),
    ],
)
def test_what_the_format_cannot_hold_is_refused(field: str, value: object) -> None:
    table = element_table([ROW, ROW._replace(**{field: value})])
    with pytest.raises(InputError) as caught:
        tle_text(table)
    assert str(caught.value).startswith((f"{field}[1]: ", "epoch_fraction[1]: "))


ANGLES = st.integers(0, 3_600_000).map(lambda n: n / 10_000)
POWERS = st.tuples(st.sampled_from((1.0, -1.0)), st.integers(0, 99_999), st.integers(-9, 1)).map(
    lambda p: p[0] * float(f".{p[1]:05d}") * 10.0 ** p[2]
)


@given(
    st.builds(
        ElementSet,
        name=st.from_regex(r"[!-~]([ -~]{0,20}[!-~])?", fullmatch=True),
        catalogue_number=st.integers(0, 339_999),
        international_designator=st.sampled_from(("", "1957-001A", "2056-999ZZZ", "X")),
        epoch_jd=st.integers(2_435_840, 2_472_363).map(lambda day: day + 0.5),
        epoch_fraction=st.integers(0, 99_999_999).map(lambda n: float(f".{n:08d}")),
        inclination_deg=st.integers(0, 1_800_000).map(lambda n: n / 10_000),
        raan_deg=ANGLES,
        eccentricity=st.integers(0, 9_999_999).map(lambda n: n / 10**7),
        argument_of_perigee_deg=ANGLES,
        mean_anomaly_deg=ANGLES,
        mean_motion_rev_per_day=st.integers(1, 20 * 10**8).map(lambda n: n / 10**8),
        mean_motion_dot=st.integers(-99_999_999, 99_999_999).map(lambda n: n / 10**8),
        mean_motion_ddot=POWERS,
        bstar=POWERS,
    )
)
def test_any_set_of_the_format_survives_writing(row: ElementSet) -> None:
    table = element_table([row])
    assert parse_tle(tle_text(table)).table == table


def assert_file_agrees(read: ElementFile, text: str) -> None:
    assert not read.quarantined
    assert not read.replaced
    assert_equals_reference(read.table, element_pairs(text))
    assert parse_tle(tle_text(read.table), duplicates="all").table == read.table


@pytest.mark.reference
def test_catalogue_files_agree_with_the_sgp4_package(reference_data: Path) -> None:
    folder = reference_data / "topology"
    small = read_tle(folder / "starlink_2000_20241021.tle")
    assert len(small.table) == 2000
    assert_file_agrees(small, (folder / "starlink_2000_20241021.tle").read_text())
    large = read_tle(folder / "starlink_6882_20241215.tle.gz")
    assert len(large.table) == 6882
    assert np.unique(large.table.catalogue_number).size == 6882
    with gzip.open(folder / "starlink_6882_20241215.tle.gz", "rt") as stream:
        assert_file_agrees(large, stream.read())


@pytest.mark.reference
def test_the_verification_set_is_read_as_a_whole(reference_data: Path) -> None:
    file = reference_data / "topology" / "SGP4-VER.TLE"
    read = read_tle(file, duplicates="all", allow_trailing=True, verify_checksums=False)
    assert len(read.table) == 33
    assert_file_agrees(read, file.read_text())
    strict = read_tle(file, duplicates="all", allow_trailing=True)
    assert [record.line for record in strict.quarantined] == [100, 103, 106]
