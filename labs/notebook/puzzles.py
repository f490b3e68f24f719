"""Questions about pictures that the simulator makes: a new one at each click.

Law of this module: what is asked has been simulated, and the right answer is read off that run, never made up. The same
number gives the same puzzle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from random import Random

import ipywidgets as widgets

from labs.cluster import FAST
from labs.cluster.simulated import SimulatedCluster
from labs.lesson.questions.question import Option, Question
from labs.notebook.asking import QuizQuestion
from labs.notebook.telling import show
from labs.pictures import spacetime_svg
from labs.rules import lost_writes
from labs.rules.survey import SurveyJob
from labs.simulation.loading import find_election
from labs.simulation.schedule import Run, carry_out
from labs.trace.kinds import BECAME_LEADER, WRITE_LOST

BEFORE, AFTER = 0.9, 0.5
"""Seconds of a run that are shown around the moment in question."""
NEXT = 1.5
"""Seconds within which what comes next has come."""


@dataclass(frozen=True)
class Puzzle:
    """A picture and what is asked about it. `after`: the picture that shows the answer; empty where the first does."""

    question: Question
    picture: str
    after: str = ""


# -- what comes next ---------------------------------------------------------------------------------------------------


def what_comes_next(number: int) -> Puzzle:
    """The leader crashes, or is cut off with some others: who leads then? Simulated until it is known."""
    rng = Random(f"next/{number}")
    election, nodes = rng.choice(("lowest-id", "bully")), rng.choice((3, 5))
    settings = FAST.__class__(nodes, FAST.heartbeat_ms, FAST.election_timeout_ms, election=election, seed=number)
    cluster = SimulatedCluster(settings)
    cluster.start()
    cluster.wait_for(lambda c: c.leader())
    cluster.sleep(0.8 + rng.random() / 10)
    leader = str(cluster.leader())
    term = cluster.status()[leader].term or 0
    others = [node for node in cluster.node_ids if node != leader]
    if rng.random() < 0.5:
        gone = [leader] + ([rng.choice(others)] if nodes == 5 and rng.random() < 0.6 else [])
        for node in gone:
            cluster.kill(node)
    else:
        with_leader = rng.sample(others, rng.choice((0, 1)))
        cluster.partition([leader, *with_leader], [node for node in others if node not in with_leader])
    cluster.sleep(0.15)
    moment = cluster.now()
    before = _picture(cluster, moment - BEFORE, moment, "")
    cluster.sleep(NEXT)
    now = {node: status.term for node, status in cluster.status().items() if status.role == "leader"}
    rule = "the lowest id that is alive" if election == "lowest-id" else "the highest id that is alive"
    question = Question(
        f"next/{number}",
        f"Election: {election}. What will be true {NEXT:g} s later?",
        Option(_leaders(now), f"On each side of a cut {rule} leads, and a new leadership takes a new term."),
        tuple(Option(text, why) for text, why in _mistakes(cluster.node_ids, leader, term, now, rng)),
    )
    after = _picture(cluster, moment - 0.3, moment + NEXT, "What came next")
    cluster.close()
    return Puzzle(question, before, after)


def _leaders(leaders: dict[str, int | None]) -> str:
    return " and ".join(f"{node} leads in term {term}" for node, term in leaders.items()) or "nobody leads"


def _mistakes(
    nodes: tuple[str, ...], leader: str, term: int, right: dict[str, int | None], rng: Random
) -> Iterator[tuple[str, str]]:
    """Wrong options, with the idea behind each."""
    new = {node: t for node, t in right.items() if node != leader}
    ideas: list[tuple[dict[str, int | None], str]] = [
        ({leader: term}, "Whoever does not hear the leader for the election timeout looks for another one."),
        ({}, "Nodes that miss a leader choose one: they need nobody from outside."),
    ]
    for node in new:
        ideas.append(({**right, node: term}, "A new leadership takes a higher term than any that it knows."))
        if leader in right:
            ideas.append(({node: new[node]}, "The old leader does not notice that it is alone. It leads on."))
        else:
            ideas.append(({leader: term, node: new[node]}, "The old leader has crashed: it leads nobody."))
        other = rng.choice([one for one in nodes if one not in (leader, node)])
        stays = {leader: right[leader]} if leader in right else {}
        why = "Look at its id: another one that is alive comes before it in this rule."
        ideas.append(({**stays, other: new[node]}, why))
    seen = {_leaders(right)}
    for idea, why in ideas:
        text = _leaders(idea)
        if text not in seen and len(seen) < 4:
            seen.add(text)
            yield text, why


def _picture(cluster: SimulatedCluster, start: float, end: float, title: str) -> str:
    window = (max(0.0, start), end)
    return spacetime_svg(cluster.events(), node_ids=cluster.node_ids, window=window, origin=0.0, title=title)


# -- which rule is broken ----------------------------------------------------------------------------------------------

LOST = Option("an acknowledged write is lost", "A node drops it (“lost …”), after its client was told success.")
TWO = Option("a term has two leaders", "Two nodes become leader, and both crowns carry the same term.")
FINE = Option("none of these", "Leaders change, and each has a term of its own; nobody drops a write.")


def which_rule(number: int) -> Puzzle:
    """A stretch of a random run of an election without votes: which rule is broken in it, if any?"""
    wanted = (LOST, TWO, FINE)[Random(f"rule/{number}").randrange(3)]
    for seed in range(7 * number, 7 * number + 200):
        job = SurveyJob("lowest-id", "quorum" if wanted is FINE else "async", 3, seed)
        run = carry_out(job.schedule, find_election(job.election))
        moment = _moment(run, wanted)
        if moment is not None:
            break
    else:
        raise ValueError(f"no run shows “{wanted.text}”")
    window = (max(0.0, moment - BEFORE), moment + AFTER)
    picture = spacetime_svg(run.trace, node_ids=run.node_ids, window=window, origin=0.0)
    others = tuple(option for option in (LOST, TWO, FINE) if option is not wanted)
    wrong = tuple(Option(one.text, f"That looks so: {one.why[0].lower()}{one.why[1:]} Look again.") for one in others)
    return Puzzle(Question(f"rule/{number}", "What goes wrong in this picture?", wanted, wrong), picture)


def _moment(run: Run, wanted: Option) -> float | None:
    """When the run shows what is wanted, and nothing else of the kind around it; None if it does not."""
    lost = {(one.entry.index, one.entry.term) for one in lost_writes(run)}
    drops = [
        event.time
        for event in run.trace
        if event.kind == WRITE_LOST and (event.details.get("index"), event.details.get("term")) in lost
    ]
    led = [(event.time, event.node, event.details["term"]) for event in run.trace if event.kind == BECAME_LEADER]
    pairs = [(a, b) for a, one, term in led for b, other, same in led if a < b and one != other and term == same]
    twins = [later for earlier, later in pairs if later - earlier < BEFORE - 0.2]
    times = {LOST.text: drops, TWO.text: twins, FINE.text: [time for time, _, _ in led if time > 1.5]}
    if wanted is not TWO:
        times[TWO.text] = [time for pair in pairs for time in pair]
    others = [time for text, found in times.items() if text not in (wanted.text, FINE.text) for time in found]
    clear = (t for t in times[wanted.text] if not any(-2 * BEFORE < o - t < 2 * AFTER for o in others))
    return next(clear, None)


# -- on the screen -----------------------------------------------------------------------------------------------------

KINDS: tuple[Callable[[int], Puzzle], ...] = (what_comes_next, which_rule)


def picture_quiz(first: int = 1) -> None:
    """A question about a picture, and a button for the next one. `first`: the number of the first puzzle."""
    place = widgets.VBox()
    right = widgets.HTML()
    another = widgets.Button(description="Another picture", icon="refresh")
    state = {"number": first - 1, "asked": 0, "right": 0}

    def bring(_: object = None) -> None:
        state["number"] += 1
        puzzle = KINDS[state["number"] % len(KINDS)](state["number"])
        after = widgets.HTML()

        def answered() -> None:
            if asked.over:
                after.value = puzzle.after
                state["asked"] += 1
                state["right"] += asked.solved and asked.tries == 1
                right.value = escape(f"{state['right']} of {state['asked']} right at once.")

        asked = QuizQuestion(puzzle.question, answered, f"Picture {state['number']}. ")
        place.children = (widgets.HTML(puzzle.picture), asked.box, after)

    another.on_click(bring)
    bring()
    show(widgets.VBox([place, widgets.HBox([another, right])]))
