"""What must hold in every run, whatever the strategy looks like inside: named rules over a trace.

Law of this package: a rule looks at what happened (saved terms and votes, leaderships, commits, faults), never into a
strategy, so every correct design passes. Each violation says which rule, who and when, and which events prove it.

The rules are those of Raft (D. Ongaro, J. Ousterhout, 2014): election safety (§5.2), one vote a term (§5.2), log
matching (§5.3), leader completeness and state machine safety (§5.4); and of Ongaro's thesis (2014): a leader without a
quorum steps down (§6.2), a healthy leader is not disturbed (§9.6).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from labs.rules import data, leadership, reads, votes
from labs.rules.data import LostEntry, lost_writes
from labs.rules.evidence import RECOVERY, Claims, Finding, Rule, TraceView, Violation
from labs.simulation.schedule import Run
from labs.trace.events import Event

__all__ = [
    "RECOVERY",
    "RULES",
    "Claims",
    "Finding",
    "LostEntry",
    "Rule",
    "TraceView",
    "Violation",
    "check",
    "check_run",
    "lost_writes",
]


def _by_votes(claims: Claims) -> bool:
    return claims.votes


RULES: tuple[Rule, ...] = (
    Rule("no strategy fails", "A strategy raises no exception", data.raised),
    Rule("one leader a term", "A term has at most one leader", votes.two_leaders, _by_votes),
    Rule("one vote a term", "A node votes for at most one candidate in a term, also across a crash", votes.second_vote),
    Rule("terms never go back", "A node's term never decreases, also across a crash", votes.term_goes_back),
    Rule(
        "elected by a majority",
        "A leader has the votes of a majority of all members, saved in its term",
        votes.no_majority,
        _by_votes,
    ),
    Rule(
        "followers were told",
        "A node follows another only after a message told it that this one had stood for election",
        votes.follows_a_stranger,
        lambda claims: claims.votes and claims.by_messages,
    ),
    Rule(
        "a leader is followed in its own term",
        "A node follows another only in a term in which that one has been",
        votes.follows_in_another_term,
        lambda claims: claims.votes and claims.by_messages,
    ),
    Rule(
        "a leader without a quorum steps down",
        "A leader that loses contact with a majority steps down (CheckQuorum)",
        leadership.leads_without_quorum,
        lambda claims: claims.steps_down,
    ),
    Rule(
        "a settled cluster stays settled",
        "While all nodes are up and connected and one has had the time to lead, nobody gives it up or begins a later"
        " term",
        leadership.unsettled,
    ),
    Rule(
        "a leadership lasts with a majority",
        "While the same majority is up and connected, whoever is down or away, its leader stays",
        leadership.does_not_last,
    ),
    Rule(
        "a healthy leader is left alone",
        "While a leader has a majority around it, it stays, and nobody begins a later term",
        leadership.disturbed,
        lambda claims: claims.pre_vote,
    ),
    Rule(
        "a leader is back in time",
        "Once a majority is up and connected, one of them leads in bounded time",
        leadership.leaderless,
    ),
    Rule(
        "one leader in the end",
        "Once everything is mended, in bounded time only one node leads",
        leadership.several_in_the_end,
    ),
    Rule(
        "everybody follows in the end",
        "Once everything is mended, in bounded time all nodes follow a node that leads",
        leadership.lost_in_the_end,
    ),
    Rule(
        "committed entries stay",
        "What one node has committed (with more than one copy), no node ever commits differently",
        data.committed_changes,
        _by_votes,
    ),
    Rule("commits never go back", "What a node has committed it never takes back", data.commit_goes_back, _by_votes),
    Rule("logs match", "Committed parts of two logs are the same", data.logs_differ),
    Rule("replicas agree", "Once everything is mended, all replicas hold the same", data.replicas_differ),
    Rule("acknowledged writes stay", "A write acknowledged with enough copies is never lost", data.writes_lost),
    Rule(
        "a linearizable read sees every acknowledged write",
        "A linearizable read sees every write that was acknowledged before it began",
        reads.stale_read,
        _by_votes,
    ),
)


def check(
    events: Sequence[Event],
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
    evidence = TraceView(events, tuple(node_ids), timeout, slowest, claims or Claims(), mode, run)
    return [violation for rule in rules for violation in rule.check(evidence)]


def check_run(run: Run, claims: Claims | None = None, rules: Iterable[Rule] = RULES) -> list[Violation]:
    """Every violation in a simulated run."""
    how = run.schedule
    return check(run.trace, run.node_ids, how.timeout, claims, slowest=how.slowest, mode=how.mode, run=run, rules=rules)
