"""Whether readings are fit to be learned from and judged, as pure masks."""
