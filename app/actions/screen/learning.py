"""Whether verdicts take effect, as pages decide it."""

from app.actions import learning
from app.actions.failure import told
from app.queries import house


@told
def apply_learning(*, likeness: bool, threshold: bool, previewed: str) -> None:
    """Let verdicts hold back later events, by the rules named.

    Raises
    ------
    ActionFailed
        Nothing changed.
    """
    learning.apply_learning(house.profile(), likeness=likeness, threshold=threshold, previewed=previewed)


@told
def stop_learning() -> None:
    """Show again what verdicts held back.

    Raises
    ------
    ActionFailed
        Nothing changed.
    """
    learning.stop_learning(house.profile())
