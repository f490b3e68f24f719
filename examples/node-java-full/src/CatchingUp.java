import java.util.HashMap;
import java.util.Map;

/**
 * What a leader does, before it takes writes, that was elected without regard to its log: it fetches what it lacks. In
 * quorum and sync each acknowledged write is on one node of any majority, so the newest log of a majority has all.
 */
final class CatchingUp {
    private final Cluster cluster;
    private final Replica replica;
    private final long term;
    private final long since;
    /** Where the logs end of those who answered a heartbeat. */
    private final Map<String, EntryId> lasts = new HashMap<>();
    /** Who was asked for its log, where that one ends, and how long it has time. Null: nobody. */
    private String source = null;
    private EntryId goal;
    private long deadline;

    CatchingUp(Cluster cluster, Replica replica, long term, long now) {
        this.cluster = cluster;
        this.replica = replica;
        this.term = term;
        this.since = now;
    }

    String source() {
        return source;
    }

    void hearLast(String peer, EntryId last) {
        lasts.put(peer, last);
    }

    /** Whether nothing is missing any more. Asks for what is, as soon as enough nodes have answered. */
    boolean isDone(long now) {
        if (source != null) {
            boolean done = !goal.isNewerThan(replica.log.last());
            if (!done && now >= deadline) {
                lasts.remove(source); // silent: it does not count, until it answers a heartbeat again
                source = null;
            }
            return done;
        }
        // In async nothing was promised, and a node that is left alone must go on.
        boolean longEnough = cluster.copies() == 1 && now >= since + cluster.heartbeat();
        if (lasts.size() + 1 < cluster.majority() && !longEnough) {
            return false;
        }
        String newest = null;
        for (Map.Entry<String, EntryId> one : lasts.entrySet()) {
            if (newest == null || one.getValue().isNewerThan(lasts.get(newest))) {
                newest = one.getKey();
            }
        }
        if (newest == null || !lasts.get(newest).isNewerThan(replica.log.last())) {
            return true;
        }
        source = newest;
        goal = lasts.get(newest);
        deadline = now + cluster.timeout();
        cluster.log().accept("Fetching what is missing from " + source);
        cluster.send().accept(source, new Message.Sign("fetch_log", term));
        return false;
    }
}
