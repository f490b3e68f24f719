import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** The rules of the lesson's election. They look at what they are given, and at nothing else. */
final class Election {
    /** Who is to lead, and in which term where that is this node. */
    record Choice(String leader, long term) {}

    /** {@code node-2} comes before {@code node-10}: of two names that differ in their number the shorter is first. */
    private static final Comparator<String> BY_ID = Comparator.comparingInt(String::length).thenComparing(id -> id);

    private Election() {}

    /**
     * Of the nodes that answered, and this one: the one that leads already, or else the one with the lowest id.
     *
     * @param answers what the peers said to {@code GET /status}; null for each that said nothing
     */
    static Choice choose(String id, long term, List<Map<String, Object>> answers) {
        String lowest = id;
        String leading = null;
        long highest = term;
        for (Map<String, Object> peer : answers) {
            if (peer == null || !(peer.get("node_id") instanceof String name)) {
                continue;
            }
            if (BY_ID.compare(name, lowest) < 0) {
                lowest = name;
            }
            if ("leader".equals(peer.get("role")) && termIn(peer) >= term) {
                leading = name;
            }
            highest = Math.max(highest, termIn(peer));
        }
        return new Choice(leading != null ? leading : lowest, highest + 1);
    }

    /** Whether {@code leader} is to be followed rather than {@code known}, which is null where none is known. */
    static boolean outranks(String leader, long term, String known, long knownTerm) {
        if (term != knownTerm) {
            return term > knownTerm;
        }
        return known == null || BY_ID.compare(leader, known) < 0;
    }

    static long termIn(Map<String, Object> answer) {
        return Json.whole(answer, "term", 0);
    }
}
