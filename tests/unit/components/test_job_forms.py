"""What is typed into the forms of Training: parameters with their bounds, and times of schedules."""

from datetime import time

import pytest

from app.components.schedules import cron_of
from app.components.train_form import number
from app.queries.job_views import AdvancedField

EPOCHS = AdvancedField("epochs", "Epochs", "", 35, 1, 500, "integer", "")
RATE = AdvancedField("rate", "Learning rate", "", 0.001, 1e-6, 1.0, "number", "")


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        (EPOCHS, "", None),
        (EPOCHS, " 12 ", 12.0),
        (RATE, "0,01", 0.01),
        (RATE, "1e-3", 0.001),
        (EPOCHS, "500", 500.0),
    ],
)
def test_what_is_sound_is_taken(field: AdvancedField, text: str, value: float | None):
    assert number(field, text) == (value, "")


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        (EPOCHS, "many", "Write a number from 1 to 500, not 'many'."),
        (EPOCHS, "0", "Write a number from 1 to 500."),
        (EPOCHS, "501", "Write a number from 1 to 500."),
        (EPOCHS, "2.5", "Write a whole number from 1 to 500."),
        (EPOCHS, "inf", "Write a number from 1 to 500."),
        (EPOCHS, "nan", "Write a number from 1 to 500."),
        (RATE, "-1", "Write a number from 1e-06 to 1."),
    ],
)
def test_what_is_not_is_refused_with_the_bounds(field: AdvancedField, text: str, words: str):
    assert number(field, text) == (None, words)


def test_times_become_cron_fields():
    assert cron_of("Every day", time(2, 30), "Sunday", 1) == "30 2 * * *"
    assert cron_of("Every week", time(2, 0), "Sunday", 1) == "0 2 * * 7"
    assert cron_of("Every month", time(23, 45), "Sunday", 15) == "45 23 15 * *"
