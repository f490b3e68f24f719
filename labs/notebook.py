"""What the notebooks use, so that their cells stay one thought long.

Law of this module: presentation for people who learn. All works without a person at the keyboard, too: a question that
nobody answers does not hold the notebook up.
"""

from __future__ import annotations

import atexit
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from typing import Any

import ipywidgets as widgets
from IPython import display as ipython_display
from IPython.core.getipython import get_ipython

from labs.cluster import FAST, Answer, Cluster, Settings, open_cluster
from labs.cluster.opening import default_backend, processes_work
from labs.lesson.failures import load as load_failure
from labs.lesson.losses import losses as losses
from labs.page.start import SIMULATED, make_ready
from labs.panel import ClusterPanel, ExercisePanel
from labs.panel.node_view import keys_of_clients

show: Callable[..., None] = ipython_display.display
_running: dict[str, Cluster] = {}
_again: dict[str, Callable[[], Cluster]] = {}
"""How each of them was started."""
_panels: list[ClusterPanel] = []
_exercises: dict[str, ExercisePanel] = {}
make_ready()


def cluster(
    backend: str | None = None,
    name: str = "lab",
    settings: Settings | None = None,
    command: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    **changes: Any,
) -> Cluster:
    """A started cluster with a leader. Calling it again under the same `name` (a cell that is run twice) ends the one
    before. `backend`: as for `open_cluster`; without one, what the environment variable `REPLAB_BACKEND` names, else
    `process`, and in a web page `simulated`. `command`: the nodes are this program, in any language, as for
    `ForeignCluster`: `command=["node", "dist/main.js"]`. `changes` are fields of `Settings`: `mode="quorum"`,
    `nodes=5`, `election="bully"`, …"""
    end(name)
    made: Cluster
    if command is not None:
        from labs.cluster.foreign import PATIENT, ForeignCluster  # needs processes, which a web page does not have

        made = ForeignCluster(replace(settings or PATIENT, **changes), command)
    else:
        made = open_cluster(backend or default_backend(), replace(settings or FAST, **changes), say=_say)
    _running[name] = made
    _again[name] = partial(cluster, backend, name, settings, command, **changes)
    made.start()
    made.wait_for(lambda c: c.leader(), timeout=30)
    return made


def _say(which: str) -> None:
    print(which if processes_work() else SIMULATED)


def end(name: str = "lab") -> None:
    """Stop the cluster of this name. Its panels keep their last minute, and offer to start another in its place."""
    old = _running.pop(name, None)
    if old is None:
        return
    for panel in [p for p in _panels if p.cluster is old]:
        panel.rest("This cluster was stopped. Start a new one with the button on top.", partial(_again_for, name, old))
    old.close()


def _again_for(name: str, old: Cluster) -> Cluster:
    """A new cluster of this name, or the one that a cell has started meanwhile. The notebook's variables that held the
    old one hold it from now on."""
    made = _running.get(name) or _again[name]()
    shell = get_ipython()
    variables = {} if shell is None else shell.user_ns
    for variable in [name for name, value in variables.items() if value is old]:
        variables[variable] = made
    return made


@atexit.register
def end_all() -> None:
    for name in list(_running):
        end(name)


def panel(of: Cluster) -> ClusterPanel:
    """The living picture of a cluster; put it last in a cell. In a web page its simulated time passes by itself."""
    made = ClusterPanel(of, playing=not processes_work())
    _panels.append(made)
    return made


def exercise(name: str, **where: Any) -> ExercisePanel:
    """The checks of `ex1`, `ex2` or `ex3`, running, with all that they see; put it last in a cell. `where` the code is:
    as for `ExercisePanel` (default: the exercise's file)."""
    if name in _exercises:
        _exercises.pop(name).close()
    made = _exercises[name] = ExercisePanel(name, **where)
    return made.run()


def all_well() -> None:
    """The last cell of a notebook: stop everything, and fail if anything failed in the background. Checks that are
    still being run are waited for."""
    for one in _exercises.values():
        one.wait()
        one.rest()
        print(f"Exercise {one.exercise.id[2:]}: {one.marks.earned:g} of {one.marks.points:g} points.")
    errors = [error for one in _panels for error in one.errors]
    errors += [error for one in _exercises.values() for error in one.errors]
    end_all()
    assert not errors, f"in the background: {errors}"
    print("All clusters of this notebook are stopped.")


# -- telling -----------------------------------------------------------------------------------------------


def told(answer: Answer) -> None:
    """An answer as the wire gives it: status code and JSON."""
    code = answer.code if answer.code is not None else "no answer"
    print(f"{answer.node}: {code} {json.dumps(answer.body, ensure_ascii=False)}")


def roles(of: Cluster) -> None:
    """One line a node: who leads, in which term, how many keys."""
    for status in of.status().values():
        if status.answers:
            keys = keys_of_clients(status)
            told = "keys not told" if keys is None else f"{keys} keys"
            print(f"{status.node_id}: {status.role}, term {status.term}, {told}")
        else:
            print(f"{status.node_id}: {status.state}")


def failure(name: str) -> None:
    """A run in which an election that lacks something breaks a rule: its picture, its story, and how to see whether
    one's own does better. `name` is one of `labs.lesson.failures.NAMES`."""
    failure = load_failure(name)
    story = "".join(f"<li>{escape(sentence)}</li>" for sentence in failure.story())
    page = (
        f"<p>This election <b>{escape(failure.lacks)}</b>. What it breaks: <i>{escape(failure.rule)}</i>.</p>"
        f"{failure.picture()}<details><summary>The same in words</summary><ul>{story}</ul></details>"
        f"<p>Yours in the same situation: <code>{escape(failure.command)}</code></p>"
    )
    show({"text/html": page, "text/plain": f"{failure.rule}: {failure.text}"}, raw=True)


# -- asking --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """`right` is the number of the right option, from 0. `why` is shown after an answer, right or wrong."""

    text: str
    options: Sequence[str]
    right: int
    why: str


def predict(text: str, options: Sequence[str], right: int, why: str) -> None:
    """A prediction to click before the next cell shows what happens."""
    show(_Asked(Question(text, options, right, why), lambda asked: None).box)


def quiz(questions: Sequence[Question]) -> None:
    """Questions with a second chance. The score stays in this notebook and goes nowhere."""
    score = widgets.HTML()
    asked: list[_Asked] = []

    def count(_: _Asked) -> None:
        done = sum(one.tries > 0 for one in asked)
        first = sum(one.solved and one.tries == 1 for one in asked)
        second = sum(one.solved and one.tries > 1 for one in asked)
        score.value = f"<b>{done} of {len(asked)} answered: {first} right at once, {second} at the second try.</b>"

    asked.extend(_Asked(replace(q, text=f"{n}. {q.text}"), count) for n, q in enumerate(questions, 1))
    count(asked[0])
    show(widgets.VBox([*(one.box for one in asked), score]))


class _Asked:
    """One question on the screen."""

    def __init__(self, question: Question, answered: Callable[[_Asked], None]) -> None:
        self.question = question
        self.tries = 0
        self.solved = False
        self._answered = answered
        self._said = widgets.HTML()
        self._buttons = [
            widgets.Button(description=option, tooltip=option, layout=widgets.Layout(width="auto"))
            for option in question.options
        ]
        for number, button in enumerate(self._buttons):
            button.on_click(lambda _, n=number: self.answer(n))
        heading = widgets.HTML(f"<b>{question.text}</b>")
        choices = widgets.HBox(self._buttons, layout=widgets.Layout(flex_flow="row wrap"))
        self.box = widgets.VBox([heading, choices, self._said], layout=widgets.Layout(margin="0 0 12px 0"))

    def answer(self, number: int) -> None:
        """Somebody chose the option `number`. The first wrong one leaves a second chance."""
        if self.solved or self.tries >= 2:
            return
        self.tries += 1
        self.solved = number == self.question.right
        self._buttons[number].icon = "check" if self.solved else "times"
        self._buttons[number].button_style = "success" if self.solved else "warning"
        if self.solved:
            self._said.value = f"Right. {self.question.why}"
        elif self.tries < 2 and len(self._buttons) > 2:
            self._said.value = "Not that. Have another look, and choose again."
        else:
            right = self.question.options[self.question.right]
            self._said.value = f"It is: {right}. {self.question.why}"
            self.tries = 2
        self._answered(self)
