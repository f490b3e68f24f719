import java.util.List;

/** How far one follower is, as the node that ships to it knows. One message at a time is under way. */
final class Progress {
    private record Transfer(EntryId at, List<Entry> items, boolean force) {}

    private static final long NOTHING_SENT = -1;

    private final Replica replica;
    private final long term;
    /** It is certain that the follower has everything up to here. */
    private long match = 0;
    /** What to send next. */
    private long next;
    /** It is not known yet where the logs agree: entries would be wasted. */
    private boolean probing = true;
    /** It has not said anything yet. */
    private boolean unknown = true;
    private long sentAt = NOTHING_SENT;
    private long sentCommit = 0;
    private Transfer transfer = null;
    private int offset = 0;

    Progress(Replica replica, long term, long last) {
        this.replica = replica;
        this.term = term;
        this.next = Math.min(last, replica.log.lastIndex()) + 1;
    }

    long match() {
        return match;
    }

    /** How many entries it is not known to have; null as long as nothing is known. */
    Long lag() {
        return unknown ? null : replica.log.lastIndex() - match;
    }

    /** What to send now; null: nothing. An answer that has not come within {@code patience} comes no more. */
    Message due(long now, long patience) {
        if (sentAt != NOTHING_SENT && now - sentAt >= patience) {
            sentAt = NOTHING_SENT;
            sentCommit = 0;
            next = probing ? next : match + 1;
        }
        Message message = sentAt == NOTHING_SENT ? next() : null;
        if (message != null) {
            sentAt = now;
        }
        return message;
    }

    private Message next() {
        Log log = replica.log;
        if (transfer == null && next <= log.base().index()) {
            beginTransfer(false);
        }
        if (transfer != null) {
            List<Entry> piece = Log.batch(transfer.items, offset);
            return new Message.Snapshot(term, transfer.at, offset, transfer.items.size(), piece, transfer.force);
        }
        long committed = replica.commit().index();
        if (!probing && next > log.lastIndex() && sentCommit >= committed) {
            return null;
        }
        sentCommit = committed;
        List<Entry> entries = probing ? List.of() : Log.batch(log.after(next - 1), 0);
        return new Message.Replicate(term, log.idAt(next - 1), entries, committed);
    }

    private void beginTransfer(boolean force) {
        if (transfer == null || (force && !transfer.force)) {
            transfer = new Transfer(replica.commit(), replica.data.items(), force);
            offset = 0;
        }
    }

    // -- what came back -------------------------------------------------------------------------------

    void heard(Message.Replicated answer) {
        unknown = false;
        sentAt = NOTHING_SENT;
        if (answer.ok()) {
            match = Math.max(match, answer.index()); // an older answer may come after a newer one
            if (transfer == null) { // else it is one: it answers what was sent before the snapshot
                next = match + 1;
                probing = false;
            }
        } else if (answer.index() > replica.log.lastIndex()) {
            beginTransfer(true); // there has taken effect what is not here
        } else if (answer.index() >= match) {
            transfer = null;
            probing = true;
            next = answer.index() + 1;
        }
    }

    /** What took effect there is not what is here. */
    void conflict() {
        unknown = false;
        sentAt = NOTHING_SENT;
        beginTransfer(true);
    }

    void heard(Message.SnapshotReceived answer) {
        unknown = false;
        if (transfer == null || !transfer.at.equals(answer.at())) {
            return;
        }
        sentAt = NOTHING_SENT;
        offset = (int) Math.min(answer.offset(), transfer.items.size());
        if (offset == transfer.items.size()) {
            match = Math.max(match, transfer.at.index());
            next = match + 1;
            probing = false;
            transfer = null;
        }
    }

    /** Its log ends before what it agreed to: it has lost its memory. */
    boolean hasForgotten(EntryId last) {
        return last.index() < match;
    }
}
