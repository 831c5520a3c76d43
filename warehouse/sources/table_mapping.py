"""How a person says what the columns of a table mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal, Self, cast, get_args

from warehouse.assets import AssetSpec, Role, SensorSpec, sensor_key
from warehouse.documents import JSON
from warehouse.errors import SourceError
from warehouse.sources.names import refuse_asset
from warehouse.sources.numbers import Decimal
from warehouse.sources.times import check_format, check_zone

ROLES: Final = get_args(Role)

_REQUIRED: Final = frozenset({"time", "zone", "layout"})


@dataclass(frozen=True)
class TableMapping:
    """What the columns of a table mean.

    Parameters
    ----------
    time
        Name of the time column.
    zone
        IANA zone of times without an offset of their own. None only where every time has its offset, or
        for an epoch.
    layout
        ``"wide"``: a column a sensor; ``"long"``: a row a reading.
    asset
        The machine, where no `asset_column` names it.
    columns
        Wide: the sensor columns, None for all but the time.
    asset_column, sensor_column, value_column
        Long: where machine, sensor and value stand.
    units, roles
        By sensor name, or by ``"asset/sensor"`` where that matters. A sensor without a role is a target;
        a target's context are the context and state sensors of its asset.
    kind
        What the machines are.
    historical
        False where the machine goes on sending after the file's end.
    delimiter
        None to find it among comma, semicolon, tab and bar.
    decimal
        Mark of decimals.
    time_format
        None for ISO 8601, ``"epoch_s"``, ``"epoch_ms"``, ``"epoch_us"``, or a strptime format.

    Raises
    ------
    SourceError
        The zone is missing or unknown, or the parts contradict each other.
    """

    time: str
    zone: str | None
    layout: Literal["long", "wide"]
    asset: str | None = None
    columns: tuple[str, ...] | None = None
    asset_column: str | None = None
    sensor_column: str | None = None
    value_column: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    kind: str = "machine"
    historical: bool = True
    delimiter: str | None = None
    decimal: Decimal = "."
    time_format: str | None = None

    def __post_init__(self) -> None:
        if self.zone is not None:
            check_zone(self.zone)
        if self.time_format is not None:
            check_format(self.time_format)
        if self.layout not in {"long", "wide"}:
            raise SourceError(f"layout {self.layout!r} is neither 'long' nor 'wide'")
        if self.decimal not in {".", ","}:
            raise SourceError(f"decimal mark {self.decimal!r} is neither '.' nor ','")
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n\0'):
            raise SourceError(f"delimiter {self.delimiter!r} is not one plain character")
        for name, role in self.roles.items():
            if role not in ROLES:
                raise SourceError(f"role {role!r} of {name!r} is none of {', '.join(ROLES)}")
        self._check_columns()

    def _check_columns(self) -> None:
        if self.layout == "wide":
            if self.asset is None:
                raise SourceError("a wide table needs the name of its machine (asset)")
            if self.asset_column or self.sensor_column or self.value_column:
                raise SourceError("asset, sensor and value columns belong to a long table")
        else:
            if self.sensor_column is None or self.value_column is None:
                raise SourceError("a long table needs a sensor column and a value column")
            if (self.asset is None) == (self.asset_column is None):
                raise SourceError("a long table needs either the name of its machine or an asset column")
            if self.columns is not None:
                raise SourceError("a list of sensor columns belongs to a wide table")
        named = self.needed
        if len(set(named)) != len(named) or "" in named:
            raise SourceError(f"one column can't mean two things: {', '.join(map(repr, named))}")
        reason = None if self.asset is None else refuse_asset(self.asset)
        if reason:
            raise SourceError(reason)

    def to_document(self) -> dict[str, JSON]:
        """Return the mapping as JSON; what is as by default is left out."""
        document: dict[str, JSON] = {}
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name in _REQUIRED or value not in (one.default, {}):
                document[one.name] = (
                    list(value)
                    if isinstance(value, tuple)
                    else dict(value)
                    if isinstance(value, Mapping)
                    else value
                )
        return document

    @classmethod
    def of_document(cls, document: Mapping[str, JSON]) -> Self:
        """Return the mapping that `to_document` gave.

        Raises
        ------
        SourceError
            A part is unknown, missing, or not of its kind, or the parts contradict each other.
        """
        known = [one.name for one in fields(cls)]
        wrong = sorted(set(document) - set(known)) + sorted(_REQUIRED - set(document))
        wrong += sorted(name for name in known if name in document and not _is_of_kind(name, document[name]))
        if wrong:
            raise SourceError(
                f"this is no mapping of a table: {', '.join(map(repr, wrong[:5]))} is wrong in it"
            )
        given: dict[str, Any] = dict(document)
        if given.get("columns") is not None:
            given["columns"] = tuple(given["columns"])
        return cls(**given)

    @property
    def needed(self) -> list[str]:
        """Columns that the header must have."""
        if self.layout == "wide":
            return [self.time, *(self.columns or ())]
        columns = (self.time, self.asset_column, self.sensor_column, self.value_column)
        return [column for column in columns if column is not None]

    def specs(
        self, pairs: Sequence[tuple[str, str]], intervals: Mapping[str, float]
    ) -> tuple[AssetSpec, ...]:
        """Return the assets of (asset, sensor) `pairs` with units, roles and contexts.

        Raises
        ------
        SourceError
            A unit or role is stated for a sensor that is not there.
        """
        known = {sensor for _, sensor in pairs} | {sensor_key(*pair) for pair in pairs}
        stray = sorted((set(self.units) | set(self.roles)) - known)
        if stray:
            raise SourceError(
                f"a unit or role is stated for {', '.join(map(repr, stray[:5]))}, which no reading names;"
                f" sensors are {', '.join(repr(sensor) for _, sensor in pairs[:20])}"
            )
        assets = dict.fromkeys(asset for asset, _ in pairs)
        return tuple(
            self._spec(asset, [sensor for owner, sensor in pairs if owner == asset], intervals)
            for asset in assets
        )

    def _spec(self, asset: str, sensors: list[str], intervals: Mapping[str, float]) -> AssetSpec:
        roles = {sensor: self._stated(self.roles, asset, sensor, "target") for sensor in sensors}
        context = tuple(sensor for sensor in sensors if roles[sensor] != "target")
        return AssetSpec(
            asset,
            self.kind,
            self.historical,
            tuple(
                SensorSpec(
                    sensor,
                    self._stated(self.units, asset, sensor, ""),
                    cast("Role", roles[sensor]),
                    intervals.get(sensor_key(asset, sensor)),
                    context if roles[sensor] == "target" else (),
                )
                for sensor in sensors
            ),
        )

    @staticmethod
    def _stated(stated: Mapping[str, str], asset: str, sensor: str, otherwise: str) -> str:
        return stated.get(sensor_key(asset, sensor), stated.get(sensor, otherwise))


def _is_of_kind(name: str, value: JSON) -> bool:
    """Tell whether `value` may stand for the field `name` in a document."""
    if name in {"units", "roles"}:
        return isinstance(value, Mapping) and all(isinstance(one, str) for one in value.values())
    if name == "columns":
        return value is None or (isinstance(value, list) and all(isinstance(one, str) for one in value))
    if name == "historical":
        return isinstance(value, bool)
    return isinstance(value, str) or (value is None and name not in {"time", "layout", "kind", "decimal"})
