"""A bank of elections as students write them: known mistakes, each with the check that names it, and right designs.

Each is the reference with some lines changed.
"""

from __future__ import annotations

Changes = tuple[tuple[str, str], ...]

LEADER_HEARD = "            case Heartbeat() if message.term >= self.term:\n"
GRANTED = "granted = request.term == self.term and free and request.last >= self.log.last"
FREE = "free = self.vote in (None, sender) and self.leader is None"
PATIENCE = "self.deadline = now + self.timeout * (1 + self.rng.random())"
STALE = "        if asked is None or (vote.term, vote.pre) != (asked.term, asked.pre):\n            return\n"
ENOUGH = "if len(self.votes) < self.majority:"
ADOPT = "self.term, self.vote, self.leader = term, None, None"
ALIVE = "leader_alive = self.leader == self.me or now < self.leader_heard + self.timeout"

WRONG: dict[str, tuple[str, Changes]] = {
    "votes in a list": (
        "majority",
        (
            ("self.votes: set[NodeId] = set()", "self.votes: list[NodeId] = []"),
            ("self.votes = set()", "self.votes = []"),
            ("self.votes.add(voter)", "self.votes.append(voter)"),
        ),
    ),
    "half of the nodes": ("majority", ((ENOUGH, "if len(self.votes) < (len(self.peers) + 1) / 2:"),)),
    "a majority of the peers": ("majority", ((ENOUGH, "if len(self.votes) <= len(self.peers) // 2 - 1:"),)),
    "one vote too few": ("majority", ((ENOUGH, "if len(self.votes) < self.majority - 1:"),)),
    "counts refusals": ("majority", (("case Vote(granted=True):", "case Vote():"), (STALE, ""))),
    "asks nobody": ("elects", ((ENOUGH, "if False:"), ("        self.broadcast(self.asked)\n", ""))),
    "votes twice in a term": ("votes", ((FREE, "free = self.leader is None"),)),
    "forgets its vote in a crash": (
        "votes",
        (("        if not self.deadline:\n", "        if not self.deadline:\n            self.vote = None\n"),),
    ),
    "sets the vote after the answer is lost": (
        "votes",
        (
            (
                "        if granted:\n            self.vote = sender\n",
                "        if granted and self.vote != self.me:\n            self.vote = None\n",
            ),
        ),
    ),
    "keeps the vote in a later term": ("elects", ((ADOPT, "self.term, self.leader = term, None"),)),
    "never adopts a term": (
        "terms",
        (("            case Vote() | HeartbeatReply():\n                self.adopt(message.term)\n", ""),),
    ),
    "takes heartbeats of any term": (
        "terms",
        (
            (LEADER_HEARD, "            case Heartbeat():\n"),
            ("        if term > self.term:\n", "        if term != self.term:\n"),
        ),
    ),
    "leads on in a later term": ("majority", ((ADOPT, "self.term, self.vote = term, None"),)),
    "any log": (
        "log",
        (
            (GRANTED, "granted = request.term == self.term and free"),
            ("request.last >= self.log.last and not leader_alive", "not leader_alive"),
        ),
    ),
    "any log, and catches up": (
        "log",
        (
            ("class MyElection(Election):\n", "class MyElection(Election):\n    catches_up = True\n\n"),
            (GRANTED, "granted = request.term == self.term and free"),
            ("request.last >= self.log.last and not leader_alive", "not leader_alive"),
        ),
    ),
    "only the log's term": (
        "log",
        (
            (GRANTED, "granted = request.term == self.term and free and request.last[0] >= self.log.last[0]"),
            ("request.last >= self.log.last and not", "request.last[0] >= self.log.last[0] and not"),
        ),
    ),
    "only the log's length": (
        "log",
        (
            (GRANTED, "granted = request.term == self.term and free and request.last[1] >= self.log.last[1]"),
            ("request.last >= self.log.last and not", "request.last[1] >= self.log.last[1] and not"),
        ),
    ),
    "index and term compared apart": (
        "elects",
        ((GRANTED, "granted = request.term == self.term and free and request.last > self.log.last"),),
    ),
    "the same patience for all": ("randomized-timeout", ((PATIENCE, "self.deadline = now + 1.5 * self.timeout"),)),
    "patience that doubles": (
        "elects",
        (
            (
                PATIENCE,
                "self.turn = getattr(self, 'turn', 0) + 1\n"
                "        self.deadline = now + self.timeout * 2**self.turn * (1 + self.rng.random())",
            ),
            (
                "self.leader, self.leader_heard = sender, now\n",
                "self.leader, self.leader_heard = sender, now\n                self.turn = -1\n",
            ),
        ),
    ),
    "gives up without everybody": (
        "randomized-timeout",
        (("if in_reach < self.majority:", "if in_reach < len(self.peers) + 1:"),),
    ),
    "leads alone": ("quorum", (("if in_reach < self.majority:", "if False:"),)),
    "leads with one follower": ("quorum", (("if in_reach < self.majority:", "if in_reach < 2:"),)),
    "leads while it can speak": (
        "quorum",
        (("self.heard[peer] < self.timeout", "self.heard[peer] < 100 * self.timeout"),),
    ),
    "yes while a leader lives": ("pre-vote", ((ALIVE, "leader_alive = False"),)),
    "no pre-vote": ("pre-vote", (("self.campaign(now, pre=True)", "self.campaign(now, pre=False)"),)),
    "a leader says yes": (
        "pre-vote",
        ((ALIVE, "leader_alive = False if self.leader == self.me else now < self.leader_heard + self.timeout"),),
    ),
    "a vote in answer to an old term's request": (
        "majority",
        (
            (GRANTED, "granted = request.term <= self.term and free and request.last >= self.log.last"),
            (
                "self.send(sender, Vote(self.term, granted, pre=False))",
                "self.send(sender, Vote(request.term, granted, pre=False))",
            ),
        ),
    ),
    "the log in the pre-vote only": ("log", ((GRANTED, "granted = request.term == self.term and free"),)),
    "the log's index before its term, in the vote alone": (
        "log",
        ((GRANTED, "granted = request.term == self.term and free and request.last[::-1] >= self.log.last[::-1]"),),
    ),
    "leads no longer when it is asked": (
        "pre-vote",
        (
            (
                "            case RequestVote(pre=True):\n",
                "            case RequestVote(pre=True):\n                self.leader = None\n",
            ),
        ),
    ),
    "follows a leader of the past": (
        "terms",
        (("case Heartbeat() if message.term >= self.term:", "case Heartbeat():"),),
    ),
    "gives up after the second term": (
        "elects",
        (("elif now >= self.deadline:", "elif now >= self.deadline and self.term < 2:"),),
    ),
    "follows a leader without taking its term": (
        "terms",
        (
            (
                "                self.adopt(message.term)\n                self.leader, self.leader_heard",
                "                self.leader, self.leader_heard",
            ),
        ),
    ),
    "an answer in the pre-vote that comes when the leader is back": (
        "pre-vote",
        (
            (
                "self.leader, self.leader_heard = sender, now\n                self.asked = None\n",
                "self.leader, self.leader_heard = sender, now\n",
            ),
        ),
    ),
    "a late answer in the pre-vote under a leader": (
        "pre-vote",
        (
            (
                "self.leader, self.leader_heard = sender, now\n                self.asked = None\n",
                "self.leader, self.leader_heard = sender, now\n",
            ),
            (f"{ADOPT}\n            self.asked = None\n", f"{ADOPT}\n"),
        ),
    ),
    "waits for a leader of the past": (
        "randomized-timeout",
        (
            (
                LEADER_HEARD,
                "            case Heartbeat() if message.term < self.term:\n"
                "                self.wait(now)\n" + LEADER_HEARD,
            ),
        ),
    ),
    "content with a leader of the past": (
        "randomized-timeout",
        (
            (
                LEADER_HEARD,
                "            case Heartbeat() if message.term < self.term:\n"
                "                self.leader_heard = now\n" + LEADER_HEARD,
            ),
        ),
    ),
    "loses patience under a leader": (
        "randomized-timeout",
        (
            (
                "                self.asked = None\n                self.wait(now)\n",
                "                self.asked = None\n",
            ),
        ),
    ),
    "of two logs neither is new enough": (
        "randomized-timeout",
        (
            (
                GRANTED,
                "newer = request.last[0] >= self.log.last[0] and request.last[1] >= self.log.last[1]\n"
                "        granted = request.term == self.term and free and newer",
            ),
        ),
    ),
    "two are enough in the pre-vote": (
        "pre-vote",
        ((ENOUGH, "if len(self.votes) < (2 if vote.pre else self.majority):"),),
    ),
    "a later term in the pre-vote": (
        "elects",
        (
            (
                "            case RequestVote(pre=True):\n",
                "            case RequestVote(pre=True):\n                self.adopt(message.term)\n",
            ),
        ),
    ),
}
"""Mistake: the check (`ex3.…`) that names it, and what is changed in the reference."""

RIGHT: dict[str, Changes] = {
    "the reference": (),
    "no memory: each tick a throw": (
        (
            "        elif now >= self.deadline:\n",
            "        elif now >= self.deadline - self.timeout * 2 and now >= self.leader_heard + self.timeout"
            " and self.rng.random() < 0.04:\n",
        ),
    ),
    "patient to the double": ((PATIENCE, "self.deadline = now + self.timeout * (1 + 2 * self.rng.random())"),),
    "impatient": ((PATIENCE, "self.deadline = now + self.timeout * (0.75 + self.rng.random())"),),
    "steps down a little later": (("self.heard[peer] < self.timeout", "self.heard[peer] < 1.4 * self.timeout"),),
    "whole numbers of steps": ((PATIENCE, "self.deadline = now + self.timeout * (1 + self.rng.randrange(21) / 20)"),),
    "keeps a list without repeats": ((("self.votes.add(voter)", "self.votes |= {voter}"),)),
    "asks again those who are silent": (
        (
            "        elif now >= self.deadline:\n",
            "        elif self.asked is not None and now < self.deadline and self.rng.random() < 0.1:\n"
            "            for peer in self.peers:\n"
            "                if peer not in self.votes:\n"
            "                    self.send(peer, self.asked)\n"
            "        elif now >= self.deadline:\n",
        ),
    ),
    "takes the candidate for the leader when it votes": (
        (
            "            self.vote = sender\n            self.wait(now)\n",
            "            self.vote = self.leader = sender\n            self.wait(now)\n",
        ),
        (
            "self.vote in (None, sender) and self.leader is None",
            "self.vote in (None, sender) and self.leader in (None, sender)",
        ),
    ),
    "no pre-vote for a first leader": (("self.campaign(now, pre=True)", "self.campaign(now, pre=self.term > 0)"),),
}
