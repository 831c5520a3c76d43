"""One command each: measure, print a table against a reference of the same run, write a flat JSON."""
