"""Backup and restore of a whole home, the app running or not."""
