"""The registry of model versions: artifact hashes, and MLflow's runs and versions."""
