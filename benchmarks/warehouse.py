"""The warehouse at size: how fast it takes rows in, and how fast it answers what the pages ask.

    python -m benchmarks.warehouse --rows 100000000 --json OUT.json

Each answer is compared with what plain Polars finds in the same files; one that differs ends the run. The
references are plain Polars and plain pandas over the same live files, in the same run. Cold figures are of a
fresh process each, which verifies the files that it opens, with the page cache dropped where that is allowed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from benchmarks import overview, questions, scored
from benchmarks.generated import BIG, END, Chunks, Plant, batch
from benchmarks.questions import Question
from benchmarks.tables import peak_mb, show, write
from warehouse.home import Warehouse
from warehouse.manifest import Kind

DRAWS: Final = 200
POLARS_DRAWS: Final = 12
PANDAS_DRAWS: Final = 4
COLD_DRAWS: Final = 3
# Below this a run only shows that it runs.
MANY_ROWS: Final = 1_000_000
FEW_DRAWS: Final = 30

GOALS_MS: Final = {
    "sensor_day": 25,
    "all_time": 75,
    "all_time_big_sensor": 75,
    "raw_hour": 25,
    "scores": 75,
    "fleet": 100,
    "overview": 20,
}
GOAL_MEMORY_MB: Final = 2000


@dataclass(frozen=True)
class Asked:
    """A kind of question: what is asked, of whom, and how the references answer."""

    name: str
    drawn: list[Question]
    ours: Callable[[Question], pl.DataFrame]
    polars: Callable[[Question], object]
    pandas: Callable[[Question], object]
    check: Callable[[pl.DataFrame, Question], None]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument(
        "--home", type=Path, help="where to keep the store, or find the one of an earlier run"
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--ask", choices=list(GOALS_MS), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.ask is not None:
        print(json.dumps(_ask_once(options.home, options.ask, options.seed)))
        return
    figures: dict[str, float | int | str] = {"seed_number": options.seed}
    kept = nullcontext(str(options.home)) if options.home else tempfile.TemporaryDirectory(prefix="telltale-")
    with kept as folder:
        home = Warehouse.open(Path(folder))
        if home.manifest.snapshot() is None:
            figures |= _ingest(home, Plant.of_rows(options.rows))
            overview.fill(home)
        spans = home.telemetry.spans()
        figures["rows_count"] = int(spans["rows"].sum())
        figures["sensors_count"] = spans.height
        figures["big_sensor_rows_count"] = int(spans["rows"].to_numpy().max())
        kinds: tuple[Kind, ...] = ("readings", "rollups")
        for kind in kinds:
            files = home.manifest.live(kind)
            figures[f"{kind}_files_count"] = len(files)
            figures[f"{kind}_mb"] = round(sum(one.size for one in files) / 1e6, 1)
        many = spans["rows"].sum() > MANY_ROWS
        draws = DRAWS if many else FEW_DRAWS
        for asked in _kinds(home, np.random.default_rng(options.seed), draws):
            figures |= _measure(asked)
        figures |= _measure_fleet(home, draws // 2)
        figures |= _measure_scores(home, draws // 4)
        figures |= overview.measure(home, draws)
        home.close()
        figures |= _cold(Path(folder), options.seed, COLD_DRAWS if many else 1)
    _report(figures)
    write(options.json, figures)


def _ingest(home: Warehouse, plant: Plant) -> dict[str, float | int | str]:
    """Ingest a plant, the time that its making takes not counted."""
    making = 0.0

    def chunks() -> Iterator[pl.DataFrame]:
        nonlocal making
        source = iter(Chunks(plant))
        while True:
            begin = time.perf_counter()
            chunk = next(source, None)
            making += time.perf_counter() - begin
            if chunk is None:
                return
            yield chunk

    begin = time.perf_counter()
    report = home.ingest(batch(plant, chunks()), at=END, actor="benchmark")
    took = time.perf_counter() - begin - making
    return {
        "ingest_rows_per_s": round(report.added / took),
        "ingest_s": round(took, 1),
        "ingest_peak_memory_mb": round(peak_mb()),
    }


def _kinds(home: Warehouse, random: np.random.Generator, draws: int) -> list[Asked]:
    paths = questions.files(home)
    big = _big(home)

    def window(one: Question) -> pl.DataFrame:
        return questions.window(home, one)

    def raw(one: Question) -> pl.DataFrame:
        return questions.raw(home, one)

    def by_polars(one: Question) -> pl.DataFrame:
        return questions.polars_rows(paths, one)

    def by_pandas(one: Question) -> object:
        return questions.pandas_rows(paths, one)

    def buckets(one: Question) -> object:
        return questions.polars_buckets(paths, one)

    def pandas_buckets(one: Question) -> object:
        return questions.pandas_buckets(paths, one)

    def same_window(found: pl.DataFrame, one: Question) -> None:
        questions.require_same_window(found, by_polars(one), one)

    def same_rows(found: pl.DataFrame, one: Question) -> None:
        questions.require_same_rows(found, by_polars(one), one)

    days = questions.draw(home, random, draws, timedelta(days=1))
    hours = questions.draw(home, random, draws, questions.HOUR)
    all_time = questions.draw(home, random, draws, None)
    whole = questions.draw(home, random, 1, None, only=big) * (draws // 4)
    return [
        Asked("sensor_day", days, window, by_polars, by_pandas, same_window),
        Asked("all_time", all_time, window, buckets, pandas_buckets, same_window),
        Asked("all_time_big_sensor", whole, window, buckets, pandas_buckets, same_window),
        Asked("raw_hour", hours, raw, by_polars, by_pandas, same_rows),
    ]


def _measure(asked: Asked) -> dict[str, float | int | str]:
    """Return percentiles of ours, each asked once before, and of the references."""
    for one in asked.drawn:
        asked.ours(one)
    ours = [questions.times_ms(lambda one=one: asked.ours(one)) for one in asked.drawn]  # type: ignore[misc]
    for one in dict.fromkeys(asked.drawn):
        asked.check(asked.ours(one), one)
    figures = _percentiles(asked.name, ours)
    for name, ask, count in (("polars", asked.polars, POLARS_DRAWS), ("pandas", asked.pandas, PANDAS_DRAWS)):
        asked_of = asked.drawn[:count]
        ask(asked_of[0])
        theirs = [questions.times_ms(lambda one=one: ask(one)) for one in asked_of]  # type: ignore[misc]  # noqa: B023
        figures |= _percentiles(f"{name}_{asked.name}", theirs)
    return figures


def _measure_fleet(home: Warehouse, draws: int) -> dict[str, float | int | str]:
    ends = {row[0]: END - timedelta(minutes=1) for row in home.telemetry.spans().rows()}
    paths = questions.files(home)
    end = END - timedelta(minutes=1)
    questions.require_same_fleet(questions.fleet(home, ends), questions.polars_fleet(paths, end))
    ours = [questions.times_ms(lambda: questions.fleet(home, ends)) for _ in range(draws)]
    polars = [questions.times_ms(lambda: questions.polars_fleet(paths, end)) for _ in range(PANDAS_DRAWS)]
    pandas = [questions.times_ms(lambda: questions.pandas_fleet(paths, end)) for _ in range(2)]
    return {
        **_percentiles("fleet", ours),
        **_percentiles("polars_fleet", polars),
        **_percentiles("pandas_fleet", pandas),
    }


def _measure_scores(home: Warehouse, draws: int) -> dict[str, float | int | str]:
    if not home.manifest.live("scores"):
        scored.fill(home, _big(home))
    [one] = questions.draw(home, np.random.default_rng(0), 1, None, only=_big(home))
    ours = scored.measure(home, one, draws)
    polars = [questions.times_ms(lambda: scored.by_polars(home, one)) for _ in range(PANDAS_DRAWS)]
    return {**_percentiles("scores", ours), **_percentiles("polars_scores", polars)}


def _big(home: Warehouse) -> int:
    return home.catalog.find_sensor(Plant.of_rows(1).keys()[BIG]).id


def _percentiles(name: str, times_ms: Sequence[float]) -> dict[str, float | int | str]:
    p50, p95 = np.percentile(np.array(times_ms), [50, 95])
    return {f"{name}_p50_ms": round(float(p50), 2), f"{name}_p95_ms": round(float(p95), 2)}


def _cold(folder: Path, seed: int, draws: int) -> dict[str, float | int | str]:
    """Return the longest of some first answers, each of a fresh process, its imports not counted."""
    figures: dict[str, float | int | str] = {}
    for name in GOALS_MS:
        worst = 0.0
        for draw in range(draws):
            figures["cold_page_cache"] = "dropped" if _drop_cache(folder) else "not dropped"
            command = [sys.executable, "-m", "benchmarks.warehouse", "--home", str(folder)]
            command += ["--ask", name, "--seed", str(seed + draw)]
            told = subprocess.run(command, check=True, capture_output=True, text=True)
            worst = max(worst, float(json.loads(told.stdout.splitlines()[-1])))
        figures[f"{name}_cold_ms"] = round(worst, 1)
    return figures


def _drop_cache(folder: Path) -> bool:
    """Ask the system to forget the files below `folder`; tell whether it could be asked."""
    if not hasattr(os, "posix_fadvise"):
        return False
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
                os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return True


def _ask_once(folder: Path, name: str, seed: int) -> float:
    """Return how many milliseconds opening the home and one answer take."""
    random = np.random.default_rng(seed)
    begin = time.perf_counter()
    home = Warehouse.open(folder, create=False)
    if name == "overview":
        with overview.owned(home) as owner:
            overview.read(owner)
            return (time.perf_counter() - begin) * 1000
    if name == "fleet":
        questions.fleet(home, {row[0]: END - timedelta(minutes=1) for row in home.telemetry.spans().rows()})
        return (time.perf_counter() - begin) * 1000
    length = {"sensor_day": timedelta(days=1), "raw_hour": questions.HOUR}.get(name)
    only = _big(home) if name in {"all_time_big_sensor", "scores"} else None
    [one] = questions.draw(home, random, 1, length, only=only)
    ask = {"raw_hour": questions.raw, "scores": scored.ask}.get(name, questions.window)
    ask(home, one)
    return (time.perf_counter() - begin) * 1000


def _report(figures: dict[str, float | int | str]) -> None:
    rows = []
    for name, goal in GOALS_MS.items():
        found = float(figures[f"{name}_p95_ms"])
        theirs = [f"{figures.get(f'{one}_{name}_p95_ms', '–')}" for one in ("polars", "pandas")]
        cold = f"{figures[f'{name}_cold_ms']}"
        met = "met" if found <= goal else "NOT MET"
        rows.append([name.replace("_", " "), f"{goal}", f"{found}", *theirs, cold, met])
    show(
        f"{figures['rows_count']:,} rows over {figures['sensors_count']:,} sensors, one with"
        f" {figures['big_sensor_rows_count']:,}; p95 in ms, warm; page cache of the cold figures"
        f" {figures['cold_page_cache']}",
        ["question", "goal", "ours", "plain Polars", "plain pandas", "cold", ""],
        rows,
    )
    if "ingest_rows_per_s" in figures:
        met = "met" if float(figures["ingest_peak_memory_mb"]) <= GOAL_MEMORY_MB else "NOT MET"
        print(
            f"ingest: {figures['ingest_rows_per_s']:,} rows/s,"
            f" peak memory {figures['ingest_peak_memory_mb']} MB (goal {GOAL_MEMORY_MB}, {met});"
            f" readings {figures['readings_mb']} MB in"
            f" {figures['readings_files_count']} files, rollups {figures['rollups_mb']} MB in"
            f" {figures['rollups_files_count']}"
        )


if __name__ == "__main__":
    main()
