"""The keys of Anomalies: an overlay that lists them, and those that lead into a field.

Streamlit's shortcuts press buttons and know letters and digits alone. A small listener adds the question mark
and the keys that put the cursor into a field of the verdict card. Esc and Enter leave a field, so that
letters are keys again, and Ctrl+Enter saves from wherever the focus is.
"""

from typing import Final

import streamlit as st

from app.components.dialog_guard import TYPING

KEYS: Final = (
    ("Judge", (("T", "true anomaly"), ("F", "false positive"), ("U", "unsure"))),
    (
        "Fill in",
        (
            ("G", "fault class: type, ↓ and Enter pick"),
            ("B", "bounds: digits and arrows, Tab goes on"),
            ("N", "note"),
            ("Esc, Enter", "leave the field, so that letters are keys again"),
        ),
    ),
    (
        "Store",
        (
            ("Ctrl + Enter", "save and open the next event without a verdict"),
            ("Z", "undo"),
            ("I", "this verdict for the whole incident"),
            ("1, 2", "when another person was first: keep theirs, store mine beside it"),
        ),
    ),
    (
        "Look",
        (
            ("J, K", "next and previous event of the list"),
            ("Q, W", "previous and next event of this sensor"),
            ("+, -", "shorter and longer window"),
            ("0", "reset the window"),
            ("D", "raw table"),
        ),
    ),
    (
        "More",
        (
            ("M", "draw a missed anomaly, or stop"),
            ("Y", "history and audit"),
            ("X", "download the window as csv"),
            ("L", "copy the link"),
            ("H or ?", "these keys"),
        ),
    ),
)

# Fixed text: nothing from data ever comes into it.
_LISTENER: Final = """
const FIELDS = {
  n: '[class*="st-key-card_note_"] textarea',
  g: '[class*="st-key-card_class_"] input',
  b: '[class*="st-key-card_from_"] [role="spinbutton"]',
};
export default function () {
  let frames = 300;  // the list may be drawn after this
  const show = () => {
    const open = document.querySelector('[class*="st-key-event_list"] input:checked')?.closest("label");
    if (open) open.parentElement.scrollIntoView({ block: "nearest" });
    else if (frames-- > 0) requestAnimationFrame(show);
  };
  show();
  const listen = (event) => {
    const on = event.target;
    if (document.querySelector('[data-testid="stDialog"]')) return;
    if (event.ctrlKey || event.metaKey || event.altKey) {
      const save = document.querySelector(".st-key-card_save button:enabled");
      if (event.key === "Enter" && save) {
        // Fields and focused buttons keep Enter to themselves; what was typed into one
        // is taken by Enter or when it is left.
        event.preventDefault();
        event.stopImmediatePropagation();
        if (typing(on) && on.tagName !== "TEXTAREA") {
          on.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
        }
        document.activeElement.blur();
        setTimeout(() => save.click(), 0);
      }
      return;
    }
    if (typing(on)) {
      const leaves = event.key === "Escape" || (event.key === "Enter" && on.tagName !== "TEXTAREA");
      if (!leaves || !on.closest('[class*="st-key-card_"]')) return;
      if (on.tagName === "TEXTAREA") on.blur();
      else setTimeout(() => on.blur(), 0);  // once the field has taken the key itself
      return;
    }
    if (event.key === "?") {
      document.querySelector(".st-key-keys button")?.click();
      return;
    }
    if (event.key === "+" || event.key === "-") {
      const windows = [...document.querySelectorAll(".st-key-window_choice button")];
      const shown = windows.findIndex((one) => one.getAttribute("aria-checked") === "true");
      if (shown >= 0) windows[shown + (event.key === "+" ? -1 : 1)]?.click();
      return;
    }
    const field = FIELDS[event.key.toLowerCase()] && document.querySelector(FIELDS[event.key.toLowerCase()]);
    if (field) {
      event.preventDefault();
      field.focus();
    }
  };
  document.addEventListener("keydown", listen, true);
  document.body.dataset.keys = "on";
  return () => {
    document.removeEventListener("keydown", listen, true);
    delete document.body.dataset.keys;
  };
}
"""
_listener = st.components.v2.component("telltale_keys", js=TYPING + _LISTENER)


def keys_button(opened: str) -> None:
    """Draw the button that opens the overlay, let the field keys work, and keep the list at the open event.

    Parameters
    ----------
    opened
        Id of the open event.
    """
    if st.button(
        "Keys", type="tertiary", icon=":material/keyboard:", shortcut="H", key="keys", help="All keys; also ?"
    ):
        keys_overlay()
    _listener(key="key_listener", data=opened, height=1)


@st.dialog("Keys", width="medium")
def keys_overlay() -> None:
    """List all keys of the page."""
    for part, (title, keys) in zip(st.columns(2) * len(KEYS), KEYS, strict=False):
        lines = [f"**{title}**", *(f":gray-badge[{key}] {what}" for key, what in keys)]
        part.markdown("  \n".join(lines))
    st.caption("Arrows move through the list when it has the focus; Tab goes from field to field.")
