"""Where a run's scores lie: Parquet files, one row a score, each file written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from evaluation.runs.run_progress import RunProgress, read_progress
from radiographs.files import replacing

_WORDS = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        ("question", pa.string()),
        ("collection", _WORDS),
        ("film_id", pa.string()),
        ("film", pa.string()),
        ("patient", pa.string()),
        ("finding", _WORDS),
        ("classifier", _WORDS),
        ("classifier_digest", _WORDS),
        ("kind", _WORDS),
        ("method", _WORDS),
        ("parameters", _WORDS),
        ("parameters_digest", _WORDS),
        ("seed", pa.int64()),
        ("reading", _WORDS),
        ("metric", _WORDS),
        ("value", pa.float64()),
        ("chance", pa.float64()),
        ("direction", _WORDS),
        ("seconds", pa.float64()),
        ("evaluations", pa.int64()),
        ("logit", pa.float64()),
        ("area", pa.float64()),
        ("versions", _WORDS),
    ]
)
"""One row a score. ``question`` names film, classifier, finding, method, parameters and seed in 16 digits: with the
metric it is the row's key. ``film`` is the film's digest, ``patient`` a pseudonym, ``area`` the share of the film that
the expert outlined, ``value`` null where the score is undefined."""
FAILURES = pa.schema(
    [
        (name, pa.string())
        for name in ("question", "collection", "film_id", "finding", "classifier", "method", "metric", "reason")
    ]
)
"""One row a score that could not be had, with the reason; an empty ``metric`` stands for the whole map."""
FILMS = pa.schema([(name, pa.string()) for name in ("collection", "film_id", "film", "doubt")])
"""One row a film and a doubt of its reader's, by its code; an empty ``doubt`` stands for none."""
_TABLES = {"scores": SCHEMA, "failures": FAILURES, "films": FILMS}


class StoreError(OSError):
    """Results cannot be read or written. The message says which file, why and what to do."""


class Store:
    """The folder of one run.

    Args:
        folder: holds ``scores/``, ``failures/``, ``films/`` (Parquet), ``maps/`` (.npz), ``plan.toml`` and
            ``status.json``.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    @property
    def scores_folder(self) -> Path:
        """Where the score files lie."""
        return self.folder / "scores"

    def make(self) -> None:
        """Make the folders.

        Raises:
            StoreError: they cannot be made.
        """
        try:
            for name in (*_TABLES, "maps"):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"the folder {self.folder} cannot be made: {error.strerror}") from error

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder, so that no second run writes into it; the hold ends with the process, however it ends.

        Raises:
            StoreError: a run writes into it now.
        """
        self.make()
        with open(self.folder / "lock", "a") as file:
            # Whoever looks whether the folder is busy holds it for an instant.
            if not any(_locked(file, wait) for wait in (0, 0.1, 0.3, 1)):
                raise StoreError(f"another run writes into {self.folder} now; wait for it or stop it first")
            yield

    @property
    def busy(self) -> bool:
        """Whether a run writes into the folder now."""
        try:
            with open(self.folder / "lock") as file:
                return not _locked(file, shared=True)
        except FileNotFoundError:
            return False

    def write(
        self,
        scores: Sequence[pa.Table],
        failures: Sequence[Mapping[str, str]],
        maps: Mapping[str, bytes],
        films: Sequence[Mapping[str, str]] = (),
    ) -> None:
        """Add scores, failures, maps and what is known of films: scores last, so that none stands without the rest.

        Raises:
            StoreError: the disk is full or cannot be written; no file is left half-written.
        """
        for question, content in maps.items():
            self._replace(self.folder / "maps" / f"{question}.npz", partial(Path.write_bytes, data=content))
        name = f"part-{uuid.uuid4().hex}.parquet"
        for folder, rows in (("films", films), ("failures", failures)):
            if rows:
                table = pa.Table.from_pylist([*rows], schema=_TABLES[folder])
                self._write_table(self.folder / folder / name, table)
        whole = [table for table in scores if table.num_rows]
        if whole:
            self._write_table(self.scores_folder / name, pa.concat_tables(whole).unify_dictionaries())

    def write_text(self, name: str, text: str) -> None:
        """Write a text file of the folder, whole or not at all."""
        self._replace(self.folder / name, lambda path: path.write_text(text, encoding="utf-8"), durable=False)

    def _write_table(self, path: Path, table: pa.Table) -> None:
        self._replace(path, lambda fresh: pq.write_table(table, fresh, compression="zstd"))

    def _replace(self, path: Path, fill: Callable[[Path], object], durable: bool = True) -> None:
        try:
            with replacing(path, durable=durable) as fresh:
                fill(fresh)
        except OSError as error:
            why = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else (error.strerror or str(error))
            raise StoreError(
                f"results cannot be written to {path.parent}: {why}. What was written before is whole; mend this and "
                "start the run again"
            ) from error

    def answered(self) -> dict[str, frozenset[str]]:
        """For each question that has scores: the metrics it has.

        Raises:
            StoreError: a score file is damaged.
        """
        sql = "SELECT question, list_sort(list(DISTINCT metric)) FROM scores GROUP BY question"
        sets: dict[tuple[str, ...], frozenset[str]] = {}
        found = {}
        for question, names in self._rows(sql):
            key = tuple(names)
            found[question] = sets.setdefault(key, frozenset(key))
        return found

    def failed(self) -> dict[str, frozenset[str]]:
        """For each question that failed and has not been answered since: the metrics, or "" for all of them."""
        found: dict[str, frozenset[str]] = {}
        for row in self.failures().to_dict("records"):
            found[row["question"]] = found.get(row["question"], frozenset()) | {row["metric"]}
        return found

    def failures(self) -> pd.DataFrame:
        """What failed and has not been answered since: the columns of ``FAILURES``, each once."""
        table = self.query(
            "SELECT DISTINCT ON (question, metric) * FROM failures f WHERE NOT EXISTS (SELECT 1 FROM scores s "
            "WHERE s.question = f.question AND (f.metric = '' OR s.metric = f.metric)) ORDER BY question, metric"
        )
        return table[FAILURES.names]

    def __repr__(self) -> str:
        """One line: the folder's name and what the run last said of itself."""
        said = self.status()
        return f"Store({self.folder.name}, {said.state if said else 'not run yet'})"

    def to_frame(self) -> pd.DataFrame:
        """All scores of the run: one row a score, the columns those of ``SCHEMA``.

        Raises:
            StoreError: a score file is damaged.
        """
        return self.query("SELECT * FROM scores")

    def query(self, sql: str, given: Sequence[object] = ()) -> pd.DataFrame:
        """Answer a question in SQL over the views ``scores``, ``failures`` and ``films``.

        Raises:
            StoreError: a file is damaged.
        """
        with self._readable(), self._connected() as connection:
            return connection.execute(sql, list(given)).df()

    def _rows(self, sql: str) -> Iterator[tuple[Any, ...]]:
        with self._readable(), self._connected() as connection:
            answer = connection.execute(sql)
            while rows := answer.fetchmany(10_000):
                yield from rows

    @contextlib.contextmanager
    def _connected(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb.connect(config={"threads": 1}) as connection:
            for name, schema in _TABLES.items():
                files = self._files(name)
                if files:
                    connection.read_parquet(files).create_view(name)
                else:
                    empty = schema.empty_table()
                    connection.register(name, empty)
            yield connection

    def _files(self, table: str) -> list[str]:
        return sorted(str(path) for path in (self.folder / table).glob("part-*.parquet"))

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            # When duckdb notices damage, and by which error, differs by version; so each file is read by itself.
            for path, why in ((path, _damage(path, _TABLES[name])) for name in _TABLES for path in self._files(name)):
                if why:
                    raise StoreError(f"{path} is damaged ({why}); remove it and start the run again") from error
            raise

    def status(self) -> RunProgress | None:
        """What the run last said of itself; None where it said nothing yet."""
        return read_progress(self.folder / "status.json")


def _locked(file: IO[str], wait: float = 0, shared: bool = False) -> bool:
    import fcntl

    time.sleep(wait)
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _damage(path: str, schema: pa.Schema) -> str:
    """Why a file cannot be read whole, "" where it can."""
    try:
        with duckdb.connect(config={"threads": 1}) as connection:
            sql = f"SELECT bit_xor(hash({', '.join(schema.names)})) FROM read_parquet(?)"
            connection.execute(sql, [path]).fetchall()
    except Exception as error:  # of duckdb's own, ValueError, RuntimeError: see Store._readable
        return next(iter(str(error).splitlines()), "") or type(error).__name__
    return ""
