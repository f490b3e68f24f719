"""The sandboxed process: read a question, let the student's code answer it, until there are no more questions."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from labs.grading.child import fence
from labs.grading.child.cluster import ProxyCluster
from labs.grading.child.errors import MissingName, describe
from labs.grading.child.values import MARK, decode, encode
from labs.grading.child.wire import GraderWire, Wire

if TYPE_CHECKING:
    from labs.grading.child.elections import Elections


class Worker:
    def __init__(self, wire: GraderWire, root: str) -> None:
        self._wire = wire
        self._folder = os.path.join(root, "exercises")
        self._module: ModuleType | None = None
        self._objects: dict[int, Any] = {}
        self._clusters: dict[int, ProxyCluster] = {}
        self._elections: Elections | None = None
        self._verbs: dict[str, Callable[[dict[str, Any]], Any]] = {
            "start": fence.close_off,
            "load": self._load,
            "call": self._call,
            "seat": self._seat,
            "play": self._play,
            "search": self._search,
        }

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        self._wire.question = question["id"]
        try:
            return {"id": question["id"], "ok": self._verbs[question["do"]](question)}
        except BaseException as error:  # noqa: BLE001  # SystemExit and KeyboardInterrupt are answers here, too
            return {"id": question["id"], "error": describe(error, self._folder)}

    def _load(self, question: dict[str, Any]) -> None:
        self._module = importlib.import_module(f"exercises.{question['module']}")

    def _call(self, question: dict[str, Any]) -> Any:
        arguments = [self._argument(argument) for argument in question["arguments"]]
        owner = self._module if question["object"] is None else self._objects[question["object"]]
        try:
            result = self._find(owner, question["name"])(*arguments)
        finally:
            for cluster in self._clusters.values():
                cluster.settle()
        if question["keep"] is None:
            return encode(result)
        self._objects[question["keep"]] = result
        return None

    def _argument(self, data: Any) -> Any:
        if type(data) is dict and data.get(MARK) == "cluster":
            number = data["v"]
            if number not in self._clusters:
                self._clusters[number] = ProxyCluster(
                    number, data["settings"], data["backend"], self._wire, data["may_wait"]
                )
            return self._clusters[number]
        return decode(data)

    def _seat(self, question: dict[str, Any]) -> list[Any]:
        from labs.grading.child.elections import Elections  # only one exercise needs it, and it takes time

        self._elections = self._elections or Elections()
        self._elections.remove(question["forget"])
        return self._elections.create(self._find(self._module, question["class"]), question)

    def _play(self, question: dict[str, Any]) -> list[Any]:
        assert self._elections is not None, "a seat comes first"
        return self._elections.play(question["steps"])

    def _search(self, question: dict[str, Any]) -> list[list[list[str]]]:
        from labs.simulation.explorer.findings import suspicious_walks  # only one exercise needs it, and it takes time

        return suspicious_walks(self._find(self._module, question["class"]))

    def _find(self, owner: Any, name: str) -> Any:
        if not hasattr(owner, name):
            raise MissingName(name)
        return getattr(owner, name)


def main(root: str) -> None:
    wire = Wire()
    sys.setrecursionlimit(1000)
    worker = Worker(wire, root)
    while (question := wire.read()) is not None:
        answer = worker.answer(question)
        try:
            wire.write(answer)
        except (ValueError, TypeError, RecursionError) as error:  # something in the answer that JSON does not have
            wire.write({"id": question["id"], "error": {**describe(error, root), "kind": "invalid"}})
    os._exit(0)  # without waiting for threads that student code may have left behind
