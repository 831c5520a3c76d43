"""The table of faults that were made, at the end of a run."""

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = [
        (name, str(count))
        for report in terminalreporter.getreports("passed")
        for name, count in report.user_properties
    ]
    if rows:
        terminalreporter.section("faults that were made and survived")
        width = max(len(name) for name, _ in rows)
        for name, count in rows:
            terminalreporter.write_line(f"{name.ljust(width)}  {count}")
