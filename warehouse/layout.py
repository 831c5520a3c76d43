"""Where each store lies below the folder that holds everything."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """Paths of one home.

    Parameters
    ----------
    root
        The folder that `TELLTALE_HOME` names.
    """

    root: Path

    @property
    def catalog(self) -> Path:
        """SQLite: assets, sensors, model versions and the manifest of files."""
        return self.root / "catalog.sqlite"

    @property
    def jobs(self) -> Path:
        """SQLite: jobs and the inbox of writes for the state's owner."""
        return self.root / "jobs.sqlite"

    @property
    def state(self) -> Path:
        """DuckDB: what people say and what is shown first."""
        return self.root / "state.duckdb"

    @property
    def state_lock(self) -> Path:
        """Held by the one process that has state.duckdb open."""
        return self.root / "state.lock"

    @property
    def supervisor_lock(self) -> Path:
        """Held by the living supervisor."""
        return self.root / "supervisor.lock"

    @property
    def launcher_lock(self) -> Path:
        """Held by the living launcher."""
        return self.root / "launcher.lock"

    @property
    def backup_lock(self) -> Path:
        """Held by the living backup, of which there is one at a time."""
        return self.root / "backup.lock"

    @property
    def telemetry(self) -> Path:
        """Parquet of readings."""
        return self.root / "telemetry"

    @property
    def rollups(self) -> Path:
        """Parquet of min, max, mean and count per bucket."""
        return self.root / "rollups"

    @property
    def results(self) -> Path:
        """Parquet of scores and events."""
        return self.root / "results"

    @property
    def turn_lock(self) -> Path:
        """Held by a write that others have overtaken too often."""
        return self.root / "turn.lock"

    @property
    def staging(self) -> Path:
        """What an ingest that runs holds aside; nothing in it outlives its ingest."""
        return self.root / "staging"

    @property
    def uploads(self) -> Path:
        """Files that a person sent and has not stored yet; nothing in it outlives its session."""
        return self.root / "uploads"

    @property
    def published(self) -> Path:
        """Parquet of what the state's owner publishes for other processes."""
        return self.root / "published"

    @property
    def models(self) -> Path:
        """Artifacts of model versions: `.keras`, npz and JSON."""
        return self.root / "models"

    @property
    def checkpoints(self) -> Path:
        """What trainings that are not done keep to go on from, a folder a job."""
        return self.root / "checkpoints"

    @property
    def recalled(self) -> Path:
        """Scores that judging keeps from one call to the next; made anew where they are missing."""
        return self.root / "recalled"

    @property
    def tracking(self) -> Path:
        """MLflow's database and artifacts."""
        return self.root / "mlflow"

    @property
    def logs(self) -> Path:
        """Logs of the processes."""
        return self.root / "logs"
