"""The predictions of the notebooks 01 to 06. What the next cells show decides; the reasons say why it went so."""

from __future__ import annotations

from labs.lesson.questions.question import Question, ask

_ALL = (
    # -- 01 --------------------------------------------------------------------------------------------
    ask(
        "one-node-stops",
        "The only node stops. What does a client get?",
        ("no answer", "There is nobody left to ask."),
        ("the value as it was before", "It was in that node's memory and on its disk, and nothing reads these now."),
        ("404, the key is not there", "To answer 404, somebody has to answer."),
    ),
    ask(
        "last-node-writes",
        "node-1 is alone now: two of three nodes are down. A client writes. What is it told?",
        ("success", "In async the leader answers as soon as it has the write itself. It asks for no other copy."),
        ("an error, since two copies are missing", "So it would be in sync. In async nobody waits for copies."),
        ("an error, since there is no majority", "So it would be in quorum. In async no majority is asked for."),
    ),
    ask(
        "bob-comes-back",
        "node-1, the only one that has Bob's write, stops; the other two start. What does a client read?",
        ("Alice", "The two others never heard of Bob. They have what was copied to them before they stopped."),
        ("Bob", "The client was told success, and still the write is only where node-1 left it: on its disk."),
        ("no answer", "Two nodes are up, and one of them leads. They answer, with what they know."),
    ),
    ask(
        "node-1-returns",
        "Now node-1 comes back, with Bob on its disk. What does it do?",
        ("it drops Bob", "The others are in a later term, and wrote since. One history counts: that of the leader."),
        ("it gives Bob to the others", "It follows now, and a follower takes the leader's log. It gives nothing."),
        ("it keeps Bob, they keep Alice", "Then the copies would differ for ever. A follower must become equal."),
    ),
    # -- 02 --------------------------------------------------------------------------------------------
    ask(
        "first-leader",
        "Who will lead, and in which term?",
        ("node-1, term 1", "The lowest id leads, and each new leadership takes a new term; the first is 1."),
        ("node-1, term 0", "Term 0 is the time before anybody led. A new leadership always takes a higher term."),
        ("node-3, term 1", "That is another rule, Bully's: the highest id. Here the lowest leads."),
        ("nobody, until we choose", "Nobody outside is needed: nodes that miss a leader choose one among themselves."),
    ),
    ask(
        "read-followers",
        "We ask node-2 and node-3, which no client wrote to. What do they say?",
        ("the values", "The leader has shipped its log to them, and any node may be read."),
        ("404, they have nothing", "They would, had the leader not copied every write to them."),
        ("503, they do not lead", "Only a write needs the leader. A node answers a read from its own copy."),
    ),
    ask(
        "write-to-follower",
        "And if we write to node-2?",
        ("it refuses, and names the leader", "All writes have one order, the leader's. The client goes there itself."),
        ("it stores the value", "Then two nodes would each make an order of writes, and the copies would differ."),
        (
            "it passes the write on to the leader",
            "etcd does so. This store refuses, so that one sees who leads; the order is made by the leader in both.",
        ),
    ),
    ask(
        "leader-stops",
        "node-1 stops. What will the others do?",
        (
            "node-2 leads in term 2",
            "node-2 is the lowest id alive, and a new leadership takes a new term. node-3 waits for node-2.",
        ),
        ("wait for node-1", "For the election timeout they do. Then they take it for dead."),
        ("node-2 leads in term 1", "Term 1 is node-1's. With the same term nobody could tell old from new."),
        ("node-3 leads in term 2", "node-3 knows that node-2, a lower id, is alive, and waits for it to lead."),
    ),
    ask(
        "old-leader-returns",
        "node-1 comes back. It has the lowest id. What does it do?",
        ("it follows node-2", "A leader that is alive stays. Its term 2 is higher than any that node-1 knew."),
        (
            "it leads again, as the lowest id",
            "The rule chooses among those who miss a leader. node-1 hears node-2's heartbeat, so it misses none.",
        ),
        ("it leads beside node-2", "It learns of term 2 from node-2's first heartbeat, and its own term 1 is over."),
    ),
    # -- 03 --------------------------------------------------------------------------------------------
    ask(
        "async-two-stopped",
        "async, two of three stopped: does a write still work?",
        ("yes", "The last node leads itself, and async asks for no copy but its own."),
        ("no", "No majority is left, but async asks for none."),
    ),
    ask(
        "quorum-two-stopped",
        "quorum, two of three stopped: does a write still work?",
        ("no", "A quorum of three is two, and there is only one."),
        ("yes", "One node is left, and its own copy is one. The quorum counts all three nodes, dead ones too."),
    ),
    ask(
        "quorum-reads",
        "quorum, two of three stopped: does a read of the last node still work?",
        ("yes", "A plain read takes what that node has. It asks nobody, so it may be old."),
        ("no", "A linearizable read would fail: it asks a majority. A plain read asks nobody."),
    ),
    # -- 04 --------------------------------------------------------------------------------------------
    ask(
        "read-at-once",
        "Copies take 100 ms. We write, and read from a follower at once. What do we get?",
        ("the old value", "The leader answered before the copy had arrived: that is asynchronous replication."),
        ("the new value", "The client was told success by the leader, which says nothing about the followers."),
        ("an error", "The follower does not know that it is behind. It answers with what it has."),
    ),
    ask(
        "read-after-a-while",
        "Copies take 100 ms, and up to 100 ms more by chance. We read 150 ms after the write. Stale?",
        ("about every second time", "Copies arrive between 100 and 200 ms, all moments alike: half by 150 ms."),
        ("never", "Only after 200 ms has every copy arrived."),
        ("always", "Before 100 ms all reads are stale. At 150 ms half of the copies are there."),
    ),
    ask(
        "other-follower",
        "Ann sees her comment at one follower. The load balancer takes her to the other. What may she see there?",
        ("no comment", "Each copy arrives in its own time, and one follower may be further behind than the other."),
        ("her comment, for certain", "What one follower has says nothing about the other. Nobody passes between them."),
        ("an error", "The other follower does not know what she saw elsewhere. It answers with what it has."),
    ),
    # -- 05 --------------------------------------------------------------------------------------------
    ask(
        "two-sides",
        "The network is cut: node-1 and node-2 on one side, the three others on the other. How many leaders?",
        ("two", "On each side the lowest id that is alive, as seen from there, leads. Nobody counts heads."),
        ("one, on the larger side", "So it would be with majorities. LowestId asks nobody how many they are."),
        ("one, node-1", "node-3, node-4 and node-5 hear nothing of node-1. For them it is dead."),
        ("none", "Nodes that miss a leader choose one. On the right side they miss one."),
    ),
    # -- 06 --------------------------------------------------------------------------------------------
    ask(
        "fastest-mode",
        "Each copy is between 0 and 200 ms away, by chance. Which mode answers a write when?",
        (
            "async at once, quorum soon, sync last",
            "async waits for nobody, quorum for the quickest of the followers that it needs, sync for the slowest.",
        ),
        (
            "async at once, quorum and sync alike",
            "They were alike if all followers were equally far. quorum can leave the slowest ones out.",
        ),
        ("all alike", "Copies are made in all three. What differs is how many the client waits for."),
    ),
    ask(
        "one-down",
        "One of three nodes is down. In which modes does a write still succeed?",
        ("async and quorum", "async needs one copy, quorum two of three. sync needs all three, and one is missing."),
        ("async only", "quorum needs two of three, and two are up."),
        ("all three", "sync promises that every node has it. One of them is down."),
    ),
    ask(
        "quorum-by-id",
        "LowestId asks for no votes. In quorum mode, can it lose a write that was acknowledged?",
        (
            "no",
            "A leader without votes asks a majority for their logs before it takes writes, and fetches what it lacks. "
            "A write that was acknowledged is on a majority, and two majorities share a node.",
        ),
        (
            "yes, the lowest id may have an old log",
            "It may, and so it must not begin at once: here it first asks a majority for their logs.",
        ),
        (
            "yes, there may be two leaders",
            "There may, but only the one with a majority behind its writes can acknowledge anything.",
        ),
    ),
)

PREDICTIONS: dict[str, Question] = {question.id: question for question in _ALL}
