/** Time in which this node was awake. It stands still while the process is paused, or is not given the processor. */
final class AwakeClock {
    private final long longestStep;
    private long last = Long.MIN_VALUE;
    private long awake = 0;

    /** @param longestStep who looks at the clock more seldom than this, in milliseconds, was asleep in between */
    AwakeClock(long longestStep) {
        this.longestStep = longestStep;
    }

    long at(long now) {
        awake += last == Long.MIN_VALUE ? 0 : Math.min(now - last, longestStep);
        last = now;
        return awake;
    }
}
