"""The driver of a running node: sockets, clock, random numbers and disk around a `Node`.

Law of this module: it carries effects out in order and decides nothing. All runs on one thread, in the event loop.

What arrives in one turn of the loop is handed to the node together and followed by one `Flush`: that is where one fsync
and one message to each follower serve many clients.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from replstore.core.contract import (
    Command,
    Effect,
    Flush,
    FlushAfter,
    Input,
    Note,
    Overloaded,
    Received,
    Reply,
    Request,
    Result,
    Save,
    Send,
    Tick,
)
from replstore.core.messages import (
    MAX_MESSAGE,
    Heartbeat,
    HeartbeatReply,
    Message,
    NodeId,
    Replicate,
    Replicated,
    Snapshot,
    SnapshotReceived,
)
from replstore.core.node import Node
from replstore.http.link import LinkLimits, PeerLink
from replstore.http.server import Server
from replstore.journal.journal import Journal
from replstore.json_text import forget, from_json
from replstore.settings import Settings, describe
from replstore.wire.codec import CodecError, build_message, encode_message
from replstore.wire.event_ring import EventRing, sent_details, summary
from replstore.wire.faults import Faults
from replstore.wire.log_lines import LOG_LINES

PATHS: dict[type[Message], str] = {
    Heartbeat: "/internal/heartbeat",
    HeartbeatReply: "/internal/heartbeat",
    Replicate: "/internal/replicate",
    Replicated: "/internal/replicate",
    Snapshot: "/internal/replicate",
    SnapshotReceived: "/internal/replicate",
}
"""Where a message is posted; a strategy's own go to `/internal/election`."""

WATCH_INTERVAL = 0.02
"""Seconds for which events are gathered before those who watch are told."""

MAX_WATCHERS = 128
MAX_WAITING = 512
"""Clients that may wait for events, and for the outcome of a command: both together leave room among the server's
connections for those who are answered at once."""

ANSWER_BYTES = 2**20
"""What one answer to a peer's message may bring along; more goes out by itself. Far below what a link takes."""

Respond = Callable[[bytes], None]


@dataclass(eq=False)
class Watcher:
    """Somebody who waits for events from number `since` on."""

    since: int
    answer: Callable[[dict[str, Any]], None]
    timer: asyncio.TimerHandle | None = None


class Runtime:
    """One node, running. `journal` is None for a node that lives in memory only."""

    def __init__(self, settings: Settings, journal: Journal | None, rng: Random) -> None:
        self.settings = settings
        self.faults = Faults(replication_delay_ms=settings.replication_delay_ms)
        self.ring = EventRing()
        self._rng = rng
        self._journal = journal
        self._started = time.monotonic()
        self.node = Node(
            settings.node_id,
            settings.peers,
            settings.election,
            heartbeat=settings.heartbeat_ms / 1000,
            timeout=settings.election_timeout_ms / 1000,
            mode=settings.mode,
            rng=rng,
            records=journal.records() if journal else (),
        )
        if journal:
            journal.serve(self.node)
        self._inbox: list[Input] = []
        self._clients: dict[int, Callable[[Result], None]] = {}
        self._next_request = 0
        self._next_message = 0
        # Message ids must not come again when the node is restarted and counts from 1 anew.
        self._life = f"{self.node.id}:{int(time.time() * 1000):x}"
        self._asked: dict[NodeId, list[Respond]] = {}
        self._answers: dict[NodeId, list[str]] = {}
        self._answered_bytes: dict[NodeId, int] = {}
        self._complaints: dict[tuple[NodeId, str], str] = {}
        self._links: dict[NodeId, PeerLink] = {}
        self._watchers: dict[Watcher, None] = {}
        self._watchers_due = False
        self._packed: tuple[Message | None, str, dict[str, Any]] = (None, "", {})
        """The message sent last, as text, and what is told of it: the same one often goes to several peers in a row."""

    # -- life -----------------------------------------------------------------------------------------

    async def run(self, server: Server, stop: asyncio.Event) -> None:
        """Serve until `stop` is set. Raises `OSError` where the port is taken."""
        self._loop = asyncio.get_running_loop()
        self._server = server
        await self._server.start(self.settings.host, self.settings.port)
        self._links = {peer: self._link(peer) for peer in self.node.peers}
        self._show(Note("started", {"port": self._server.port, "election": type(self.node.election).__name__}))
        if not self.settings.token:
            self._log("No CLUSTER_TOKEN is set: every program that reaches this port can pose as another node")
        self._log(describe(self.settings))
        self._stop = stop
        self._failure: OSError | None = None
        self._tick()
        try:
            await stop.wait()
        finally:
            await self._leave()
        if self._failure:
            raise self._failure

    def _link(self, peer: NodeId) -> PeerLink:
        host, port = self.settings.peers[peer]
        headers = (("X-Cluster-Token", self.settings.token),) if self.settings.token else ()
        heartbeat = self.node.heartbeat
        limits = LinkLimits(
            # A peer that has come back waits for an election timeout at most before it acts, so one attempt, to an
            # address that has gone, must be over long before that.
            connect_time=min(max(2 * heartbeat, 0.02), 2.0),
            last_retry=min(heartbeat, 1.0),
            stall_time=max(self.node.timeout, 1.0),
            answer_bytes=MAX_MESSAGE,
        )
        link = PeerLink(
            host,
            port,
            headers=headers,
            limits=limits,
            on_reply=self._peer_answered,
            on_error=lambda status, body: self._undeliverable(
                peer, "message", f"it was refused: {status} {body[:300].decode(errors='replace')}"
            ),
            on_state=lambda connected, reason: self._record(
                "note", "connected" if connected else "disconnected", {"to": peer, "reason": reason}
            ),
        )
        link.start()
        return link

    async def _leave(self) -> None:
        self._ticking.cancel()
        self._show(Note("stopping"))
        for watcher in list(self._watchers):
            self._answer_watcher(watcher)
        await self._server.close()
        for link in self._links.values():
            await link.close()
        if self._journal and not self._failure:
            self._journal.close()

    def _tick(self) -> None:
        self._ticking = self._loop.call_later(self.node.tick_interval, self._tick)
        self._submit(Tick())

    # -- the way in -----------------------------------------------------------------------------------

    def ask(self, command: Command, answer: Callable[[Result], None], size: int = 0) -> None:
        """A client's command, of `size` bytes; `answer` is called once, later, or at once where too many wait."""
        if len(self._clients) >= MAX_WAITING:
            answer(Overloaded())
            return
        self._next_request += 1
        self._clients[self._next_request] = answer
        self._submit(Request(self._next_request, command, size))

    def receive(self, sender: NodeId, message_id: str, message: Message, respond: Respond) -> None:
        """A peer's message; `respond` takes the messages that go back at once, as a JSON list."""
        self._asked.setdefault(sender, []).append(respond)
        if sender in self._links and self.faults.hears(sender):
            self._links[sender].peer_seen()
        self._take(sender, message_id, message)

    def _peer_answered(self, body: bytes) -> None:
        """The messages that a peer put into its response to one of ours."""
        try:
            for envelope in from_json(body.decode()):
                self._take(envelope["from"], envelope["id"], build_message(envelope["message"]))
        except (ValueError, KeyError, TypeError) as error:  # CodecError is a ValueError
            self._log(f"A peer's answer makes no sense and is ignored: {error}")

    def _take(self, sender: NodeId, message_id: str, message: Message) -> None:
        kind, details = type(message).__name__, summary(message)
        if not self.faults.hears(sender):
            self._record("dropped", kind, details, message_id, sender)
            self._submit(None)
            return
        self._record("received", kind, details, message_id, sender)
        self._submit(Received(sender, message))

    def _submit(self, event: Input | None) -> None:
        """Queue an input for the end of this turn of the loop; None only makes sure that the end comes."""
        if not self._inbox:
            self._loop.call_soon(self._turn)
        self._inbox.append(event or Flush())

    def _turn(self) -> None:
        events, self._inbox = self._inbox, []
        now = self._loop.time()
        effects: list[Effect] = []
        for event in (*events, Flush()):
            try:
                effects += self.node.handle(event, now)
            except BaseException as error:  # noqa: BLE001 - a student's; the node goes on without that step
                # (Ctrl-C ends a node by a handler of the loop's, never by an exception.)
                traceback.print_exc()
                effects.append(Note("election_failed", {"error": f"{type(error).__name__}: {error}"}))
        self._carry_out(effects)
        self._respond_to_peers()
        forget()

    # -- effects --------------------------------------------------------------------------------------

    def _carry_out(self, effects: list[Effect]) -> None:
        """In their order, but for the saves: the first takes all later ones with it, for one fsync. To save early is
        safe, to send early is not."""
        first = next((at for at, effect in enumerate(effects) if type(effect) is Save), len(effects))
        self._carry_out_unsaved(effects[:first])
        if first < len(effects):
            if self._journal and not self._save([effect for effect in effects[first:] if type(effect) is Save]):
                return
            self._carry_out_unsaved(effects[first:])

    def _carry_out_unsaved(self, effects: list[Effect]) -> None:
        """All but the saves."""
        for effect in effects:
            # (Quicker than `match`, which asks one class after the other.)
            if type(effect) is Reply:
                self._clients.pop(effect.id)(effect.result)
            elif type(effect) is Send:
                self._transmit(effect.to, effect.message)
            elif type(effect) is Note:
                self._show(effect)
            elif type(effect) is FlushAfter:
                self._loop.call_later(effect.seconds, self._submit, None)

    def _save(self, saves: list[Save]) -> bool:
        """A node that cannot save must not promise anything any more: it stops."""
        assert self._journal is not None
        try:
            for save in saves:
                self._journal.write(save.record)
            self._journal.sync()
        except OSError as error:
            self._failure = error
            self._stop.set()
            return False
        return True

    def _show(self, note: Note) -> None:
        self._record("note", note.kind, note.details)
        if note.kind in LOG_LINES:
            self._log(LOG_LINES[note.kind].format_map(note.details))

    def _log(self, text: str) -> None:
        print(f"[{self.node.id}] {text}", flush=True)

    # -- messages out ---------------------------------------------------------------------------------

    def _transmit(self, to: NodeId, message: Message) -> None:
        """Send through the faults in force."""
        self._next_message += 1
        message_id = f"{self._life}.{self._next_message}"
        kind = type(message).__name__
        if message != self._packed[0]:
            try:
                self._packed = (message, encode_message(message), summary(message))
            except CodecError as error:
                self._undeliverable(to, kind, str(error))
                return
        _, text, details = self._packed
        details = sent_details(message, details, self.node.gives_up_in)
        envelope = f'{{"from":"{self.node.id}","id":"{message_id}","message":{text}}}'
        if len(envelope) > MAX_MESSAGE:
            self._undeliverable(to, kind, f"it has {len(envelope):,} bytes; at most {MAX_MESSAGE:,} can be sent")
            return
        self._record("sent", kind, details, message_id, to)
        copies = 0 if to in self.faults.blocked else self.faults.copies(self._rng)
        if not copies:
            self._record("dropped", kind, details, message_id, to)
            return
        path = PATHS.get(type(message), "/internal/election")
        for _ in range(copies):
            delay = self.faults.delay(message, self._rng)
            if delay:
                self._loop.call_later(delay, self._post, to, path, envelope)
            elif to in self._asked and self._answered_bytes.get(to, 0) + len(envelope) < ANSWER_BYTES:
                self._answers.setdefault(to, []).append(envelope)
                self._answered_bytes[to] = self._answered_bytes.get(to, 0) + len(envelope) + 1
            else:
                self._post(to, path, envelope)

    def _undeliverable(self, to: NodeId, message: str, reason: str) -> None:
        """Say it, but not again with each attempt. What depends on the message is not acknowledged, and the messages
        behind it go out."""
        if self._complaints.get((to, message)) != reason:
            self._complaints[to, message] = reason
            self._show(Note("undeliverable", {"to": to, "message": message, "reason": reason}))

    def _post(self, to: NodeId, path: str, envelope: str) -> None:
        self._links[to].send(path, envelope.encode("ascii"))

    def _respond_to_peers(self) -> None:
        """Answer the POSTs of this turn; the first response to each peer carries what is to be said to it."""
        asked, self._asked = self._asked, {}
        answers, self._answers = self._answers, {}
        self._answered_bytes.clear()
        for peer, responds in asked.items():
            for respond in responds:
                respond(f"[{','.join(answers.pop(peer, ()))}]".encode("ascii"))

    # -- looking --------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        uptime = round(time.monotonic() - self._started, 3)
        return {**self.node.status(), "faults": self.faults.to_json(), "uptime_s": uptime}

    def set_faults(self, faults: Faults) -> None:
        self.faults = faults
        self._record("fault", "settings", faults.to_json())

    def watch(self, since: int, wait: float, answer: Callable[[dict[str, Any]], None]) -> Callable[[], None]:
        """Answer with the events from number `since` on, as soon as there are any, in `wait` seconds at the latest.

        Returns what ends the waiting at once. Where too many wait, the one who has waited longest is answered.
        """
        watcher = Watcher(since, answer)
        watcher.timer = self._loop.call_later(wait, self._answer_watcher, watcher)
        self._watchers[watcher] = None
        if since < self.ring.next or not wait:
            self._answer_watcher(watcher)
        elif len(self._watchers) > MAX_WATCHERS:
            self._answer_watcher(next(iter(self._watchers)))
        return lambda: self._answer_watcher(watcher)

    def _answer_watcher(self, watcher: Watcher) -> None:
        if watcher not in self._watchers:
            return
        del self._watchers[watcher]
        if watcher.timer is not None:
            watcher.timer.cancel()
        events = self.ring.since(watcher.since)
        after = events[-1]["seq"] + 1 if events else self.ring.next
        watcher.answer({"node_id": self.node.id, "first": self.ring.first, "next": after, "events": events})

    def _record(self, event: str, kind: str, details: dict[str, Any], id: str = "", peer: str = "") -> None:
        self.ring.add(time.time(), event, kind, details, id, peer)
        if self._watchers and not self._watchers_due:
            self._watchers_due = True
            self._loop.call_later(WATCH_INTERVAL, self._answer_watchers)

    def _answer_watchers(self) -> None:
        self._watchers_due = False
        for watcher in [w for w in self._watchers if w.since < self.ring.next]:
            self._answer_watcher(watcher)
