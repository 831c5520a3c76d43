"""The options that say what the columns of a table mean, shared by every command that takes them."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, cast

import typer

from warehouse.errors import SourceError
from warehouse.sources.table_mapping import TableMapping


def mapping_of(
    time: Annotated[str, typer.Option(help="Name of the time column.")],
    zone: Annotated[
        str | None,
        typer.Option(
            help="Zone of the times, such as UTC or Europe/Berlin; not needed if each has an offset."
        ),
    ] = None,
    asset: Annotated[str | None, typer.Option(help="Name of the machine the columns belong to.")] = None,
    layout: Annotated[str, typer.Option(help="wide: a column a sensor. long: a row a reading.")] = "wide",
    sensor_column: Annotated[str | None, typer.Option(help="long: column with the sensor.")] = None,
    value_column: Annotated[str | None, typer.Option(help="long: column with the value.")] = None,
    asset_column: Annotated[str | None, typer.Option(help="long: column with the machine.")] = None,
    column: Annotated[list[str] | None, typer.Option(help="wide: only this column; repeatable.")] = None,
    unit: Annotated[
        list[str] | None, typer.Option(help="SENSOR=UNIT, such as flow=m3/h; repeatable.")
    ] = None,
    role: Annotated[
        list[str] | None, typer.Option(help="SENSOR=target, context or state; default target; repeatable.")
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help="Found by itself when not given.")] = None,
    decimal: Annotated[str, typer.Option(help="Mark of decimals, . or ,")] = ".",
    time_format: Annotated[
        str | None, typer.Option(help="epoch_s, epoch_ms, epoch_us or a strptime format; else ISO 8601.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="The machine goes on sending after this file.")
    ] = False,
) -> TableMapping:
    """Return the mapping that the options state."""
    return TableMapping(
        time=time,
        zone=zone,
        layout=cast("Literal['long', 'wide']", layout),
        asset=asset,
        columns=tuple(column) if column else None,
        asset_column=asset_column,
        sensor_column=sensor_column,
        value_column=value_column,
        units=_pairs(unit, "--unit"),
        roles=_pairs(role, "--role"),
        historical=not live,
        delimiter=delimiter,
        decimal=cast("Literal['.', ',']", decimal),
        time_format=time_format,
    )


def takes_mapping(*, without: Sequence[str] = ()) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of `mapping_of`; it is called with the `mapping` that they state.

    Parameters
    ----------
    without
        Options that mean nothing to this command.
    """
    shared = {
        name: one for name, one in inspect.signature(mapping_of).parameters.items() if name not in without
    }

    def around(command: Callable[..., None]) -> Callable[..., None]:
        own = [one for name, one in inspect.signature(command).parameters.items() if name != "mapping"]

        @functools.wraps(command)
        def run(**given: Any) -> None:  # noqa: ANN401 -- as typer calls it
            stated = {name: given.pop(name) for name in shared}
            command(mapping=mapping_of(**stated), **given)

        # What typer makes options of.
        parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in (*own, *shared.values())]
        vars(run)["__signature__"] = inspect.Signature(parameters)
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        vars(run).pop("__wrapped__")
        return run

    return around


def _pairs(given: list[str] | None, option: str) -> dict[str, str]:
    pairs = {}
    for text in given or ():
        name, mark, value = text.partition("=")
        if not mark or not name:
            raise SourceError(f"{option} {text!r} must be SENSOR=VALUE")
        pairs[name] = value
    return pairs
