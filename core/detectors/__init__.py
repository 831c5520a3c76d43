"""Methods that say how strange each step of a signal is."""
