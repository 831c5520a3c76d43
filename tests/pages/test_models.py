"""Models lists versions with held-out figures and tells where each comes from."""

import math

from page_words import Open, text_of
from two_pumps import NOW, START

from warehouse.catalog import NewVersion
from warehouse.home import Warehouse


def _table(page, number: int):
    return page.dataframe[number].value


def test_trained_versions_show_their_held_out_figures(pumps: Warehouse, open_page: Open):
    row = _table(open_page("models"), 0).to_dict("records")[0]
    assert row["Version"] == "LSTM (Telemanom) v1"
    assert row["In use"] == "● in use"
    assert row["Error"] == 0.231
    assert round(row["vs persistence"]) == -24
    assert row["Alarms/week"] == 1.4


def test_statistical_fits_stand_apart_and_are_named_as_such(pumps: Warehouse, open_page: Open):
    page = open_page("models")
    assert "Statistical detectors" in text_of(page)
    assert "no trained model" in text_of(page)
    table = _table(page, 1)
    assert "fits of the robust statistical detector" in text_of(page)
    assert set(table["Version"]) == {"v1"}
    in_use = dict(zip(table["Machine · sensor"], table["In use"], strict=True))
    assert in_use["Pump 1 · outlet temperature"] == ""
    assert in_use["Pump 2 · outlet temperature"] == "● in use"


def _panel(warehouse: Warehouse, *, remarks: tuple[str, ...]):
    sensor = warehouse.catalog.find_sensor("Pump 2/outlet temperature")
    snapshot = warehouse.manifest.snapshot()
    parameters = {"instant.rank": 3, "title": "Panel (instant)", "preset": "quick", "mode": "review"}
    return warehouse.catalog.add_version(
        NewVersion(
            sensor_id=sensor.id,
            method="panel",
            kind="trained",
            run_id="fedcba9876543210",
            registered_name=f"sensor-{sensor.id}-panel",
            created_at=NOW,
            snapshot_id=snapshot.id,
            snapshot_digest=snapshot.digest,
            labels_digest="e3b0c44298fc1c14",
            seed=0,
            spans={"train": (START, NOW)},
            parameters=parameters | {"remarks": list(remarks)},
            metrics={"alarms_per_week": 0.5, "steps": 900.0},
            artifacts={"panel.json": "ef" * 32},
            folder="models/panel",
        )
    )


def test_a_panel_shows_preset_mode_and_a_dash_where_it_predicts_nothing(pumps: Warehouse, open_page: Open):
    _panel(pumps, remarks=())
    rows = _table(open_page("models"), 0).to_dict("records")
    told = {row["Machine · sensor"]: row for row in rows}
    panel, lstm = told["Pump 2 · outlet temperature"], told["Pump 1 · outlet temperature"]
    assert (panel["Version"], panel["Preset"]) == ("Panel (instant) v1", "quick · review")
    assert lstm["Preset"] == ""
    assert math.isnan(panel["Error"])
    assert panel["Alarms/week"] == 0.5


def test_the_lineage_says_what_a_person_must_know_of_a_model(pumps: Warehouse, open_page: Open):
    version = _panel(pumps, remarks=("its training part never changes: the instant tier judges it alone",))
    words = text_of(open_page("models", version=str(version.id)))
    assert "its training part never changes: the instant tier judges it alone" in words
    assert "in review: later steps were seen too" in words
    assert "instant.rank" in words
    assert "remarks" not in words


def test_without_labels_there_is_no_column_of_label_figures(pumps: Warehouse, open_page: Open):
    assert "F1" not in _table(open_page("models"), 0).columns


def test_the_picked_row_tells_its_lineage(pumps: Warehouse, open_page: Open):
    page = open_page("models")
    page.session_state["trained"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    page.run()
    assert not page.exception
    words = text_of(page)
    digest = pumps.manifest.snapshot().digest
    for fact in (
        digest,
        "e3b0c44298fc1c14",
        "0123456789abcdef",
        "ab" * 32,
        "history",
        "120",
        "Train",
        "Test",
    ):
        assert fact in words


def test_an_empty_home_says_what_would_fill_the_page(empty: Warehouse, open_page: Open):
    words = text_of(open_page("models"))
    assert "Trained models** :gray[· none yet]" in words
    assert "scoring a sensor fits one" in words
