"""Who does the work: a supervisor, its worker, and the table of what a job can be."""
