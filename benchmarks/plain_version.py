"""A version of the statistical detector without files, so that results can be stored under it."""

from datetime import datetime

from warehouse.catalog import NewVersion
from warehouse.home import Warehouse


def plain_version(home: Warehouse, sensor_id: int, *, at: datetime, folder: str) -> int:
    """Register one for a sensor and return its id.

    Raises
    ------
    SystemExit
        Nothing was stored yet.
    """
    snapshot = home.manifest.snapshot()
    if snapshot is None:
        raise SystemExit("nothing was stored")
    version = home.catalog.add_version(
        NewVersion(
            sensor_id=sensor_id,
            method="robust_regression",
            kind="baseline",
            run_id=None,
            registered_name=None,
            created_at=at,
            snapshot_id=snapshot.id,
            snapshot_digest=snapshot.digest,
            labels_digest="",
            seed=0,
            spans={},
            parameters={},
            metrics={},
            artifacts={},
            folder=folder,
        )
    )
    return version.id
