"""Detectors and thresholds composed into what raises events, graded and explained."""
