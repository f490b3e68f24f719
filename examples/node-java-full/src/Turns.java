import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** The thread on which a node does what nobody asks it for: what is due at certain times, or soon. */
final class Turns {
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final AtomicBoolean asked = new AtomicBoolean();
    private final Runnable flush;

    /** @param flush what {@link #soon} asks for */
    Turns(Runnable flush) {
        this.flush = flush;
    }

    void every(long milliseconds, Runnable tick) {
        timer.scheduleAtFixedRate(() -> orEnd(tick), 0, milliseconds, TimeUnit.MILLISECONDS);
    }

    /** Have it done soon: once for all who ask until then, with one write to the disk for all of them. */
    void soon() {
        if (asked.compareAndSet(false, true)) {
            timer.execute(() -> {
                asked.set(false);
                orEnd(flush);
            });
        }
    }

    /** A mistake in what a thread does for nobody would be seen by nobody, and the node would go on half changed. */
    static void orEnd(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | Error mistake) {
            mistake.printStackTrace();
            Runtime.getRuntime().halt(1);
        }
    }
}
