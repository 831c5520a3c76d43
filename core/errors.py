"""What can go wrong in the field's own logic, each with a message a person can act on."""


class CoreError(Exception):
    """A failure whose message says what happened, to which sensor, and what to do."""


class InsufficientData(CoreError):
    """Too few usable steps.

    Parameters
    ----------
    message
        What was being done, and to what.
    needed, found
        Steps that are needed and steps that were there.
    """

    def __init__(self, message: str, *, needed: int, found: int) -> None:
        super().__init__(f"{message}: needs at least {needed} usable steps, found {found}")
        self.needed = needed
        self.found = found


class ConstantSignal(CoreError):
    """The part to learn from never changes, so there is nothing to predict."""


class ParameterError(CoreError):
    """A parameter is outside its range; the message names it.

    Parameters
    ----------
    message
        Which parameter, its range, and what was given.
    field
        Name of the parameter where a person gave it, so that the message can be shown beside it.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotFitted(CoreError):
    """A detector or threshold was used before it was fitted."""


class ArtifactError(CoreError):
    """A saved model is missing, incomplete or not the one that was registered."""


class RegistryError(CoreError):
    """A version can't be registered or found."""


class RegistryAway(RegistryError):
    """The server of the registry does not answer, or another process keeps its store; that may pass."""


class JobError(CoreError):
    """A job can't be run as asked."""


class Cancelled(CoreError):
    """The work was told to end before it was done; what it kept lets it go on another time."""
