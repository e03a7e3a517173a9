"""Change bytes and text, anywhere and in ways that have hurt parsers before."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable, Sequence

EXTREME_BYTES = (
    b"\0",
    b"\xff",
    b"\x80",
    b"\x7f",
    b"\xff" * 2,
    b"\xff" * 4,
    b"\0" * 4,
    struct.pack("<i", 0x7FFFFFFF),
    struct.pack("<i", -0x80000000),
    struct.pack("<i", -2),
    struct.pack("<q", 1 << 40),
)
EXTREME_NUMBERS = (
    "-1",
    "0",
    "1",
    "2147483647",
    "2147483648",
    "-9223372036854775809",
    "18446744073709551616",
    "1e308",
    "1e999",
    "-1e-999",
    "nan",
    "inf",
    "0x10",
    "1_000",
    "00",
    "1.5",
    "",
    "9" * 400,
    "\u0661\u0662",
)
ODD_TEXT = (
    "\0",
    "\ufeff",
    "\r",
    "\r\n",
    "\t",
    "\u2028",
    "\x1b[31m",
    "\u202e",
    "\ud7ff",
    "'",
    '"',
    '"""',
    "\\",
    "#",
    "=",
    "[[",
    "]]",
    "{}",
    ",",
    ";",
    "../../x",
    "A" * 3000,
    "<script>",
    "%s%n",
    "null",
    "true",
    "[" * 3000,
)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE]-?\d+)?")
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")

Pick = random.Random


def seeded(seed: int) -> Pick:
    """Make a generator of one's own: the same seed gives the same changes."""
    return random.Random(seed)  # noqa: S311 - it draws damage, no secrets


def change_bytes(data: bytes, pick: Pick) -> bytes:
    """Change, insert, repeat, move or cut off a few bytes."""
    changed = bytearray(data)
    for _ in range(pick.choice((1, 1, 1, 2, 3, 8))):
        if not changed:
            break
        at = pick.randrange(len(changed))
        how = pick.randrange(12)
        if how < 3:
            changed[at] ^= 1 << pick.randrange(8)
        elif how < 5:
            changed[at] = pick.randrange(256)
        elif how < 8:
            value = pick.choice(EXTREME_BYTES)
            changed[at : at + len(value)] = value
        elif how == 8:
            del changed[at : at + pick.choice((1, 2, 4, 16, 300))]
        elif how == 9:
            changed[at:at] = pick.randbytes(pick.choice((1, 2, 4, 40)))
        elif how == 10:
            stop = at + pick.choice((4, 40, 400))
            changed[at:at] = changed[at:stop]
        else:
            del changed[at:]
    return bytes(changed)


def change_text(text: str, pick: Pick) -> bytes:
    """Change a file of text by its numbers, words, lines, fields and encoding."""
    for _ in range(pick.choice((1, 1, 1, 2, 4))):
        text = pick.choice(TEXT_CHANGES)(text, pick)
    return _encode(text, pick)


def same_meaning(text: str, pick: Pick) -> bytes:
    """Write the text in another way that says the same."""
    how = pick.randrange(4)
    if how == 0:
        return b"\xef\xbb\xbf" + text.encode()
    if how == 1:
        return text.replace("\n", "\r\n").encode()
    if how == 2:
        return b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()
    return text.rstrip("\n").encode()


def _encode(text: str, pick: Pick) -> bytes:
    how = pick.randrange(30)
    if how == 0:
        return text.encode("utf-16", "replace")
    if how == 1:
        return text.encode("latin-1", "replace") + b"\xe9\xff"
    if how == 2:
        return change_bytes(text.encode("utf-8", "replace"), pick)
    if how == 3:
        return b"\xef\xbb\xbf" + text.encode("utf-8", "replace")
    return text.encode("utf-8", "replace")


def _change_match(pattern: re.Pattern[str], others: Sequence[str]) -> TextChange:
    def change(text: str, pick: Pick) -> str:
        found = list(pattern.finditer(text))
        if not found:
            return text
        where = pick.choice(found)
        value = pick.choice(others) if pick.random() < 0.7 else pick.choice(found)[0]
        return text[: where.start()] + value + text[where.end() :]

    return change


def _nudge_number(text: str, pick: Pick) -> str:
    found = list(re.finditer(r"\d+", text))
    if not found:
        return text
    where = pick.choice(found)
    value = str(max(int(where[0][:18]) + pick.choice((-100, -1, 1, 7)), 0))
    return text[: where.start()] + value + text[where.end() :]


def _insert(text: str, pick: Pick) -> str:
    at = pick.randrange(len(text) + 1)
    return text[:at] + pick.choice(ODD_TEXT) + text[at:]


def _delete(text: str, pick: Pick) -> str:
    at = pick.randrange(len(text) + 1)
    return text[:at] + text[at + pick.choice((1, 1, 2, 8, 100)) :]


def _move_lines(text: str, pick: Pick) -> str:
    lines = text.splitlines(keepends=True)
    if not lines:
        return text
    at, to = pick.randrange(len(lines)), pick.randrange(len(lines))
    how = pick.randrange(4)
    if how == 0:
        lines[at], lines[to] = lines[to], lines[at]
    elif how == 1:
        lines.insert(to, lines[at])
    elif how == 2:
        del lines[at]
    else:
        lines[at:] = []
    return "".join(lines)


def _change_fields(text: str, pick: Pick) -> str:
    lines = text.splitlines(keepends=True)
    if not lines:
        return text
    at = pick.randrange(len(lines))
    mark = "\t" if "\t" in lines[at] else ","
    fields = lines[at].split(mark)
    one = pick.randrange(len(fields))
    how = pick.randrange(5)
    if how == 0:
        fields[one] = ""
    elif how == 1:
        del fields[one]
    elif how == 2:
        fields.insert(one, pick.choice(fields))
    elif how == 3:
        fields[one] = pick.choice((*EXTREME_NUMBERS, *ODD_TEXT))
    else:
        lines[at] = lines[at].replace(mark, " ")
        return "".join(lines)
    lines[at] = mark.join(fields)
    return "".join(lines)


def _swap_letter(text: str, pick: Pick) -> str:
    at = pick.randrange(len(text) + 1)
    return text[:at] + pick.choice("ACGTNacgt*.<>[]+-:/|;~") + text[at + 1 :]


TextChange = Callable[[str, Pick], str]
TEXT_CHANGES: tuple[TextChange, ...] = (
    _change_match(NUMBER, EXTREME_NUMBERS),
    _change_match(WORD, ODD_TEXT),
    _nudge_number,
    _nudge_number,
    _insert,
    _delete,
    _move_lines,
    _change_fields,
    _swap_letter,
)
