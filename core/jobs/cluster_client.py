"""The Dask scheduler, as far as it is needed: its workers, one order to one of them, and how that went.

The only place that imports distributed, which is the extra ``telltale[cluster]``.
"""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Self

from core.errors import CoreError, JobError
from core.jobs.cluster_worker import learn_there

if TYPE_CHECKING:
    from distributed import Future, Security

_CONNECT_S: Final = 5.0
_RESTART_S: Final = 10.0

State = Literal["on its way", "answered", "failed", "lost"]


class ClusterGone(CoreError):
    """The scheduler can't be reached; the message says what to do."""


@dataclass(frozen=True)
class Keys:
    """PEM files for a scheduler that is reached by TLS.

    Parameters
    ----------
    ca
        Who signed the scheduler's certificate.
    cert, key
        This machine's own.
    """

    ca: str
    cert: str
    key: str


class Sent:
    """An order that was sent.

    Parameters
    ----------
    future
        Of Dask.
    worker
        Address of the worker that it was sent to.
    """

    def __init__(self, future: "Future", worker: str) -> None:
        self._future = future
        self.worker = worker

    @property
    def state(self) -> State:
        """How it goes; ``lost`` where nobody will answer."""
        from distributed import KilledWorker

        known: dict[str, State] = {"finished": "answered", "error": "failed", "pending": "on its way"}
        state = known.get(self._future.status, "lost")
        return "lost" if state == "failed" and isinstance(self.trouble(), KilledWorker) else state

    def answer(self) -> str:
        """Return what was answered.

        Raises
        ------
        ClusterGone
            The answer is lost.
        """
        from distributed import CancelledError

        try:
            return str(self._future.result(timeout=_CONNECT_S))
        except (CancelledError, TimeoutError, OSError) as error:
            raise ClusterGone(f"the answer of {self.worker} is lost: {error}") from error

    def trouble(self) -> BaseException:
        """Return why it failed there."""
        return self._future.exception(timeout=_CONNECT_S) or JobError("it failed without a reason")

    def forget(self) -> None:
        """Tell the scheduler that nobody waits for it."""
        self._future.release()


class Cluster:
    """A connection to a scheduler.

    Parameters
    ----------
    address
        ``tcp://host:8786`` or ``tls://host:8786``.
    keys
        For TLS; None without.

    Raises
    ------
    JobError
        distributed is not installed.
    ClusterGone
        Nobody answers at the address.
    """

    def __init__(self, address: str, keys: Keys | None) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise JobError(
                f"TELLTALE_CLUSTER={address} needs Dask, which is not installed: "
                "pip install 'telltale[cluster]', or leave the setting out to train on this machine"
            ) from error
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # a lost connection is told by us
        self.address = address
        try:
            self._client: Client = Client(
                address,
                timeout=_CONNECT_S,
                security=_security(keys),
                set_as_default=False,
                name="telltale",
            )
        except (OSError, TimeoutError, ValueError) as error:
            raise ClusterGone(
                f"no Dask scheduler answers at {address} ({_last_line(error)}): start one there "
                "(dask scheduler), or leave TELLTALE_CLUSTER out to train on this machine; trainings wait"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the scheduler; what was sent is forgotten there."""
        self._client.close(timeout=2)

    def workers(self) -> tuple[str, ...]:
        """Return the addresses of the workers, in their order.

        Raises
        ------
        ClusterGone
            The connection is lost.
        """
        if self._client.status != "running":
            raise ClusterGone(f"the connection to the Dask scheduler at {self.address} is lost")
        try:
            # Not `scheduler_info`: that may be what a callback asked for, of no worker at all.
            found = self._client.nthreads()
        except (OSError, TimeoutError) as error:
            raise ClusterGone(
                f"the Dask scheduler at {self.address} answers no more ({_last_line(error)})"
            ) from error
        return tuple(sorted(found))

    def send(self, order: str, name: str, worker: str) -> Sent:
        """Send an order to one worker; Dask neither repeats it nor gives it to another.

        Parameters
        ----------
        name
            Told from that of every other order.
        """
        future = self._client.submit(learn_there, order, key=name, workers=[worker], pure=False, retries=0)
        return Sent(future, worker)

    def restart(self, worker: str) -> bool:
        """End a worker's process, whatever it does; False where it has no nanny that could."""
        try:
            done = self._client.restart_workers([worker], timeout=_RESTART_S, raise_for_error=False)
        except (OSError, TimeoutError, ValueError):
            return False
        return set(done.values()) == {"OK"}


def _security(keys: Keys | None) -> "Security | None":
    if keys is None:
        return None
    from distributed import Security

    return Security(
        tls_ca_file=keys.ca,
        tls_client_cert=keys.cert,
        tls_client_key=keys.key,
        require_encryption=True,
    )


def _last_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__
