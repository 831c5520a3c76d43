"""Keys while a dialog is open: they are the dialog's, and press nothing on the page behind it.

Streamlit's shortcuts are the whole page's, so that Enter on a button of a dialog opened another page, and a
letter judged the event behind it.
"""

from typing import Final

import streamlit as st

TYPING: Final = """
const typing = (on) => on.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(on.tagName)
  || on.getAttribute("role") === "spinbutton";
"""
"""Of a script: whether what has the focus takes keys as text."""

# Fixed text: nothing from data ever comes into it. Ctrl+Enter is left to a dialog unless the page's verdict
# card has it; no dialog of that page does.
_GUARD: Final = """
export default function () {
  const guard = (event) => {
    if (!document.querySelector('[data-testid="stDialog"]')) return;
    const on = event.target;
    const modified = event.ctrlKey || event.metaKey || event.altKey;
    const letter = event.key.length === 1 && event.key !== " " && !modified && !typing(on);
    const enter = event.key === "Enter" && !modified && ["BODY", "BUTTON"].includes(on.tagName);
    const saves = event.key === "Enter" && modified && document.querySelector(".st-key-card_save");
    // What the browser itself does with the key, a click on the focused button, goes on.
    if (letter || enter || saves) event.stopImmediatePropagation();
  };
  document.addEventListener("keydown", guard, true);
  return () => document.removeEventListener("keydown", guard, true);
}
"""
_guard = st.components.v2.component("telltale_dialog_guard", js=TYPING + _GUARD)


def dialog_guard() -> None:
    """Keep the page's shortcuts from dialogs; drawn once, by what every page shares."""
    _guard(key="dialog_guard", height=1)
