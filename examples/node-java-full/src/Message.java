import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What nodes say to each other; what each message is for stands in docs/protocol.md. All of them tell a term. */
sealed interface Message {
    long term();

    String type();

    /** All fields but type and term, as JSON. */
    Map<String, Object> fields();

    record Heartbeat(long term, EntryId commit, long round) implements Message {
        public String type() {
            return "heartbeat";
        }

        public Map<String, Object> fields() {
            return Map.of("commit", commit.toJson(), "round", round);
        }
    }

    record HeartbeatReply(long term, long round, boolean follows, EntryId last) implements Message {
        public String type() {
            return "heartbeat_reply";
        }

        public Map<String, Object> fields() {
            return Map.of("round", round, "follows", follows, "last", last.toJson());
        }
    }

    record Replicate(long term, EntryId prev, List<Entry> entries, long commit) implements Message {
        public String type() {
            return "replicate";
        }

        public Map<String, Object> fields() {
            return Map.of("prev", prev.toJson(), "entries", Entry.toJson(entries), "commit", commit);
        }
    }

    record Replicated(long term, boolean ok, long index) implements Message {
        public String type() {
            return "replicated";
        }

        public Map<String, Object> fields() {
            return Map.of("ok", ok, "index", index);
        }
    }

    record Snapshot(long term, EntryId at, long offset, long total, List<Entry> items, boolean force)
            implements Message {
        public String type() {
            return "snapshot";
        }

        public Map<String, Object> fields() {
            return Map.of("at", at.toJson(), "offset", offset, "total", total, "items", Entry.toJson(items),
                    "force", force);
        }
    }

    record SnapshotReceived(long term, EntryId at, long offset) implements Message {
        public String type() {
            return "snapshot_received";
        }

        public Map<String, Object> fields() {
            return Map.of("at", at.toJson(), "offset", offset);
        }
    }

    /** A message that says nothing but its type and the term. */
    record Sign(String type, long term) implements Message {
        static final Set<String> TYPES = Set.of("log_conflict", "fetch_log", "alive", "taken", "challenge",
                "objection", "coordinator", "later_term");

        public Map<String, Object> fields() {
            return Map.of();
        }
    }

    /** Of the election by votes: "Will you vote for me in this term? My log ends like this." */
    record RequestVote(long term, long lastTerm, long lastIndex, boolean pre) implements Message {
        static final String TYPE = "solutions.ex3_election.RequestVote";

        public String type() {
            return TYPE;
        }

        public Map<String, Object> fields() {
            return Map.of("last", Map.of("tuple", List.of(lastTerm, lastIndex)), "pre", pre);
        }
    }

    record Vote(long term, boolean granted, boolean pre) implements Message {
        static final String TYPE = "solutions.ex3_election.Vote";

        public String type() {
            return TYPE;
        }

        public Map<String, Object> fields() {
            return Map.of("granted", granted, "pre", pre);
        }
    }

    /** Below {@code /internal/}: where it is posted. */
    default String path() {
        if (this instanceof Heartbeat || this instanceof HeartbeatReply) {
            return "heartbeat";
        }
        boolean ofCopies = this instanceof Replicate || this instanceof Replicated || this instanceof Snapshot
                || this instanceof SnapshotReceived;
        return ofCopies ? "replicate" : "election";
    }

    default Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("type", type());
        json.put("term", term());
        json.putAll(fields());
        return json;
    }

    static Message read(Fields json) throws Fields.Bad {
        String type = json.text("type");
        long term = json.whole("term");
        return switch (type) {
            case "heartbeat" -> new Heartbeat(term, json.id("commit"), json.whole("round"));
            case "heartbeat_reply" ->
                new HeartbeatReply(term, json.whole("round"), json.truth("follows"), json.id("last"));
            case "replicate" -> replicate(term, json);
            case "replicated" -> new Replicated(term, json.truth("ok"), json.whole("index"));
            case "snapshot" -> new Snapshot(term, json.id("at"), json.whole("offset"), json.whole("total"),
                    json.entries("items"), json.truth("force"));
            case "snapshot_received" -> new SnapshotReceived(term, json.id("at"), json.whole("offset"));
            case RequestVote.TYPE -> requestVote(term, json);
            case Vote.TYPE -> new Vote(term, json.truth("granted"), json.truth("pre"));
            default -> sign(type, term);
        };
    }

    private static Message replicate(long term, Fields json) throws Fields.Bad {
        Replicate message = new Replicate(term, json.id("prev"), json.entries("entries"), json.whole("commit"));
        long index = message.prev.index();
        for (Entry entry : message.entries) {
            index += 1;
            if (entry.index() != index) {
                throw new Fields.Bad("entries: each must stand behind the one before it, the first behind prev");
            }
        }
        return message;
    }

    private static Message requestVote(long term, Fields json) throws Fields.Bad {
        List<?> last = json.object("last").list("tuple");
        if (last.size() != 2) {
            throw new Fields.Bad("last: expected a term and an index");
        }
        long lastTerm = Fields.whole(last.get(0), "last");
        return new RequestVote(term, lastTerm, Fields.whole(last.get(1), "last"), json.truth("pre"));
    }

    private static Message sign(String type, long term) throws Fields.Bad {
        if (!Sign.TYPES.contains(type)) {
            throw new Fields.Bad("no message is called '" + type + "'");
        }
        return new Sign(type, term);
    }
}
