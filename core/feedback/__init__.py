"""Learning from verdicts: what an event looks like, which are alike, what recurs and is benign."""
