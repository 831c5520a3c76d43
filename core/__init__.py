"""The field without the screen: detection, thresholds, evaluation, training and jobs."""
