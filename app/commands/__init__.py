"""The command line: one file a command, each thin over a workflow, an action or a query."""
