"""A CSV file as it comes from a spreadsheet, read once for its hash and once row by row.

Never more than a piece of it is in memory. UTF-8, or else Windows' western letters; comma,
semicolon, tab or bar.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections.abc import Iterator
from typing import IO, NamedTuple

PIECE = 64 * 1024
LARGEST = 20 * 1024 * 1024
MOST_ROWS = 20_000
MOST_COLUMNS = 60
LONGEST_CELL = 500


class ImportRefused(ValueError):
    """The file cannot be read as a list; the text says why, for who uploaded it."""


class Sheet(NamedTuple):
    digest: str
    encoding: str


def look_at(file: IO[bytes]) -> Sheet:
    """The file's hash and its letters. Raises `ImportRefused` if it is no text, or too large."""
    digest, size = hashlib.sha256(), 0
    decoder, is_utf8 = codecs.getincrementaldecoder("utf-8-sig")(), True
    file.seek(0)
    while piece := file.read(PIECE):
        size += len(piece)
        if size > LARGEST:
            raise ImportRefused("The file is over 20 MB. Split it into smaller ones.")
        if b"\0" in piece:
            raise ImportRefused("This is no CSV file. In the spreadsheet choose: save as CSV.")
        digest.update(piece)
        if is_utf8:
            try:
                decoder.decode(piece)
            except UnicodeDecodeError:
                is_utf8 = False
    if not size:
        raise ImportRefused("The file is empty.")
    return Sheet(digest.hexdigest(), "utf-8-sig" if is_utf8 else "cp1252")


def read_rows(file: IO[bytes], sheet: Sheet) -> Iterator[tuple[int, list[str]]]:
    """The header, then every row that is not blank, each with its number (the header is 1)."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=sheet.encoding, errors="replace", newline="")
    try:
        yield from _rows(text)
    except csv.Error as error:
        raise ImportRefused(f"The file breaks off or is no CSV file ({error}).") from None
    finally:
        text.detach()  # the upload is Django's to close


def ranges_of(only: str) -> list[tuple[int, int]]:
    """`2-40, 57` → [(2, 40), (57, 57)]. Raises `ImportRefused` for what is no list of rows."""
    ranges = []
    for part in filter(None, only.replace(" ", "").split(",")):
        first, dash, last = part.replace("–", "-").partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise ImportRefused("Write row numbers like 2-40, 57.")
        ranges.append((int(first), int(last or first)))
    return ranges


def _rows(text: io.TextIOWrapper) -> Iterator[tuple[int, list[str]]]:
    delimiter = _delimiter(text.readline())
    text.seek(0)
    found = 0
    for number, cells in enumerate(csv.reader(text, delimiter=delimiter), start=1):
        values = [cell.strip().removeprefix("'")[:LONGEST_CELL] for cell in cells]
        if len(values) > MOST_COLUMNS:
            raise ImportRefused(f"Row {number} has over {MOST_COLUMNS} columns.")
        if not any(values):
            continue
        found += 1
        if found > MOST_ROWS + 1:
            raise ImportRefused(f"The file has over {MOST_ROWS:,} rows. Split it.")
        yield number, values


def _delimiter(line: str) -> str:
    return max(",;\t|", key=line.count)
