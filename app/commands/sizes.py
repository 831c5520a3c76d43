"""Bytes in words."""


def in_words(size: int) -> str:
    """Return a number of bytes as a person reads it, such as ``12.3 MB``."""
    amount, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:,.0f} {unit}" if unit == "B" else f"{amount:,.1f} {unit}"
