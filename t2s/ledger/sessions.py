"""Sessions and their turns: listed, shown, renamed, ended, deleted; and the record of who did what."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Row, desc, func, or_, select

from t2s.errors import UsageError
from t2s.ledger.memory_tables import actions, tasks
from t2s.ledger.redact import redact_details
from t2s.ledger.run_tables import runs
from t2s.ledger.store import SESSION_IDLE_S, Ledger
from t2s.ledger.tables import sessions, turns

AUDIT_DAYS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A conversation; times are seconds since the epoch. It is active until it ends or an hour passes unused."""

    id: str
    user: str
    datasource: str
    title: str | None
    created: float
    last_activity: float
    active: bool
    ended: float | None
    turns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A question and what came of it."""

    run_id: str
    session_id: str
    at: float
    question: str
    sql: str | None
    status: str
    confidence: float | None
    tables: tuple[str, ...]
    model: str
    row_count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something a user did."""

    at: float
    user: str
    action: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSummary:
    """Actions counted: in all, by name (the most common first), and on how many days; when the first and last was."""

    total: int
    days: int
    most_common: str | None
    first: float | None
    last: float | None
    by_action: Mapping[str, int]


_TURN = [field.name for field in fields(Turn)]


def list_sessions(ledger: Ledger, *, user: str, datasource: str | None = None) -> tuple[Session, ...]:
    """The user's sessions, the latest first; those of one-shot commands only where they have a title."""
    count = select(func.count()).where(turns.c.session_id == sessions.c.id).scalar_subquery()
    query = select(sessions, count.label("turns")).where(sessions.c.user == user, sessions.c.title.is_not(None))
    if datasource is not None:
        query = query.where(sessions.c.datasource == datasource)
    with ledger.reading() as connection:
        return tuple(_as_session(row) for row in connection.execute(query.order_by(desc(sessions.c.last_activity))))


def get_session(ledger: Ledger, name: str, *, user: str) -> Session:
    """The user's latest session of that title, or the one whose id begins so; raises `UsageError`."""
    count = select(func.count()).where(turns.c.session_id == sessions.c.id).scalar_subquery()
    query = (
        select(sessions, count.label("turns"))
        .where(sessions.c.user == user)
        .where(or_(sessions.c.title == name, sessions.c.id.startswith(name, autoescape=True)))
        .order_by((sessions.c.title == name).desc(), desc(sessions.c.last_activity))
        .limit(1)
    )
    with ledger.reading() as connection:
        row = connection.execute(query).first()
    if row is None or not name:
        near = get_close_matches(name, [s.title for s in list_sessions(ledger, user=user) if s.title], n=1)
        hint = f"did you mean {near[0]}?" if near else "`t2s session list` shows them"
        raise UsageError(f"there is no session {name!r}", hint=hint)
    return _as_session(row)


def rename_session(ledger: Ledger, session: Session, title: str) -> None:
    """Give a session another title; raises `UsageError` where the datasource has an open one of that name."""
    with ledger.transaction() as connection:
        taken = connection.scalar(
            select(sessions.c.id).where(
                sessions.c.user == session.user,
                sessions.c.datasource == session.datasource,
                sessions.c.title == title,
                sessions.c.ended.is_(None),
                sessions.c.id != session.id,
            )
        )
        if taken:
            raise UsageError(f"there is a session {title!r} already", hint="end or rename that one first")
        connection.execute(sessions.update().where(sessions.c.id == session.id).values(title=title))


def resume_session(ledger: Ledger, session: Session) -> None:
    """Make a session active again, also one that has ended."""
    with ledger.transaction() as connection:
        connection.execute(
            sessions.update()
            .where(sessions.c.id == session.id)
            .values(active=True, ended=None, last_activity=time.time())
        )


def end_session(ledger: Ledger, session: Session) -> None:
    """Close a session: its name is free for a new one."""
    with ledger.transaction() as connection:
        connection.execute(sessions.update().where(sessions.c.id == session.id).values(active=False, ended=time.time()))


def delete_session(ledger: Ledger, session: Session) -> None:
    """Take a session away with its turns; usage stays, for it has been paid, and what its runs took, without words."""
    with ledger.transaction() as connection:
        own = runs.update().where(runs.c.session_id == session.id)
        connection.execute(own.values(question="", error="", target=""))
        connection.execute(turns.delete().where(turns.c.session_id == session.id))
        connection.execute(tasks.delete().where(tasks.c.session_id == session.id))
        connection.execute(sessions.delete().where(sessions.c.id == session.id))


def list_turns(
    ledger: Ledger,
    *,
    user: str,
    session_id: str | None = None,
    run_id: str | None = None,
    limit: int | None = None,
) -> tuple[Turn, ...]:
    """The user's turns, the latest first; `run_id` may be the beginning of one."""
    query = select(turns).join(sessions, sessions.c.id == turns.c.session_id).where(sessions.c.user == user)
    if session_id is not None:
        query = query.where(turns.c.session_id == session_id)
    if run_id is not None:
        query = query.where(turns.c.run_id.startswith(run_id, autoescape=True))
    with ledger.reading() as connection:
        return tuple(_as_turn(row) for row in connection.execute(query.order_by(desc(turns.c.at)).limit(limit)))


def undo_turn(ledger: Ledger, run_id: str) -> None:
    """Take a turn out of its conversation; that it was asked stays known."""
    with ledger.transaction() as connection:
        connection.execute(turns.update().where(turns.c.run_id == run_id).values(status="undone"))


def record_action(ledger: Ledger, *, user: str, action: str, **details: str | float | None) -> None:
    """Keep that a user did something; secrets are redacted and what is older than 90 days goes."""
    told = redact_details(details)
    now = time.time()
    with ledger.transaction() as connection:
        connection.execute(actions.insert().values(at=now, user=user, action=action, details=told))
        connection.execute(actions.delete().where(actions.c.at < now - AUDIT_DAYS * 86_400))


def list_actions(
    ledger: Ledger,
    *,
    user: str | None,
    since: date | None = None,
    until: date | None = None,
    action: str | None = None,
    limit: int | None = None,
) -> tuple[Action, ...]:
    """What a user did, or (None) everybody, the latest first; both days included, at most 90 days back.

    `action` is a name, or a group of names by what stands before the dot.
    """
    kept = time.time() - AUDIT_DAYS * 86_400
    query = select(actions).where(actions.c.at >= kept).order_by(desc(actions.c.at), desc(actions.c.number))
    if user is not None:
        query = query.where(actions.c.user == user)
    if since is not None:
        query = query.where(actions.c.at >= time.mktime(since.timetuple()))
    if until is not None:
        query = query.where(actions.c.at < time.mktime((until + timedelta(days=1)).timetuple()))
    if action is not None:
        group = actions.c.action.startswith(f"{action}.", autoescape=True)
        query = query.where((actions.c.action == action) | group)
    with ledger.reading() as connection:
        return tuple(
            Action(at=row.at, user=row.user, action=row.action, details=row.details)
            for row in connection.execute(query.limit(limit))
        )


def sum_up(done: Sequence[Action]) -> ActionSummary:
    """Actions, the latest first, counted."""
    days = {date.fromtimestamp(action.at) for action in done}
    names = Counter(action.action for action in done).most_common()
    return ActionSummary(
        total=len(done),
        days=len(days),
        most_common=names[0][0] if names else None,
        first=done[-1].at if done else None,
        last=done[0].at if done else None,
        by_action=dict(names),
    )


def _as_session(row: Row[Any]) -> Session:
    values = {field.name: row._mapping[field.name] for field in fields(Session)}
    idle = time.time() - values["last_activity"] > SESSION_IDLE_S
    return Session(**{**values, "active": values["active"] and not idle})


def _as_turn(row: Row[Any]) -> Turn:
    values = {name: row._mapping[name] for name in _TURN}
    return Turn(**{**values, "tables": tuple(values["tables"])})
