"""Orbit Mean-Elements Messages: the same values in four forms, strict fields, no file lost."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sgp4 import exporter, omm
from sgp4.api import Satrec
from tests.instances.tle_sets import element_lines, numbered

from leotrek_opt.errors import InputError
from leotrek_opt.instances.element_file import ElementFile
from leotrek_opt.instances.elements import read_elements
from leotrek_opt.instances.omm import parse_omm, read_omm
from leotrek_opt.instances.tle import parse_tle, read_tle

Fields = dict[str, Any]

MESSAGE: Fields = {
    "OBJECT_NAME": "STATION",
    "OBJECT_ID": "1998-067A",
    "EPOCH": "2024-10-22T04:23:42.000000",
    "MEAN_MOTION": 15.72125391,
    "ECCENTRICITY": 0.0006703,
    "INCLINATION": 51.6416,
    "RA_OF_ASC_NODE": 247.4627,
    "ARG_OF_PERICENTER": 130.5360,
    "MEAN_ANOMALY": 325.0288,
    "EPHEMERIS_TYPE": 0,
    "CLASSIFICATION_TYPE": "U",
    "NORAD_CAT_ID": 25544,
    "ELEMENT_SET_NO": 999,
    "REV_AT_EPOCH": 5635,
    "BSTAR": 0.0001027,
    "MEAN_MOTION_DOT": 0.00016717,
    "MEAN_MOTION_DDOT": 0,
}
META = {
    "CENTER_NAME": "EARTH",
    "REF_FRAME": "TEME",
    "TIME_SYSTEM": "UTC",
    "MEAN_ELEMENT_THEORY": "SGP4",
}
OTHER = MESSAGE | {"NORAD_CAT_ID": 799_500_123, "OBJECT_NAME": "OTHER"}


def as_json(*messages: Fields) -> str:
    return json.dumps(messages)


def as_csv(*messages: Fields) -> str:
    stream = io.StringIO()
    names = list(dict.fromkeys(name for message in messages for name in message))
    writer = csv.DictWriter(stream, names, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(messages)
    return stream.getvalue()


def as_xml(*messages: Fields) -> str:
    def elements(fields: Fields, names: set[str]) -> str:
        return "".join(
            f"<{name}>{value}</{name}>" for name, value in fields.items() if name in names
        )

    metadata = {"OBJECT_NAME", "OBJECT_ID", *META}
    parameters = {"NORAD_CAT_ID", "EPHEMERIS_TYPE", "ELEMENT_SET_NO", "REV_AT_EPOCH", "BSTAR",
                  "MEAN_MOTION_DOT", "MEAN_MOTION_DDOT", "CLASSIFICATION_TYPE"}  # fmt: skip
    bodies = "\n".join(
        '<omm id="CCSDS_OMM_VERS" version="2.0"><header><ORIGINATOR>test</ORIGINATOR></header>'
        f"<body><segment><metadata>{elements(message, metadata)}</metadata><data>"
        f"<meanElements>{elements(message, set(message) - metadata - parameters)}</meanElements>"
        f"<tleParameters>{elements(message, parameters)}</tleParameters>"
        "</data></segment></body></omm>"
        for message in messages
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<ndm>{bodies}</ndm>\n'


def as_kvn(*messages: Fields) -> str:
    units = {"INCLINATION": " [deg]", "MEAN_MOTION": " [rev/day]"}
    return "".join(
        "CCSDS_OMM_VERS = 2.0\nCOMMENT made for a test\nORIGINATOR = TEST\n\n"
        + "".join(f"{name} = {value}{units.get(name, '')}\n" for name, value in message.items())
        for message in messages
    )


FORMS: dict[str, Callable[..., str]] = {
    "omm-json": as_json,
    "omm-csv": as_csv,
    "omm-xml": as_xml,
    "omm-kvn": as_kvn,
}


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def one_fault(text: str) -> str:
    read = parse_omm(text)
    assert read.table.name == ("OTHER",)
    assert read.refused == len(read.quarantined) == 1
    return read.quarantined[0].reason


def test_all_forms_hold_the_same_table(form: str) -> None:
    read = parse_omm(FORMS[form](MESSAGE | META, OTHER | META))
    assert read.format == form
    assert not read.quarantined
    table = read.table
    assert table.name == ("STATION", "OTHER")
    assert table.catalogue_number.tolist() == [25544, 799_500_123]
    assert table.international_designator == ("1998-067A", "1998-067A")
    assert (table.epoch_jd[0], table.epoch_fraction[0]) == (2460605.5, 0.183125)
    assert table.mean_motion_rev_per_day[0] == 15.72125391
    assert table.bstar[0] == 0.0001027
    assert table == parse_omm(as_json(MESSAGE, OTHER)).table


def test_a_message_and_the_two_lines_of_a_set_say_the_same() -> None:
    from_lines = parse_tle("STATION\n" + "\n".join(element_lines())).table
    from_message = parse_omm(as_json(MESSAGE)).table
    assert from_message.bstar[0] == pytest.approx(from_lines.bstar[0], rel=1e-15)
    assert from_message.replace(bstar=from_lines.bstar) == from_lines


def test_numbers_may_be_strings_and_text_may_have_blanks_around() -> None:
    quoted = {name: f" {value} " for name, value in MESSAGE.items()}
    quoted |= {"BSTAR": ".1027E-3", "DECAY_DATE": None, "TLE_LINE1": numbered("25544")}
    assert parse_omm(json.dumps(quoted)).table == parse_omm(as_json(MESSAGE)).table
    # Numbers of a CSV file go without the leading zero.
    text = as_csv(MESSAGE | {"ECCENTRICITY": ".0006703", "BSTAR": ".1027E-3"})
    assert parse_omm(text).table == parse_omm(as_json(MESSAGE)).table


def test_values_are_those_of_the_sgp4_package() -> None:
    expected = Satrec()
    fields = {name: str(value) for name, value in MESSAGE.items()}
    omm.initialize(expected, fields)
    table = parse_omm(as_json(MESSAGE)).table
    revolutions = 1440.0 / (2 * 3.141592653589793)
    assert table.mean_motion_rev_per_day[0] / revolutions == pytest.approx(
        expected.no_kozai, rel=1e-15
    )
    assert table.epoch_jd[0] + table.epoch_fraction[0] == pytest.approx(
        expected.jdsatepoch + expected.jdsatepochF, abs=1e-9
    )
    assert table.bstar[0] == expected.bstar


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"CENTER_NAME": "MARS BARYCENTER"}, "CENTER_NAME must be EARTH"),
        ({"REF_FRAME": "EME2000"}, "REF_FRAME must be TEME"),
        ({"TIME_SYSTEM": "TAI"}, "TIME_SYSTEM must be UTC"),
        ({"MEAN_ELEMENT_THEORY": "SGP4-XP"}, "MEAN_ELEMENT_THEORY must be SGP4"),
        ({"EPHEMERIS_TYPE": 4}, "EPHEMERIS_TYPE must be 0, which is SGP4"),
        ({"EPOCH": "2023-02-29T00:00:00"}, "EPOCH must be an instant"),
        ({"EPOCH": "2023-366T00:00:00"}, "EPOCH must be an instant"),
        ({"EPOCH": "2023-000T00:00:00"}, "EPOCH must be an instant"),
        ({"EPOCH": "2023-01-01T24:00:00"}, "EPOCH must be an instant"),
        ({"EPOCH": "2016-12-31T22:59:60"}, "EPOCH must be an instant"),
        ({"EPOCH": "2024-10-22T04:23:42+00:00"}, "EPOCH must be yyyy-mm-dd"),
        ({"EPOCH": "24296.18312500"}, "EPOCH must be yyyy-mm-dd"),
        ({"EPOCH": "2024-10-22 04:23:42"}, "EPOCH must be yyyy-mm-dd"),
        ({"EPOCH": "0001-01-01T00:00:00"}, "epoch_jd must be in"),
        ({"MEAN_MOTION": "NaN"}, "MEAN_MOTION must be a number"),
        ({"MEAN_MOTION": "1e400"}, "MEAN_MOTION must be a number"),
        ({"MEAN_MOTION": "0"}, "mean_motion_rev_per_day must be in 1e-08 … 20"),
        ({"MEAN_MOTION": "1_5"}, "MEAN_MOTION must be a number"),
        ({"BSTAR": "inf"}, "BSTAR must be a number"),
        ({"ECCENTRICITY": 1.0}, "eccentricity must be in 0 … 0.999999999"),
        ({"INCLINATION": -0.5}, "inclination_deg must be in 0 … 180"),
        ({"RA_OF_ASC_NODE": 360.5}, "raan_deg must be in 0 … 360"),
        ({"NORAD_CAT_ID": 1_000_000_000}, "NORAD_CAT_ID must be up to nine digits"),
        ({"NORAD_CAT_ID": "A0001"}, "NORAD_CAT_ID must be up to nine digits"),
        ({"NORAD_CAT_ID": "25544.0"}, "NORAD_CAT_ID must be up to nine digits"),
        ({"NORAD_CAT_ID": "-1"}, "NORAD_CAT_ID must be up to nine digits"),
        ({"NORAD_CAT_ID": ""}, "NORAD_CAT_ID is missing"),
        ({"BSTAR": ""}, "BSTAR is missing"),
        ({"OBJECT_NAME": "x" * 257}, "a name must have at most 256 characters"),
    ],
)
def test_bad_fields_are_quarantined(form: str, change: Fields, reason: str) -> None:
    text = FORMS[form](MESSAGE | META | change, OTHER | META)
    assert reason in one_fault(text)


def test_epochs_may_have_any_precision_and_name_the_day_of_the_year() -> None:
    epochs = ("2024-296T04:23:42", "2024-10-22T04:23:42Z", "2024-10-22T04:23:42.000000000")
    for epoch in epochs:
        assert parse_omm(as_json(MESSAGE | {"EPOCH": epoch})).table == (
            parse_omm(as_json(MESSAGE)).table
        )


def test_a_leap_second_is_the_first_of_the_next_day() -> None:
    leap = parse_omm(as_json(MESSAGE | {"EPOCH": "2016-12-31T23:59:60.5"})).table
    assert leap == parse_omm(as_json(MESSAGE | {"EPOCH": "2017-01-01T00:00:00.5"})).table


def test_integers_may_have_a_sign_and_leading_zeros_and_words_small_letters() -> None:
    message = MESSAGE | META | {"NORAD_CAT_ID": "+000025544", "EPHEMERIS_TYPE": "+0"}
    message |= {"REF_FRAME": "teme", "MEAN_ELEMENT_THEORY": "SGP/SGP4"}
    assert parse_omm(as_kvn(message)).table == parse_omm(as_json(MESSAGE)).table


def test_derivatives_may_be_absent() -> None:
    message = {name: value for name, value in MESSAGE.items() if "DOT" not in name}
    assert parse_omm(as_json(message)).table.mean_motion_dot[0] == 0


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("3", 'must be an object (got "3")'),
        ("[]", "must be an object (got a list of 0)"),
        ('{"BSTAR": 1, "BSTAR": 1}', '"BSTAR" is given twice'),
        ('{"BSTAR": true}', "BSTAR must be a number or a string (got true)"),
        ('{"EPOCH": {}}', "EPOCH must be a number or a string (got an object)"),
        ('{"EPOCH": null}', "NORAD_CAT_ID is missing"),
    ],
)
def test_bad_items_of_a_list_are_quarantined_with_their_lines(item: str, reason: str) -> None:
    read = parse_omm(f"\n[\n{json.dumps(OTHER)},\n\n {item}\n]\n")
    assert [(record.line, record.reason) for record in read.quarantined] == [(5, reason)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[", "is not valid JSON at line 1, column 2: expecting value; the file ends early"),
        ("[\n{}\n{}]", "is not valid JSON at line 3, column 1: expecting ',' or ']'"),
        ("{} {}", "is not valid JSON at line 1, column 4: extra data"),
        ("[{}", "expecting ',' or ']'; the file ends early"),
        ("[" * 100_000, "is nested too deeply"),
        ('[{"EPOCH": "' + "x" * 40_000, "line 1: an object must have at most 32,768 characters"),
        ('[{"A": [' + "[]," * 20_000, "line 1: an object must have at most 32,768 characters"),
        ("[]", "holds no element set"),
        ("{}", "holds no valid element set among 1; the first, line 1: NORAD_CAT_ID is missing"),
        ("hello", "is no Orbit Mean-Elements Message"),
        ("\xff{", "is no Orbit Mean-Elements Message"),
        ("NORAD_CAT_ID,EPOCH\n", "line 1: column MEAN_MOTION is missing"),
        (as_csv(MESSAGE).replace("BSTAR", "EPOCH", 1), "line 1: column EPOCH is given twice"),
        ("<ndm><omm></ndm>", "line 1: is not well-formed XML"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><ndm/>', "has a document type"),
        ("<ndm/>", "holds no element set"),
        ("CCSDS_OMM_VERS = 2.0\n", "NORAD_CAT_ID is missing"),
    ],
)
def test_files_that_break_their_syntax_are_refused(text: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_omm(text)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_lines_of_csv_are_quarantined_one_by_one() -> None:
    header, good = as_csv(OTHER).splitlines()
    lines = [header, '"open,1', f"{good},1", "", "\x00", good]
    read = parse_omm("\n".join(lines))
    assert [record.line for record in read.quarantined] == [2, 3, 5]
    assert "is not CSV" in read.quarantined[0].reason
    assert "must have 17 fields like the header (got 18)" in read.quarantined[1].reason
    assert read.table == parse_omm(as_json(OTHER)).table


def test_units_and_double_fields_are_checked_where_they_stand() -> None:
    good = as_kvn(OTHER)
    assert "MEAN_MOTION must be in rev/day" in one_fault(
        as_kvn(MESSAGE).replace("[rev/day]", "[deg/s]") + good
    )
    assert "EPOCH is given twice" in one_fault(
        as_kvn(MESSAGE) + f"EPOCH = {OTHER['EPOCH']}\n" + good
    )
    assert "line 22 must be NAME = value" in one_fault(as_kvn(MESSAGE) + "what\n" + good)
    xml = as_xml(MESSAGE, OTHER)
    assert "EPOCH is given twice" in one_fault(
        xml.replace("</EPOCH>", "</EPOCH><EPOCH>x</EPOCH>", 1)
    )
    assert "INCLINATION must be in deg" in one_fault(
        xml.replace("<INCLINATION>", '<INCLINATION units="rad">', 1)
    )


def test_messages_of_one_number_are_kept_by_the_rule() -> None:
    older = MESSAGE | {"EPOCH": "2024-10-21T00:00:00", "OBJECT_NAME": "OLD"}
    read = parse_omm(as_json(MESSAGE, older))
    assert (read.table.name, read.replaced) == (("STATION",), 1)
    assert parse_omm(as_json(older, MESSAGE), duplicates="first").table.name == ("OLD",)


def test_read_elements_finds_the_form_by_content(tmp_path: Path, form: str) -> None:
    file = tmp_path / "sets"
    file.write_bytes(gzip.compress(FORMS[form](MESSAGE).encode()))
    assert read_elements(file).format == form
    assert read_elements(file).table == read_omm(file).table
    file.write_text("[ODD NAME\n" + numbered("00005"), encoding="ascii")
    assert read_elements(file).format == "tle"
    file.write_text("nothing", encoding="ascii")
    with pytest.raises(InputError, match="neither two-line element sets nor"):
        read_elements(file)
    with pytest.raises(InputError, match="no such file"):
        read_elements(tmp_path / "absent")


@pytest.mark.reference
def test_exported_catalogue_reads_the_same_in_every_form(reference_data: Path) -> None:
    file = reference_data / "topology" / "starlink_2000_20241021.tle"
    expected = read_tle(file).table
    lines = file.read_text().splitlines()
    messages = []
    for name, first, second in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        fields = exporter.export_omm(Satrec.twoline2rv(first, second), name)
        # The package prints angles after a turn through radians; the file has four decimals.
        digits = {"MEAN_MOTION": 8, "ECCENTRICITY": 7, "MEAN_MOTION_DOT": 8}
        for key, value in fields.items():
            if isinstance(value, float) and key not in {"BSTAR", "MEAN_MOTION_DDOT"}:
                fields[key] = round(value, digits.get(key, 4))
        messages.append(fields)

    def read(make: Callable[..., str]) -> ElementFile:
        return parse_omm(make(*messages))

    for make in FORMS.values():
        table = read(make).table
        assert (
            table.replace(bstar=expected.bstar, epoch_fraction=expected.epoch_fraction) == expected
        )
        # strftime cuts epochs to microseconds.
        assert abs(table.epoch_fraction - expected.epoch_fraction).max() < 2e-11
        assert abs(table.bstar / expected.bstar - 1).max() < 1e-15
