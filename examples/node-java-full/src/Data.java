import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The keys and values that the log's entries make: of each key the {@code put} that gave it its value. */
final class Data {
    private final Map<String, Entry> puts = new TreeMap<>();

    int size() {
        return puts.size();
    }

    /** Null: there is no such key. */
    Entry get(String key) {
        return puts.get(key);
    }

    /** Up to {@code limit} keys, sorted. */
    List<String> keys(int limit) {
        return puts.keySet().stream().limit(limit).toList();
    }

    List<Entry> items() {
        return new ArrayList<>(puts.values());
    }

    /** Carry an entry out. Returns whether its key was there before. */
    boolean apply(Entry entry) {
        return switch (entry.op()) {
            case "put" -> puts.put(entry.key(), entry) != null;
            case "delete" -> puts.remove(entry.key()) != null;
            default -> false;
        };
    }

    void replace(List<Entry> items) {
        puts.clear();
        items.forEach(this::apply);
    }
}
