"""The process that shows MLflow's pages; ends with the web process that started it."""

import argparse
from pathlib import Path

from core.jobs.parent import exit_with_parent
from core.registry.serving import serve


def main() -> None:
    """Serve until the parent is gone."""
    parser = argparse.ArgumentParser(prog="app.tracking_child", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of MLflow's store")
    parser.add_argument("--port-file", type=Path, required=True, help="gets the number of the port")
    given = parser.parse_args()
    exit_with_parent()
    serve(given.root, port_file=given.port_file)


if __name__ == "__main__":
    main()
