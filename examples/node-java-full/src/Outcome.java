/**
 * What became of a client's request.
 *
 * @param entry the entry of a write that took effect; else null
 * @param found whether that write's key was there before
 */
record Outcome(Kind kind, Entry entry, boolean found) {
    enum Kind { WRITTEN, MAY_READ, UNKNOWN, OVERLOADED }

    /** Nobody can know: it may have taken effect, or may yet, or never. */
    static final Outcome UNKNOWN = new Outcome(Kind.UNKNOWN, null, false);
    /** Certainly nothing was done. */
    static final Outcome OVERLOADED = new Outcome(Kind.OVERLOADED, null, false);
    static final Outcome MAY_READ = new Outcome(Kind.MAY_READ, null, false);
}
