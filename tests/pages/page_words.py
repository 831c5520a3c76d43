"""What a page says, for asserting on."""

import re
from collections.abc import Callable
from typing import Any

from streamlit.testing.v1 import AppTest

Open = Callable[..., AppTest]


def text_of(page: AppTest) -> str:
    """Return all words of a page as a reader sees them, kind by kind."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "error", "warning", "code")
    written = "\n".join(element.value for kind in kinds for element in getattr(page, kind))
    return re.sub(r"\\([^\w\s])", r"\1", written)


def popover_labels(page: AppTest) -> list[str]:
    """Return what the buttons of the page's popovers say; AppTest has no accessor for them."""
    found = []

    def walk(block: Any) -> None:
        for child in getattr(block, "children", {}).values():
            label = getattr(getattr(child.proto, "popover", None), "label", "")
            if label:
                found.append(label)
            walk(child)

    walk(page.main)
    return found
