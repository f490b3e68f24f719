import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The data of one node, and the number of changes that made it. One thread at a time may use it: the node's lock. */
final class Store {
    /** One write. {@code delete}: the key goes; else it gets the value, and a stored null is a value. */
    record Change(String key, Object value, boolean delete) {
        /** As a message carries it: a change without a value deletes. */
        Map<String, Object> toJson() {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("key", key);
            if (!delete) {
                json.put("value", value);
            }
            return json;
        }

        static Change fromJson(Object json) {
            Map<String, Object> change = Json.asObject(json);
            return new Change(String.valueOf(change.get("key")), change.get("value"), !change.containsKey("value"));
        }
    }

    /** This node has not got its data from the present leader yet. */
    static final long NOTHING = -1;

    /** Changes that a leader keeps for followers that are a little behind. Who lacks more gets all data. */
    private static final int KEPT_CHANGES = 1000;

    private final Map<String, Object> data = new TreeMap<>();
    private final List<Change> recent = new ArrayList<>();
    private long index = NOTHING;

    /** The number of changes that the present leader has made and that are in here. */
    long index() {
        return index;
    }

    int size() {
        return data.size();
    }

    boolean has(String key) {
        return data.containsKey(key);
    }

    Object get(String key) {
        return data.get(key);
    }

    /** Up to {@code limit} keys, sorted. */
    List<String> keys(int limit) {
        return data.keySet().stream().limit(limit).toList();
    }

    /** A new leader counts its changes from 0; a node with another leader than before knows nothing of its count. */
    void countFrom(long start) {
        index = start;
        recent.clear();
    }

    void apply(Change change) {
        if (change.delete()) {
            data.remove(change.key());
        } else {
            data.put(change.key(), change.value());
        }
        index += 1;
        recent.add(change);
        if (recent.size() > 2 * KEPT_CHANGES) {
            recent.subList(0, KEPT_CHANGES).clear();
        }
    }

    /** What a follower lacks that has {@code known} changes: the changes after them, or else all data. */
    Map<String, Object> missingAfter(long known) {
        long missing = index - known;
        if (known < 0 || missing < 0 || missing > recent.size()) {
            return Map.of("snapshot", Map.of("index", index, "data", new TreeMap<>(data)));
        }
        List<Change> changes = recent.subList(recent.size() - (int) missing, recent.size());
        return Map.of("after", known, "changes", changes.stream().map(Change::toJson).toList());
    }

    /** Take over what is new among {@code changes}, of which the first is number {@code after} + 1. */
    void applyAfter(long after, List<?> changes) {
        if (index == NOTHING || index < after) {
            return; // something in between is missing: the leader learns our index from the answer
        }
        // A message that comes twice, or late, brings changes that are in here already.
        long known = Math.min(index - after, changes.size());
        for (Object change : changes.subList((int) known, changes.size())) {
            apply(Change.fromJson(change));
        }
    }

    /** Replace everything, unless this node has got further than the snapshot. */
    void install(Map<String, Object> snapshot) {
        long its = Json.whole(snapshot, "index", NOTHING);
        if (its > index) {
            data.clear();
            data.putAll(Json.asObject(snapshot.get("data")));
            countFrom(its);
        }
    }
}
