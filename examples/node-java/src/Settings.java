import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What a node is told through its environment. A wrong value is refused with one line that says what it takes.
 *
 * @param peers the base URLs of the other nodes: {@code http://node2:4000}
 * @param heartbeatMs milliseconds between two heartbeats of a leader
 * @param electionTimeoutMs milliseconds without a heartbeat after which a follower starts an election
 */
record Settings(String nodeId, String host, int port, List<String> peers, int heartbeatMs, int electionTimeoutMs) {
    static final class Bad extends Exception {
        Bad(String message) {
            super(message);
        }
    }

    static Settings read(Map<String, String> environment) throws Bad {
        String nodeId = environment.getOrDefault("NODE_ID", "");
        if (nodeId.isEmpty()) {
            throw new Bad("NODE_ID is missing: set it to the name of this node, for example node-1");
        }
        Settings settings = new Settings(
                nodeId,
                environment.getOrDefault("HOST", "127.0.0.1"),
                wholeNumber(environment, "PORT", 4000, 65_535),
                peers(environment.getOrDefault("PEERS", "")),
                wholeNumber(environment, "HEARTBEAT_MS", 2000, 3_600_000),
                wholeNumber(environment, "ELECTION_TIMEOUT_MS", 6000, 3_600_000));
        if (settings.electionTimeoutMs <= settings.heartbeatMs) {
            throw new Bad("ELECTION_TIMEOUT_MS (%d) must be longer than HEARTBEAT_MS (%d), or every follower takes its"
                    .formatted(settings.electionTimeoutMs, settings.heartbeatMs) + " leader for dead");
        }
        return settings;
    }

    private static int wholeNumber(Map<String, String> environment, String name, int usual, int most) throws Bad {
        String text = environment.getOrDefault(name, "");
        if (text.isEmpty()) {
            return usual;
        }
        boolean fits = text.matches("[0-9]{1,9}") && Integer.parseInt(text) >= 1 && Integer.parseInt(text) <= most;
        if (!fits) {
            throw new Bad("%s takes a whole number from 1 to %d, not \"%s\"".formatted(name, most, text));
        }
        return Integer.parseInt(text);
    }

    /** {@code http://node2:4000,http://node3:4000}; {@code node-2=http://node2:4000} is taken as well. */
    private static List<String> peers(String text) throws Bad {
        List<String> urls = new ArrayList<>();
        for (String entry : text.split(",")) {
            String url = entry.strip().replaceFirst("^[^=/:]+=", "").replaceFirst("/$", "");
            if (!url.isEmpty()) {
                urls.add(checked(url));
            }
        }
        return urls;
    }

    private static String checked(String url) throws Bad {
        try {
            if (url.matches("http://[^/?#]+") && URI.create(url).getHost() != null) {
                return url;
            }
        } catch (IllegalArgumentException error) {
            // said below, as for every other wrong address
        }
        throw new Bad("PEERS takes addresses like http://node2:4000, separated by commas, not \"" + url + "\"");
    }
}
