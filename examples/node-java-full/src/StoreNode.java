import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * One node: it hands each message, request and tick to the part that it concerns.
 *
 * <p>Requests, answers and ticks come on many threads. Everything that looks at the node or changes it is
 * {@code synchronized}, and nothing that is synchronized waits for another node.
 */
final class StoreNode {
    private final Settings settings;
    private final Replica replica;
    private final Electing election;
    private final Cluster cluster;
    private final Turns turns = new Turns(this::flush);
    private final BiConsumer<String, Message> network;
    /** Who is being answered, and the answer; else null. */
    private String answered = null;
    private List<Message> answer = List.of();

    private Follower following;
    private Leader leading = null;
    /** While this node sends a new leader what that one lacks. */
    private Shipping lending = null;
    /** The last round of heartbeats of this node. A number never comes twice, also when it leads again. */
    private long rounds = 0;

    StoreNode(Settings settings, Replica replica, Function<Election.Seat, Election> strategy,
            BiConsumer<String, Message> network) {
        this.settings = settings;
        this.replica = replica;
        this.network = network;
        List<String> peers = List.copyOf(settings.peers().keySet());
        int copies = settings.mode().copies(peers.size() + 1);
        int majority = Settings.Mode.quorum.copies(peers.size() + 1);
        long heartbeat = settings.heartbeatMs();
        long timeout = settings.electionTimeoutMs();
        this.cluster =
                new Cluster(id(), peers, majority, copies, heartbeat, timeout, this::send, turns::soon, this::log);
        this.following = new Follower(replica);
        List<Runnable> says = new ArrayList<>();
        Election.Seat seat = new Election.Seat(id(), peers, majority, timeout, heartbeat, new Random(),
                replica.log::last, (to, message) -> says.add(() -> send(to, message)), this::log);
        this.election = new Electing(strategy.apply(seat), replica, new AwakeClock(heartbeat), says);
        replica.listener = this::applied;
    }

    private void applied(Entry entry, boolean found) {
        if (leading != null) {
            leading.applied(entry, found);
        }
    }

    void start() {
        turns.every(Math.max(5, settings.heartbeatMs() / 10), this::tick);
    }

    // -- what it says to clients ----------------------------------------------------------------------

    String id() {
        return settings.nodeId();
    }

    private boolean takesWrites() {
        return leading != null && leading.takesWrites();
    }

    private String role() {
        return takesWrites() ? "leader" : leading != null || election.stands() ? "candidate" : "follower";
    }

    /** To whom clients are sent; null: nobody is known. */
    private String leaderId() {
        return id().equals(election.leader()) && !takesWrites() ? null : election.leader();
    }

    synchronized Map<String, Object> status() {
        Map<String, Object> status = new LinkedHashMap<>();
        status.put("node_id", id());
        status.put("role", role());
        status.put("term", election.term());
        status.put("leader_id", leaderId());
        status.put("mode", settings.mode().name());
        status.put("election", election.name());
        status.putAll(replica.status());
        status.put("lag", leading == null ? Map.of() : leading.lag());
        return status;
    }

    /** The answer to a read, from this node's own copy; null where the key is not there. */
    synchronized Map<String, Object> read(String key) {
        Entry entry = replica.data.get(key);
        if (entry == null) {
            return null;
        }
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("key", key);
        answer.put("value", entry.value());
        answer.put("node_role", role());
        answer.put("term", entry.id().term());
        answer.put("index", entry.index());
        return answer;
    }

    /** The answer to what only a leader may do. */
    synchronized Map<String, Object> notLeader() {
        return Map.of("error", "Not the leader", "current_role", role(), "leader_id",
                leaderId() == null ? "Unknown" : leaderId());
    }

    /** A client's {@code put} or {@code delete}; null where this node does not lead. */
    synchronized CompletableFuture<Outcome> write(String op, String key, Object value) {
        return takesWrites() ? leading.write(op, key, value, now()) : null;
    }

    /** Whether, and when, this node's own copy may be read as the newest; null where this node does not lead. */
    synchronized CompletableFuture<Outcome> mayRead() {
        return takesWrites() ? leading.read(now()) : null;
    }

    // -- turns ----------------------------------------------------------------------------------------

    private synchronized void tick() {
        if (election.tick(now())) {
            changeLeader();
        }
        if (leading != null) {
            leading.tick(now());
        }
        flush();
    }

    private synchronized void flush() {
        if (leading != null) {
            leading.flush(now());
        } else if (lending != null) {
            lending.send(now(), cluster.send());
        }
    }

    /** Into the answer, where the peer is being answered; else in a request of its own. */
    private void send(String to, Message message) {
        if (to.equals(answered)) {
            answer.add(message);
        } else {
            network.accept(to, message);
        }
    }

    private static long now() {
        return System.nanoTime() / 1_000_000;
    }

    private void log(String text) {
        System.out.println("[" + id() + "] " + text);
    }

    // -- what peers say -------------------------------------------------------------------------------

    /** A message of a peer. Returns what this node has to say to it at once. */
    synchronized List<Message> hear(String sender, Message message) {
        answered = sender;
        answer = new ArrayList<>();
        try {
            if (election.hear(sender, message, now())) {
                changeLeader();
            }
            handle(sender, message);
            return answer;
        } finally {
            answered = null;
        }
    }

    private void handle(String sender, Message message) {
        if (message instanceof Message.Heartbeat heartbeat) {
            send(sender, answerTo(sender, heartbeat));
        } else if (message instanceof Message.HeartbeatReply reply && leading != null) {
            leading.hear(sender, reply, now());
        } else if (Follower.concerns(message)) {
            if (mayShip(sender, message)) {
                lending = null;
                send(sender, following.hear(message));
            }
        } else if (message.path().equals("replicate") || message.type().equals("log_conflict")) {
            hearOfLog(sender, message);
        } else if (message.type().equals("fetch_log")) {
            lend(sender, message);
        } else if (leading != null && election.catchesUp()) {
            leading.hearSomething(sender);
        }
        if (leading != null) {
            leading.catchUp(now());
        }
    }

    /** Entries are taken from the present term's leader; by a leader that catches up, from the node that it asked. */
    private boolean mayShip(String sender, Message message) {
        String expected = leading == null ? election.leader() : leading.source();
        return sender.equals(expected) && message.term() == election.term();
    }

    private Message answerTo(String sender, Message.Heartbeat heartbeat) {
        boolean follows = election.follows(sender, heartbeat.term());
        if (follows && replica.log.holds(heartbeat.commit())) {
            replica.advance(heartbeat.commit().index());
        }
        return new Message.HeartbeatReply(election.term(), heartbeat.round(), follows, replica.log.last());
    }

    private void hearOfLog(String sender, Message message) {
        if (leading != null) {
            leading.hearOfLog(sender, message);
        } else if (lending != null && message.term() == lending.term) {
            lending.hear(sender, message);
            turns.soon();
        }
    }

    private void lend(String sender, Message message) {
        if (leading == null && election.follows(sender, message.term())) {
            lending = new Shipping(replica, message.term(), List.of(sender), cluster.heartbeat());
            turns.soon();
        }
    }

    /** Drop what belonged to the leadership before, and begin to lead or to follow. */
    private void changeLeader() {
        lending = null;
        following = new Follower(replica);
        if (leading != null) {
            rounds = leading.round();
            leading.stop();
            leading = null;
        }
        if (election.elected()) {
            leading = new Leader(cluster, replica, election.term(), rounds, election.catchesUp(), now());
        } else if (election.leader() != null) {
            log("Following " + election.leader() + " in term " + election.term());
        }
    }
}
