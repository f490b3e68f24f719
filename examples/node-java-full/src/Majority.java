import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * A leader by votes of a majority, after Raft (Ongaro and Ousterhout, 2014, 5.2 and 5.4.1), with a pre-vote (Ongaro's
 * thesis, 9.6): a node first asks whether it would be voted for, so one that cannot win disturbs nobody.
 */
final class Majority extends Election {
    private static final long NEVER = Long.MIN_VALUE / 2;

    /** When we stand for election, unless a leader is heard before. */
    private long deadline = NEVER;
    private long leaderHeard = NEVER;
    /** What the votes are for. Null: we are no candidate. */
    private Message.RequestVote asked = null;
    private final Set<String> votes = new HashSet<>();
    private final Map<String, Long> heard = new HashMap<>();

    Majority(Seat seat) {
        super(seat);
    }

    @Override
    void tick(long now) {
        if (deadline == NEVER) {
            waitForLeader(now);
        } else if (leads()) {
            giveUpWithoutMajority(now);
        } else if (now >= deadline) {
            stand(true, now);
        }
    }

    @Override
    void receive(String sender, Message message, long now) {
        heard.put(sender, now);
        if (message instanceof Message.RequestVote request) {
            answer(sender, request, now);
        } else if (message instanceof Message.Vote vote && vote.granted()) {
            count(sender, vote, now); // the term of a granted pre-vote has not begun
        } else {
            adopt(message.term());
            if (message instanceof Message.Heartbeat && message.term() == term) {
                leader = sender;
                leaderHeard = now;
                asked = null;
                waitForLeader(now);
            }
        }
    }

    /** A later term has begun: whoever led before leads no more, and our vote is free. */
    private void adopt(long later) {
        if (later > term) {
            term = later;
            vote = null;
            leader = null;
            asked = null;
        }
    }

    /** Each node waits for a time of its own, so candidates seldom meet. */
    private void waitForLeader(long now) {
        deadline = now + seat.timeout() + (long) (seat.random().nextDouble() * seat.timeout());
    }

    // -- as a candidate -------------------------------------------------------------------------------

    private void stand(boolean pre, long now) {
        leader = null;
        votes.clear();
        waitForLeader(now);
        if (!pre) {
            seat.log().accept("Election timeout! Starting election...");
            term += 1;
            vote = seat.me();
        }
        EntryId last = seat.last().get();
        asked = new Message.RequestVote(pre ? term + 1 : term, last.term(), last.index(), pre);
        seat.broadcast(asked);
        count(seat.me(), new Message.Vote(asked.term(), true, pre), now);
    }

    /** A vote that comes late, for what is not asked any more, counts for nothing. */
    private void count(String voter, Message.Vote ballot, long now) {
        if (asked == null || ballot.term() != asked.term() || ballot.pre() != asked.pre()) {
            return;
        }
        votes.add(voter);
        if (votes.size() < seat.majority()) {
            return;
        }
        if (asked.pre()) {
            stand(false, now);
        } else {
            leader = seat.me();
            asked = null;
            seat.peers().forEach(peer -> heard.put(peer, now));
        }
    }

    // -- as a voter -----------------------------------------------------------------------------------

    private void answer(String sender, Message.RequestVote request, long now) {
        EntryId last = seat.last().get();
        boolean newEnough = request.lastTerm() != last.term()
                ? request.lastTerm() > last.term()
                : request.lastIndex() >= last.index();
        if (request.pre()) {
            boolean leaderAlive = leads() || now < leaderHeard + seat.timeout();
            boolean granted = request.term() > term && newEnough && !leaderAlive;
            seat.send().accept(sender, new Message.Vote(granted ? request.term() : term, granted, true));
            return;
        }
        adopt(request.term());
        boolean free = leader == null && (vote == null || vote.equals(sender));
        boolean granted = request.term() == term && free && newEnough;
        if (granted) {
            vote = sender;
            waitForLeader(now);
        }
        seat.send().accept(sender, new Message.Vote(term, granted, false));
    }

    // -- as the leader --------------------------------------------------------------------------------

    /** Without a majority in reach nothing can be committed, and another node may lead by now (thesis, 6.2). */
    private void giveUpWithoutMajority(long now) {
        long inReach = 1 + seat.peers().stream().filter(peer -> now - heard.get(peer) < seat.timeout()).count();
        if (inReach < seat.majority()) {
            leader = null;
            waitForLeader(now);
        }
    }
}
