"""The command line with good and bad input: results, exit codes, one clear line, nothing half-written."""

import csv
import zipfile
from pathlib import Path

import numpy as np
import pytest
from command_line import npy, one_line, telltale, write_pump, write_spacecraft

CSV = ("--time", "time", "--zone", "Europe/Berlin", "--asset", "Pump 9", "--unit", "flow=m3/h")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_ingesting_the_same_again_changes_nothing_and_says_so(tmp_path: Path, home: Path) -> None:
    archive, labels = write_spacecraft(tmp_path)
    first = telltale(home, "ingest", "smap-msl", str(archive), "--labels", str(labels))
    assert first.returncode == 0, first.stderr
    assert "Stored 16,800 new readings of 2 machines" in first.stdout
    assert "Judged" in first.stdout
    again = telltale(home, "ingest", "smap-msl", str(archive), "--labels", str(labels))
    assert again.returncode == 0
    assert "Nothing changed" in again.stdout


def test_a_wide_table_in_local_time_keeps_its_good_rows(tmp_path: Path, home: Path) -> None:
    done = telltale(home, "ingest", "csv", str(write_pump(tmp_path)), *CSV, "--role", "load=context")
    assert done.returncode == 0, done.stderr
    assert "2 rows were refused" in done.stdout
    listed = telltale(home, "status", "--quarantine").stdout
    assert "pump.csv:102" in listed
    assert "broken" in listed
    assert "pump.csv:103" in listed
    exported = tmp_path / "events.csv"
    assert telltale(home, "export", "events", "--out", str(exported)).returncode == 0
    with exported.open(encoding="utf-8", newline="") as stream:
        assert csv.DictReader(stream).fieldnames is not None


def test_a_statistical_event_is_exported_with_inclusive_indices_when_named(
    tmp_path: Path, home: Path
) -> None:
    archive, labels = write_spacecraft(tmp_path)
    telltale(home, "ingest", "smap-msl", str(archive), "--labels", str(labels))
    out = tmp_path / "events.csv"
    refused = telltale(home, "export", "events", "--out", str(out), "--format", "smap-msl")
    assert "has a trained model" in one_line(refused)
    assert not out.exists()
    done = telltale(home, "export", "events", "P-1", "--out", str(out), "--format", "smap-msl")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(out.read_text("utf-8").splitlines()))
    assert {row["channel"] for row in rows} == {"P-1"}
    assert any(int(row["start"]) <= 759 and int(row["end"]) >= 700 for row in rows)
    assert all(0 <= int(row["start"]) <= int(row["end"]) < 1200 for row in rows)


def test_a_constant_training_part_is_refused_by_the_published_network_with_its_reason(
    tmp_path: Path, home: Path
) -> None:
    archive, labels = write_spacecraft(tmp_path, constant=True)
    telltale(home, "ingest", "smap-msl", str(archive), "--labels", str(labels))
    done = telltale(home, "train", "T-1", "--preset", "telemanom")
    assert done.returncode == 1
    assert "T-1" in done.stderr
    assert "are -1" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.learned
def test_a_constant_training_part_is_judged_without_the_network_and_that_is_said(
    tmp_path: Path, home: Path
) -> None:
    archive, labels = write_spacecraft(tmp_path, constant=True)
    telltale(home, "ingest", "smap-msl", str(archive), "--labels", str(labels))
    done = telltale(home, "train", "T-1", "--preset", "thorough")
    assert done.returncode == 0, done.stderr
    assert "T-1/telemetry: registered as version 1 and in production" in done.stdout
    assert "T-1/telemetry: note: " in done.stdout


def test_a_model_that_judges_in_review_is_trained_and_its_events_say_so(tmp_path: Path, home: Path) -> None:
    archive, labels = write_spacecraft(tmp_path)
    telltale(home, "ingest", "smap-msl", str(archive), "--labels", str(labels))
    done = telltale(home, "train", "P-1", "--preset", "quick", "--mode", "review")
    assert done.returncode == 0, done.stderr
    assert "note:" not in done.stdout
    telltale(home, "score", "P-1")
    out = tmp_path / "events.csv"
    telltale(home, "export", "events", "P-1", "--out", str(out))
    assert {row["mode"] for row in csv.DictReader(out.read_text("utf-8").splitlines())} == {"review"}
    unknown = one_line(telltale(home, "train", "P-1", "--preset", "best"))
    assert "preset must be one of quick, standard, thorough, telemanom, not 'best'" in unknown
    published = one_line(telltale(home, "train", "P-1", "--preset", "telemanom", "--mode", "review"))
    assert "the preset telemanom judges from the past alone" in published
    assert "mode must be causal or review" in one_line(telltale(home, "train", "P-1", "--mode", "both"))


def test_a_short_training_part_is_refused_with_the_number_needed(tmp_path: Path, home: Path) -> None:
    path = tmp_path / "short.csv"
    rows = "\n".join(f"2026-01-01 {n // 60:02d}:{n % 60:02d},{n % 7}" for n in range(200))
    path.write_text(f"time,flow\n{rows}\n", encoding="utf-8")
    telltale(home, "ingest", "csv", str(path), *CSV)
    done = telltale(home, "train", "Pump 9", "--preset", "telemanom")
    assert done.returncode == 1
    assert "needs at least 326 usable steps, found 120" in done.stderr


def test_a_missed_anomaly_is_marked_and_stands_in_the_audit(tmp_path: Path, home: Path) -> None:
    path = tmp_path / "short.csv"
    rows = "\n".join(f"2026-01-01 {n // 60:02d}:{n % 60:02d},{n % 7}" for n in range(200))
    path.write_text(f"time,flow\n{rows}\n", encoding="utf-8")
    telltale(home, "ingest", "csv", str(path), *CSV)
    given = ("--from", "2026-01-01T01:00", "--to", "2026-01-01T02:00", "--note", "=missed")
    marked = telltale(home, "label", "true", "--sensor", "Pump 9/flow", *given)
    assert "Stored as label 1" in marked.stdout
    done = telltale(home, "audit", "export", "--out", str(tmp_path / "audit.csv"))
    assert "Wrote 1 rows" in done.stdout
    with (tmp_path / "audit.csv").open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["sensor"], row["verdict"], row["event_id"]) == ("flow", "true_anomaly", "")
    assert (row["start_utc"], row["note"], row["in_force"]) == ("2026-01-01T01:00:00Z", "'=missed", "true")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("train", "X-9"), "X-9"),
        (("train",), "name at least one sensor"),
        (("score", "--all"), "nothing is stored yet"),
        (("label", "1-20260101T0000", "true"), "there is no event"),
        (("label", "e", "maybe"), "verdict must be one of"),
        (("label", "true"), "name an event and a verdict"),
        (("label", "true", "--sensor", "Pump 9/flow"), "needs --from and --to"),
        (("unlabel", "7"), "no label 7"),
        (("ingest", "csv", "nowhere.csv", "--time", "t", "--zone", "UTC", "--asset", "A"), "nowhere.csv"),
        (("ingest", "csv", "nowhere.csv", "--time", "t", "--zone", "Mars/Base", "--asset", "A"), "Mars/Base"),
        (("ingest", "csv", "nowhere.csv", "--time", "t", "--zone", "UTC", "--asset", "../x"), "../x"),
        (("ingest", "smap-msl", "nowhere.zip", "--labels", "nowhere.csv"), "nowhere"),
    ],
)
def test_bad_arguments_end_with_one_clear_line(
    tmp_path: Path, home: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    assert complaint in one_line(telltale(home, *arguments, folder=tmp_path))


def test_a_misspelt_setting_stops_every_command(tmp_path: Path, home: Path) -> None:
    home.mkdir()
    (home / "telltale.toml").write_text("prot = 9\n", encoding="utf-8")
    assert "unknown setting prot" in one_line(telltale(home, "status"))
    (home / "telltale.toml").unlink()
    assert "TELLTALE_PROT" in one_line(telltale(home, "status", TELLTALE_PROT="9"))


def test_a_viewer_may_look_but_not_write(tmp_path: Path, home: Path) -> None:
    assert telltale(home, "status", TELLTALE_ROLE="viewer").returncode == 0
    done = telltale(home, "demo", TELLTALE_ROLE="viewer")
    assert "may not create the demo fleet: that takes admin" in one_line(done)


@pytest.mark.parametrize("damage", ["truncated", "pickle", "shape", "no labels", "ids"])
def test_a_bad_archive_stores_nothing(tmp_path: Path, home: Path, damage: str) -> None:
    archive, labels = write_spacecraft(tmp_path)
    if damage == "truncated":
        archive.write_bytes(archive.read_bytes()[:-300])
    elif damage == "no labels":
        labels.unlink()
    else:
        member = "data/train/../../x.npy" if damage == "ids" else "data/train/P-1.npy"
        bad = np.array([{"a": 1}], dtype=object) if damage == "pickle" else np.zeros((5, 2, 2))
        with zipfile.ZipFile(archive, "w") as target:
            target.writestr(member, npy(bad))
            target.writestr(member.replace("train", "test"), npy(bad))
    done = telltale(home, "ingest", "smap-msl", str(archive), "--labels", str(labels))
    assert one_line(done)
    assert "machines        0" in telltale(home, "status").stdout


def test_doctor_finds_a_flipped_bit(tmp_path: Path, home: Path) -> None:
    telltale(home, "ingest", "csv", str(write_pump(tmp_path)), *CSV)
    assert telltale(home, "doctor", "--verify").returncode == 0
    victim = next((home / "telemetry").rglob("*.parquet"))
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)
    done = telltale(home, "doctor", "--verify")
    assert done.returncode == 1
    assert victim.name in done.stdout
