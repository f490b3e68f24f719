import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * One node of the store: it follows a leader, or leads.
 *
 * <p>The election is the lesson's. A follower that hears no heartbeat for the election timeout asks every peer for its
 * status; of those that answer the node with the lowest id leads, in the next term. Nobody votes, so two nodes that
 * cannot reach each other may both lead. When they meet again, the higher term wins, and within a term the lower id.
 *
 * <p>Requests, answers and timers come on many threads. Everything that looks at the node or changes it is
 * {@code synchronized}, and nothing that is synchronized waits for the network.
 */
final class StoreNode {
    /** A follower as its leader sees it. */
    private static final class Follower {
        final String url;
        long index = Store.NOTHING; // the number of our changes that it has, as far as we know
        boolean busy = false; // a replicate message is on its way, and its answer has not come yet

        Follower(String url) {
            this.url = url;
        }
    }

    private static final int LISTED_KEYS = 1000;

    private final Settings settings;
    private final Peers peers = new Peers();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final Store store = new Store();

    private boolean leads = false;
    private long term = 0;
    private String leaderId = null;
    private List<Follower> followers = List.of();
    /** How often we began to wait for a leader: a timer that belongs to an earlier time means nothing any more. */
    private long waits = 0;

    StoreNode(Settings settings) {
        this.settings = settings;
    }

    /** Begin to wait for a leader. */
    synchronized void start() {
        waitForLeader();
    }

    // -- what it says to clients ----------------------------------------------------------------------

    String id() {
        return settings.nodeId();
    }

    private String role() {
        return leads ? "leader" : "follower";
    }

    synchronized Map<String, Object> status() {
        Map<String, Object> status = new LinkedHashMap<>();
        status.put("node_id", id());
        status.put("role", role());
        status.put("term", term);
        status.put("leader_id", leaderId);
        status.put("total_keys", store.size());
        status.put("keys", store.keys(LISTED_KEYS));
        return status;
    }

    /** The answer to a read, from this node's own copy; null where the key is not there. */
    synchronized Map<String, Object> read(String key) {
        if (!store.has(key)) {
            return null;
        }
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("key", key);
        answer.put("value", store.get(key));
        answer.put("node_role", role());
        return answer;
    }

    /** The answer to a write that this node cannot take. */
    synchronized Map<String, Object> notLeader() {
        String leader = leaderId == null ? "Unknown" : leaderId;
        return Map.of("error", "Not the leader", "current_role", role(), "leader_id", leader);
    }

    enum Written { DONE, NO_SUCH_KEY, NOT_LEADER }

    /** Carry out a client's write, if we lead. It is answered at once; the followers get it a moment later. */
    synchronized Written write(Store.Change change) {
        if (!leads || (change.delete() && !store.has(change.key()))) {
            return leads ? Written.NO_SUCH_KEY : Written.NOT_LEADER;
        }
        store.apply(change);
        followers.forEach(this::bringUpToDate);
        return Written.DONE;
    }

    // -- election -------------------------------------------------------------------------------------

    /** Begin to wait anew: an election starts when the leader is silent for the whole election timeout. */
    private void waitForLeader() {
        waits += 1;
        long wait = waits;
        timer.schedule(() -> elect(wait), settings.electionTimeoutMs(), TimeUnit.MILLISECONDS);
    }

    private synchronized void elect(long wait) {
        if (wait != waits) {
            return; // a leader was heard since this timer was set
        }
        log("Election timeout! Starting election...");
        leaderId = null;
        long limit = Math.min(1000, settings.electionTimeoutMs() / 2);
        var answers = settings.peers().stream().map(url -> peers.ask(url + "/status", limit, null)).toList();
        CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new))
                .thenRun(() -> decide(wait, answers.stream().map(CompletableFuture::join).toList()))
                .exceptionally(StoreNode::report);
    }

    private synchronized void decide(long wait, List<Map<String, Object>> answers) {
        if (wait != waits) {
            return; // while we asked, a leader was heard
        }
        Election.Choice choice = Election.choose(id(), term, answers);
        if (choice.leader().equals(id())) {
            lead(choice.term());
        } else {
            log("Waiting for " + choice.leader() + " to become leader");
            waitForLeader();
        }
    }

    private void lead(long newTerm) {
        waits += 1; // we wait for nobody now
        leads = true;
        term = newTerm;
        leaderId = id();
        store.countFrom(0);
        followers = settings.peers().stream().map(Follower::new).toList();
        log("Became LEADER for term " + term);
        sendHeartbeats(followers);
    }

    private void follow(String leader, long newTerm) {
        log((leads ? "Stepping down; following " : "Following ") + leader + " in term " + newTerm);
        leads = false;
        followers = List.of();
        term = newTerm;
        leaderId = leader;
        store.countFrom(Store.NOTHING);
        waitForLeader();
    }

    // -- what a leader does ---------------------------------------------------------------------------

    /** To these followers, now and after each interval, for as long as we lead with them. */
    private synchronized void sendHeartbeats(List<Follower> mine) {
        if (mine != followers) {
            return;
        }
        timer.schedule(() -> sendHeartbeats(mine), settings.heartbeatMs(), TimeUnit.MILLISECONDS);
        for (Follower follower : mine) {
            tell(follower, "heartbeat", Map.of(), answered -> {
                if (answered) {
                    bringUpToDate(follower);
                }
            });
        }
    }

    /** Send what the follower lacks, one message after the other, until it has everything or does not answer. */
    private void bringUpToDate(Follower follower) {
        if (follower.busy || follower.index == store.index()) {
            return;
        }
        follower.busy = true;
        tell(follower, "replicate", store.missingAfter(follower.index), answered -> {
            follower.busy = false;
            if (answered) {
                bringUpToDate(follower);
            } // if not, the answer to the next heartbeat starts this again
        });
    }

    /** Send one message as leader. {@code then} is told whether it was answered and we still lead this follower. */
    private void tell(Follower follower, String kind, Map<String, Object> content, Consumer<Boolean> then) {
        Map<String, Object> message = new LinkedHashMap<>(Map.of("term", term, "leader_id", id()));
        message.putAll(content);
        peers.ask(follower.url + "/internal/" + kind, settings.electionTimeoutMs(), message)
                .thenAccept(answer -> hearAnswer(follower, answer, then))
                .exceptionally(StoreNode::report);
    }

    private synchronized void hearAnswer(Follower follower, Map<String, Object> answer, Consumer<Boolean> then) {
        boolean present = answer != null && followers.contains(follower);
        if (present) {
            follower.index = Json.whole(answer, "index", Store.NOTHING);
            long its = Election.termIn(answer);
            if (answer.get("leader_id") instanceof String leader && Election.outranks(leader, its, leaderId, term)) {
                follow(leader, its);
                present = false;
            }
        }
        then.accept(present);
    }

    // -- what a follower does -------------------------------------------------------------------------

    /** A heartbeat or a replicate message. The answer says whom we follow, and how far we are. */
    synchronized Map<String, Object> hear(String leader, long itsTerm, Map<String, Object> message) {
        if (Election.outranks(leader, itsTerm, leaderId, term)) {
            follow(leader, itsTerm);
        }
        boolean success = leader.equals(leaderId) && itsTerm == term && !leads;
        if (success) {
            waitForLeader();
            if (message.containsKey("snapshot")) {
                store.install(Json.asObject(message.get("snapshot")));
            } else if (message.containsKey("changes")) {
                store.applyAfter(Json.whole(message, "after", Long.MAX_VALUE), Json.asList(message.get("changes")));
            }
        }
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("success", success);
        answer.put("term", term);
        answer.put("leader_id", leaderId);
        answer.put("index", store.index());
        return answer;
    }

    private void log(String text) {
        System.out.println("[" + id() + "] " + text);
    }

    /** An exception on a thread of the pool would vanish without a word. */
    private static Void report(Throwable error) {
        error.printStackTrace();
        return null;
    }
}
