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
    """A parameter is outside its range; the message names it."""


class NotFitted(CoreError):
    """A detector or threshold was used before it was fitted."""


class ArtifactError(CoreError):
    """A saved model is missing, incomplete or not the one that was registered."""


class RegistryError(CoreError):
    """A version can't be registered or found."""


class JobError(CoreError):
    """A job can't be run as asked."""
