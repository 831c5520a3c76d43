"""How many readings each snapshot holds, told from the manifest alone."""

from warehouse.sqlite import Database


def readings(database: Database) -> dict[int, int]:
    """Return the number of readings that each snapshot holds, by its id, without opening a file.

    Exact for every snapshot whose files are all there; those that are gone are left out.
    """
    with database.reading() as connection:
        rows = connection.execute(
            "WITH moves AS (SELECT added_in AS id, rows AS more FROM files WHERE kind = 'readings' UNION ALL"
            " SELECT ended_in, -rows FROM files WHERE kind = 'readings' AND ended_in IS NOT NULL),"
            " sums AS (SELECT s.id, s.gone, coalesce(sum(m.more), 0) AS more FROM snapshots s"
            " LEFT JOIN moves m ON m.id = s.id GROUP BY s.id)"
            " SELECT id, gone, sum(more) OVER (ORDER BY id) FROM sums"
        ).fetchall()
    return {int(id_): int(held) for id_, gone, held in rows if not gone}
