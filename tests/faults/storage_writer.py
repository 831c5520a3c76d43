"""Writes to a home in a process of its own, to be killed or to be read against.

Arguments: the home and what to do. ``ingest FIRST`` makes writes from that number on and prints each number
once it is acknowledged; ``big`` ingests one large batch; ``repair BACKUP`` repairs; ``compact`` tidies once;
``tidy`` does so again and again. Each prints ``ready`` before it begins and waits for a line on standard
input.
"""

import sys
from datetime import timedelta
from itertools import count
from pathlib import Path

from stored_truth import NOW, START, batch, write

from warehouse import merged_files, staging
from warehouse.home import Warehouse

BIG = 60_000


def big_rows() -> list[tuple[str, object, float]]:
    """Return new readings and corrections of stored ones, of two months."""
    return [
        ("Pump 7/temperature", START + timedelta(seconds=90 * index), -1.0 - index % 7)
        for index in range(BIG)
    ]


def acknowledge(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def main(root: str, work: str, *more: str) -> None:
    home = Warehouse.open(Path(root))
    # Small pieces, so that much of an ingest is spent with files that are begun and not named yet.
    staging.MEMORY_ROWS = staging.CHUNK_ROWS = 5_000
    merged_files.FILE_ROWS = 10_000
    big = batch(big_rows()) if work == "big" else None
    acknowledge("ready")
    sys.stdin.readline()
    if work == "ingest":
        for number in count(int(more[0])):
            write(home, number)
            acknowledge(number)
    elif big is not None:
        home.ingest(big, at=NOW, actor="ada")
        acknowledge("done")
    elif work == "repair":
        home.repair(at=NOW, actor="ada", backup=Path(more[0]))
        acknowledge("done")
    elif work == "compact":
        home.tidy(now=NOW)
        acknowledge("done")
    else:
        for number in count():
            home.tidy(now=NOW)
            acknowledge(number)


if __name__ == "__main__":
    main(*sys.argv[1:])
