"""One thin file a page: pick, query, chart."""
