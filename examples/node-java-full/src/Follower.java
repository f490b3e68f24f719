import java.util.ArrayList;
import java.util.List;

/** What a node does with entries and snapshots that its leader ships. Made anew for each leader and term. */
final class Follower {
    private final Replica replica;
    /** The snapshot of which pieces are arriving, and its items so far. */
    private EntryId arriving = EntryId.START;
    private final List<Entry> items = new ArrayList<>();
    /** The last one that was installed: a late copy of it must not take back what came after it. */
    private EntryId installed = EntryId.START;

    Follower(Replica replica) {
        this.replica = replica;
    }

    static boolean concerns(Message message) {
        return message instanceof Message.Replicate || message instanceof Message.Snapshot;
    }

    /** Returns the answer to a message that {@link #concerns} followers. */
    Message hear(Message message) {
        return message instanceof Message.Replicate replicate ? take(replicate) : take((Message.Snapshot) message);
    }

    /**
     * Take the leader's entries over if the log holds the one before them: then the two logs agree in all before that
     * (Raft, 5.3). The entries are on the disk before the answer leaves, since the leader counts it as a copy.
     */
    private Message take(Message.Replicate message) {
        Message refusal = refusal(message.prev(), message.term());
        if (refusal != null) {
            return refusal;
        }
        List<Entry> fresh = withoutKnown(message.entries());
        if (!fresh.isEmpty() && fresh.get(0).index() <= replica.commit().index()) {
            return new Message.Sign("log_conflict", message.term());
        }
        long end = message.prev().index() + message.entries().size();
        // Behind `end` our log may hold something else than the leader's.
        long committed = Math.max(replica.commit().index(), Math.min(message.commit(), end));
        if (!fresh.isEmpty()) {
            replica.overwrite(fresh, committed);
        }
        replica.advance(committed);
        return new Message.Replicated(message.term(), true, end);
    }

    private Message refusal(EntryId prev, long term) {
        Log log = replica.log;
        if (log.holds(prev)) {
            return null;
        }
        if (prev.index() > log.lastIndex()) {
            return new Message.Replicated(term, false, log.lastIndex());
        }
        if (prev.index() < log.base().index()) {
            return new Message.Replicated(term, false, log.base().index());
        }
        if (prev.index() == log.base().index()) {
            return new Message.Sign("log_conflict", term); // what is forgotten has taken effect
        }
        // What one leader wrote in a row is in the sender's log as a whole or not at all.
        return new Message.Replicated(term, false, log.startOfRun(prev.index()) - 1);
    }

    /** A message that comes twice or late must not take back what a newer one brought: what is there stays. */
    private List<Entry> withoutKnown(List<Entry> entries) {
        int known = 0;
        while (known < entries.size() && replica.log.holds(entries.get(known).id())) {
            known += 1;
        }
        return entries.subList(known, entries.size());
    }

    /** Take a piece of a snapshot, or say why it is of no use. */
    private Message take(Message.Snapshot message) {
        EntryId at = message.at();
        boolean late = at.equals(installed) || (at.index() < installed.index() && message.force());
        if (!late && (message.force() || at.index() > replica.commit().index())) {
            return new Message.SnapshotReceived(message.term(), at, collect(message));
        }
        if (late || replica.log.holds(at)) {
            return new Message.SnapshotReceived(message.term(), at, message.total());
        }
        if (at.index() < replica.log.base().index()) {
            return new Message.Replicated(message.term(), false, replica.log.base().index());
        }
        return new Message.Sign("log_conflict", message.term());
    }

    /** Put the piece to the others; install when all are there. Returns how many items are held. */
    private long collect(Message.Snapshot message) {
        if (!message.at().equals(arriving)) {
            arriving = message.at();
            items.clear();
        }
        if (message.offset() == items.size()) {
            items.addAll(message.items());
        }
        long held = items.size();
        if (held >= message.total()) {
            replica.install(message.at(), items);
            installed = message.at();
            arriving = EntryId.START;
            items.clear();
        }
        return held;
    }
}
