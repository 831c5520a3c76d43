"""How gaps are filled and readings put on a regular grid before anything looks at them."""
