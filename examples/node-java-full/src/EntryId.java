import java.util.List;

/** What a log entry is called: its place in the log, and whose it is. Two entries of one name are the same entry. */
record EntryId(long index, long term, String leader) {
    /** The place before the first entry: every log has it. */
    static final EntryId START = new EntryId(0, 0, "");

    /** Whether a log that ends here is newer than one that ends in {@code other}: in a later term, or longer. */
    boolean isNewerThan(EntryId other) {
        return term != other.term ? term > other.term : index > other.index;
    }

    List<Object> toJson() {
        return List.of(index, term, leader);
    }
}
