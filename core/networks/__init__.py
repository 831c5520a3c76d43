"""Neural layers that rooms share; tensorflow is loaded here, and only when a network is used."""
