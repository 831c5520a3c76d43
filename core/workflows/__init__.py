"""The verbs: ingest, train, score, export; they alone turn the warehouse's frames into signals and back."""
