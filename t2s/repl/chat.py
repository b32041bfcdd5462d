"""The conversation: what is entered, what came of it, and what can be undone."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from t2s.errors import Cancelled, DatabaseUnavailable, LedgerError, T2SError, UsageError
from t2s.repl import show
from t2s.repl.opening import Opened, Opening
from t2s.repl.script import is_sql
from t2s.types.event import Event, Notice
from t2s.types.query import Answer, Clarification, ResultSet
from t2s.types.usage import Usage

if TYPE_CHECKING:
    from t2s.repl.names import Names
    from t2s.repl.start import Start
    from t2s.workspace import Workspace

MAX_STATES = 50
KEPT_STATES = 25
"""States that `/undo` can go back to; so many are left when there are more than the most."""
TITLE = 48
"""Characters of a first question that name the session."""

_TABLE = re.compile(r"(?<![\w@.])@([\w.]+)")
_AS_CHART = re.compile(
    r"(?:and |now |please )*(?:show |draw |plot |make |give )?(?:me )?(?:it |that |this |them )?(?:as |in |into )?"
    r"(?:an? )?(?:bar |line )?(?:chart|graph|plot|histogram)[.!]?"
    r"|(?:请|再)?(?:用|以|画|做)(?:成|个|一个|张|一张)*图表?(?:显示|展示|表示)?[。!]?",
    re.IGNORECASE,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What an entry changes, and `/undo` brings back: the latest answer and the tables kept in view."""

    answer: Answer | None = None
    pinned: tuple[str, ...] = ()


class Chat:
    """One user, one database at a time, one conversation at a time."""

    def __init__(self, start: Start) -> None:
        self.start = start
        self._begin()
        self.expanded = False
        self.timing = True
        self.left = False
        self.code = 0
        self.ask_user: Callable[[str], str] | None = None
        """Asks the user for a line; None where nobody is there to answer."""
        self.redraw: Callable[[], None] = lambda: None
        """Shows the prompt anew where something has changed behind it."""
        self._listener: Callable[[Event], None] = self._held
        self._early: list[Event] = []
        self._opening: Opening | None = None

    def _begin(self) -> None:
        """A conversation of which nothing has been said yet."""
        self.state = State()
        self.before: list[State] = []
        self.failure: Answer | None = None
        """The latest answer where it has SQL that does not work; `/fix` and `/edit` begin from it."""
        self.spent = Usage(model="")
        self.asked = 0
        self._budget_left: str | None = None
        self.began = time.time()

    def open(self) -> None:
        """Begin to open the workspace, once; what it has to say is kept until the user waits for it."""
        if self._opening is None:
            self._opening = Opening(self.start, lambda event: self._listener(event), lambda: self.redraw())

    @property
    def ready(self) -> Opened | None:
        """The workspace, if it is open already."""
        return self._opening.ready if self._opening else None

    @property
    def names(self) -> Names | None:
        """What can be completed, as soon as the schema is known."""
        return self.ready.names if self.ready else None

    @property
    def opening_goes_on(self) -> bool:
        """Whether the workspace is still being opened."""
        return self._opening is None or not (self._opening.failed or self._opening.ready)

    def opened(self) -> Opened:
        """The workspace; waits for it, and tries again where opening it failed before."""
        if self._opening is not None and self._opening.failed:
            self._opening = None
        self.open()
        assert self._opening is not None
        if self._opening.ready is None:
            with show.progress(self.start, doing="opening") as progress:
                self._listen(progress)
                try:
                    self._opening.wait()
                finally:
                    self._listen(self._say_notice)
        elif self._early:
            self._listen(self._say_notice)
        return self._opening.wait()

    @property
    def workspace(self) -> Workspace:
        """The workspace of the opened database."""
        return self.opened().workspace

    def switch(self, start: Start) -> None:
        """Leave this conversation for another, or for another database; where that cannot be opened, stay."""
        new = Opening(start, self._say_notice, self.redraw)
        with show.progress(self.start, doing="opening"):
            try:
                new.wait()
            except BaseException:
                new.abandon()
                raise
        self._leave()
        self.start, self._opening = start, new
        self._begin()

    def budget_left(self) -> str:
        """What is left of the budget, in words; looked up once after each entry, for it is asked for at every key."""
        if self._budget_left is None:
            from t2s.render.budget import left_in_words
            from t2s.workspace import LOCAL

            ws = self.workspace
            try:
                self._budget_left = left_in_words(ws.budgets()) if ws.model != LOCAL else ""
            except LedgerError:  # that is said where it matters
                self._budget_left = ""
        return self._budget_left

    def _listen(self, listener: Callable[[Event], None]) -> None:
        self._listener = listener
        for event in self._early:
            listener(event)
        self._early.clear()

    def _held(self, event: Event) -> None:
        if isinstance(event, Notice):
            self._early.append(event)

    def _say_notice(self, event: Event) -> None:
        if isinstance(event, Notice):
            show.say(self.start, f"t2s: {event.message}")

    def enter(self, text: str) -> None:
        """Do what was entered; whatever goes wrong is told in one line, and the conversation goes on."""
        self._budget_left = None
        try:
            self._do(text.strip())
        except T2SError as e:
            self.fail(e)
        except (KeyboardInterrupt, EOFError):
            self.fail(Cancelled("cancelled"))
            if not self.start.interactive:
                self.left = True
        except BrokenPipeError:
            raise
        except Exception as e:
            if os.environ.get("T2S_TRACEBACK"):
                raise
            self.fail(T2SError(f"internal error: {type(e).__name__}: {e}", hint="this is a bug in t2s"))

    def fail(self, error: T2SError) -> None:
        """Tell of an error."""
        show.error(self.start, error)
        self.note_code(error.exit_code)

    def note_code(self, code: int) -> None:
        """Where entries come from a pipe, the first failure is the exit code of all."""
        if not self.start.interactive:
            self.code = self.code or code

    def _do(self, text: str) -> None:
        if not text:
            return
        if text.startswith(("/", "\\")):
            from t2s.repl.commands import run_command

            run_command(self, text)
        elif is_sql(text):
            self.run_sql(text)
        elif self.state.answer is not None and _AS_CHART.fullmatch(text):
            show.chart(self.start, self.result_of_last())
        else:
            self.ask(text)

    def ask(self, question: str) -> None:
        """Answer a question in the conversation."""
        ws = self.workspace
        text = self._with_tables(question)
        answer = self.working(lambda: ws.ask(text))
        if answer.clarification and answer.clarification.choices and self.ask_user:
            choice = self._choose(answer.clarification, self.ask_user)
            clearer = f"{text}\n({answer.clarification.question} {choice})"
            again = self.working(lambda: ws.ask(clearer))
            answer = replace(again, usage=answer.usage + again.usage)
        self.answered(answer)

    def run_sql(self, sql: str) -> None:
        """Run SQL under the same guard and limits as answers; it is part of the conversation."""
        from t2s.workspace.direct import run_sql

        ws = self.workspace
        self.answered(self.working(lambda: run_sql(ws, sql)))

    def answered(self, answer: Answer) -> None:
        """Show an answer and remember it as the state."""
        self.spent += answer.usage
        self.asked += 1
        self.failure = answer if answer.status != "ok" and answer.sql else None
        if answer.status == "ok":
            self.advance(replace(self.state, answer=answer))
            self._name_session(answer.question)
        show.answer(self, answer)

    def working(self, do: Callable[[], T]) -> T:
        """Do something that takes time, with its progress shown; a lost connection is made anew, once."""
        with show.progress(self.start) as progress:
            self._listen(progress)
            try:
                try:
                    return do()
                except DatabaseUnavailable as e:
                    self.workspace.reconnect()
                    progress(Notice(message=f"{e.message}; connected again"))
                    return do()
            finally:
                self._listen(self._say_notice)

    def _with_tables(self, question: str) -> str:
        """The question without `@`; the tables that it names are kept in view from now on."""
        pinned = dict.fromkeys(self.state.pinned)
        for name in _TABLE.findall(question):
            pinned[self.table(name.rstrip("."))] = None
        if tuple(pinned) != self.state.pinned:
            self.advance(replace(self.state, pinned=tuple(pinned)))
            self.workspace.pinned = tuple(pinned)
        return _TABLE.sub(r"\1", question)

    def table(self, name: str) -> str:
        """The full name of a table; raises `UsageError` with the nearest."""
        names = self.opened().names
        found = names.table(name)
        if found is None:
            from t2s.sql import nearest

            near = nearest(name, (t.full_name for t in names.schema.tables))
            hint = f"did you mean {near}?" if near else "/schema lists them"
            raise UsageError(f"there is no table {name}", hint=hint)
        return found.full_name

    def _choose(self, clarification: Clarification, ask_user: Callable[[str], str]) -> str:
        show.choices(self.start, clarification)
        while True:
            said = ask_user("Which one? ").strip()
            if said.isdigit() and 1 <= int(said) <= len(clarification.choices):
                return clarification.choices[int(said) - 1]
            if said and not said.isdigit():
                return said

    def advance(self, state: State) -> None:
        """Go on to a new state; the one before can be brought back."""
        self.before.append(self.state)
        if len(self.before) > MAX_STATES:
            del self.before[:-KEPT_STATES]
        self.state = state

    def last(self) -> Answer:
        """The latest answer; raises `UsageError` where there is none."""
        if self.state.answer is None:
            raise UsageError("there is no answer yet", hint="ask something first")
        return self.state.answer

    def last_sql(self) -> str:
        """The latest SQL; raises `UsageError` where there is none."""
        sql = self.last().sql
        if not sql:
            raise UsageError("the last answer has no SQL")
        return sql

    def result_of_last(self) -> ResultSet:
        """The rows of the latest answer; raises `UsageError` where it has none."""
        result = self.last().result
        if result is None:
            raise UsageError("the last answer has no rows", hint="/run runs its SQL")
        return result

    def _name_session(self, question: str) -> None:
        """A new session is called by its first question."""
        from t2s.ledger.sessions import rename_session

        opened = self.opened()
        named = not (opened.session.title or "").startswith("chat-")
        if named or opened.workspace.session_name != opened.session.title:
            return
        title = " ".join(question.split())[:TITLE].strip()
        try:
            rename_session(opened.workspace.ledger, opened.session, title)
        except UsageError:  # there is one of that name
            title = f"{title[: TITLE - 9]} {opened.session.id[:8]}"
            rename_session(opened.workspace.ledger, opened.session, title)
        except LedgerError:  # the answer is worth more than a name
            return
        opened.workspace.session_name = title

    def close(self) -> None:
        """Say what the conversation was worth, and give everything back."""
        self._leave()

    def _leave(self) -> None:
        from t2s.repl.farewell import leave

        opened = self._opening.settle() if self._opening else None
        if opened is not None:
            leave(self, opened)
        self._opening = None
