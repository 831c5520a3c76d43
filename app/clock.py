"""The one wall clock; everything below is handed it."""

from warehouse.clock import now

__all__ = ["now"]
