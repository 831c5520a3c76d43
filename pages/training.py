"""The page that shows what is being learned and whether it goes well."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.actions import screen
from app.components import (
    batch_view,
    job_cards,
    job_history,
    job_view,
    problem,
    rail,
    sensor_status,
    train_form,
    training_view,
    viewer,
)
from app.components import schedules as schedule_parts
from app.components import training_doings as doings
from app.components.header import header
from app.components.job_words import ENDED
from app.components.outcome import refusal, said, take
from app.components.words import counted, escaped
from app.queries import batches, fleet, house, models, training, work
from app.queries.job_views import BatchView, JobRow, Live

# How often the live parts look: while something runs or waits, and while nothing does.
BUSY_S, QUIET_S = 1.0, 10.0
SLOW_S, IDLE_S = 5.0, 30.0
CARD_PX = 560
MOST = 40
DOES = job_view.Doings(
    doings.cancel,
    doings.resume,
    doings.retry,
    doings.clone,
    training_view.go_job,
    training_view.go_batch,
)


def page() -> None:
    """Draw what the address asks for."""
    stamp = house.stamp()
    header(
        "Training: what is being learned, and is it fine?",
        fleet.fleet(stamp),
        house.now(),
        house.profile(),
    )
    view = training_view.asked()
    training_view.drawn(view)
    take()
    if view.job is None and view.batch is None:
        place = st.container()
        everything()
    else:
        place = alone(view)
    # Said last: a part that has the page drawn anew must not swallow it.
    with place:
        said()
    if view.train is not None and not refusal("trainer"):
        ask(view.train)


def alone(view: training_view.View) -> DeltaGenerator:
    """Draw one job or one batch with the way back, and return the place for what is to be said."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "All training",
            icon=":material/arrow_back:",
            type="tertiary",
            key="back",
            shortcut="B",
            on_click=training_view.go_all,
        )
        place = st.container()
    part = one_job if view.job is not None else one_batch
    st.fragment(part, run_every=QUIET_S if training_view.quiet() else BUSY_S, key="alone")()
    return place


def everything() -> None:
    """Draw what runs, waits and is over, the sensors, and the schedules."""
    quiet = work.live().quiet
    training_view.pace(quiet=quiet)
    left, right = st.columns([1.35, 1], gap="medium")
    with left:
        st.fragment(now, run_every=QUIET_S if quiet else BUSY_S, key="now")()
        st.fragment(history, run_every=IDLE_S if quiet else SLOW_S, key="over")()
    with right:
        st.fragment(sensors, run_every=IDLE_S if quiet else SLOW_S, key="sensors")()
    schedules()


def now() -> None:
    """Draw what runs and waits."""
    with problem.shown():
        training_view.follow()
        live = work.live()
        training_view.keep_pace(quiet=live.quiet)
        if live.quiet:
            st.markdown("**Now** :gray[· nothing runs and nothing waits]")
            return
        running, waiting = counts(live)
        st.markdown(f"**Now** :gray[· {running} running, {waiting} waiting]")
        palette, may_not = viewer.palette(), refusal("trainer")
        for batch in live.batches:
            card(batch, may_not)
        if live.running:
            with st.grid(min(len(live.running), 2), min_column_width=260, gap="small", key="cards"):
                for row in live.running:
                    job_cards.running_card(
                        row, palette, cancel=doings.cancel, go=training_view.go_job, may_not=may_not
                    )
        if live.queued:
            st.markdown(f"**Queue** :gray[· {counted(len(live.queued), 'job')}, next first]")
            job_cards.queue(
                live.queued, viewer.zone(), cancel=doings.cancel, go=training_view.go_job, may_not=may_not
            )


def card(batch: BatchView, may_not: str) -> None:
    """Draw a batch that is not over; a click on a bar opens that job."""
    clicked = job_cards.batch_card(
        batch,
        viewer.palette(),
        width=CARD_PX,
        cancel=doings.cancel_batch,
        go=training_view.go_batch,
        may_not=may_not,
    )
    if clicked is not None:
        training_view.go_job(clicked)
        st.rerun()


def counts(live: Live) -> tuple[int, int]:
    """Return how many jobs run and how many wait, those of batches included."""
    inside = [dict(batch.counts) for batch in live.batches]
    running = len(live.running) + sum(one.get("running", 0) for one in inside)
    waiting = sum(one.get("queued", 0) + one.get("interrupted", 0) for one in inside)
    return running, len(live.queued) + waiting


def history() -> None:
    """Draw what is over; a click on a row opens that job."""
    with problem.shown():
        training_view.follow()
        st.markdown("**History** :gray[· newest first; a click opens the job]")
        states, kind, sensor = job_history.filters(work.kinds(), models.targets(house.stamp()))
        rows = over(states, kind, sensor)
        filtered = bool(kind or sensor) or len(states) < len(ENDED)
        picked = job_history.history(rows, viewer.zone(), house.now(), viewer.palette(), filtered=filtered)
        if picked is not None:
            training_view.go_job(picked)
            st.rerun()


def over(states: tuple[str, ...], kind: str | None, sensor: int | None) -> tuple[JobRow, ...]:
    """Return what is over, newest first; without a kind, what people asked for and whatever failed."""
    if kind is not None:
        return work.jobs(states, kind, sensor)
    kinds = [one for one in work.kinds() if one not in job_history.ROUTINE]
    found = [work.jobs(states, one, sensor, limit=MOST) for one in kinds]
    if "failed" in states:
        found.append(work.jobs(("failed",), None, sensor, limit=MOST))
    by_id = {row.job_id: row for rows in found for row in rows}
    return tuple(by_id[number] for number in sorted(by_id, reverse=True))[:MOST]


def sensors() -> None:
    """Draw the sensors by status, and the buttons that train the picked ones and validate their versions."""
    with problem.shown():
        training_view.follow()
        machine = rail.picked().machine
        every = training.sensor_statuses(house.stamp())
        rows = [row for row in every if machine is None or row.name.startswith(f"{machine} · ")]
        may_not = refusal("trainer")
        with st.container(horizontal=True, vertical_alignment="center"):
            of = "" if machine is None else f" of {escaped(machine)}"
            st.markdown(f"**Sensors** :gray[· {counted(len(rows), 'target')}{of}]", width="stretch")
            buttons = st.container(width="content", horizontal=True)
        picked: tuple[int, ...] = ()
        if rows:
            shown = sensor_status.chips(rows)
            picked = sensor_status.sensor_table(shown, viewer.palette(), go=training_view.go_job)
        elif every:
            st.caption("This machine has no sensor that can be trained.")
        else:
            st.caption("There is no sensor to train yet: ingest something on the page Data first.")
        # Nobody picked a row, but a machine is picked in the rail: it is meant.
        meant = picked or tuple(row.sensor_id for row in rows if machine is not None)
        if any(row.version_id is not None for row in rows if row.sensor_id in meant):
            buttons.button(
                "Validate",
                key="validate",
                on_click=doings.validate,
                args=(meant,),
                disabled=bool(may_not),
                help=may_not or "Judge all their trained versions on readings that none of them learned from",
            )
        buttons.button(
            f"Train {counted(len(picked), 'sensor')}…" if picked else "Train…",
            type="primary",
            shortcut="N",
            key="train",
            on_click=training_view.open_dialog,
            args=(meant,),
            disabled=bool(may_not) or not every,
            help=may_not or None,
        )


def one_job() -> None:
    """Draw one job alone."""
    with problem.shown():
        training_view.follow()
        wanted = training_view.asked().job
        found = None if wanted is None else work.job(wanted)
        training_view.keep_pace(quiet=found is None or found.row.state in ENDED)
        if found is None:
            st.caption(f"There is no job {wanted}.")
            return
        job_view.job_view(found, viewer.palette(), viewer.zone(), DOES, may_not=refusal("trainer"))


def one_batch() -> None:
    """Draw one batch alone; a click on a bar opens that job."""
    with problem.shown():
        training_view.follow()
        wanted = training_view.asked().batch
        found = None if wanted is None else batches.batch(wanted)
        training_view.keep_pace(quiet=found is None or found.over)
        if found is None:
            st.caption(f"There is no batch {wanted}.")
            return
        clicked = batch_view.batch_view(
            found,
            viewer.palette(),
            viewer.zone(),
            cancel=doings.cancel_batch,
            resume=doings.resume_batch,
            retry=doings.retry_batch,
            go=training_view.go_job,
            may_not=refusal("trainer"),
        )
        if clicked is not None:
            training_view.go_job(clicked)
            st.rerun()


@st.dialog("Train a model", width="medium", on_dismiss=doings.dismiss)
def ask(prefilled: tuple[int, ...]) -> None:
    """Ask what to train and how long, and queue it."""
    with problem.shown():
        asked = train_form.train_form(
            models.targets(house.stamp()),
            training.presets(train_form.chosen_now(prefilled)),
            training.fields(train_form.preset_now()),
            prefilled,
        )
        if asked is None:
            return
        try:
            doings.start(asked)
        except screen.ActionFailed as failure:
            train_form.refuse(failure.field, str(failure))
            st.rerun(scope="fragment")
        st.rerun()


def schedules() -> None:
    """Draw the schedules, folded."""
    rows, may_not, zone = training.schedules(), refusal("trainer"), viewer.zone()
    with st.expander(schedule_parts.heading(rows), key="schedules"):
        schedule_parts.schedule_list(
            rows, zone, pause=doings.pause, remove=doings.remove, go=training_view.go_job, may_not=may_not
        )
        asked = schedule_parts.schedule_form(
            training.presets(), zone, wrong=st.session_state.get(doings.CRON_REFUSED, ""), may_not=may_not
        )
    if asked is not None:
        doings.add_schedule(asked, zone.name)
        st.rerun()


with problem.shown():
    page()
