"""Text that stands in a number's place, turned into floats without guessing."""

from typing import Final, Literal

import polars as pl

Decimal = Literal[".", ","]

_NUMBER: Final = r"^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
_INFINITE: Final = r"^(?i-u:[+-]?inf(?:inity)?)$"
_MISSING: Final = r"^(?i-u:|[+-]?nan|na|n/a|null|none)$"


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
    cell = pl.col("cell")
    plain = (
        cell
        if decimal == "."
        else cell.str.replace_all(".", "?", literal=True).str.replace(",", ".", literal=True)
    )
    number = cell.str.contains(_NUMBER)
    cast = cell.cast(pl.Float64, strict=False)
    return (
        pl.DataFrame({"cell": text})
        .with_columns(plain.str.strip_chars())
        .with_columns(
            good=number & cast.is_finite(),
            missing=cell.str.contains(_MISSING),
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
