"""Charts: values in, Plotly figures and SVG out. Nothing here reads storage or draws a widget."""
