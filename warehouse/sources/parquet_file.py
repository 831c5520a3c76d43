"""Opening a Parquet file that someone else wrote: by its content, within limits, one clear error."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.errors import SourceError
from warehouse.sources.headers import MAX_COLUMNS

MAGIC: Final = b"PAR1"
ENCRYPTED: Final = b"PARE"
MAX_BYTES: Final = 64 * 1024**3

# What the footer may claim before anything is allocated for it.
_STRINGS: Final = 64 * 1024**2
_ITEMS: Final = 4_000_000


def is_parquet(path: Path) -> bool:
    """Tell by its first bytes whether a file is Parquet; the name does not count."""
    try:
        with path.open("rb") as file:
            return file.read(4) in {MAGIC, ENCRYPTED}
    except OSError:
        return False


@contextmanager
def opened(path: Path, name: str, max_bytes: int | None = None) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file; what is found to be wrong with it inside the `with` block is a `SourceError`, too.

    Raises
    ------
    SourceError
        The file can't be read, is too large, encrypted, cut off or damaged, or has too many columns.
    """
    limit = MAX_BYTES if max_bytes is None else max_bytes
    try:
        _check_ends(path, name, limit)
        with _open(path, name) as file:
            if file.metadata.num_columns > MAX_COLUMNS:
                raise SourceError(
                    f"{name}: {file.metadata.num_columns} columns, at most {MAX_COLUMNS} are read"
                )
            yield file
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.strerror:
            raise SourceError(f"{name}: can't be read ({error.strerror})") from error
        # Arrow tells of damage as an OSError, too; of a size that a damaged page claims as lack of memory.
        raise _damaged(name, error) from error


def frames(file: pq.ParquetFile, name: str, columns: list[str], rows: int) -> Iterator[pl.DataFrame]:
    """Yield columns piece by piece, at most `rows` rows each, whatever the size of the row groups.

    Raises
    ------
    SourceError
        Columns can't be told apart, or a damaged page that happened to be read holds what no frame can.
    """
    for piece in file.iter_batches(rows, columns=columns):
        if piece.schema.names != columns:
            raise SourceError(f"{name}: its columns can't be told apart by name; rename double ones")
        piece.validate(full=True)
        try:
            frame = pl.DataFrame([pl.Series(one, piece.column(at)) for at, one in enumerate(columns)])
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            raise _damaged(name, error) from error
        yield frame


def _check_ends(path: Path, name: str, limit: int) -> None:
    size = path.stat().st_size
    if size > limit:
        raise SourceError(
            f"{name}: {size / 1024**2:,.0f} MiB, at most {limit / 1024**2:,.0f} are read; split it"
        )
    with path.open("rb") as raw:
        head = raw.read(4)
        raw.seek(max(0, size - 4))
        tail = raw.read(4)
    if ENCRYPTED in {head, tail}:
        raise SourceError(f"{name}: is encrypted; write it without encryption")
    if head != MAGIC:
        raise SourceError(f"{name}: is no Parquet file")
    if tail != MAGIC or size < 12:
        raise SourceError(f"{name}: is cut off: its footer is missing; copy it again")


def _open(path: Path, name: str) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(
            path,
            memory_map=False,
            buffer_size=1024**2,
            pre_buffer=False,
            page_checksum_verification=True,
            thrift_string_size_limit=_STRINGS,
            thrift_container_size_limit=_ITEMS,
        )
        # Names are decoded when they are first asked for.
        _ = file.schema_arrow.names
    # Of a damaged footer Arrow tells in whatever way it came upon it.
    except (ValueError, KeyError, MemoryError, OverflowError) as error:
        raise _damaged(name, error) from error
    return file


def _damaged(name: str, error: BaseException) -> SourceError:
    text = " ".join(str(error).split())[:160] or type(error).__name__
    return SourceError(f"{name}: is damaged or no Parquet file ({text})")
