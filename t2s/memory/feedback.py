"""What people say of answers: accepted ones become verified queries, corrections keep what was wrong, and why."""

from __future__ import annotations

import re
import time
from datetime import date
from typing import TYPE_CHECKING

from t2s.errors import MemoryRefused, UsageError
from t2s.ledger import memories as store
from t2s.ledger.sessions import list_turns
from t2s.memory import remember
from t2s.sql import fingerprint
from t2s.types.query import Candidate, Problem, Rejected

if TYPE_CHECKING:
    from t2s.ledger.sessions import Turn
    from t2s.memory.memories import Memories
    from t2s.types.memory import Memory, Recalled, State
    from t2s.types.schema import Schema

_RELATIVE = re.compile(
    r"\b(?:today|yesterday|tomorrow|now|current(?:ly)?|recent(?:ly)?|ago|so far"
    r"|(?:this|last|past|previous|next|coming)\b(?!\s+name))|今天|昨天|明天|现在|目前|当前|最近|近|本|上个?(?:月|周|季|年)|去年|今年|前天|至今",
    re.IGNORECASE,
)
_NOW_IN_SQL = re.compile(
    r"\b(?:current_date|current_timestamp|now|today|getdate|curdate|sysdate)\b|'now'", re.IGNORECASE
)


def accept(memories: Memories, turn: Turn, schema: Schema, *, state: State = "accepted") -> Memory:
    """The answer of a turn was right: from now on it is a verified query."""
    if not turn.sql or turn.status != "ok":
        raise MemoryRefused("that question has no answer to accept")
    now = time.time()
    question = _in_context(memories, turn)
    memory = remember.query(memories.owner, question, turn.sql, schema, state=state, now=now)
    return remember.keep(memories, memory, now)


def correct(memories: Memories, turn: Turn, schema: Schema, *, right: str | None, why: str) -> Memory:
    """The answer of a turn was wrong; with the right SQL, that is a verified query from now on."""
    if not turn.sql:
        raise MemoryRefused("that question has no SQL to correct")
    now = time.time()
    owner, question = memories.owner, _in_context(memories, turn)
    memory = remember.correction(owner, question, turn.sql, right, why, schema, now=now)
    kept = remember.keep(memories, memory, now)
    if right:
        verified = remember.query(owner, question, right, schema, state="accepted", now=now)
        _retire(memories, kept)
        remember.keep(memories, verified, now)
    else:
        _retire(memories, kept)
    return kept


def latest_turn(memories: Memories, run_id: str | None) -> Turn:
    """The turn that feedback is about: the one named, else the owner's last on this datasource with an answer."""
    turns = list_turns(memories.ledger, user=memories.owner.user, run_id=run_id, limit=None if run_id else 20)
    if run_id:
        if len(turns) != 1:
            raise UsageError(f"there is no one answer {run_id!r}", hint="`t2s history list` shows their ids")
        return turns[0]
    for turn in turns:
        if turn.sql:
            return turn
    raise UsageError("there is no answer yet", hint="ask something first")


def known_answer(memories: Memories, question: str, schema: Schema, today: date) -> Candidate | None:
    """The verified SQL of exactly this question, where the schema is the one it was verified on.

    A question with a word like "last month" is answered so only on the day of its SQL, or where the SQL itself
    looks at the clock.
    """
    owner = memories.owner
    scopes = [owner.scope("query"), owner.scope("correction")]
    for memory in store.find(memories.ledger, scopes=scopes, keys=[remember.question_key(question)]):
        sql = memory.verified_sql
        if not sql or memory.stale or memory.fingerprint != schema.fingerprint:
            continue
        made = date.fromtimestamp(memory.valid_from)
        if _RELATIVE.search(question) and made != today and not _NOW_IN_SQL.search(sql):
            continue
        said = f"From memory: {'corrected' if memory.kind == 'correction' else 'verified'} by {memory.user} on {made}."
        return Candidate(sql=sql, explanation=said, confidence=1.0)
    return None


def vetoed(recalled: Recalled, sql: str, question: str, schema: Schema) -> Rejected | None:
    """Why this SQL must not answer this question: somebody said that it is wrong."""
    key = remember.question_key(question)
    vetoes = {hit.memory.veto: hit.memory for hit in recalled.hits if hit.memory.veto and hit.memory.key == key}
    if not vetoes:
        return None
    try:
        memory = vetoes.get(fingerprint(sql, schema.dialect))
    except UsageError:
        return None
    if memory is None:
        return None
    why = memory.data.get("why") or "it was corrected"
    problem = Problem(code="veto", message=f"{memory.user} said that this query is wrong for this question: {why}")
    return Rejected(sql=sql, problems=(problem,))


def _in_context(memories: Memories, turn: Turn) -> str:
    """The question with the ones that it follows, for alone it may mean something else."""
    session = list_turns(memories.ledger, user=memories.owner.user, session_id=turn.session_id)
    before = [t.question for t in reversed(session) if t.at < turn.at and t.status == "ok"]
    return " → ".join([*before[-2:], turn.question])


def _retire(memories: Memories, correction: Memory) -> None:
    """A verified query that has now been said to be wrong is none any more."""
    scopes = [memories.owner.scope("query")]
    for memory in store.find(memories.ledger, scopes=scopes, keys=[correction.key]):
        if memory.sql_hash == correction.veto:
            store.change(memories.ledger, [memory.id], valid_to=time.time(), superseded_by=correction.id)
