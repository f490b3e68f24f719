import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/** The node's HTTP interface: /status, /key/{key} for clients, /internal/ for the other nodes. */
final class Server {
    private static final int MOST_BYTES = 1_048_576;
    /** The leader may send all data at once. */
    private static final int MOST_BYTES_FROM_LEADER = 64 * MOST_BYTES;
    private static final int MOST_NESTED = 100;
    /** A value stands within other things in a message: a leader that takes it must be able to send it. */
    static final int MOST_NESTED_IN_MESSAGE = MOST_NESTED + 5;

    private final StoreNode node;

    private Server(StoreNode node) {
        this.node = node;
    }

    static void listen(StoreNode node, String host, int port) throws IOException {
        Http.listen(host, port, new Server(node)::answerTo);
    }

    private Map<String, Object> answerTo(HttpExchange exchange) throws IOException, Http.Refusal {
        Http.allowPage(exchange);
        String path = Http.path(exchange);
        String method = exchange.getRequestMethod();
        if (method.equals("OPTIONS")) {
            return Map.of();
        }
        if (path.equals("/status")) {
            Http.allow(method, "GET", "HEAD");
            return node.status();
        }
        if (path.startsWith("/key/")) {
            Http.allow(method, "GET", "HEAD", "PUT", "DELETE");
            return answerAboutKey(exchange, method, Http.keyIn(path.substring("/key/".length())));
        }
        if (path.equals("/internal/heartbeat") || path.equals("/internal/replicate")) {
            Http.allow(method, "POST");
            Object body = Http.readJson(exchange, MOST_BYTES_FROM_LEADER, MOST_NESTED_IN_MESSAGE);
            Map<String, Object> message = Json.asObject(body);
            long term = Json.whole(message, "term", -1);
            if (term < 0 || !(message.get("leader_id") instanceof String leader)) {
                throw new Http.Refusal(400, "A message needs a leader_id and a term");
            }
            return node.hear(leader, term, message);
        }
        throw new Http.Refusal(404, "Not found");
    }

    private Map<String, Object> answerAboutKey(HttpExchange exchange, String method, String key)
            throws IOException, Http.Refusal {
        if (method.equals("GET") || method.equals("HEAD")) {
            Map<String, Object> found = node.read(key);
            if (found == null) {
                throw new Http.Refusal(404, Http.keyNotFound(key));
            }
            return found;
        }
        boolean delete = method.equals("DELETE");
        Object value = delete ? null : Http.readJson(exchange, MOST_BYTES, MOST_NESTED);
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("success", true);
        answer.put("key", key);
        if (!delete) {
            answer.put("value", value);
        }
        answer.put("leader_id", node.id());
        return switch (node.write(new Store.Change(key, value, delete))) {
            case DONE -> answer;
            case NO_SUCH_KEY -> throw new Http.Refusal(404, Http.keyNotFound(key));
            case NOT_LEADER -> throw new Http.Refusal(503, node.notLeader());
        };
    }
}
