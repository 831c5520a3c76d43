"""`telltale`: the entry of the command line."""

import logging
import os
import sys

import typer

from app.commands import audit, console, export, fault_classes, ingest, jobs, maintenance, schedule, watch
from app.commands.backup import backup
from app.commands.demo import demo
from app.commands.doctor import doctor
from app.commands.label import label, unlabel
from app.commands.repair import repair
from app.commands.restore import restore
from app.commands.run import run
from app.commands.score import score
from app.commands.status import status
from app.commands.train import train
from app.commands.validate import backtest, validate

app = typer.Typer(
    name="telltale",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Find anomalies in machine telemetry, judge them in a browser, keep the models under control. "
    "Start with `telltale run --demo`, or ingest your own data and then `telltale run`.",
)

app.command("run")(run)
app.command("demo")(demo)
app.add_typer(ingest.app, name="ingest")
app.add_typer(watch.app, name="watch")
app.command("train")(train)
app.command("validate")(validate)
app.command("backtest")(backtest)
app.add_typer(jobs.app, name="jobs")
app.add_typer(schedule.app, name="schedule")
app.command("score")(score)
app.add_typer(export.app, name="export")
app.add_typer(audit.app, name="audit")
app.command("label")(label)
app.command("unlabel")(unlabel)
app.add_typer(maintenance.app, name="maintenance")
app.add_typer(fault_classes.app, name="fault-classes")
app.command("status")(status)
app.command("doctor")(doctor)
app.command("repair")(repair)
app.command("backup")(backup)
app.command("restore")(restore)


def main() -> None:
    """Run the command line; expected failures end with one line and status 1."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # Before anything imports them: no library of ours reports home.
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["DO_NOT_TRACK"] = "true"
    try:
        app()
    except console.EXPECTED as error:
        sys.exit(console.fail(str(error)))
    except KeyboardInterrupt:
        sys.exit(console.fail("interrupted"))


if __name__ == "__main__":
    main()
