import java.util.Arrays;
import java.util.List;

/** One command of the log: {@code put}, {@code delete}, or {@code noop}, which changes nothing. */
record Entry(EntryId id, String op, String key, Object value) {
    long index() {
        return id.index();
    }

    List<Object> toJson() {
        return Arrays.asList(id.index(), id.term(), id.leader(), op, key, value); // List.of takes no null
    }

    static List<List<Object>> toJson(List<Entry> entries) {
        return entries.stream().map(Entry::toJson).toList();
    }
}
