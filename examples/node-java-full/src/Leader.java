import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** One leadership: heartbeats, writes and their copies, linearizable reads. */
final class Leader {
    /** A client that waits, with a thread of its own. {@code at}: the write's place, or the read's round. */
    private record Waiting(long at, long deadline, CompletableFuture<Outcome> outcome) {}

    private static final int MOST_WAITING = 512;

    private final Cluster cluster;
    private final Replica replica;
    private final long term;
    private final CatchingUp catchingUp;
    private Shipping shipping = null;
    private boolean takesWrites = false;

    /** The last round of heartbeats. Answers of an earlier leadership have a number up to {@code firstRound}. */
    private long round;
    private final long firstRound;
    private long nextHeartbeat;
    private final Map<String, Long> answeredRound = new HashMap<>();
    private final Map<String, Long> toldInRound = new HashMap<>();

    /** Entries that are in the log and not on the disk yet. */
    private List<Entry> unsaved = new ArrayList<>();
    private final Deque<Waiting> writes = new ArrayDeque<>();
    private final Deque<Waiting> reads = new ArrayDeque<>();

    Leader(Cluster cluster, Replica replica, long term, long lastRound, boolean catchesUp, long now) {
        this.cluster = cluster;
        this.replica = replica;
        this.term = term;
        this.round = lastRound;
        this.firstRound = lastRound;
        this.catchingUp = new CatchingUp(cluster, replica, term, now);
        if (!catchesUp || cluster.peers().isEmpty()) {
            takeWrites();
        }
        sendHeartbeats(now);
    }

    boolean takesWrites() {
        return takesWrites;
    }

    long round() {
        return round;
    }

    /** From whom this node fetches entries before it takes writes; null: from nobody. */
    String source() {
        return takesWrites ? null : catchingUp.source();
    }

    Map<String, Object> lag() {
        return takesWrites ? shipping.lag() : Map.of();
    }

    private void takeWrites() {
        takesWrites = true;
        shipping = new Shipping(replica, term, cluster.peers(), cluster.heartbeat());
        append("noop", "", null); // when it is committed, everything before it is
        cluster.log().accept("👑 Became LEADER for term " + term);
    }

    /** It is over. Who waits is told that the outcome is unknown, since it is. */
    void stop() {
        writes.forEach(waiting -> waiting.outcome.complete(Outcome.UNKNOWN));
        reads.forEach(waiting -> waiting.outcome.complete(Outcome.UNKNOWN));
        if (!unsaved.isEmpty()) {
            replica.log.truncate(unsaved.get(0).index() - 1); // the log holds what the disk holds
        }
        cluster.log().accept("Leads no more in term " + term);
    }

    void tick(long now) {
        if (now >= nextHeartbeat) {
            sendHeartbeats(now);
        }
        catchUp(now);
        endWaiting(writes, now);
        endWaiting(reads, now);
    }

    /** They came one after the other, so the first has waited longest. */
    private static void endWaiting(Deque<Waiting> all, long now) {
        while (!all.isEmpty() && all.peek().deadline <= now) {
            all.poll().outcome.complete(Outcome.UNKNOWN);
        }
    }

    /** Take writes as soon as nothing is missing. */
    void catchUp(long now) {
        if (!takesWrites && catchingUp.isDone(now)) {
            takeWrites();
            cluster.wake().run();
        }
    }

    // -- heartbeats -----------------------------------------------------------------------------------

    private void sendHeartbeats(long now) {
        round += 1;
        nextHeartbeat = now + cluster.heartbeat();
        cluster.peers().forEach(this::sendHeartbeat);
    }

    private void sendHeartbeat(String peer) {
        cluster.send().accept(peer, new Message.Heartbeat(term, replica.commit(), round));
    }

    /** A peer that is back, and that perhaps cannot be reached yet, learns from an answer that there is a leader. */
    void hearSomething(String peer) {
        long answered = answeredRound.getOrDefault(peer, firstRound);
        if (round > answered + 1 && round > toldInRound.getOrDefault(peer, firstRound)) {
            toldInRound.put(peer, round);
            sendHeartbeat(peer);
        }
    }

    void hear(String peer, Message.HeartbeatReply reply, long now) {
        if (reply.term() != term || reply.round() <= firstRound || reply.round() > round || !reply.follows()) {
            return;
        }
        answeredRound.merge(peer, reply.round(), Math::max);
        if (!takesWrites) {
            catchingUp.hearLast(peer, reply.last());
            catchUp(now);
        } else if (reply.round() == round) {
            shipping.hearLast(peer, reply.last());
        }
        cluster.wake().run();
    }

    /** What a follower says about its log. */
    void hearOfLog(String peer, Message answer) {
        if (takesWrites && answer.term() == term) {
            shipping.hear(peer, answer);
            cluster.wake().run();
        }
    }

    // -- clients --------------------------------------------------------------------------------------

    CompletableFuture<Outcome> write(String op, String key, Object value, long now) {
        if (writes.size() + reads.size() >= MOST_WAITING) {
            return CompletableFuture.completedFuture(Outcome.OVERLOADED);
        }
        Waiting waiting = new Waiting(append(op, key, value), now + cluster.timeout(), new CompletableFuture<>());
        writes.add(waiting);
        return waiting.outcome;
    }

    /** The answer waits for a majority that answers a round of heartbeats which is sent from now on (Raft, 8). */
    CompletableFuture<Outcome> read(long now) {
        if (writes.size() + reads.size() >= MOST_WAITING) {
            return CompletableFuture.completedFuture(Outcome.OVERLOADED);
        }
        Waiting waiting = new Waiting(round + 1, now + cluster.timeout(), new CompletableFuture<>());
        reads.add(waiting);
        cluster.wake().run();
        return waiting.outcome;
    }

    private long append(String op, String key, Object value) {
        Entry entry = new Entry(new EntryId(replica.log.lastIndex() + 1, term, cluster.me()), op, key, value);
        replica.log.append(entry);
        unsaved.add(entry);
        cluster.wake().run();
        return entry.index();
    }

    /** An entry took effect. */
    void applied(Entry entry, boolean found) {
        if (!writes.isEmpty() && writes.peek().at == entry.index()) {
            writes.poll().outcome.complete(new Outcome(Outcome.Kind.WRITTEN, entry, found));
        }
    }

    // -- a turn ---------------------------------------------------------------------------------------

    /** Save what was appended, commit what enough nodes have, answer reads, send what followers lack. */
    void flush(long now) {
        if (!takesWrites) {
            return;
        }
        if (!unsaved.isEmpty()) { // all that came since the last turn, with one write to the disk
            List<Entry> entries = unsaved;
            unsaved = new ArrayList<>();
            replica.saveEntries(entries, replica.commit().index());
        }
        long held = shipping.heldBy(cluster.copies(), replica.log.lastIndex());
        EntryId id = replica.log.idAt(held);
        if (id != null && isOurs(id)) { // an entry of an earlier leader is not counted by its copies (Raft, 5.4.2)
            replica.advance(held);
        }
        answerReads(now);
        shipping.send(now, cluster.send());
    }

    private boolean isOurs(EntryId id) {
        return id.term() == term && id.leader().equals(cluster.me());
    }

    private void answerReads(long now) {
        if (reads.isEmpty() || !isOurs(replica.commit())) {
            return;
        }
        List<Long> rounds = new ArrayList<>(answeredRound.values());
        rounds.add(round); // our own
        rounds.sort(Collections.reverseOrder());
        long confirmed = rounds.size() < cluster.majority() ? 0 : rounds.get(cluster.majority() - 1);
        for (Iterator<Waiting> all = reads.iterator(); all.hasNext(); ) {
            Waiting waiting = all.next();
            if (waiting.at <= confirmed) {
                waiting.outcome.complete(Outcome.MAY_READ);
                all.remove();
            }
        }
        if (!reads.isEmpty() && reads.peekLast().at > round) {
            sendHeartbeats(now);
            if (cluster.majority() == 1) {
                cluster.wake().run(); // nobody will answer, and nobody has to
            }
        }
    }
}
