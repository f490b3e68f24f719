import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Who leads. A strategy sets {@link #leader}, {@link #term} and {@link #vote}; the node looks at them after each call,
 * and has term and vote on the disk before anything goes out that the strategy sent.
 *
 * <p>Another strategy is another class: {@code ELECTION=my-election} takes {@code MyElection}. Its constructor is given
 * the {@link Seat}.
 */
abstract class Election {
    /**
     * What a strategy is given.
     *
     * @param majority how many nodes are more than half of all
     * @param timeout silence after which a leader counts as dead, in milliseconds like all times here
     * @param last where this node's log ends
     * @param send the peer, and what to tell it
     */
    record Seat(String me, List<String> peers, int majority, long timeout, long heartbeat, Random random,
            Supplier<EntryId> last, BiConsumer<String, Message> send, Consumer<String> log) {
        void broadcast(Message message) {
            peers.forEach(peer -> send.accept(peer, message));
        }
    }

    /** As people count: {@code node-2} comes before {@code node-10}. */
    static final Comparator<String> BY_ID = Comparator.comparing((String id) -> id.replaceAll("[0-9]+$", ""))
            .thenComparing(String::length)
            .thenComparing(id -> id);

    protected final Seat seat;
    /** Null while none is known. This node's own id: it leads. */
    protected String leader = null;
    protected long term = 0;
    /** Whom this node has promised its support in this term. */
    protected String vote = null;

    protected Election(Seat seat) {
        this.seat = seat;
    }

    /** Time has passed: called several times in each heartbeat interval. */
    abstract void tick(long now);

    /** A message came, of whatever kind. */
    abstract void receive(String sender, Message message, long now);

    /** Whether nobody compares logs when a leader is made. Then it must fetch what it lacks before it takes writes. */
    boolean catchesUp() {
        return false;
    }

    protected boolean leads() {
        return seat.me().equals(leader);
    }
}
