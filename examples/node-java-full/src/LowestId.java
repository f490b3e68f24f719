import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The lesson's rule: of those that are alive the lowest id leads. Nobody votes, so each side of a cut may get a leader.
 * But a node follows one leader in a term and no other, and so at most one of them has a majority behind it.
 */
final class LowestId extends Election {
    private static final long NEVER = -1;

    private long started = NEVER;
    private long leaderHeard;
    private long nextAlive;
    private final Map<String, Long> heard = new HashMap<>();
    /** Who follows us, while we lead. */
    private final Set<String> followers = new HashSet<>();
    /** Who is to lead, as far as we can see, and since when we think so. Null: there is no election. */
    private String successor = null;
    private long since;

    LowestId(Seat seat) {
        super(seat);
    }

    @Override
    boolean catchesUp() {
        return true;
    }

    @Override
    void tick(long now) {
        begin(now);
        if (leads()) {
            return;
        }
        if (now >= nextAlive) {
            nextAlive = now + seat.heartbeat();
            seat.broadcast(new Message.Sign("alive", term));
        }
        // Who has heard nobody since its start does not know whether there is a leader. It waits longer.
        long patience = heard.isEmpty() ? 2 * seat.timeout() : seat.timeout();
        if (now - leaderHeard >= patience || seat.peers().isEmpty()) {
            elect(now);
        }
    }

    private void begin(long now) {
        if (started == NEVER) {
            started = now;
            leaderHeard = now;
            nextAlive = now;
        }
    }

    @Override
    void receive(String sender, Message message, long now) {
        begin(now);
        heard.put(sender, now);
        boolean present = message.term() == term;
        if (message instanceof Message.Heartbeat) {
            hearLeader(sender, message.term(), now);
        } else if (message.term() > term) {
            follow(null, message.term(), now); // somebody leads or led in it: give its heartbeat time to come
        } else if (present && message instanceof Message.HeartbeatReply reply && reply.follows()) {
            followers.add(sender);
        } else if (present && message.type().equals("taken")) {
            meetRival(now);
        } else if (message.term() < term && message.type().equals("alive")) {
            seat.send().accept(sender, new Message.Sign("alive", term));
        }
    }

    private void hearLeader(String sender, long itsTerm, long now) {
        boolean free = vote == null || vote.equals(sender);
        if (itsTerm > term || (itsTerm == term && free)) {
            follow(sender, itsTerm, now);
        } else if (itsTerm == term) {
            seat.send().accept(sender, new Message.Sign("taken", term));
            meetRival(now);
        }
    }

    /** Another node leads in this very term. With a majority behind us we go on, in a new term; else we give up. */
    private void meetRival(long now) {
        if (leads() && followers.size() + 1 >= seat.majority()) {
            lead();
        } else if (leads()) {
            follow(null, term, now);
        }
    }

    private void follow(String newLeader, long newTerm, long now) {
        if (newTerm > term) {
            vote = null;
        }
        leader = newLeader;
        term = newTerm;
        vote = newLeader != null ? newLeader : vote;
        leaderHeard = now;
        successor = null;
    }

    private void lead() {
        term += 1;
        leader = seat.me();
        vote = seat.me();
        followers.clear();
        successor = null;
    }

    private void elect(long now) {
        String lowest = Stream.concat(Stream.of(seat.me()), seat.peers().stream().filter(peer -> seemsAlive(peer, now)))
                .min(BY_ID)
                .orElseThrow();
        if (!lowest.equals(successor)) {
            if (successor == null) {
                seat.log().accept("Election timeout! Starting election...");
            }
            if (!lowest.equals(seat.me())) {
                seat.log().accept("Waiting for " + lowest + " to become leader");
            }
            leader = null;
            successor = lowest;
            since = now;
        }
        // A moment's grace: a node that was asleep reads the heartbeats that came meanwhile.
        boolean considered = now >= since + seat.heartbeat() / 2 || seat.peers().isEmpty();
        if (lowest.equals(seat.me()) && considered) {
            lead();
        }
    }

    /** Nodes do not start in the same instant: at the start everybody gets an extra timeout. */
    private boolean seemsAlive(String peer, long now) {
        return now - heard.getOrDefault(peer, started + seat.timeout()) < seat.timeout();
    }
}
