"""Sources: one file a format or protocol, each turning what it reads into a `SourceBatch`."""
