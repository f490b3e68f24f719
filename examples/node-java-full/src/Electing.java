import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * The election strategy, and what a node owes it: after each call term and vote go to the disk, and only then what the
 * strategy said goes out. A vote that was sent, and then forgotten in a crash, could be given twice.
 */
final class Electing {
    private final Election election;
    private final Replica replica;
    private final AwakeClock awake;
    private final List<Runnable> says;
    private String leaderBefore = null;
    private long termBefore;
    private String voteBefore;
    /** In which an earlier life of this node ended: it may have said things in it that it has forgotten. */
    private final long earlierTerm;

    /** @param says what the strategy wants to say; it is emptied here */
    Electing(Election election, Replica replica, AwakeClock awake, List<Runnable> says) {
        this.election = election;
        this.replica = replica;
        this.awake = awake;
        this.says = says;
        election.term = replica.term();
        election.vote = replica.vote();
        termBefore = replica.term();
        voteBefore = replica.vote();
        earlierTerm = replica.term() > 0 ? replica.term() : -1;
    }

    String name() {
        return election.getClass().getName();
    }

    String leader() {
        return election.leader;
    }

    long term() {
        return election.term;
    }

    boolean catchesUp() {
        return election.catchesUp();
    }

    boolean follows(String peer, long term) {
        return peer.equals(election.leader) && term == election.term;
    }

    /** Whether this node is to lead. It must not in a term of its life before: a number of a round would come twice. */
    boolean elected() {
        return election.leads() && election.term > earlierTerm;
    }

    /** Whether it asks for votes. */
    boolean stands() {
        return election.leader == null && election.seat.me().equals(election.vote) && !election.catchesUp();
    }

    /** Returns whether there is another leader, or another term, than before; so does {@link #hear}. */
    boolean tick(long now) {
        election.tick(time(now));
        return settle();
    }

    boolean hear(String sender, Message message, long now) {
        election.receive(sender, message, time(now));
        return settle();
    }

    /** Where nobody votes, silence alone decides: then time in which this node slept is no silence of the others. */
    private long time(long now) {
        long awakeTime = awake.at(now);
        return election.catchesUp() ? awakeTime : now;
    }

    private boolean settle() {
        boolean newTerm = election.term != termBefore;
        if (newTerm || !Objects.equals(election.vote, voteBefore)) {
            replica.saveState(election.term, election.vote);
        }
        boolean changed = newTerm || !Objects.equals(election.leader, leaderBefore);
        termBefore = election.term;
        voteBefore = election.vote;
        leaderBefore = election.leader;
        List<Runnable> now = new ArrayList<>(says);
        says.clear();
        now.forEach(Runnable::run);
        return changed;
    }
}
