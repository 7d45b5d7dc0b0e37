"""Rows of CSV tables, plain, gzipped or zipped, with messages that name file and line."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import math
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from radiographs.annotation_readers.geometry import FARTHEST, Box
from radiographs.errors import AnnotationError
from radiographs.film_readers.orientation import Shape

_MAX_BYTES = 256 * 2**20
_LONGEST_LINE = 2**20
_MOST_LINES = 1_000_000
_NOTHING = ("", "nan", "na", "none", "null")


@dataclass(frozen=True)
class Row:
    """One line of a table; columns are known by the name that the reader gave them."""

    source: str
    line: int
    cells: dict[str, str]
    decimal_comma: bool = False

    @property
    def where(self) -> str:
        """The line, for messages."""
        return f"line {self.line}"

    def fail(self, problem: str) -> AnnotationError:
        """An error that names file and line."""
        return AnnotationError(f"{self.source}, line {self.line}: {problem}")

    def text(self, column: str) -> str:
        """A cell's text without outer spaces; empty where the table has no such column."""
        return self.cells.get(column, "")

    def name(self, column: str) -> str:
        """A cell that must not be empty.

        Raises:
            AnnotationError: it is.
        """
        if not self.text(column):
            raise self.fail(f"the column {column} is empty")
        return self.text(column)

    def number(self, column: str) -> float:
        """A cell as a finite number.

        Raises:
            AnnotationError: it is none.
        """
        text = self.text(column)
        try:
            value = float(text.replace(",", ".") if self.decimal_comma and text.count(",") == 1 else text)
        except ValueError:
            value = math.nan
        if not abs(value) <= FARTHEST:
            raise self.fail(f"{column} should be a number, found {self.text(column)[:40]!r}")
        return value

    def is_empty(self, *columns: str) -> bool:
        """Whether all these cells are empty, as they are where readers looked and outlined nothing."""
        return all(self.text(column).casefold() in _NOTHING for column in columns)

    def box(self, x: float, y: float, width: float, height: float, frame: Shape | None) -> Box:
        """A box, clipped to its frame.

        Raises:
            AnnotationError: it is empty or lies outside the frame.
        """
        if width <= 0 or height <= 0:
            raise self.fail(f"the box is empty: width {width:g}, height {height:g}")
        right, bottom = (math.inf, math.inf) if frame is None else (frame[1], frame[0])
        left, top = max(x, 0.0), max(y, 0.0)
        width, height = min(x + width, right) - left, min(y + height, bottom) - top
        if width <= 0 or height <= 0:
            raise self.fail("the box lies outside the film")
        return Box(left, top, width, height)


def read_rows(path: Path, columns: Mapping[str, tuple[str, ...]], optional: tuple[str, ...] = ()) -> Iterator[Row]:
    """Yield the rows of a table.

    Args:
        path: CSV file with a header line; comma, semicolon or tab; plain, gzip, or a zip of one file.
        columns: name of each column -> the headers that it may have, compared without case, spaces and punctuation.
        optional: names of columns that may be missing.

    Raises:
        AnnotationError: the file cannot be read, or a column is missing.
    """
    text = read_text(path)
    delimiter = _delimiter(text[:_LONGEST_LINE].split("\n", 1)[0])
    lines = csv.reader(_lines(text, path.name), delimiter=delimiter)
    try:
        header = next(lines, [])
        places = _places(path.name, header, columns, optional)
        for cells in lines:
            if any(cell.strip() for cell in cells):
                found = {name: cells[at].strip() for name, at in places.items() if at < len(cells)}
                yield Row(path.name, lines.line_num, found, decimal_comma=delimiter != ",")
    except csv.Error as error:
        raise AnnotationError(f"{path.name}, line {lines.line_num}: this is not a line of a CSV table") from error


def _lines(text: str, source: str) -> Iterator[str]:
    """The lines of a table, of which neither the number nor the length is out of bounds."""
    if text.count("\n") > _MOST_LINES:
        raise AnnotationError(f"{source}: the table has more than {_MOST_LINES:,} lines; split it")
    for number, line in enumerate(io.StringIO(text, newline=""), start=1):
        if len(line) > _LONGEST_LINE:
            raise AnnotationError(f"{source}, line {number}: this is not a line of a CSV table")
        yield line


def read_text(path: Path) -> str:
    """Text of a plain, gzipped or zipped file, in UTF-8, UTF-16 or, as Excel writes it, Windows-1252.

    Raises:
        AnnotationError: it cannot be read, is too large or is no text.
    """
    try:
        with path.open("rb") as stream:
            magic = stream.read(4)
        if magic[:2] == b"\x1f\x8b":
            with gzip.open(path) as packed:
                data = packed.read(_MAX_BYTES + 1)
        elif magic == b"PK\x03\x04":
            data = _single_member(path)
        else:
            with path.open("rb") as stream:
                data = stream.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise AnnotationError(f"{path.name} is larger than {_MAX_BYTES // 2**20} MB")
        return _decoded(data)
    except UnicodeDecodeError as error:
        raise AnnotationError(f"{path.name} is not UTF-8 text, nor in another encoding that can be told") from error
    except FileNotFoundError as error:
        raise AnnotationError(f"there is no file {path.name}") from error
    except AnnotationError:
        raise
    except Exception as error:  # what gzip, zipfile and zlib raise for damage has no common base
        raise AnnotationError(f"{path.name} cannot be opened, or is damaged") from error


def _decoded(data: bytes) -> str:
    """Text by its byte order mark, else UTF-8, else Windows-1252 where it can be no other; control codes are none.

    Raises:
        UnicodeDecodeError: it is no text in any of them.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    if b"\0" in data[1:2] and b"\0" not in data[:1]:
        return data.decode("utf-16-le")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        if any(byte < 32 and byte not in b"\t\n\r" for byte in data[:4096]):
            raise
        return data.decode("cp1252")


def header_of(path: Path) -> tuple[str, ...]:
    """Names of a table's columns, without case, spaces and punctuation.

    Raises:
        AnnotationError: the file cannot be read.
    """
    first = read_text(path).split("\n", 1)[0][:_LONGEST_LINE]
    try:
        return tuple(plain_header(cell) for cell in next(csv.reader([first], delimiter=_delimiter(first)), []))
    except csv.Error as error:
        raise AnnotationError(f"{path.name}, line 1: this is not a line of a CSV table") from error


def _delimiter(first: str) -> str:
    return max(",;\t", key=first.count)


def _single_member(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX")]
        if len(names) != 1:
            raise AnnotationError(f"{path.name} should hold one table, found {len(names)} files")
        with archive.open(names[0]) as member:
            return member.read(_MAX_BYTES + 1)


def plain_header(header: str) -> str:
    """A column's name without case, spaces and punctuation, as columns are compared."""
    return re.sub(r"[^a-z0-9]", "", header.casefold())


def _places(
    source: str, header: list[str], columns: Mapping[str, tuple[str, ...]], optional: tuple[str, ...]
) -> dict[str, int]:
    """Where each column stands in the header."""
    found = {plain_header(cell): at for at, cell in reversed(list(enumerate(header)))}
    places = {}
    for name, spellings in columns.items():
        at = next((found[plain_header(spelling)] for spelling in spellings if plain_header(spelling) in found), None)
        if at is not None:
            places[name] = at
        elif name not in optional:
            raise AnnotationError(
                f"{source}: the header has no column {spellings[0]!r}; found {', '.join(header)[:200] or 'nothing'}"
            )
    return places
