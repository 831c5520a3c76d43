"""What runs on a worker of the cluster: it learns, into the home's folders, and registers nothing.

Dask sends the name of `learn_there` and one JSON text, and takes one back: neither model nor code travels. A
worker needs this release installed and the home's folder at the same path.
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final, Literal, Self

from core.errors import Cancelled, CoreError
from core.jobs.cluster_post import Post, Sender
from warehouse import errors as stored
from warehouse.errors import WarehouseError

# Trainings in one process one after the other: their threads would compete, and a kill would hit both.
_ALONE: Final = threading.Lock()

Ending = Literal["learned", "cancelled", "refused", "lost", "unable"]


@dataclass(frozen=True)
class Order:
    """One training, as it is sent.

    Parameters
    ----------
    release
        Of Telltale; another one may learn other weights.
    root
        The home.
    plan
        As `TrainingPlan.to_json` gives it.
    folder, checkpoints
        For the model, and for networks after each epoch; none are kept without.
    post
        The attempt's folder of `Post`.
    """

    release: str
    root: str
    plan: Mapping[str, object]
    folder: str
    checkpoints: str | None
    post: str

    def text(self) -> str:
        """Return the order as JSON."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Answer:
    """How a training there ended.

    Parameters
    ----------
    ending
        ``learned``; ``cancelled`` when told to; ``refused``: the sensor can't be trained; ``lost``: another
        worker had begun it; ``unable``: this worker is not set up for it.
    error
        Name of the class of what refused it.
    message
        Why.
    """

    ending: Ending
    error: str = ""
    message: str = ""

    def text(self) -> str:
        """Return the answer as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the answer that `text` made JSON."""
        return cls(**json.loads(text))

    def refusal(self) -> Exception:
        """Return what refused the training, as `learn` raised it there."""
        known = getattr(stored, self.error, None)
        if isinstance(known, type) and issubclass(known, WarehouseError):
            return known(self.message)
        return CoreError(self.message)


def release() -> str:
    """Return the release of Telltale that is installed."""
    return version("telltale")


def learn_there(order: str) -> str:
    """Carry out an `Order` and return an `Answer`, both as JSON; a folder holds what was learned."""
    return _answered(Order(**json.loads(order))).text()


def _answered(order: Order) -> Answer:
    if order.release != release():
        return Answer("unable", message=f"it runs Telltale {release()}, and the home {order.release}")
    post = Post(Path(order.post))
    if not post.folder.is_dir():
        return Answer(
            "unable", message=f"it does not see {order.root}: its file system has to be shared, at this path"
        )
    if not post.begin():
        return Answer("lost", message="the worker that had begun it is gone")
    # Imported here: what a dispatcher needs to send an order takes no numerical library.
    from core.workflows.learn import learn
    from core.workflows.training_plan import TrainingPlan

    sender = Sender(post, None if order.checkpoints is None else Path(order.checkpoints))
    with _ALONE:
        try:
            learn(TrainingPlan.from_json(order.plan), Path(order.root), Path(order.folder), sender.reports)
        except Cancelled as why:
            return Answer("cancelled", message=str(why))
        except (CoreError, WarehouseError) as error:
            return Answer("refused", type(error).__name__, str(error))
    return Answer("learned")
