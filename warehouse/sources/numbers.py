"""Text that stands in a number's place, turned into floats without guessing."""

from typing import Final, Literal

import polars as pl

Decimal = Literal[".", ","]

_NUMBER: Final = r"^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
_INFINITE: Final = r"^(?i-u:[+-]?inf(?:inity)?)$"
MISSING: Final = r"^(?i-u:|[+-]?nan|na|n/a|null|none)$"


def parse_numbers(text: pl.Series, decimal: Decimal = ".") -> pl.DataFrame:
    """Return columns ``value`` and ``good``, one row a text.

    Empty text, NaN, NA, null and none are a missing value (NaN); inf and infinity are infinite. A number
    that no float can hold is as bad as a word: it would be read as another one.

    Parameters
    ----------
    text
        Strings without nulls; blanks around them don't count.
    decimal
        The decimal mark of the file; no mark groups thousands.
    """
    plain = _with_point(text, decimal)
    value = plain.cast(pl.Float64, strict=False)
    # What is cast to a finite float is a number by the rules below, too; only the rest needs a closer look.
    sure = value.is_finite().fill_null(value=False)
    if sure.all():
        return pl.DataFrame({"value": value, "good": sure})
    frame = pl.DataFrame({"cell": plain, "value": value, "good": sure})
    odd = frame.filter(~pl.col("good")).select(pl.col("cell").unique()).to_series()
    careful = _carefully(odd).rename({"value": "careful", "good": "taken"}).with_columns(cell=odd)
    met = frame.join(careful, on="cell", how="left", maintain_order="left")
    return met.select(
        value=pl.when("good").then("value").otherwise("careful"),
        good=pl.col("good") | pl.col("taken").fill_null(value=False),
    )


def parse_carefully(text: pl.Series, decimal: Decimal = ".") -> pl.DataFrame:
    """Return what `parse_numbers` does, row by row and without the short way of plain numbers."""
    return _carefully(_with_point(text, decimal))


def _with_point(text: pl.Series, decimal: Decimal) -> pl.Series:
    if decimal == ".":
        return text
    return text.str.replace_all(".", "?", literal=True).str.replace(",", ".", literal=True)


def _carefully(text: pl.Series) -> pl.DataFrame:
    cell = pl.col("cell")
    number = cell.str.contains(_NUMBER)
    cast = cell.cast(pl.Float64, strict=False)
    return (
        pl.DataFrame({"cell": text})
        .with_columns(cell.str.strip_chars())
        .with_columns(
            good=number & cast.is_finite(),
            missing=cell.str.contains(MISSING),
            infinite=cell.str.contains(_INFINITE),
        )
        .select(
            value=pl.when("good")
            .then(cast)
            .when("infinite")
            .then(pl.when(cell.str.starts_with("-")).then(-float("inf")).otherwise(float("inf")))
            .otherwise(float("nan")),
            good=pl.col("good").fill_null(value=False) | pl.col("missing") | pl.col("infinite"),
        )
    )
