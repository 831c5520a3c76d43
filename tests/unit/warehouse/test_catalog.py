"""Naming a sensor, and keeping model versions in order."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from material import NOON, NOW, PUMP, new_version, pump_batch, pump_rows, ramp

from warehouse.catalog import AssetSpec, PartSpec, SensorSpec
from warehouse.errors import CatalogError
from warehouse.home import Warehouse

CHANNELS = tuple(
    AssetSpec(
        name,
        "SMAP channel",
        True,
        (SensorSpec("telemetry", "scaled", context=("command 01",)), SensorSpec("command 01", "", "context")),
    )
    for name in ("P-1", "E-8", "12")
)
TWIN = AssetSpec(
    "Compressor 2", "compressor", sensors=(SensorSpec("flow", "m³/h"), SensorSpec("pressure", "bar"))
)


@pytest.fixture
def filled(home: Warehouse) -> Warehouse:
    home.catalog.put_assets("smap-msl", CHANNELS)
    home.catalog.put_assets("csv", (PUMP, TWIN))
    return home


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("P-1", "P-1/telemetry"),
        ("p1", "P-1/telemetry"),
        (" e-8 ", "E-8/telemetry"),
        ("P-1/command 01", "P-1/command 01"),
        ("Pump 7/outlet temperature", "Pump 7/outlet temperature"),
        ("pump-7/Outlet_Temperature", "Pump 7/outlet temperature"),
        ("PUMP7", "Pump 7/outlet temperature"),
        ("#2", "P-1/command 01"),
        ("3", "E-8/telemetry"),
        ("12", "12/telemetry"),
    ],
)
def test_a_sensor_is_found_as_people_write_it(filled: Warehouse, text: str, key: str) -> None:
    assert filled.catalog.find_sensor(text).key == key


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Pump 8", "no sensor 'Pump 8'; close: Pump 7"),
        ("Pump 7/outlet temprature", "close: Pump 7/outlet temperature"),
        ("Compressor 2", "has 2 target sensors; name one, such as Compressor 2/flow"),
        ("#99", "no sensor '#99'"),
        ("../x", "no sensor '../x'"),
        ("", "no sensor ''"),
    ],
)
def test_an_unknown_name_gets_what_is_close(filled: Warehouse, text: str, message: str) -> None:
    with pytest.raises(CatalogError) as caught:
        filled.catalog.find_sensor(text)
    assert message in str(caught.value)


def test_an_empty_catalogue_says_so(home: Warehouse) -> None:
    with pytest.raises(CatalogError, match="nothing was ingested yet"):
        home.catalog.find_sensor("P-1")


def test_sensors_keep_their_ids_roles_and_context(filled: Warehouse) -> None:
    ids = filled.catalog.put_assets("smap-msl", CHANNELS)
    target = filled.catalog.sensor(ids["P-1/telemetry"])
    assert target.context == (ids["P-1/command 01"],)
    assert {one.name for one in filled.catalog.sensors("context")} == {"command 01", "load"}
    assert [one.key for one in filled.catalog.sensors("target", target.asset_id)] == ["P-1/telemetry"]
    with pytest.raises(CatalogError, match="no sensor #999"):
        filled.catalog.sensor(999)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (AssetSpec("../x", "pump"), "holds a '/'"),
        (AssetSpec("", "pump"), "empty"),
        (AssetSpec("a\nb", "pump"), "can't be shown"),
        (AssetSpec("a" * 200, "pump"), "longer than 120"),
        (AssetSpec("a", "pump", sensors=(SensorSpec("x"), SensorSpec("x"))), "'x' is stated twice"),
        (AssetSpec("a", "pump", sensors=(SensorSpec("x", context=("y",)),)), "context 'y' of 'x'"),
        (AssetSpec("a", "pump", sensors=(SensorSpec("x", context=("x",)),)), "context 'x' of 'x'"),
        (AssetSpec("a", "pump", parts=(PartSpec("train", NOW, NOON),)), "ends before it starts"),
        (AssetSpec("a", "pump", parts=(PartSpec("test", NOON, NOW),) * 2), "stated twice"),
    ],
)
def test_assets_that_make_no_sense_are_refused(home: Warehouse, spec: AssetSpec, message: str) -> None:
    with pytest.raises(CatalogError, match=message):
        home.catalog.put_assets("csv", [spec])
    assert home.catalog.assets() == ()


def test_labelled_parts_may_be_many_and_follow_the_source(home: Warehouse) -> None:
    hour = timedelta(hours=1)
    first, second = (
        PartSpec("anomaly", NOON, NOON + hour),
        PartSpec("anomaly", NOON + 2 * hour, NOON + 3 * hour),
    )
    test = PartSpec("test", NOON, NOW)
    home.catalog.put_assets("smap-msl", [AssetSpec("P-1", "channel", parts=(test, first, second))])
    home.catalog.put_assets("smap-msl", [AssetSpec("P-1", "channel")])
    [asset] = home.catalog.assets()
    assert {part.name for part in home.catalog.parts(asset.id)} == {"test", "anomaly"}
    assert len(home.catalog.parts(asset.id)) == 3
    home.catalog.put_assets("smap-msl", [AssetSpec("P-1", "channel", parts=(test, second))])
    assert [(part.name, part.start) for part in home.catalog.parts(asset.id)] == [
        ("test", NOON),
        ("anomaly", NOON + 2 * hour),
    ]


def test_settings_of_a_source_are_kept(home: Warehouse) -> None:
    assert home.catalog.source_settings("demo") is None
    home.catalog.put_source_settings("demo", {"seed": 7, "anchor": NOW.isoformat()})
    home.catalog.put_source_settings("demo", {"seed": 8, "anchor": NOW.isoformat()})
    assert home.catalog.source_settings("demo") == {"seed": 8, "anchor": NOW.isoformat()}


@pytest.fixture
def trained(home: Warehouse) -> tuple[Warehouse, int]:
    report = home.ingest(pump_batch(pump_rows(10)), at=NOW, actor="ada")
    assert report.snapshot is not None
    return home, report.snapshot.id


def test_a_version_is_read_as_it_was_registered(trained: tuple[Warehouse, int]) -> None:
    home, snapshot = trained
    new = new_version(1, snapshot)
    version = home.catalog.add_version(new)
    for name in new.__dataclass_fields__:
        assert getattr(version, name) == getattr(new, name), name
    assert (version.number, version.champion) == (1, False)
    assert home.catalog.version(version.id) == version
    with pytest.raises(CatalogError, match="no model version 99"):
        home.catalog.version(99)


def test_versions_are_numbered_by_sensor_and_method(trained: tuple[Warehouse, int]) -> None:
    home, snapshot = trained
    made = [
        home.catalog.add_version(new_version(sensor, snapshot, method=method))
        for sensor, method in [(1, "telemanom"), (1, "robust"), (1, "telemanom"), (2, "telemanom")]
    ]
    assert [one.number for one in made] == [1, 1, 2, 1]
    assert [one.id for one in home.catalog.versions(1)] == [made[0].id, made[1].id, made[2].id]


def test_a_version_keeps_the_data_it_was_made_from(trained: tuple[Warehouse, int]) -> None:
    home, snapshot = trained
    home.catalog.add_version(new_version(1, snapshot))
    home.telemetry.write(ramp(1, 10, first=100.0), note="correction", at=NOW)
    home.collect(now=NOW + timedelta(days=30), grace_s=0)
    assert home.telemetry.read([1], snapshot_id=snapshot)["value"].to_list() == [float(n) for n in range(10)]


@pytest.mark.parametrize("changes", [{"sensor_id": 99}, {"snapshot_id": 99}])
def test_a_version_of_nothing_known_is_refused(
    trained: tuple[Warehouse, int], changes: dict[str, int]
) -> None:
    home, snapshot = trained
    with pytest.raises(CatalogError, match="can't be registered"):
        home.catalog.add_version(new_version(**{"sensor_id": 1, "snapshot_id": snapshot, **changes}))
    assert home.catalog.versions() == ()


def test_what_made_a_version_makes_no_second_one(trained: tuple[Warehouse, int]) -> None:
    home, snapshot = trained
    first = home.catalog.add_version(new_version(1, snapshot, made_by="job 17"))
    again = home.catalog.add_version(new_version(1, snapshot, made_by="job 17", run_id="run-2", seed=8))
    assert again == first
    assert (first.made_by, first.run_id) == ("job 17", "run-1")
    assert home.catalog.versions() == (first,)
    assert home.catalog.version_made_by("job 17") == first
    assert home.catalog.version_made_by("job 18") is None
    # Those of which nobody says what made them are as many as there are.
    assert [home.catalog.add_version(new_version(1, snapshot)).number for _ in range(2)] == [2, 3]


def test_a_version_that_two_processes_register_at_once_is_one(trained: tuple[Warehouse, int]) -> None:
    home, snapshot = trained
    barrier = threading.Barrier(4)

    def register(number: int) -> int:
        barrier.wait()
        return home.catalog.add_version(new_version(1, snapshot, made_by="job 17", run_id=f"run-{number}")).id

    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(register, range(4)))
    assert found == {home.catalog.versions(1)[0].id}
    assert len(home.catalog.versions()) == 1


def test_there_is_one_champion_and_baselines_stand_in_for_it(trained: tuple[Warehouse, int]) -> None:
    home, snapshot = trained
    catalog = home.catalog
    assert catalog.champion(1) is None
    old = catalog.add_version(new_version(1, snapshot, kind="baseline", method="robust"))
    newer = catalog.add_version(new_version(1, snapshot, kind="baseline", method="robust"))
    assert catalog.champion(1) == newer
    first, second = (catalog.add_version(new_version(1, snapshot)) for _ in range(2))
    assert catalog.champion(1) == newer

    catalog.promote(first.id, actor="ada", at=NOW)
    promoted = catalog.promote(second.id, actor="ada", at=NOW)

    assert promoted.champion
    assert catalog.champion(1) == promoted
    assert [one.id for one in catalog.versions(1) if one.champion] == [second.id]
    assert catalog.champions() == {1: second.id}
    catalog.promote(old.id, actor="ada", at=NOW)
    assert catalog.champions() == {1: old.id}
    with pytest.raises(CatalogError, match="no model version 77"):
        catalog.promote(77, actor="ada", at=NOW)


def test_versions_registered_at_once_get_different_numbers(trained: tuple[Warehouse, int]) -> None:
    home, snapshot = trained
    barrier = threading.Barrier(4)

    def register() -> None:
        barrier.wait()
        home.catalog.promote(home.catalog.add_version(new_version(1, snapshot)).id, actor="ada", at=NOW)

    threads = [threading.Thread(target=register) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(one.number for one in home.catalog.versions(1)) == [1, 2, 3, 4]
    assert sum(one.champion for one in home.catalog.versions(1)) == 1
