"""Good inputs made bad: bytes, tokens, lines, nesting and splices."""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Callable, Sequence

_TOKEN = re.compile(rb"[A-Za-z_]+|[0-9.+-]+|\s+|.", re.DOTALL)
_VALUE = re.compile(rb'"[^"\n]*"|-?[0-9][0-9.eE+-]*|(?<=>)[^<>]+(?=<)')
_VALUES: tuple[bytes, ...] = (
    *(
        b"0",
        b"1",
        b"2",
        b"-1",
        b"-0.0",
        b"0.5",
        b"1e308",
        b"1e-308",
        b"1e999",
        b"9" * 19,
        b"9" * 400,
    ),
    *(
        b'""',
        b'"0"',
        b'"x"',
        b'"1e5"',
        b'"' + b"y" * 300 + b'"',
        b'"\\u0000"',
        b'"\\ud800"',
        b'"NaN"',
    ),
    *(b"null", b"true", b"[]", b"{}", b"[[]]", b"[0,0]", b'{"Name":"SAT-A"}', b"", b" ", b"Wien"),
)
"""What may stand for a value without breaking the syntax around it."""

_COMMON: tuple[bytes, ...] = (
    *(b"0", b"-1", b"1e400", b"-1e400", b"1e-400", b"nan", b"inf", b"-0", b"9" * 30, b"9" * 5000),
    *(b"2147483648", b"9223372036854775808", b"0x1", b"1_0", b"1.", b".", b"-", b"+", b"e9"),
    *(b"null", b"true", b'""', b'"', b"'", b"\\", b"\\u0000", b"\\ud800", b"\x00", b"\xff\xfe"),
    *(b"\xef\xbb\xbf", b"\xc3\xa9", b"\xd9\xa0", b"\xe2\x80\xa8", b"\x85", b"\r", b"\n", b"\t"),
    *(b"    ", b"x" * 300, b"\x1b[31m", b"<", b">", b"&", b"&amp;", b"&x;", b"<!--", b"-->"),
    *(b"<![CDATA[", b"]]>", b"<?x?>", b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"[", b"]", b"{", b"}"),
    *(b",", b":", b";", b"=", b"(", b")", b"#", b"../../x", b"2024-02-30T00:00:00", b"1e5"),
)
_NESTS = (
    (b"[", b"]"),
    (b"{", b"}"),
    (b'{"a":', b"}"),
    (b"<a>", b"</a>"),
    (b"(", b")"),
    (b'"', b'"'),
)
_DEPTHS = (1, 2, 3, 10, 70, 300, 2000)

MAX_BYTES = 200_000
"""Doubling ends here."""


class Damage:
    """Makes inputs from seeds.

    Parameters
    ----------
    seeds
        Good inputs.
    tokens
        Words of the format.
    """

    def __init__(self, seeds: Sequence[bytes], tokens: Sequence[bytes]) -> None:
        self.seeds = tuple(seeds)
        self._tokens = (*_COMMON, *tokens, *tokens)
        self._kinds: tuple[Callable[[random.Random, bytes], bytes], ...] = (
            self._flip_bits,
            self._set_byte,
            self._delete,
            self._insert_token,
            self._insert_token,
            self._replace_token,
            self._replace_token,
            self._replace_value,
            self._replace_value,
            self._replace_value,
            self._swap_values,
            self._swap_tokens,
            self._double,
            self._move_line,
            self._double_line,
            self._delete_line,
            self._cut,
            self._nest,
            self._splice,
        )

    def input(self, key: str) -> bytes:
        """Return a damaged input that follows from a key alone.

        Parameters
        ----------
        key
            Any text.

        Returns
        -------
        bytes
            One seed, damaged one to six times, now and then compressed and damaged again.
        """
        rng = random.Random(key)
        data = rng.choice(self.seeds)
        for _ in range(rng.choice((1, 1, 2, 3, 6))):
            data = rng.choice(self._kinds)(rng, data)[:MAX_BYTES]
        if rng.randrange(50) == 0:
            data = gzip.compress(data, 1, mtime=0)
            if rng.randrange(2):
                data = rng.choice((self._flip_bits, self._delete, self._cut))(rng, data)
        return data

    @staticmethod
    def _span(rng: random.Random, data: bytes) -> tuple[int, int]:
        start = rng.randrange(len(data) + 1)
        return start, min(len(data), start + rng.choice((1, 1, 2, 5, 20, 100)))

    def _flip_bits(self, rng: random.Random, data: bytes) -> bytes:
        changed = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 8)) if data else 0):
            changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        return bytes(changed)

    def _set_byte(self, rng: random.Random, data: bytes) -> bytes:
        start = rng.randrange(len(data) + 1)
        return data[:start] + bytes([rng.randrange(256)]) + data[start + 1 :]

    def _delete(self, rng: random.Random, data: bytes) -> bytes:
        start, end = self._span(rng, data)
        return data[:start] + data[end:]

    def _insert_token(self, rng: random.Random, data: bytes) -> bytes:
        start = rng.randrange(len(data) + 1)
        return data[:start] + rng.choice(self._tokens) + data[start:]

    def _replace_token(self, rng: random.Random, data: bytes) -> bytes:
        found = _TOKEN.search(data, rng.randrange(len(data) + 1))
        if found is None:
            return data
        return data[: found.start()] + rng.choice(self._tokens) + data[found.end() :]

    def _replace_value(self, rng: random.Random, data: bytes) -> bytes:
        found = _VALUE.search(data, rng.randrange(len(data) + 1))
        if found is None:
            return data
        return data[: found.start()] + rng.choice(_VALUES) + data[found.end() :]

    def _swap_values(self, rng: random.Random, data: bytes) -> bytes:
        return self._swapped(rng, data, _VALUE)

    def _swap_tokens(self, rng: random.Random, data: bytes) -> bytes:
        return self._swapped(rng, data, _TOKEN)

    @staticmethod
    def _swapped(rng: random.Random, data: bytes, what: re.Pattern[bytes]) -> bytes:
        first = what.search(data, rng.randrange(len(data) + 1))
        if first is None:
            return data
        second = what.search(data, rng.randrange(first.end(), len(data) + 1))
        if second is None:
            return data
        between = data[first.end() : second.start()]
        return data[: first.start()] + second[0] + between + first[0] + data[second.end() :]

    def _double(self, rng: random.Random, data: bytes) -> bytes:
        start, end = self._span(rng, data)
        return data[:end] + data[start:end] * rng.choice((1, 1, 2, 50)) + data[end:]

    def _move_line(self, rng: random.Random, data: bytes) -> bytes:
        lines = data.split(b"\n")
        line = lines.pop(rng.randrange(len(lines)))
        lines.insert(rng.randrange(len(lines) + 1), line)
        return b"\n".join(lines)

    def _double_line(self, rng: random.Random, data: bytes) -> bytes:
        lines = data.split(b"\n")
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))
        return b"\n".join(lines)

    def _delete_line(self, rng: random.Random, data: bytes) -> bytes:
        lines = data.split(b"\n")
        del lines[rng.randrange(len(lines))]
        return b"\n".join(lines)

    def _cut(self, rng: random.Random, data: bytes) -> bytes:
        return data[: rng.randrange(len(data) + 1)]

    def _nest(self, rng: random.Random, data: bytes) -> bytes:
        start, end = self._span(rng, data)
        left, right = rng.choice(_NESTS)
        depth = rng.choice(_DEPTHS)
        closing = right * rng.choice((depth, depth, depth - 1, 0))
        return data[:start] + left * depth + data[start:end] + closing + data[end:]

    def _splice(self, rng: random.Random, data: bytes) -> bytes:
        other = rng.choice(self.seeds)
        return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]
