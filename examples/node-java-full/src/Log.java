import java.util.ArrayList;
import java.util.List;

/** The commands in the order in which they take effect. The oldest, which have taken effect long ago, are forgotten. */
final class Log {
    /** What one message takes at the most, but one entry at least. A message may have 16 MiB. */
    private static final int MOST_ENTRIES = 512;
    private static final int MOST_CHARACTERS = 200_000;

    private EntryId base = EntryId.START;
    private final List<Entry> entries = new ArrayList<>();

    /** The last entry that was forgotten. */
    EntryId base() {
        return base;
    }

    int length() {
        return entries.size();
    }

    long lastIndex() {
        return base.index() + entries.size();
    }

    EntryId last() {
        return entries.isEmpty() ? base : entries.get(entries.size() - 1).id();
    }

    /** The entry in this place; null where there is none, or none any more. */
    Entry get(long index) {
        boolean here = index > base.index() && index <= lastIndex();
        return here ? entries.get((int) (index - base.index() - 1)) : null;
    }

    /** What the entry in this place is called, if that is known. */
    EntryId idAt(long index) {
        Entry entry = get(index);
        return entry != null ? entry.id() : index == base.index() ? base : null;
    }

    boolean holds(EntryId id) {
        return id.equals(idAt(id.index()));
    }

    /** All entries behind {@code index}: a copy. */
    List<Entry> after(long index) {
        return new ArrayList<>(entries.subList((int) (index - base.index()), entries.size()));
    }

    void append(Entry entry) {
        if (entry.index() != lastIndex() + 1) {
            throw new IllegalStateException("entry %d behind entry %d".formatted(entry.index(), lastIndex()));
        }
        entries.add(entry);
    }

    /** Drop everything behind {@code index}. */
    void truncate(long index) {
        if (index < lastIndex()) {
            entries.subList((int) (index - base.index()), entries.size()).clear();
        }
    }

    /** Forget everything up to {@code index}. */
    void forget(long index) {
        if (index > base.index()) {
            EntryId last = idAt(index);
            entries.subList(0, (int) (index - base.index())).clear();
            base = last;
        }
    }

    /** Begin anew behind {@code at}. */
    void reset(EntryId at) {
        base = at;
        entries.clear();
    }

    /** The first place of the stretch around {@code index} that one leader wrote in one term. */
    long startOfRun(long index) {
        EntryId here = idAt(index);
        long first = index;
        while (first - 1 > base.index() && sameLeadership(idAt(first - 1), here)) {
            first -= 1;
        }
        return first;
    }

    private static boolean sameLeadership(EntryId one, EntryId other) {
        return one.term() == other.term() && one.leader().equals(other.leader());
    }

    /** Of {@code entries} from number {@code from} on, as many as one message takes. */
    static List<Entry> batch(List<Entry> entries, int from) {
        int characters = 0;
        int end = from;
        while (end < entries.size() && end - from < MOST_ENTRIES) {
            characters += Json.write(entries.get(end).toJson()).length();
            if (end > from && characters > MOST_CHARACTERS) {
                break;
            }
            end += 1;
        }
        return List.copyOf(entries.subList(from, end));
    }
}
