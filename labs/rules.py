"""What must hold in every run, whatever the strategy looks like inside: named rules over a trace.

Law of this module: a rule looks at what happened (saved terms and votes, leaderships, commits, faults), never into a
strategy, so every correct design passes. Each violation says which rule, who and when, and which events prove it.

The rules are those of Raft (D. Ongaro, J. Ousterhout 2014): election safety (§5.2), one vote a term (§5.2), log
matching (§5.3), leader completeness and state machine safety (§5.4); and of Ongaro's thesis (2014): a leader without a majority
steps down (§6.2), a healthy leader is not disturbed (§9.6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from labs.schedules import Run
from replstore.messages import Delete, Done


class Happening(Protocol):
    """An event of a simulated trace or of real nodes: both will do."""

    @property
    def time(self) -> float: ...
    @property
    def node(self) -> str: ...
    @property
    def event(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def peer(self) -> str: ...
    @property
    def details(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Claims:
    """What the strategy under test says of itself; a rule that needs a claim is not applied without it."""

    votes: bool = True
    steps_down: bool = False
    pre_vote: bool = False


@dataclass(frozen=True)
class Evidence:
    """Everything a rule may look at. Times in seconds."""

    events: Sequence[Happening]
    node_ids: tuple[str, ...]
    timeout: float
    slowest: float
    claims: Claims
    mode: str = "quorum"
    run: Run | None = None
    notes: dict[str, list[Happening]] = field(default_factory=dict)
    faults: list[Happening] = field(default_factory=list)

    @property
    def majority(self) -> int:
        return len(self.node_ids) // 2 + 1

    def noted(self, kind: str) -> list[Happening]:
        return self.notes.get(kind, [])


@dataclass(frozen=True)
class Violation:
    """A broken rule. `text` is the evidence in words; `events` are the sequence numbers of what proves it."""

    rule: str
    sentence: str
    text: str
    time: float
    nodes: tuple[str, ...]
    events: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.rule} at {self.time:.3f} s: {self.sentence}. {self.text}"


Finding = tuple[str, float, tuple[str, ...], tuple[int, ...]]


@dataclass(frozen=True)
class Rule:
    """`sentence` states what must hold; `find` yields what breaks it."""

    name: str
    sentence: str
    find: Callable[[Evidence], Iterable[Finding]]
    needs: Callable[[Claims], bool] = lambda claims: True

    def check(self, evidence: Evidence) -> list[Violation]:
        if not self.needs(evidence.claims):
            return []
        return [Violation(self.name, self.sentence, *finding) for finding in self.find(evidence)]


def _finding(text: str, *proof: Happening) -> Finding:
    last = proof[-1]
    return text, last.time, tuple(dict.fromkeys(e.node for e in proof if e.node)), tuple(e.seq for e in proof)


# --------------------------------------------------------------------------------------------------------
# Terms and votes


def _two_leaders(evidence: Evidence) -> Iterable[Finding]:
    first: dict[int, Happening] = {}
    for event in evidence.noted("became_leader"):
        term = event.details["term"]
        other = first.setdefault(term, event)
        if other.node != event.node:
            yield _finding(
                f"{other.node} became leader of term {term} at {other.time:.3f} s, and so did {event.node} at"
                f" {event.time:.3f} s",
                other,
                event,
            )


def _second_vote(evidence: Evidence) -> Iterable[Finding]:
    held: dict[str, Happening] = {}
    for event in evidence.noted("state"):
        before = held.get(event.node)
        held[event.node] = event
        if before is None or before.details["term"] != event.details["term"]:
            continue
        old, new = before.details["vote"], event.details["vote"]
        if old is not None and old != new:
            what = "forgot it" if new is None else f"then voted for {new}"
            yield _finding(
                f"{event.node} voted for {old} in term {event.details['term']} at {before.time:.3f} s and {what} at"
                f" {event.time:.3f} s",
                before,
                event,
            )


def _term_goes_back(evidence: Evidence) -> Iterable[Finding]:
    held: dict[str, Happening] = {}
    for event in evidence.noted("state"):
        before = held.get(event.node)
        held[event.node] = event
        if before is not None and event.details["term"] < before.details["term"]:
            yield _finding(
                f"{event.node} was in term {before.details['term']} at {before.time:.3f} s and in term"
                f" {event.details['term']} at {event.time:.3f} s",
                before,
                event,
            )


def _no_majority(evidence: Evidence) -> Iterable[Finding]:
    votes: dict[tuple[int, Any], set[str]] = {}
    merged = sorted((*evidence.noted("state"), *evidence.noted("became_leader")), key=lambda e: (e.time, e.seq))
    for event in merged:
        term = event.details["term"]
        if event.kind == "state":
            votes.setdefault((term, event.details["vote"]), set()).add(event.node)
            continue
        voters = votes.get((term, event.node), set())
        if len(voters) < evidence.majority:
            who = ", ".join(sorted(voters)) or "nobody"
            yield _finding(
                f"{event.node} became leader of term {term} at {event.time:.3f} s, but until then only {who} had saved"
                f" a vote for it in that term; {evidence.majority} of {len(evidence.node_ids)} are a majority",
                event,
            )


# --------------------------------------------------------------------------------------------------------
# The world as the faults left it


class World:
    """Who runs, who sleeps, who can talk to whom, kept up to date by fault events."""

    def __init__(self, node_ids: tuple[str, ...]) -> None:
        self.nodes = node_ids
        self.up: set[str] = set()
        self.asleep: set[str] = set()
        self.cuts: set[tuple[str, str]] = set()
        self.lossy = False

    def apply(self, event: Happening) -> None:
        match event.kind:
            case "start" | "restart":
                self.up.add(event.node)
            case "crash" | "stop" | "kill":
                self.up.discard(event.node)
                self.asleep.discard(event.node)
            case "pause":
                self.asleep.add(event.node)
            case "resume":
                self.asleep.discard(event.node)
            case "partition":
                self._partition(event.details["groups"])
            case "cut":
                self.cuts.add((event.details["from"], event.details["to"]))
            case "heal":
                self.cuts.clear()
            case "settings":
                self.lossy = bool(event.details["drop"] or event.details["duplicate"])

    def _partition(self, groups: list[list[str]]) -> None:
        side = {name: number for number, group in enumerate(groups) for name in group}
        self.cuts = {(a, b) for a in self.nodes for b in self.nodes if a != b and side.get(a, a) != side.get(b, b)}

    def core(self, leader: str) -> frozenset[str]:
        """The nodes that are awake and can talk to the leader, and it to them, and they to each other."""
        awake = self.up - self.asleep
        if leader not in awake:
            return frozenset()
        near = [n for n in self.nodes if n in awake and (n == leader or self._joined(leader, n))]
        return frozenset(n for n in near if all(n == m or self._joined(n, m) for m in near))

    def _joined(self, a: str, b: str) -> bool:
        return (a, b) not in self.cuts and (b, a) not in self.cuts

    @property
    def whole(self) -> bool:
        return len(self.up) == len(self.nodes) and not (self.asleep or self.cuts or self.lossy)


# --------------------------------------------------------------------------------------------------------
# Leaders that should go, leaders that should stay, leaders that should come


def _lonely(evidence: Evidence) -> Iterable[Finding]:
    """A leader may be without a majority for two timeouts: one to notice, one for delays and ticks."""
    patience = 2 * evidence.timeout + 2 * evidence.slowest
    leading: dict[str, Happening] = {}
    heard: dict[str, dict[str, float]] = {}
    asleep_since: dict[str, float] = {}
    told: set[int] = set()
    for event in evidence.events:
        node = event.node
        if event.event == "received" and node in leading:
            heard[node][event.peer] = event.time
        elif event.event == "fault":
            if event.kind == "pause":
                asleep_since[node] = event.time
            elif event.kind == "resume" and node in leading:
                for peer in heard[node]:
                    heard[node][peer] += event.time - asleep_since.get(node, event.time)
            if event.kind == "resume":
                asleep_since.pop(node, None)
            elif event.kind in ("crash", "stop", "kill"):
                leading.pop(node, None)
                asleep_since.pop(node, None)
        elif event.event == "note" and event.kind == "became_leader":
            leading[node] = event
            heard[node] = dict.fromkeys((n for n in evidence.node_ids if n != node), event.time)
        elif event.event == "note" and event.kind == "stepped_down":
            leading.pop(node, None)
        if node in leading and node not in asleep_since and leading[node].seq not in told:
            times = sorted(heard[node].values(), reverse=True)
            since = times[evidence.majority - 2] if evidence.majority >= 2 else event.time
            if event.time - since > patience:
                told.add(leading[node].seq)
                yield _finding(
                    f"{node} led term {leading[node].details['term']} and had heard from no majority since"
                    f" {since:.3f} s; at {event.time:.3f} s it still led",
                    leading[node],
                    event,
                )


def _disturbed(evidence: Evidence) -> Iterable[Finding]:
    return _new_terms_under_a_healthy_leader(evidence, evidence.majority)


def _unsettled(evidence: Evidence) -> Iterable[Finding]:
    return _new_terms_under_a_healthy_leader(evidence, len(evidence.node_ids))


def _new_terms_under_a_healthy_leader(evidence: Evidence, enough: int) -> Iterable[Finding]:
    """A leader is healthy once it has had the same `enough` nodes around it for two timeouts, all of them awake and
    connected, while nobody anywhere was in a later term. Then nobody may begin a later term as long as that lasts."""
    if evidence.slowest > (evidence.timeout - evidence.timeout / 4) / 3:
        return  # on so slow a network heartbeats come late, and an election is no fault
    world = World(evidence.node_ids)
    terms: dict[str, int] = {}
    leader: Happening | None = None
    core: frozenset[str] = frozenset()
    since = 0.0
    for event in evidence.events:
        if event.event == "fault":
            world.apply(event)
            now = world.core(leader.node) if leader and not world.lossy else frozenset()
            if not core or not core <= now or len(core) < enough:
                core, since = now, event.time
        elif event.event != "note":
            continue
        elif event.kind == "became_leader":
            leader = event
            core, since = (frozenset() if world.lossy else world.core(event.node)), event.time
        elif event.kind == "stepped_down" and leader is not None and event.node == leader.node:
            leader = None
        elif event.kind == "state":
            term = terms[event.node] = event.details["term"]
            if leader is None or len(core) < enough or term <= leader.details["term"]:
                continue
            if event.time - since > 2 * evidence.timeout and max(terms.values()) == term:
                yield _finding(
                    f"{leader.node} led term {leader.details['term']} with {', '.join(sorted(core))} around it since"
                    f" {since:.3f} s, yet {event.node} moved to term {term} at {event.time:.3f} s",
                    leader,
                    event,
                )
            leader = None


def _leaderless(evidence: Evidence) -> Iterable[Finding]:
    """Once everything is mended, a leader is due within `RECOVERY` timeouts."""
    world = World(evidence.node_ids)
    leading: set[str] = set()
    whole_since: float | None = None
    bound = RECOVERY * evidence.timeout
    last: Happening | None = None
    for event in evidence.events:
        last = event
        if whole_since is not None and not leading and event.time - whole_since > bound:
            yield _finding(
                f"everything was mended at {whole_since:.3f} s; at {event.time:.3f} s, {RECOVERY} election timeouts"
                " later, nobody led",
                event,
            )
            return
        if event.event == "fault":
            world.apply(event)
            if event.kind in ("crash", "stop", "kill"):
                leading.discard(event.node)
            whole_since = event.time if world.whole and whole_since is None else whole_since
            if not world.whole:
                whole_since = None
        elif event.event == "note" and event.kind == "became_leader":
            leading.add(event.node)
        elif event.event == "note" and event.kind == "stepped_down":
            leading.discard(event.node)
            whole_since = event.time if whole_since is not None and not leading else whole_since
    if last is not None and whole_since is not None and not leading and last.time - whole_since > bound:
        yield _finding("at the end of the run nobody led", last)


RECOVERY = 10
"""Election timeouts within which a mended cluster has to have exactly one leader."""


def _several_in_the_end(evidence: Evidence) -> Iterable[Finding]:
    run = evidence.run
    if run is None or run.schedule.calm < RECOVERY * evidence.timeout:
        return
    leaders = tuple(sorted(name for name, node in run.nodes.items() if node.leads))
    if len(leaders) > 1:
        text = f"{run.schedule.calm:g} s after everything was mended, {' and '.join(leaders)} each think that they lead"
        yield text, evidence.events[-1].time, leaders, ()


# --------------------------------------------------------------------------------------------------------
# Data


def _committed_changes(evidence: Evidence) -> Iterable[Finding]:
    known: dict[int, Happening] = {}
    for event in evidence.noted("committed"):
        details = event.details
        other = known.setdefault(details["index"], event)
        if (other.details["term"], other.details["leader"]) != (details["term"], details["leader"]):
            yield _finding(
                f"{other.node} committed entry {details['index']} of term {other.details['term']} by"
                f" {other.details['leader']} at {other.time:.3f} s; {event.node} committed another one of term"
                f" {details['term']} by {details['leader']} there at {event.time:.3f} s",
                other,
                event,
            )


def _logs_differ(evidence: Evidence) -> Iterable[Finding]:
    run = evidence.run
    if run is None or not run.nodes:
        return
    names = sorted(run.nodes)
    first = run.nodes[names[0]]
    for name in names[1:]:
        node = run.nodes[name]
        upto = min(first.commit.index, node.commit.index)
        for index in range(max(first.log.base.index, node.log.base.index) + 1, upto + 1):
            if first.log.id_at(index) != node.log.id_at(index):
                text = f"entry {index} is {first.log.id_at(index)} at {first.id} and {node.log.id_at(index)} at {name}"
                yield text, evidence.events[-1].time, (first.id, name), ()
                break


def _replicas_differ(evidence: Evidence) -> Iterable[Finding]:
    run = evidence.run
    if run is None or not run.nodes:
        return
    contents = {name: {e.key: e.value for e in node.store.items()} for name, node in run.nodes.items()}
    first = min(contents)
    for name, content in contents.items():
        keys = sorted(k for k in content.keys() | contents[first].keys() if content.get(k) != contents[first].get(k))
        if keys:
            text = f"after everything was mended {first} and {name} still differ in {', '.join(keys[:5])}"
            yield text, evidence.events[-1].time, (first, name), ()


def _lost_writes(evidence: Evidence) -> Iterable[Finding]:
    """Keys that were written once and never deleted must be there in the end, with that value."""
    run = evidence.run
    if run is None or evidence.mode == "async":
        return
    touched: dict[str, int] = {}
    for call in run.calls:
        touched[call.command.key] = touched.get(call.command.key, 0) + 1
    for call in run.acknowledged:
        result = call.result
        if not isinstance(result, Done) or isinstance(call.command, Delete) or touched[call.command.key] > 1:
            continue
        missing = tuple(
            n
            for n, node in run.nodes.items()
            if (e := node.read(result.entry.key)) is None or e.value != result.entry.value
        )
        if missing:
            entry = result.entry
            text = (
                f"{call.node} acknowledged {entry.key}={entry.value!r} (entry {entry.index} of term {entry.term}), and"
                f" in the end it is not at {', '.join(missing)}"
            )
            yield text, evidence.events[-1].time, missing, ()


RULES: tuple[Rule, ...] = (
    Rule("one leader a term", "A term has at most one leader", _two_leaders, lambda c: c.votes),
    Rule("one vote a term", "A node votes for at most one candidate in a term, also across a crash", _second_vote),
    Rule("terms never go back", "A node's term never decreases, also across a crash", _term_goes_back),
    Rule(
        "elected by a majority",
        "A leader has the votes of a majority of all members, saved in its term",
        _no_majority,
        lambda c: c.votes,
    ),
    Rule(
        "a lonely leader steps down",
        "A leader that hears from no majority ceases to lead",
        _lonely,
        lambda c: c.steps_down,
    ),
    Rule(
        "a settled cluster stays settled",
        "While all nodes are up and connected and one leads, nobody begins a later term",
        _unsettled,
    ),
    Rule(
        "a healthy leader is left alone",
        "While a leader has a majority around it, nobody begins a later term",
        _disturbed,
        lambda c: c.pre_vote,
    ),
    Rule("a leader is back in time", "Once everything is mended, somebody leads again in bounded time", _leaderless),
    Rule(
        "one leader in the end",
        "Once everything is mended, in bounded time only one node leads",
        _several_in_the_end,
    ),
    Rule(
        "committed entries stay",
        "What one node has committed at an index, no node ever commits differently",
        _committed_changes,
        lambda c: c.votes,
    ),
    Rule("logs match", "Committed parts of two logs are the same", _logs_differ),
    Rule("replicas agree", "Once everything is mended, all replicas hold the same", _replicas_differ),
    Rule("acknowledged writes stay", "A write acknowledged with enough copies is never lost", _lost_writes),
)


def check(
    events: Sequence[Happening],
    node_ids: Sequence[str],
    timeout: float,
    claims: Claims | None = None,
    *,
    slowest: float = 0.01,
    mode: str = "quorum",
    run: Run | None = None,
    rules: Iterable[Rule] = RULES,
) -> list[Violation]:
    """Every violation of `rules` in these events, which must be in the order in which they happened."""
    evidence = Evidence(events, tuple(node_ids), timeout, slowest, claims or Claims(), mode, run)
    for event in events:
        if event.event == "note":
            evidence.notes.setdefault(event.kind, []).append(event)
        elif event.event == "fault":
            evidence.faults.append(event)
    return [violation for rule in rules for violation in rule.check(evidence)]


def check_run(run: Run, claims: Claims | None = None, rules: Iterable[Rule] = RULES) -> list[Violation]:
    """Every violation in a simulated run."""
    chosen = claims or Claims()
    schedule = run.schedule
    return check(
        run.trace,
        run.node_ids,
        schedule.timeout,
        Claims(chosen.votes, chosen.steps_down, chosen.pre_vote),
        slowest=schedule.slowest,
        mode=schedule.mode,
        run=run,
        rules=rules,
    )
