"""Text that stands in a time's place, turned into UTC instants or refused with the reason."""

import re
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from warehouse.errors import SourceError
from warehouse.instants import microseconds
from warehouse.schema import EARLIEST, TIME, latest_allowed
from warehouse.sources.stamps import read_stamps

EPOCHS: Final = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}

_ISO: Final = (
    r"^([0-9]{4})-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,9})?)?"
    r" ?(?:Z|z|UTC|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)?)?$"
)
_FAR_ISO: Final = r"^[+]?[0-9]{5,7}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.,]+)? ?(?:Z|z|UTC|[+-][0-9:]{2,6})?$"
_OFFSET: Final = r"(?:Z|z|UTC|:[0-9]{2}(?:[.,][0-9]+)? ?([+-][0-9]{2}(?::?[0-9]{2})?))$"  # never a date's day
_NUMBER: Final = r"^[+-]?[0-9]+(?:\.[0-9]*)?$"
_DIRECTIVE: Final = re.compile(r"(?:%(?:[YmdHMSybBjIpzTFeD%]|\.f|\.?[369]f|:z)|[^%])+")
_LEAP_SECOND: Final = r":60(?:[^0-9]|$)"


def check_zone(zone: str) -> str:
    """Return `zone` if it names a time zone of the IANA database.

    Raises
    ------
    SourceError
        It does not.
    """
    try:
        # Python's database tells what a zone is; Polars has its own, and takes an empty name for none.
        pl.Series([datetime(2000, 1, 1, tzinfo=ZoneInfo(zone))]).dt.convert_time_zone(zone)
    except (KeyError, ValueError, OSError, pl.exceptions.PolarsError) as error:
        raise SourceError(
            f"time zone {zone!r} is not known; name one of the IANA database, such as UTC or Europe/Berlin"
        ) from error
    return zone


def check_format(time_format: str) -> str:
    """Return `time_format` if it is an epoch or made of known strptime directives.

    Raises
    ------
    SourceError
        It is not.
    """
    if time_format in EPOCHS:
        return time_format
    chrono = _chrono(time_format)
    message = (
        f"time format {time_format!r} is not understood; use {', '.join(EPOCHS)}"
        " or strptime directives such as '%d/%m/%Y %H:%M:%S.%f'"
    )
    if "%" not in chrono or not _DIRECTIVE.fullmatch(chrono):
        raise SourceError(message)
    try:
        pl.Series(["?"]).str.to_datetime(chrono, strict=False)
    except pl.exceptions.PolarsError as error:
        raise SourceError(f"{message} ({str(error).splitlines()[0]})") from error
    return time_format


def _chrono(time_format: str) -> str:
    # Python's %f is a fraction; Polars' would be a count of nanoseconds, and read .5 as 5 of them.
    return time_format.replace(".%f", "%.f")


def parse_times(text: pl.Series, *, zone: str | None, time_format: str | None, now: datetime) -> pl.DataFrame:
    """Return columns ``ts`` (UTC microseconds), ``refused`` (null where good) and ``naive``.

    Without a format, ISO 8601 is read: a date, or a date and a clock, with or without an offset. A time's
    own offset wins over `zone`. Digits beyond microseconds are cut.

    Parameters
    ----------
    text
        Strings without nulls; blanks around them don't count.
    zone
        Zone of times without an offset; None marks these as ``naive`` and leaves ``ts`` null.
    time_format
        None for ISO 8601, a key of `EPOCHS`, or a strptime format, both checked beforehand.
    now
        Times from a day after it on are refused, as are those before 1990.
    """
    runs = _runs(text)
    if runs is not None:
        first, run = runs
        each = parse_times(text.gather(first), zone=zone, time_format=time_format, now=now)
        return each[run]
    ts = _plain(text, zone=zone, time_format=time_format, now=now)
    if ts.null_count() == 0:
        return pl.DataFrame({"ts": ts}).with_columns(
            refused=pl.lit(None, pl.String), naive=pl.lit(value=False)
        )
    frame = pl.DataFrame({"text": text, "plain": ts})
    odd = frame.filter(pl.col("plain").is_null()).select(pl.col("text").unique()).to_series()
    careful = parse_carefully(odd, zone=zone, time_format=time_format, now=now)
    met = frame.join(careful.with_columns(text=odd), on="text", how="left", maintain_order="left")
    return met.select(
        pl.coalesce("plain", "ts").alias("ts"),
        pl.when(pl.col("plain").is_null()).then("refused").alias("refused"),
        (pl.col("plain").is_null() & pl.col("naive")).fill_null(value=False).alias("naive"),
    )


def parse_carefully(
    text: pl.Series, *, zone: str | None, time_format: str | None, now: datetime
) -> pl.DataFrame:
    """Return what `parse_times` does, row by row and without the short way of plain times."""
    frame = pl.DataFrame({"text": text}).with_columns(pl.col("text").str.strip_chars())
    if time_format is None:
        frame = _iso(frame)
    elif time_format in EPOCHS:
        frame = _epoch(frame, EPOCHS[time_format])
    else:
        frame = _strptime(frame, time_format)
    return judged(frame, zone=zone, wanted=expected(time_format), now=now)


def judged(frame: pl.DataFrame, *, zone: str | None, wanted: str, now: datetime) -> pl.DataFrame:
    """Return ``ts``, ``refused`` and ``naive`` as `parse_times` does.

    Parameters
    ----------
    frame
        Columns ``text``, ``far`` (certainly out of bounds), ``offset_ts`` (instants) and ``local`` (clocks
        without a zone); where both are null the text is no time.
    wanted
        What a time should have been, for the reason.
    """
    earliest, latest = pl.lit(EARLIEST, TIME), pl.lit(latest_allowed(now), TIME)
    bounds = f"is outside {EARLIEST:%Y-%m-%d} to {latest_allowed(now):%Y-%m-%d}"
    quoted = pl.format("time '{}' ", pl.col("text").str.slice(0, 60))
    return (
        _localised(frame, zone)
        .with_columns(
            refused=pl.when(pl.col("text") == "")
            .then(pl.lit("time is empty"))
            .when("far")
            .then(quoted + pl.lit(bounds))
            .when(pl.col("offset_ts").is_null() & pl.col("local").is_null())
            .then(quoted + pl.lit(f"is not {wanted}"))
            .when("never")
            .then(quoted + pl.lit(f"never showed on the clocks of {zone} (daylight saving)"))
            .when(pl.col("ts").is_null() & ~pl.col("naive"))
            .then(quoted + pl.lit(f"showed twice on the clocks of {zone} (daylight saving)"))
            .when((pl.col("ts") < earliest) | (pl.col("ts") >= latest))
            .then(
                quoted + pl.format("({} UTC) ", pl.col("ts").dt.strftime("%Y-%m-%d %H:%M")) + pl.lit(bounds)
            )
        )
        .select(
            pl.when(pl.col("refused").is_null()).then("ts").alias("ts"),
            "refused",
            pl.col("naive") & pl.col("refused").is_null(),
        )
    )


def localise(clocks: pl.Series, zone: str) -> pl.Series:
    """Return the instants of `clocks` (without a zone) in `zone`; null where it had none or two of them."""
    if zone == "UTC":
        return clocks.dt.replace_time_zone("UTC")
    each = pl.DataFrame({"clock": clocks.unique()})
    each = each.with_columns(
        ts=pl.col("clock")
        .dt.replace_time_zone(zone, ambiguous="null", non_existent="null")
        .dt.convert_time_zone("UTC")
    )
    met = pl.DataFrame({"clock": clocks}).join(
        each, on="clock", how="left", maintain_order="left", nulls_equal=True
    )
    return met["ts"]


def _runs(text: pl.Series) -> tuple[pl.Series, pl.Series] | None:
    """Return where runs of equal texts begin and each row's run, None where they would save little."""
    begins = (text != text.shift(1)).fill_null(value=True)
    if text.is_empty() or begins.sum() * 2 > text.len():
        return None
    return begins.arg_true(), begins.cum_sum() - 1


def _plain(text: pl.Series, *, zone: str | None, time_format: str | None, now: datetime) -> pl.Series:
    """Return the instants of the texts that are plain and within bounds, null for all others."""
    if time_format in EPOCHS:
        unit = EPOCHS[time_format]
        whole = text.cast(pl.Int64, strict=False)
        # Within bounds the product is exact, in integers and in floats.
        low, high = (microseconds(one) // unit for one in (EARLIEST, latest_allowed(now)))
        ts = whole.set(~whole.is_between(low, high).fill_null(value=False), None) * unit
        own = ts.cast(TIME)
    else:
        stamps = read_stamps(text, time_format)
        own = stamps.own.cast(TIME)
        if zone is not None and stamps.local.null_count() < text.len():
            local = localise(stamps.local.cast(pl.Datetime("us")), zone)
            own = pl.select(pl.coalesce(own, local)).to_series()
    return within_bounds(own, now).alias("ts")


def within_bounds(ts: pl.Series, now: datetime) -> pl.Series:
    """Return instants with null in place of those before 1990 or from a day after `now` on."""
    us = ts.to_physical()
    good = us.is_between(microseconds(EARLIEST), microseconds(latest_allowed(now)), closed="left")
    return ts if good.all() and not us.null_count() else ts.set(~good.fill_null(value=False), None)


def expected(time_format: str | None) -> str:
    """Return in words what a time of a format is."""
    if time_format is None:
        return "an ISO 8601 time; state its format if it is another one"
    if time_format in EPOCHS:
        return f"a number of {time_format.removeprefix('epoch_')} since 1970"
    return f"of the format {time_format}"


def _iso(frame: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("text")
    frame = frame.with_columns(iso=text.str.contains(_ISO), far=text.str.contains(_FAR_ISO))
    # The part before the offset, made uniform: "2024-01-01 12:30:00.250000".
    clock = pl.col("text").str.slice(11)
    plain = clock.str.replace(",", ".", literal=True).str.extract(r"^([0-9:]+(?:\.[0-9]{1,6})?)", 1)
    full = pl.when(plain.str.len_bytes() == 5).then(plain + ":00").otherwise(plain)
    stamp = text.str.slice(0, 10) + " " + full.fill_null("00:00:00")
    naive = pl.when("iso").then(stamp).str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us")
    sign = pl.when(pl.col("offset").str.starts_with("-")).then(-1).otherwise(1)
    digits = pl.col("offset").str.replace(":", "", literal=True)
    shift = sign * (
        digits.str.slice(1, 2).cast(pl.Int64, strict=False) * 60
        + digits.str.slice(3, 2).cast(pl.Int64, strict=False).fill_null(0)
    )
    own = text.str.contains(_OFFSET)
    return (
        frame.with_columns(parsed=naive, own=own, offset=text.str.extract(_OFFSET, 1).fill_null("+00"))
        .with_columns(shift=pl.duration(minutes=shift))
        .with_columns(
            offset_ts=pl.when("own").then((pl.col("parsed") - pl.col("shift")).dt.replace_time_zone("UTC")),
            local=pl.when(~pl.col("own")).then("parsed"),
        )
    )


def _epoch(frame: pl.DataFrame, unit_us: int) -> pl.DataFrame:
    text = pl.col("text")
    seconds = pl.when(text.str.contains(_NUMBER)).then(text).cast(pl.Float64, strict=False)
    us = seconds * unit_us
    # Beyond year 9999 an integer of microseconds is of no use; such rows are refused as too far.
    return frame.with_columns(far=(us.abs() > 2.5e17).fill_null(value=False), us=us).with_columns(
        offset_ts=pl.when(~pl.col("far")).then(pl.col("us").round().cast(pl.Int64, strict=False)).cast(TIME),
        local=pl.lit(None, pl.Datetime("us")),
    )


def _strptime(frame: pl.DataFrame, time_format: str) -> pl.DataFrame:
    text = pl.col("text")
    # A leap second would become the first second of the next day.
    usable = pl.when(~text.str.contains(_LEAP_SECOND)).then(text)
    parsed = frame.select(
        usable.str.to_datetime(_chrono(time_format), strict=False, time_unit="us")
    ).to_series()
    aware = isinstance(parsed.dtype, pl.Datetime) and parsed.dtype.time_zone is not None
    return frame.with_columns(
        far=pl.lit(value=False),
        offset_ts=parsed if aware else pl.lit(None, TIME),
        local=pl.lit(None, pl.Datetime("us")) if aware else parsed,
    )


def _localised(frame: pl.DataFrame, zone: str | None) -> pl.DataFrame:
    local, own = pl.col("local"), pl.col("offset_ts").cast(TIME)
    if zone is None:
        return frame.with_columns(ts=own, naive=local.is_not_null(), never=pl.lit(value=False))
    once = local.dt.replace_time_zone(zone, ambiguous="null", non_existent="null")
    some = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return frame.with_columns(
        ts=pl.coalesce(own, once.dt.convert_time_zone("UTC")),
        naive=pl.lit(value=False),
        never=local.is_not_null() & some.is_null(),
    )
