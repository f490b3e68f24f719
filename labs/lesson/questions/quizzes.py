"""The quiz of notebook 07."""

from __future__ import annotations

from labs.lesson.questions.question import Question, ask

FIVE = (
    ask(
        "why-replicas",
        "Why does a store keep replicas?",
        ("to survive failures and to spread reads", "A copy is left when a node dies, and each copy can answer reads."),
        ("to make writes faster", "A write must be copied as well. Replicas make writes slower, if anything."),
        ("to hold more data", "Each replica holds all of it. To hold more, one splits the data: that is sharding."),
    ),
    ask(
        "who-writes",
        "Who takes writes in single-leader replication?",
        ("the leader", "One leader means one order of writes."),
        ("any node", "Then two nodes could take two writes of one key at once. That is multi-leader replication."),
        ("any follower that is up to date", "It would have to know that nobody else writes just now. It cannot."),
    ),
    ask(
        "follower-gets-write",
        "A follower of this store gets a write. What does it answer?",
        ("503 and the leader's id", "The client then asks the leader."),
        ("200, after it has asked the leader", "etcd passes writes on. This store lets the client go itself."),
        ("404", "404 says that a key is missing. Here the node is the wrong one, not the key."),
    ),
    ask(
        "leader-gone",
        "How does a follower notice that the leader is gone?",
        ("no heartbeat comes for the election timeout", "A node that crashed says nothing. Silence is all there is."),
        ("the connection to it breaks", "It may, but a node behind a cut network, or a frozen one, keeps it open."),
        ("a client complains", "Clients play no part in it: nodes choose their leader among themselves."),
    ),
    ask(
        "leader-back",
        "An old leader comes back after another took over. What does it do?",
        ("it follows, and fetches what it missed", "Its term is over: the higher term counts."),
        ("it leads again, since it was first", "Its term is lower than the new leader's. Nobody follows a lower term."),
        ("it sends the others what only it has", "It drops that. One log counts, and it is the leader's."),
    ),
)

CHAPTER = (
    ask(
        "async-answer",
        "async: when is the client answered?",
        ("when the leader has the write", "Hence it is fast, and hence a crash may lose it."),
        ("when the first follower has it", "That is quorum, with three nodes."),
        ("before anybody has it", "The leader has it in its log before it answers."),
    ),
    ask(
        "quorum-of-five",
        "quorum of five nodes: how many copies, the leader's included?",
        ("three", "More than half of all nodes, dead or alive."),
        ("two", "Two are not more than half: two other groups of two could exist beside them."),
        ("more than half of those that are up", "Dead nodes count, too. Else each side of a cut had its own quorum."),
        ("five", "That is sync."),
    ),
    ask(
        "sync-one-down",
        "sync with three nodes, one is down: what is the client of a write told?",
        ("504, outcome unknown", "The third copy is missing, and may come yet."),
        ("200, the two others have it", "That is quorum. sync needs all three."),
        ("503, not written", "The leader has written it. To say that it will never count would be a guess."),
    ),
    ask(
        "why-not-failed",
        "Why is 504 here not simply “failed”?",
        ("the write may still take effect", "The leader has it and goes on copying. To say “failed” would be a guess."),
        ("the client may ask again with the same id", "This store has no ids of requests. Repeating may write twice."),
        ("it is the same, in other words", "After “failed” one may write again safely; after “unknown” one may not."),
    ),
    ask(
        "stale-read",
        "What is a stale read?",
        ("an older value, from a copy that is behind", "Followers lag behind the leader, and answer all the same."),
        ("a value that nobody ever wrote", "That would be damage. A stale value was right once."),
        ("a read that gets no answer", "That is missing availability. A stale read looks like any other."),
    ),
    ask(
        "read-your-writes",
        "“Read your writes” promises…",
        ("that I see what I wrote", "Others may still see the old value."),
        ("that everybody sees what I wrote", "That is more: it is what linearizability gives."),
        ("that I never see less than before", "That is monotonic reads. It says nothing about what I wrote."),
    ),
    ask(
        "monotonic-reads",
        "“Monotonic reads” promises…",
        ("that I see no older state after a newer one", "One session never goes back in time."),
        ("that I always see the newest state", "It may be old, as long as it gets no older."),
        ("that values only grow", "It is about versions. The value may be anything."),
    ),
    ask(
        "term",
        "What is a term?",
        ("the number of a leadership", "It only grows, and tells new leaders from old ones."),
        ("the time that a node is up", "Terms are not measured in time. One may last milliseconds or years."),
        ("the place of a write in the log", "That is the index. An entry has both."),
    ),
    ask(
        "lowest-id-cut",
        "LowestId, network cut in two: how many leaders may there be?",
        ("one on each side", "Nobody asks for a majority."),
        ("one, on the larger side", "So it would be with votes. LowestId does not count."),
        ("none", "Each side has nodes that hear no leader, and these choose one."),
    ),
    ask(
        "two-majorities",
        "Why can two candidates of one term not both get a majority?",
        ("two majorities share a node, which votes once", "That shared node is the whole proof."),
        ("the second one sees the first and gives up", "It may be cut off and see nothing. The votes decide."),
        ("their timeouts differ", "That makes it rare that two stand at once. It forbids nothing."),
    ),
    ask(
        "vote-on-disk",
        "Why must a vote be on disk before it is sent?",
        ("a crash must not make the node forget it", "Else it could vote twice in one term, and two could lead."),
        ("so that it can be counted later", "Nobody counts votes later. They are counted as they come."),
        ("so that the new leader finds its voters", "A leader needs no list: it hears from all."),
    ),
    ask(
        "random-timeouts",
        "Why are election timeouts random?",
        ("so that two seldom stand at once", "Equal timeouts make split votes, again and again."),
        ("so that every node leads at some time", "Nobody wants that. A leader that works stays."),
        ("so that there is one leader a term", "That is what the votes are for. It holds with any timeouts."),
    ),
    ask(
        "whom-to-refuse",
        "Whom must a voter refuse?",
        ("one whose log is older than its own", "Else an acknowledged write could be lost."),
        ("one with a shorter log", "A shorter log may be newer: the last term counts first, then the length."),
        ("one with a higher id", "Ids play no part in Raft's vote."),
    ),
    ask(
        "pre-vote",
        "What is pre-vote good for?",
        (
            "a node that comes back deposes nobody",
            "It asks whether it could win, before it raises the term. While a leader is heard, it could not.",
        ),
        ("it makes elections faster", "It costs one more round trip."),
        ("it replaces the vote", "It binds nobody. The vote follows it."),
    ),
    ask(
        "check-quorum",
        "Why does a leader that hears no majority step down?",
        (
            "somebody else may lead already",
            "It can commit nothing, and what it answers may be old. Its clients had better ask elsewhere.",
        ),
        ("it could lose writes otherwise", "It cannot commit any, so it acknowledges none: in quorum nothing is lost."),
        ("the others need its vote", "They have a majority without it."),
    ),
    ask(
        "acknowledged-and-gone",
        "async. A node comes back with a write that the new leader's log lacks. What does it do with it?",
        ("it drops it, and reports that", "All copies must be the same. The loss is reported as an event."),
        ("it offers it to the leader", "The leader's log counts as it is. Nothing is put in between."),
        ("it keeps it beside the leader's", "Then its copy would differ for ever."),
    ),
    ask(
        "bully",
        "Bully: who leads, and what happens when a higher id comes back?",
        ("the highest id, and it takes over", "Hence the name."),
        ("the highest id, and it waits", "LowestId's nodes wait. In Bully the higher one takes over at once."),
        ("the lowest id, and nothing happens", "That is LowestId, this course's rule."),
    ),
)

QUIZZES: dict[str, tuple[Question, ...]] = {"five": FIVE, "chapter": CHAPTER}
