"""What each fold of a backtest came to: a row a fold, in order of time."""

from collections.abc import Sequence

import streamlit as st

from app.charts.zone import Zone
from app.queries.job_views import FoldRow


def fold_table(folds: Sequence[FoldRow], zone: Zone) -> None:
    """Draw the folds; a column that no fold has a figure for is left out."""
    columns = {
        "Fold": [str(one.number) for one in folds],
        f"Learned from ({zone.label})": [zone.stamp(one.start) for one in folds],
        "Judged from": [zone.stamp(one.origin) for one in folds],
        "Judged until": [zone.stamp(one.end) for one in folds],
        "Alarms a week": [f"{one.alarms:.2g}" for one in folds],
    }
    figures = {
        "Error": [one.error for one in folds],
        "Error of predicting no change": [one.unchanged_error for one in folds],
        "F1 against published labels": [one.f1 for one in folds],
    }
    for name, values in figures.items():
        if any(value is not None for value in values):
            columns[name] = ["–" if value is None else f"{value:.3g}" for value in values]
    st.table(columns, border="horizontal", hide_index=True, alt="Folds of the backtest")
    st.caption(
        "Each fold learned from all before it and judged the stretch that followed; verdicts that were given "
        "later were not known to it. Errors are in standard deviations of the training part."
    )
