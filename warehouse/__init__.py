"""Storage: telemetry and results in Parquet behind a manifest, catalogue, jobs and state."""
