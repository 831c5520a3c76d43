"""The bars of a batch: 61 sensors can be read, and what failed stands out."""

import pytest

from app.charts.batch_bars import MARKS, Bar, batch_bars, columns_of
from app.theme import DARK, LIGHT, Palette

CARD_PX = 600


def _bars(states: dict[str, int], label: str = "P-{}") -> list[Bar]:
    listed = [state for state, count in states.items() for _ in range(count)]
    return [
        Bar(label.format(n), 0.5 if state == "running" else 0.0, state, f"words {n}")
        for n, state in enumerate(listed)
    ]


def test_sixty_one_sensors_fit_the_card_without_touching_each_other():
    bars = _bars({"done": 20, "running": 2, "failed": 4, "queued": 35})
    figure = batch_bars(bars, LIGHT, width=CARD_PX)
    places = {(round(x, 3), y) for x, y in zip(figure.data[2].x, figure.data[2].y, strict=True)}
    assert len(places) == 61
    assert figure.layout.height <= 320
    ends = [base + length for base, length in zip(figure.data[0].base, figure.data[0].x, strict=True)]
    assert max(end % 1.0 for end in ends) < 1.0 - 8 / (CARD_PX / columns_of(bars, CARD_PX))


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_only_what_failed_is_coloured_and_it_bears_a_cross(palette: Palette):
    figure = batch_bars(_bars(dict.fromkeys(MARKS, 1)), palette, width=CARD_PX)
    filled = dict(zip(MARKS, figure.data[1].marker.color, strict=True))
    names = dict(zip(MARKS, figure.data[2].text, strict=True))
    assert filled.pop("failed") == palette.critical
    assert set(filled.values()) <= {palette.normal, palette.ink}
    assert names["failed"].startswith("✖ ")
    assert len({name[0] for name in names.values()}) == len(MARKS)


def test_a_failed_bar_is_seen_even_if_it_failed_at_once():
    figure = batch_bars(_bars({"failed": 1, "queued": 1}), LIGHT, width=CARD_PX)
    assert figure.data[1].x[0] == figure.data[0].x[0]
    assert figure.data[1].x[1] == 0


def test_every_bar_can_be_clicked_in_the_order_given_and_says_why():
    bars = _bars({"failed": 3, "done": 30})
    points = batch_bars(bars, LIGHT, width=CARD_PX).data[3]
    assert [row[1] for row in points.customdata] == [bar.words for bar in bars]


def test_long_names_take_fewer_columns_and_tags_in_them_are_harmless():
    short, long = _bars({"queued": 61}), _bars({"queued": 61}, "Compressor {} · <b>outlet</b> temperature")
    assert columns_of(long, CARD_PX) < columns_of(short, CARD_PX)
    assert "<" not in batch_bars(long, LIGHT, width=CARD_PX).data[2].text[0]


def test_an_empty_batch_is_an_empty_picture():
    assert len(batch_bars([], LIGHT, width=CARD_PX).data[3].x) == 0
