"""Methods that turn scores into events."""
