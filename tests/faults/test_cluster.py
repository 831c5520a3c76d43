"""Trainings on a Dask cluster: workers are lost, schedulers come late, and what is learned is the same."""

import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from dask_cluster import DaskCluster
from running import SOAK, Telltale, free_port, gone, times, wait_for
from training_batch import (
    EPOCHS,
    ask_trainings,
    home_with_pumps,
    lines,
    real_clock,
    repeated,
    require_whole,
    trainings,
)

from core.jobs.cluster import Dispatcher
from core.jobs.cluster_client import Keys
from core.jobs.worker import Post, work
from warehouse.home import Warehouse
from warehouse.jobs import Batch, Job

PUMPS = times(3, 12)
KILLS = times(1, 4)


@contextmanager
def dispatching(warehouse: Warehouse, address: str, keys: Keys | None = None) -> Iterator[None]:
    """Run a dispatcher in a thread of the test."""
    dispatcher, stop = Dispatcher(warehouse, clock=real_clock, address=address, keys=keys), threading.Event()
    thread = threading.Thread(target=dispatcher.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def artifacts(warehouse: Warehouse) -> dict[int, dict[str, str]]:
    """Return the SHA-256 of every file of each trained model, by sensor."""
    trained = [one for one in warehouse.catalog.versions() if one.kind == "trained"]
    return {one.sensor_id: dict(one.artifacts) for one in trained}


def connections(processes: Sequence[psutil.Process]) -> set[str]:
    """Return the hosts that processes are connected with or listen on."""
    found: set[str] = set()
    for one in processes:
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            for socket in one.net_connections("inet"):
                found |= {end.ip for end in (socket.laddr, socket.raddr) if end}
    return found


def ended(warehouse: Warehouse, job: Job) -> bool:
    return warehouse.jobs.get(job.id).ended


def sent_to(warehouse: Warehouse, job: Job) -> list[str]:
    """Return the workers that a training was sent to, in order."""
    said = "sent to "
    return [one.text.removeprefix(said) for one in lines(warehouse, job.id) if one.text.startswith(said)]


def ask_quick(warehouse: Warehouse) -> list[Job]:
    """Ask for a training of each pump by the preset that needs no network."""
    return [
        warehouse.jobs.add(
            "train",
            {"sensor_ids": [sensor.id], "preset": "quick", "mode": "causal", "seed": 0, "actor": "ada"},
            actor="ada",
            at=real_clock(),
        )
        for sensor in warehouse.catalog.sensors(role="target")
    ]


@pytest.mark.skipif(not SOAK, reason="minutes of trainings: in make soak")
@pytest.mark.learned
@pytest.mark.timeout(1800)
def test_a_batch_survives_lost_workers_and_learns_what_is_learned_here(
    tmp_path: Path, record_property
) -> None:
    warehouse = home_with_pumps(tmp_path / "home", PUMPS, steps=2000)
    warehouse.close()
    shutil.copytree(tmp_path / "home", tmp_path / "here")
    with (
        DaskCluster(tmp_path / "dask").with_workers(2) as cluster,
        Telltale(tmp_path / "home", TELLTALE_CLUSTER=cluster.address) as telltale,
    ):
        telltale.up()
        made, _ = ask_trainings(warehouse)
        assert wait_for(lambda: in_midst(warehouse, made, {}), 240)
        assert connections([*cluster.family(), *telltale.family()]) <= {"127.0.0.1", "::1"}
        kept: dict[int, int | None] = {}
        while (before := begun_again(warehouse, made)) < KILLS:
            # The one whose worker is killed has kept an epoch since it was last hit, and has more to come.
            assert wait_for(lambda: in_midst(warehouse, made, kept), 240), "no training is left to be killed"
            victim = in_midst(warehouse, made, kept)[0]
            kept[victim.id] = victim.checkpoint
            cluster.kill(sent_to(warehouse, victim)[-1])
            # On a fast machine it may have learned its last epochs meanwhile: that kill does not count.
            assert wait_for(
                lambda job=victim, known=before: begun_again(warehouse, made) > known or ended(warehouse, job)
            )
            cluster.add_worker()
        assert wait_for(lambda: {job.ended for job in trainings(warehouse, made)} == {True}, 900)
        jobs = trainings(warehouse, made)
        assert [(job.state, job.error) for job in jobs] == [("done", None)] * PUMPS
        after = [job for job in map(warehouse.jobs.get, made.job_ids) if job.kind == "score"]
        assert wait_for(lambda: {warehouse.jobs.get(job.id).state for job in after} == {"done"}, 120)
        family = telltale.family()
        assert telltale.stop() == 0
    assert wait_for(lambda: gone(family), 10), family
    require_whole(warehouse, jobs)
    assert begun_again(warehouse, made) >= KILLS
    again = [max(repeated(lines(warehouse, job.id)), default=0) for job in jobs]
    assert max(again) <= 1, again
    assert all(sent_to(warehouse, job) for job in jobs)
    here = Warehouse.open(tmp_path / "here")
    ask_trainings(here)
    work(here, clock=real_clock, stop=threading.Event(), post=Post(models=PUMPS))
    assert artifacts(warehouse) == artifacts(here)
    assert len(artifacts(here)) == PUMPS
    here.close()
    warehouse.close()
    record_property("Dask workers killed in a training", sum(job.attempt - 1 for job in jobs))
    record_property("trainings on the cluster, byte for byte as here", PUMPS)


def begun_again(warehouse: Warehouse, made: Batch) -> int:
    """Return how often trainings of a batch were begun again, for their worker was lost."""
    return sum(max(0, job.attempt - 1) for job in trainings(warehouse, made))


def in_midst(warehouse: Warehouse, made: Batch, kept: Mapping[int, int | None]) -> list[Job]:
    """Return the trainings that have kept an epoch beyond `kept`, and are not near their end."""
    return [
        job
        for job in trainings(warehouse, made)
        if job.state == "running"
        and job.checkpoint is not None
        and job.checkpoint <= EPOCHS - 4
        and kept.get(job.id) != job.checkpoint
    ]


@pytest.mark.skipif(not SOAK, reason="minutes of trainings: in make soak")
@pytest.mark.learned
@pytest.mark.timeout(600)
def test_a_training_on_the_cluster_is_cancelled_and_its_worker_takes_the_next(
    tmp_path: Path, record_property
) -> None:
    warehouse = home_with_pumps(tmp_path / "home", 2, steps=2000)
    first, second = ask_trainings(warehouse)[1]
    with (
        DaskCluster(tmp_path / "dask").with_workers(1) as cluster,
        dispatching(warehouse, cluster.address),
    ):
        assert wait_for(lambda: "epoch" in warehouse.jobs.get(first.id).message, 120)
        asked = real_clock()
        warehouse.jobs.cancel(first.id, actor="grace", at=asked)
        assert wait_for(lambda: ended(warehouse, first))
        job = warehouse.jobs.get(first.id)
        assert (job.state, job.error) == ("cancelled", "cancelled by grace")
        took_s = (job.finished_at - asked).total_seconds()
        assert wait_for(lambda: warehouse.jobs.get(second.id).state == "running")
        assert wait_for(lambda: ended(warehouse, second), 120)
        assert warehouse.jobs.get(second.id).state == "done"
        assert warehouse.jobs.get(second.id).memory_mb > 100  # of the worker, where TensorFlow is
        # What was learned before is taken up where it was cancelled.
        warehouse.jobs.resume(first.id, actor="ada", at=real_clock())
        assert wait_for(lambda: ended(warehouse, first), 120)
        assert warehouse.jobs.get(first.id).state == "done"
        assert max(repeated(lines(warehouse, first.id))) <= 1
    warehouse.close()
    record_property("a training on the cluster was cancelled within, s", f"{took_s:.2f}")
    assert took_s < 2


@pytest.mark.skipif(not SOAK, reason="minutes of trainings: in make soak")
def test_a_worker_that_does_not_end_a_cancelled_training_is_restarted(
    tmp_path: Path, record_property
) -> None:
    warehouse = home_with_pumps(tmp_path / "home", 2, steps=600)
    with (
        DaskCluster(tmp_path / "dask", nanny=True).with_workers(1) as cluster,
        dispatching(warehouse, cluster.address),
    ):
        stuck = cluster.learner()
        stuck.suspend()
        first, second = ask_quick(warehouse)
        assert wait_for(lambda: sent_to(warehouse, first))
        asked = real_clock()
        warehouse.jobs.cancel(first.id, actor="grace", at=asked)
        assert wait_for(lambda: ended(warehouse, first))
        took_s = (warehouse.jobs.get(first.id).finished_at - asked).total_seconds()
        assert warehouse.jobs.get(first.id).state == "cancelled"
        assert wait_for(lambda: gone([stuck]))
        assert wait_for(lambda: ended(warehouse, second), 120)
        assert warehouse.jobs.get(second.id).state == "done"
    warehouse.close()
    record_property("a stuck worker's training was cancelled within, s", f"{took_s:.2f}")
    assert took_s < 5


def test_trainings_wait_for_a_scheduler_that_comes_late(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    warehouse, port = home_with_pumps(tmp_path / "home", 1, steps=600), free_port()
    (job,) = ask_quick(warehouse)
    with dispatching(warehouse, f"tcp://127.0.0.1:{port}"):
        assert wait_for(lambda: "no Dask scheduler answers" in caplog.text)
        assert "leave TELLTALE_CLUSTER out" in caplog.text
        assert warehouse.jobs.get(job.id).state == "queued"
        with DaskCluster(tmp_path / "dask", port=port).with_workers(1):
            assert wait_for(lambda: ended(warehouse, job), 120)
            assert warehouse.jobs.get(job.id).state == "done"
        # It is gone again: what comes now waits for the next one.
        (later,) = ask_quick(warehouse)
        assert wait_for(lambda: "lost" in caplog.text or "answers no more" in caplog.text)
        assert warehouse.jobs.get(later.id).state in {"queued", "interrupted"}
        with DaskCluster(tmp_path / "again", port=port).with_workers(1):
            assert wait_for(lambda: ended(warehouse, later), 120)
            assert warehouse.jobs.get(later.id).state == "done"
    warehouse.close()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make certificates")
def test_a_cluster_with_tls_takes_only_who_has_its_keys(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    warehouse = home_with_pumps(tmp_path / "home", 1, steps=600)
    (job,) = ask_quick(warehouse)
    own, strange = certificates(tmp_path / "own"), certificates(tmp_path / "strange")
    options = ("--tls-ca-file", own.ca, "--tls-cert", own.cert, "--tls-key", own.key)
    with DaskCluster(tmp_path / "dask", tls=options).with_workers(1) as cluster:
        with dispatching(warehouse, cluster.address, strange):
            assert wait_for(lambda: "no Dask scheduler answers" in caplog.text)
            assert warehouse.jobs.get(job.id).state == "queued"
        with dispatching(warehouse, cluster.address, own):
            assert wait_for(lambda: ended(warehouse, job), 120)
    assert warehouse.jobs.get(job.id).state == "done"
    assert sent_to(warehouse, job)[0].startswith("tls://127.0.0.1:")
    warehouse.close()


def certificates(folder: Path) -> Keys:
    """Make an authority of its own and one certificate for this machine."""
    folder.mkdir()
    keys = Keys(*(str(folder / name) for name in ("ca.pem", "cert.pem", "key.pem")))
    new = "req -newkey rsa:2048 -nodes -subj"
    for command in (
        f"{new} /CN=authority -x509 -days 2 -keyout ca.key -out ca.pem",
        f"{new} /CN=telltale -keyout key.pem -out request.pem",
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out cert.pem",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    return keys
