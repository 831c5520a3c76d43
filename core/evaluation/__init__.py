"""Figures on steps that neither fitting nor calibration saw."""
