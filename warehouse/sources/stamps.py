"""Times of fixed width, read as digits at known places: the plain case of a column, at array speed.

A row counts only where it has the very shape of the first one of its length; any other row is left to the
careful reading in `warehouse.sources.times`, which this one must never contradict.
"""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

_ISO: Final = re.compile(
    r"(?P<Y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})(?:[T ](?P<H>[0-9]{2}):(?P<M>[0-9]{2})"
    r"(?::(?P<S>[0-9]{2})(?:[.,](?P<f>[0-9]{1,9}))?)?(?P<own>Z|(?P<sign>[+-])(?P<oh>[0-9]{2}):(?P<om>[0-9]{2}))?)?"
)
_DIRECTIVES: Final = {
    "%Y": "(?P<Y>[0-9]{4})",
    ".%f": r"(?:\.(?P<f>[0-9]{1,9}))?",
    **{f"%{one}": f"(?P<{one}>[0-9]{{2}})" for one in "mdHMS"},
}
_TOKEN: Final = re.compile(r"(%[YmdHMS]|\.%f)")
_LONGEST: Final = 40
_FEW: Final = 32  # rows of one length that are worth arrays
_LIMITS: Final = {
    "m": (1, 12),
    "d": (1, 31),
    "H": (0, 23),
    "M": (0, 59),
    "S": (0, 59),
    "oh": (0, 23),
    "om": (0, 59),
}

_Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Stamps:
    """Microseconds since 1970 of each row: `own` where it has an offset, else of its `local` clock.

    Both are Int64 with null where the row is not plain, and never both set.
    """

    local: pl.Series
    own: pl.Series


def read_stamps(text: pl.Series, time_format: str | None) -> Stamps:
    """Return what can be read plainly of `text`, strings without nulls.

    Parameters
    ----------
    time_format
        None for ISO 8601, else a strptime format; one whose fields have no fixed places gives nulls.
    """
    rows = text.len()
    local, own = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    has_local, has_own = np.zeros(rows, bool), np.zeros(rows, bool)
    pattern = _ISO if time_format is None else _pattern(time_format)
    if pattern is not None and rows:
        lengths = text.str.len_bytes().to_numpy()
        shortest, longest = int(lengths.min()), int(lengths.max())
        same = shortest == longest
        counts = {longest: rows} if same else dict(zip(*np.unique(lengths, return_counts=True), strict=True))
        for length, count in counts.items():
            if not 8 <= length <= _LONGEST or (count < _FEW and not same):
                continue
            at = None if same else np.flatnonzero(lengths == length)
            part = text if at is None else text.gather(at)
            found = pattern.fullmatch(part[0])
            if found is None:
                continue
            us, good = _read(_matrix(part, int(length)), found)
            into, has = (local, has_local) if found.groupdict().get("own") is None else (own, has_own)
            into[slice(None) if at is None else at] = us
            has[slice(None) if at is None else at] = good
    return Stamps(_series(local, has_local), _series(own, has_own))


def _pattern(time_format: str) -> re.Pattern[str] | None:
    """Return what texts of a format look like, None where its fields have no fixed places."""
    parts = _TOKEN.split(time_format)
    literals, fields = parts[::2], parts[1::2]
    if len(set(fields)) != len(fields) or not {"%Y", "%m", "%d"} <= set(fields):
        return None
    between = literals[1:-1]
    # Fields that touch are told apart by rules of their own; a literal that may be read as more is not plain.
    if any(not mark and fields[at + 1] != ".%f" for at, mark in enumerate(between)):
        return None
    if any("%" in mark or not re.fullmatch(r"[-/.:T ]*", mark) for mark in literals) or literals[0]:
        return None
    if ("%H" in fields) != ("%M" in fields) or ".%f" in fields[:-1] or literals[-1]:
        return None
    if ("%S" in fields and "%M" not in fields) or (".%f" in fields and fields[-2:] != ["%S", ".%f"]):
        return None
    return re.compile(
        "".join(re.escape(one) if at % 2 == 0 else _DIRECTIVES[one] for at, one in enumerate(parts))
    )


def _matrix(text: pl.Series, length: int) -> _Bytes:
    """Return the bytes of equally long texts, one column a text."""
    arrow = text.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    _, offsets, data = arrow.buffers()
    first = int(np.frombuffer(offsets, np.int64, 1, arrow.offset * 8)[0])
    whole = np.frombuffer(data, np.uint8, text.len() * length, first).reshape(text.len(), length)
    return np.ascontiguousarray(whole.T)


def _read(columns: _Bytes, shape: re.Match[str]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return microseconds and which rows have the shape and are times."""
    good = np.ones(columns.shape[1], bool)
    fields = {
        name: shape.span(name)
        for name, value in shape.groupdict().items()
        if value and name not in {"own", "sign"}
    }
    places = {place for start, end in fields.values() for place in range(start, end)}
    for place, literal in enumerate(shape.string.encode("ascii")):
        if place not in places:
            good &= columns[place] == literal
    numbers: dict[str, NDArray[np.int64]] = {}
    for name, (start, end) in fields.items():
        number = np.zeros(columns.shape[1], np.int32)
        for place in range(start, end):
            digit = columns[place] - np.uint8(48)
            good &= digit <= 9
            if place < start + 6:  # beyond microseconds digits are cut
                number = number * 10 + digit
        low, high = _LIMITS.get(name, (0, 999_999))
        good &= (number >= low) & (number <= high)
        numbers[name] = number.astype(np.int64)
    months = np.where(good, (numbers["Y"] - 1970) * 12 + numbers["m"] - 1, 0).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (np.where(good, numbers["d"], 1) - 1)
    good &= days.astype("datetime64[M]") == months
    us = days.astype(np.int64) * 86_400
    for name, seconds in (("H", 3600), ("M", 60), ("S", 1)):
        if name in numbers:
            us += numbers[name] * seconds
    if "oh" in numbers:
        shift = numbers["oh"] * 3600 + numbers["om"] * 60
        us += shift if shape["sign"] == "-" else -shift
    us *= 1_000_000
    if "f" in numbers:
        us += numbers["f"] * 10 ** max(0, 6 - (fields["f"][1] - fields["f"][0]))
    return us, good


def _series(us: NDArray[np.int64], has: NDArray[np.bool_]) -> pl.Series:
    if not has.any():
        return pl.Series([None], dtype=pl.Int64).new_from_index(0, len(has))
    if has.all():
        return pl.Series(us)
    values = pl.DataFrame({"us": us, "has": has})
    return values.select(pl.when("has").then("us")).to_series()
