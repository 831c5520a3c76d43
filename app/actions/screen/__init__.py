"""The actions as pages call them: plain values in, the person at the screen as actor, one kind of failure."""

from app.actions.failure import ActionFailed, VerdictConflict
from app.actions.jobs import Revived
from app.actions.screen.data import keep_snapshot, keep_upload, set_limits, set_unit, store_table
from app.actions.screen.jobs import (
    add_schedule,
    backtest,
    build_demo,
    cancel_batch,
    cancel_job,
    clone_job,
    pause_schedule,
    remove_schedule,
    resume_batch,
    resume_jobs,
    retry_batch,
    retry_jobs,
    train,
    validate,
)
from app.actions.screen.learning import apply_learning, stop_learning
from app.actions.screen.triage import (
    acknowledge,
    add_fault_class,
    assign,
    end_maintenance,
    remove_view,
    retire_fault_class,
    save_view,
    set_criticality,
    set_maintenance,
    snooze,
)
from app.actions.screen.verdicts import GivenVerdict, give_verdict, give_verdicts, take_back, take_back_many
from app.actions.work import Started

__all__ = [
    "ActionFailed",
    "GivenVerdict",
    "Revived",
    "Started",
    "VerdictConflict",
    "acknowledge",
    "add_fault_class",
    "add_schedule",
    "apply_learning",
    "assign",
    "backtest",
    "build_demo",
    "cancel_batch",
    "cancel_job",
    "clone_job",
    "end_maintenance",
    "give_verdict",
    "give_verdicts",
    "keep_snapshot",
    "keep_upload",
    "pause_schedule",
    "remove_schedule",
    "remove_view",
    "resume_batch",
    "resume_jobs",
    "retire_fault_class",
    "retry_batch",
    "retry_jobs",
    "save_view",
    "set_criticality",
    "set_limits",
    "set_maintenance",
    "set_unit",
    "snooze",
    "stop_learning",
    "store_table",
    "take_back",
    "take_back_many",
    "train",
    "validate",
]
