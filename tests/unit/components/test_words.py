"""Figures and names in words."""

import pytest

from app.components.words import counted, escaped, percent


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.0, "< 1 %"), (0.004, "< 1 %"), (0.48, "48 %"), (0.97, "97 %"), (0.9951, "> 99 %"), (1.0, "> 99 %")],
)
def test_an_estimated_probability_is_never_shown_as_a_certainty(share: float, words: str):
    assert percent(share) == words


def test_marks_of_markdown_in_names_lose_their_power():
    assert escaped(":red[x] **b** [l](u) `c` $m$ <i> #h") == (
        r"\:red\[x\] \*\*b\*\* \[l\]\(u\) \`c\` \$m\$ \<i\> \#h"
    )
    assert escaped("two\nlines") == "two lines"


def test_one_and_many():
    assert counted(1, "machine") == "1 machine"
    assert counted(3, "machine") == "3 machines"
