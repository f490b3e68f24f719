import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One copy of everything: log, data, what has taken effect, term and vote; and the journal that holds it. */
final class Replica {
    /** Is told each entry that takes effect, and whether its key was there before. */
    interface Applied {
        void applied(Entry entry, boolean found);
    }

    /** Entries that stay in the log after they took effect, for followers that are a little behind. */
    private static final int KEPT = 4096;
    private static final int LISTED_KEYS = 1000;

    final Log log = new Log();
    final Data data = new Data();
    Applied listener = (entry, found) -> {};
    private final Journal journal;
    private EntryId commit = EntryId.START;
    private long term = 0;
    private String vote = null;

    /** @param saved what an earlier life of this node saved */
    Replica(Journal journal, List<Map<String, Object>> saved) throws Fields.Bad {
        this.journal = journal;
        for (Map<String, Object> record : saved) {
            restore(new Fields(record));
        }
    }

    private void restore(Fields record) throws Fields.Bad {
        switch (record.text("record")) {
            case "state" -> {
                term = record.whole("term");
                vote = record.textOrNull("vote");
            }
            case "append" -> {
                put(record.entries("entries"));
                apply(record.whole("commit"));
            }
            case "install" -> take(record.id("at"), record.entries("items"));
            default -> throw new Fields.Bad("unknown record");
        }
    }

    /** What {@code GET /status} tells of it. */
    Map<String, Object> status() {
        return Map.of("total_keys", data.size(), "keys", data.keys(LISTED_KEYS), "last_index", log.lastIndex(),
                "commit_index", commit.index(), "log_length", log.length());
    }

    /** The last entry that has taken effect, with everything before it. */
    EntryId commit() {
        return commit;
    }

    long term() {
        return term;
    }

    String vote() {
        return vote;
    }

    void saveState(long newTerm, String newVote) {
        term = newTerm;
        vote = newVote;
        journal.save(stateRecord());
    }

    /** Put entries that are in the log already on the disk. */
    void saveEntries(List<Entry> entries, long committed) {
        journal.save(appendRecord(entries, committed));
    }

    /** Put a leader's entries in the place of whatever stands there, and on the disk. */
    void overwrite(List<Entry> entries, long committed) {
        put(entries);
        saveEntries(entries, committed);
    }

    private void put(List<Entry> entries) {
        if (!entries.isEmpty()) {
            log.truncate(entries.get(0).index() - 1);
        }
        entries.forEach(log::append);
    }

    /** Everything up to {@code index} takes effect. An index of the past changes nothing. */
    void advance(long index) {
        if (index <= commit.index()) {
            return;
        }
        apply(index);
        if (log.length() > 2 * KEPT) {
            log.forget(Math.min(commit.index(), log.lastIndex() - KEPT));
        }
        if (journal.isLong()) {
            List<Entry> rest = log.after(commit.index());
            journal.rewrite(List.of(stateRecord(), installRecord(commit, data.items()),
                    appendRecord(rest, commit.index())));
        }
    }

    private void apply(long index) {
        for (long next = commit.index() + 1; next <= index; next += 1) {
            Entry entry = log.get(next);
            if (entry == null) {
                return;
            }
            boolean found = data.apply(entry);
            commit = entry.id();
            listener.applied(entry, found);
        }
    }

    /** Take another node's data, as of entry {@code at}, in the place of our own. */
    void install(EntryId at, List<Entry> items) {
        journal.save(installRecord(at, items));
        take(at, items);
    }

    private void take(EntryId at, List<Entry> items) {
        data.replace(items);
        log.reset(at);
        commit = at;
    }

    // -- records --------------------------------------------------------------------------------------

    private Map<String, Object> stateRecord() {
        Map<String, Object> record = new LinkedHashMap<>(); // Map.of takes no null
        record.put("record", "state");
        record.put("term", term);
        record.put("vote", vote);
        return record;
    }

    private static Map<String, Object> appendRecord(List<Entry> entries, long committed) {
        return Map.of("record", "append", "entries", Entry.toJson(entries), "commit", committed);
    }

    private static Map<String, Object> installRecord(EntryId at, List<Entry> items) {
        return Map.of("record", "install", "at", at.toJson(), "items", Entry.toJson(items));
    }
}
