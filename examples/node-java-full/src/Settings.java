import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a node is told through its environment. A wrong value is refused with one line that says what it takes.
 *
 * @param peers the other nodes' base URLs, by their ids
 * @param heartbeatMs milliseconds between two heartbeats of a leader
 * @param electionTimeoutMs milliseconds without a heartbeat after which a leader counts as dead
 * @param dataDir the journal's folder; empty: none
 * @param token what peers must show; empty: nothing
 */
record Settings(String nodeId, String host, int port, Map<String, String> peers, int heartbeatMs,
        int electionTimeoutMs, Mode mode, String election, String dataDir, String token) {
    static final class Bad extends Exception {
        Bad(String message) {
            super(message);
        }
    }

    /** How many nodes must have a write before its client is answered. */
    enum Mode {
        async, quorum, sync;

        int copies(int nodes) {
            return this == async ? 1 : this == quorum ? nodes / 2 + 1 : nodes;
        }
    }

    static Settings read(Map<String, String> environment) throws Bad {
        String nodeId = text(environment, "NODE_ID", "");
        if (nodeId.isEmpty()) {
            throw new Bad("NODE_ID is missing: set it to the name of this node, for example node-1");
        }
        int heartbeat = wholeNumber(environment, "HEARTBEAT_MS", 2000, 3_600_000);
        Settings settings = new Settings(
                nodeId,
                text(environment, "HOST", "127.0.0.1"),
                wholeNumber(environment, "PORT", 4000, 65_535),
                peers(text(environment, "PEERS", "")),
                heartbeat,
                wholeNumber(environment, "ELECTION_TIMEOUT_MS", 3 * heartbeat, 10_800_000),
                mode(text(environment, "REPLICATION_MODE", "async")),
                text(environment, "ELECTION", "lowest-id"),
                text(environment, "DATA_DIR", ""),
                text(environment, "CLUSTER_TOKEN", ""));
        if (settings.electionTimeoutMs <= heartbeat) {
            throw new Bad("ELECTION_TIMEOUT_MS (%d) must be longer than HEARTBEAT_MS (%d), or every follower takes its"
                    .formatted(settings.electionTimeoutMs, heartbeat) + " leader for dead");
        }
        return settings;
    }

    private static String text(Map<String, String> environment, String name, String usual) {
        String text = environment.getOrDefault(name, "");
        return text.isEmpty() ? usual : text;
    }

    private static int wholeNumber(Map<String, String> environment, String name, int usual, int most) throws Bad {
        String text = text(environment, name, String.valueOf(usual));
        boolean fits = text.matches("[0-9]{1,9}") && Integer.parseInt(text) >= 1 && Integer.parseInt(text) <= most;
        if (!fits) {
            throw new Bad("%s takes a whole number from 1 to %d, not \"%s\"".formatted(name, most, text));
        }
        return Integer.parseInt(text);
    }

    private static Mode mode(String text) throws Bad {
        for (Mode mode : Mode.values()) {
            if (mode.name().equals(text)) {
                return mode;
            }
        }
        throw new Bad("REPLICATION_MODE takes async, quorum or sync, not \"" + text + "\"");
    }

    private static Map<String, String> peers(String text) throws Bad {
        Map<String, String> peers = new LinkedHashMap<>();
        for (String entry : text.split(",")) {
            String[] parts = entry.strip().split("=", 2);
            if (parts.length == 2 && isAddress(parts[1])) {
                peers.put(parts[0], parts[1].replaceFirst("/$", ""));
            } else if (!entry.isBlank()) {
                throw new Bad("PEERS takes ids with addresses, like node-2=http://node2:4000, separated by commas,"
                        + " not \"" + entry.strip() + "\"; replab gives them with --named-peers");
            }
        }
        return peers;
    }

    private static boolean isAddress(String url) {
        try {
            return url.matches("http://[^/?#]+/?") && URI.create(url).getHost() != null;
        } catch (IllegalArgumentException error) {
            return false;
        }
    }
}
