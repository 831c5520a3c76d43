"""A button that copies the address of the page, which holds the event and the window."""

from typing import Final

import streamlit as st

_COPIED: Final = "links_copied"

# Fixed text: nothing from data ever comes into it. An address without https has no clipboard but the old way.
_COPIER: Final = """
let done = null;
export default function ({ data }) {
  const first = done === null;
  if (done === data) return;
  done = data;
  if (first && data === 0) return;
  const address = new URL(window.location.href);
  address.searchParams.delete("person");  // who opens it is somebody else
  const text = address.href;
  const byHand = () => {
    const field = document.createElement("textarea");
    field.value = text;
    document.body.appendChild(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  };
  if (navigator.clipboard) navigator.clipboard.writeText(text).catch(byHand);
  else byHand();
}
"""
_copier = st.components.v2.component("telltale_link", js=_COPIER)


def copy_link() -> None:
    """Draw the button; pressed, it copies the address and says so."""
    if st.button(
        "Copy link",
        type="tertiary",
        icon=":material/link:",
        shortcut="L",
        key="copy_link",
        help="The address names the event and the window: who opens it sees this.",
    ):
        st.session_state[_COPIED] = st.session_state.get(_COPIED, 0) + 1
        st.toast("Link copied.", icon=":material/link:")


def copier() -> None:
    """Do what `copy_link` was pressed for; it takes a line of its own, so it stands at the page's end."""
    _copier(key="link_copier", data=st.session_state.get(_COPIED, 0), height=1)
