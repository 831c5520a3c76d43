"""What people say and what is shown first: state.duckdb, its one owner, and what it publishes."""
