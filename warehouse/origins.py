"""Which ingests may have brought the readings of a file, so that a person knows what to repeat."""

from typing import Final

from warehouse.batches import Batch, batches
from warehouse.files import File
from warehouse.instants import microseconds
from warehouse.sqlite import Database

_ALL: Final = 2**31


def ingests_of(database: Database, file: File) -> tuple[Batch, ...]:
    """Return the ingests that may have brought readings of `file`, newest first.

    They are of a source of its sensors and were stored before it was written; where the files that an
    ingest wrote are still known, one of them must meet its span.
    """
    with database.reading() as connection:
        sources = {
            source
            for (source,) in connection.execute(
                "SELECT DISTINCT assets.source FROM sensors JOIN assets ON assets.id = sensors.asset_id"
                " WHERE sensors.id BETWEEN ? AND ?",
                (file.sensor_min, file.sensor_max),
            )
        }
        known = dict(
            connection.execute(
                "SELECT added_in, max(start_us < ? AND end_us > ? AND sensor_min <= ? AND sensor_max >= ?)"
                " FROM files WHERE kind = 'readings' GROUP BY added_in",
                (microseconds(file.end), microseconds(file.start), file.sensor_max, file.sensor_min),
            ).fetchall()
        )
    return tuple(
        one
        for one in batches(database, _ALL)
        if one.source in sources
        and one.snapshot_id is not None
        and one.snapshot_id <= file.added_in
        and one.added + one.replaced
        and known.get(one.snapshot_id, 1)
    )
