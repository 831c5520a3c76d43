"""Whether verdicts take effect, as pages decide it."""

from app.actions import learning
from app.actions.failure import told
from app.queries import house


@told
def apply_learning(
    *,
    likeness: bool,
    threshold: bool,
    windows: bool = True,
    probability: bool = True,
    telling: bool = True,
    previewed: str,
) -> None:
    """Let verdicts hold back later events, by the rules named, and teach by the other layers named.

    Raises
    ------
    ActionFailed
        Nothing changed.
    """
    learning.apply_learning(
        house.profile(),
        likeness=likeness,
        threshold=threshold,
        windows=windows,
        probability=probability,
        telling=telling,
        previewed=previewed,
    )


@told
def stop_learning() -> None:
    """Show again what verdicts held back.

    Raises
    ------
    ActionFailed
        Nothing changed.
    """
    learning.stop_learning(house.profile())
