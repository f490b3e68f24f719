import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * What a leader knows of its cluster, and can do in it. Times are in milliseconds.
 *
 * @param copies how many nodes must have a write before its client is answered
 * @param send the peer, and what to tell it
 * @param wake has {@link StoreNode#flush} called soon
 */
record Cluster(String me, List<String> peers, int majority, int copies, long heartbeat, long timeout,
        BiConsumer<String, Message> send, Runnable wake, Consumer<String> log) {}
