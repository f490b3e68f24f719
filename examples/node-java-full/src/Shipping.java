import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/** Sends followers what their logs lack, as long as one leadership lasts. */
final class Shipping {
    /** After so many milliseconds an answer is overdue, also where heartbeats are seldom. */
    private static final long LONGEST_PATIENCE = 500;

    final long term;
    private final Replica replica;
    private final long patience;
    private final Map<String, Progress> followers = new LinkedHashMap<>();

    Shipping(Replica replica, long term, List<String> peers, long heartbeat) {
        this.replica = replica;
        this.term = term;
        this.patience = Math.min(2 * heartbeat, LONGEST_PATIENCE);
        peers.forEach(peer -> followers.put(peer, new Progress(replica, term, replica.log.lastIndex())));
    }

    void send(long now, BiConsumer<String, Message> network) {
        followers.forEach((peer, progress) -> {
            Message message = progress.due(now, patience);
            if (message != null) {
                network.accept(peer, message);
            }
        });
    }

    /** An answer of this leadership. */
    void hear(String peer, Message answer) {
        Progress progress = followers.get(peer);
        if (progress == null) {
            return;
        }
        if (answer instanceof Message.Replicated replicated) {
            progress.heard(replicated);
        } else if (answer instanceof Message.SnapshotReceived received) {
            progress.heard(received);
        } else if (answer.type().equals("log_conflict")) {
            progress.conflict();
        }
    }

    /** The follower's log ends here. */
    void hearLast(String peer, EntryId last) {
        if (followers.get(peer).hasForgotten(last)) {
            followers.put(peer, new Progress(replica, term, last.index()));
        }
    }

    /** The highest place up to which {@code copies} nodes have everything; this one has it up to {@code own}. */
    long heldBy(int copies, long own) {
        List<Long> places = new ArrayList<>(List.of(own));
        followers.values().forEach(progress -> places.add(progress.match()));
        places.sort(Collections.reverseOrder());
        return places.get(copies - 1);
    }

    Map<String, Object> lag() {
        Map<String, Object> lag = new LinkedHashMap<>();
        followers.forEach((peer, progress) -> lag.put(peer, progress.lag()));
        return lag;
    }
}
