"""Damaged MPS files end in one clear line, in bounded time and memory, or read as a model."""

from __future__ import annotations

import random
import tracemalloc
from pathlib import Path

import pytest
from tests.instances.test_mps import EXAMPLE, FIXED

from leotrek_opt.errors import InputError
from leotrek_opt.instances.mps import read_mps

TOKENS = (
    *(
        "ROWS",
        "COLUMNS",
        "RHS",
        "RANGES",
        "BOUNDS",
        "ENDATA",
        "OBJSENSE",
        "OBJNAME",
        "NAME",
        "SOS1",
    ),
    *("N", "E", "L", "G", "UP", "LO", "FX", "FR", "MI", "PL", "BV", "LI", "UI", "SC", "XX"),
    *("'MARKER'", "'INTORG'", "'INTEND'", "x", "y", "budget", "RHS", "BND", "MAX", "*", "$", '"'),
    *("0", "-1", "1e30", "-1e30", "inf", "nan", "1e400", "1e-400", "9" * 40, "0." + "1" * 40),
    *("1e99999999999", "1/3", "1_0", "0x1", "--1", "1d5", ".", "e5", "\u0660", "\x00", "\u2003"),
    *("1e-300", "12345678.123456789", "\n", "\t", "    ", "RHS\n", "\r"),
)
PEAK_MIB = 64 + 8
"""A file is read into a buffer of the largest size allowed."""
SEEDS = (EXAMPLE, FIXED)


def damaged(rng: random.Random) -> bytes:
    """Damage an example a little, often several times."""
    text = rng.choice(SEEDS)
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        lines = text.split("\n")
        at = rng.randrange(len(lines))
        action = rng.randrange(8)
        if action == 0:
            fields = lines[at].split(" ")
            fields[rng.randrange(len(fields))] = rng.choice(TOKENS)
            lines[at] = " ".join(fields)
        elif action == 1:
            lines.insert(at, lines[rng.randrange(len(lines))])
        elif action == 2:
            del lines[at]
        elif action == 3:
            other = rng.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        elif action == 4:
            lines[at] += " " + rng.choice(TOKENS)
        elif action == 5:
            lines[at] = lines[at][: rng.randrange(len(lines[at]) + 1)]
        elif action == 6:
            lines[at] = lines[at].lstrip() if rng.randrange(2) else "   " + lines[at]
        else:
            place = rng.randrange(len(text) + 1)
            lines = (text[:place] + rng.choice(TOKENS) + text[place + rng.randrange(3) :]).split(
                "\n"
            )
        text = "\n".join(lines)
    data = bytearray(text.encode("utf-8"))
    if rng.randrange(6) == 0 and data:
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def check(path: Path, seeds: range) -> int:
    """Read damaged files; return how many of them were refused."""
    refused = 0
    for seed in seeds:
        path.write_bytes(damaged(random.Random(seed)))
        try:
            model = read_mps(path)
        except InputError as error:
            refused += 1
            message = str(error)
        else:
            message = f"{path}: read"
            assert model.linear.n_variables == len(model.column_names), seed
        assert message.startswith(f"{path}: "), seed
        assert "\n" not in message, seed
    return refused


def test_damaged_files_are_refused_or_read(tmp_path: Path) -> None:
    refused = check(tmp_path / "fuzz.mps", range(500))
    assert 200 < refused < 480


def test_damaged_files_take_little_memory(tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        check(tmp_path / "fuzz.mps", range(500, 600))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < PEAK_MIB * 2**20


@pytest.mark.slow
def test_many_damaged_files_are_refused_or_read(tmp_path: Path) -> None:
    refused = check(tmp_path / "fuzz.mps", range(1000, 26_000))
    assert 5_000 < refused < 24_000


@pytest.mark.slow
def test_large_files_take_memory_in_proportion(tmp_path: Path) -> None:
    """A quarter of a million entries, which are about five megabytes of text."""
    path = tmp_path / "large.mps"
    rows = "\n".join(f" L r{row}" for row in range(500))
    columns = "\n".join(
        f" c{column} r{row} {row % 7}.25" for column in range(500) for row in range(500)
    )
    path.write_text(f"NAME\nROWS\n N obj\n{rows}\nCOLUMNS\n{columns}\nENDATA\n", encoding="utf-8")
    tracemalloc.start()
    try:
        model = read_mps(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert model.linear.n_nonzeros == 250_000
    assert peak < 30 * path.stat().st_size
