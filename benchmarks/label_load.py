"""Fifty people label at once, others by command: what the store takes, how long each waits, what is lost.

    python -m benchmarks.label_load --json OUT.json

Fifty sessions write through the state's owner as browsers do, each the next act as soon as the last is
stored; meanwhile other processes post theirs as `telltale label` does. Every verdict says what its person had
seen on the event: who was slower than another person looks again and gives theirs again. The reference is the
same sessions one after the other. Lost updates are acknowledged acts that the log does not hold as they were
given, and last words of a person on an event that are not in force.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks import tables
from benchmarks.label_sessions import Look, Session, Write, fill, new_id, wrong
from warehouse.documents import JSON
from warehouse.home import Warehouse
from warehouse.state.owner import StateOwner
from warehouse.state.post import post
from warehouse.state.published import read_labels

PERCENTILES: Final = (50, 95, 99)

Figures = dict[str, float | int | str]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark, or one process of it that posts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--acts", type=int, default=20, help="of each session")
    parser.add_argument("--processes", type=int, default=4, help="that post at the same time")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--post", type=Path, metavar="HOME", help="be one of these processes")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if options.post is not None:
        _posting(options.post, options.acts, options.seed)
        return
    with tempfile.TemporaryDirectory() as folder:
        reference = one_after_the_other(Path(folder) / "reference", options.sessions, options.acts)
        figures = at_once(Path(folder) / "load", options.sessions, options.acts, options.processes)
    figures |= {f"alone_{name}": value for name, value in reference.items()}
    _show(figures)
    tables.write(options.json, figures)


def one_after_the_other(folder: Path, sessions: int, acts: int) -> Figures:
    """Return what each write takes when nobody else writes."""
    home = Warehouse.open(folder)
    fill(home)
    people = [Session(f"person {number}") for number in range(sessions)]
    with StateOwner(home, clock=_now) as owner:
        owner.start_thread()
        begun = time.perf_counter()
        for number, session in enumerate(people):
            session.work(_writer(owner), _screen(owner), acts, number)
        took_s = time.perf_counter() - begun
    home.close()
    return _figures(people, took_s)


def at_once(folder: Path, sessions: int, acts: int, processes: int) -> Figures:
    """Return what each write takes when all write at once, and what is wrong in the end."""
    home = Warehouse.open(folder)
    fill(home)
    people = [Session(f"person {number}") for number in range(sessions)]
    with StateOwner(home, clock=_now) as owner:
        owner.start_thread()
        posters = [_poster(folder, number, acts) for number in range(processes)]
        # They have read what there is, and are about to post: what they need to start is not measured.
        for poster in posters:
            _line(poster)
        threads = [
            threading.Thread(target=session.work, args=(_writer(owner), _screen(owner), acts, number))
            for number, session in enumerate(people)
        ]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took_s = time.perf_counter() - begun
        posted = [_answer(poster, number) for number, poster in enumerate(posters)]
        posted_s = time.perf_counter() - begun
        lost, unknown = wrong(owner, [*people, *posted])
    home.close()
    figures: Figures = {
        "sessions_count": sessions,
        "processes_count": processes,
        "conflicts_count": sum(session.conflicts for session in [*people, *posted]),
        "lost_updates": lost,
        "doubled_updates": unknown,
    }
    return figures | _figures(people, took_s) | _figures(posted, posted_s, "posted_")


def _writer(owner: StateOwner) -> Write:
    def write(kind: str, payload: Mapping[str, JSON], person: str) -> dict[str, JSON]:
        return owner.write(kind, payload, actor=person, write_id=new_id())

    return write


def _screen(owner: StateOwner) -> Look:
    def look(event_id: str) -> int | None:
        found = owner.query("SELECT max(label_id) AS newest FROM label_log WHERE event_id = ?", [event_id])
        newest: int | None = found["newest"].item()
        return newest

    return look


def _poster(folder: Path, number: int, acts: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "benchmarks.label_load", "--post", str(folder)]
    return subprocess.Popen(
        [*command, "--seed", str(1000 + number), "--acts", str(acts)], stdout=subprocess.PIPE, text=True
    )


def _posting(folder: Path, acts: int, seed: int) -> None:
    home, session = Warehouse.open(folder), Session(f"by command {seed}")

    def write(kind: str, payload: Mapping[str, JSON], person: str) -> dict[str, JSON]:
        return post(home, kind, payload, actor=person, clock=_now, timeout=120, write_id=new_id())

    def look(event_id: str) -> int | None:
        known = read_labels(home).frame.filter(event_id=event_id)["label_id"]
        return max(known, default=None)

    look("none")
    print("ready", flush=True)
    session.work(write, look, acts, seed)
    home.close()
    print(json.dumps([session.times_ms, session.given, session.taken_back, session.conflicts]))


def _answer(poster: "subprocess.Popen[str]", number: int) -> Session:
    times_ms, given, taken_back, conflicts = json.loads(_line(poster))
    poster.communicate()
    ids = {int(label_id): one for label_id, one in given.items()}
    return Session(f"by command {1000 + number}", ids, taken_back, times_ms, conflicts)


def _line(poster: "subprocess.Popen[str]") -> str:
    line = poster.stdout.readline() if poster.stdout is not None else ""
    if not line:
        raise SystemExit(f"a process that posts ended with {poster.wait()}")
    return line


def _figures(sessions: Sequence[Session], took_s: float, start: str = "") -> Figures:
    times_ms = [one for session in sessions for one in session.times_ms]
    if not times_ms:
        return {}
    shares = dict(zip(PERCENTILES, np.percentile(times_ms, PERCENTILES), strict=True))
    figures: Figures = {
        "writes_count": len(times_ms),
        "writes_per_s": round(len(times_ms) / took_s, 1),
        **{f"p{share}_ms": round(float(value), 2) for share, value in shares.items()},
        "max_ms": round(max(times_ms), 2),
    }
    return {start + name: value for name, value in figures.items()}


def _show(figures: Figures) -> None:
    sessions, processes = figures["sessions_count"], figures["processes_count"]
    names = {
        "alone_": f"{sessions} sessions one after the other (reference)",
        "": f"{sessions} sessions at once",
        "posted_": f"meanwhile by command, {processes} processes",
    }
    measured = ("writes_count", "writes_per_s", "p50_ms", "p95_ms", "p99_ms", "max_ms")
    header = ["", "writes", "a second", "p50 ms", "p95 ms", "p99 ms", "max ms"]
    rows = [
        [words, *(str(figures.get(start + one, "")) for one in measured)] for start, words in names.items()
    ]
    tables.show("Verdicts at the store", header, rows)
    print(
        f"{figures['lost_updates']} lost and {figures['doubled_updates']} doubled updates; "
        f"{figures['conflicts_count']} times another person had been faster, was looked at, and answered."
    )


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
