import json
from typing import Any

import pytest

from warehouse.errors import SourceError
from warehouse.sources.table_mapping import TableMapping

WIDE = TableMapping("time", "UTC", "wide", asset="Pump 1")
FULL = TableMapping(
    time="when",
    zone="Europe/Berlin",
    layout="wide",
    asset="Pump 1",
    columns=("flow", "speed"),
    units={"flow": "m³/h"},
    roles={"Pump 1/speed": "context"},
    kind="pump",
    historical=False,
    delimiter=";",
    decimal=",",
    time_format="%d.%m.%Y %H:%M",
)
LONG = TableMapping(
    "t", None, "long", asset_column="m", sensor_column="s", value_column="v", time_format="epoch_s"
)


@pytest.mark.parametrize("mapping", [WIDE, FULL, LONG])
def test_a_mapping_survives_as_json(mapping: TableMapping) -> None:
    document = json.loads(json.dumps(mapping.to_document()))
    assert TableMapping.of_document(document) == mapping


def test_only_what_was_stated_is_written() -> None:
    assert WIDE.to_document() == {"time": "time", "zone": "UTC", "layout": "wide", "asset": "Pump 1"}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"colour": "red"}, "'colour'"),
        ({"time": None}, "'time'"),
        ({"columns": "flow"}, "'columns'"),
        ({"columns": [1]}, "'columns'"),
        ({"units": ["bar"]}, "'units'"),
        ({"roles": {"flow": 1}}, "'roles'"),
        ({"historical": "yes"}, "'historical'"),
        ({"layout": 3}, "'layout'"),
    ],
)
def test_what_is_no_mapping_is_refused_by_the_part_at_fault(change: dict[str, Any], named: str) -> None:
    with pytest.raises(SourceError, match=f"this is no mapping of a table: {named} is wrong in it"):
        TableMapping.of_document({**WIDE.to_document(), **change})


def test_a_mapping_without_its_time_or_with_parts_that_contradict_is_refused() -> None:
    document = WIDE.to_document()
    del document["time"]
    with pytest.raises(SourceError, match="'time'"):
        TableMapping.of_document(document)
    with pytest.raises(SourceError, match="time zone 'Mars' is not known"):
        TableMapping.of_document({**WIDE.to_document(), "zone": "Mars"})
