import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** The node's HTTP interface: /status, /key/{key} for clients, /internal/ for the other nodes. */
final class Server {
    /** A value within an entry, within a list, within a message, within an envelope, within a list. */
    static final int MOST_NESTED = Values.MOST_NESTED + 5;
    private static final int MOST_BYTES_FROM_PEERS = 16 << 20;

    private final StoreNode node;
    private final Settings settings;
    private final Peers peers;

    private Server(StoreNode node, Settings settings, Peers peers) {
        this.node = node;
        this.settings = settings;
        this.peers = peers;
    }

    static void listen(StoreNode node, Settings settings, Peers peers) throws IOException {
        Http.listen(settings.host(), settings.port(), new Server(node, settings, peers)::answerTo);
    }

    private Object answerTo(HttpExchange exchange) throws IOException, Http.Refusal {
        String path = Http.path(exchange);
        String method = exchange.getRequestMethod();
        if (path.startsWith("/internal/")) {
            Http.allow(method, "POST");
            return answerPeer(exchange);
        }
        Http.allowPage(exchange);
        if (method.equals("OPTIONS")) {
            return Map.of();
        }
        if (path.equals("/status")) {
            Http.allow(method, "GET", "HEAD");
            return node.status();
        }
        if (path.startsWith("/key/")) {
            Http.allow(method, "GET", "HEAD", "PUT", "DELETE");
            String key = Http.keyIn(path.substring("/key/".length()));
            boolean read = method.equals("GET") || method.equals("HEAD");
            return read ? answerRead(key, exchange.getRequestURI().getRawQuery()) : answerWrite(exchange, method, key);
        }
        throw new Http.Refusal(404, "Not found");
    }

    // -- peers ----------------------------------------------------------------------------------------

    /** The token is looked at before the body is read: nobody else can make this node keep 16 MiB. */
    private Object answerPeer(HttpExchange exchange) throws IOException, Http.Refusal {
        Headers headers = exchange.getRequestHeaders();
        boolean page = headers.containsKey("Origin") || headers.containsKey("Sec-Fetch-Site");
        boolean known = settings.token().isEmpty() || settings.token().equals(headers.getFirst("X-Cluster-Token"));
        if (page || !known) {
            throw new Http.Refusal(403, "The X-Cluster-Token header is missing or wrong");
        }
        try {
            Peers.Envelope envelope = Peers.Envelope.read(Http.readJson(exchange, MOST_BYTES_FROM_PEERS, MOST_NESTED));
            if (!settings.peers().containsKey(envelope.from())) {
                throw new Fields.Bad("no peer of " + node.id() + " is called '" + envelope.from() + "'");
            }
            return node.hear(envelope.from(), envelope.message()).stream().map(peers::envelope).toList();
        } catch (Fields.Bad bad) {
            throw new Http.Refusal(400, "Bad message: " + bad.getMessage());
        }
    }

    // -- clients --------------------------------------------------------------------------------------

    private Object answerRead(String key, String query) throws Http.Refusal {
        if (query != null && !query.equals("read=linearizable")) {
            throw new Http.Refusal(400, "The only query parameter here is read=linearizable");
        }
        if (query != null) {
            outcomeOf(node.mayRead());
        }
        Map<String, Object> found = node.read(key);
        if (found == null) {
            throw new Http.Refusal(404, Http.keyNotFound(key));
        }
        return found;
    }

    private Object answerWrite(HttpExchange exchange, String method, String key) throws IOException, Http.Refusal {
        boolean delete = method.equals("DELETE");
        Object value = delete ? null : Http.readJson(exchange, Values.MOST_BYTES, Values.MOST_NESTED);
        try {
            Values.check(value);
        } catch (Values.Refused refused) {
            throw new Http.Refusal(400, refused.getMessage());
        }
        Outcome outcome = outcomeOf(node.write(delete ? "delete" : "put", key, value));
        if (delete && !outcome.found()) {
            throw new Http.Refusal(404, Http.keyNotFound(key));
        }
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("success", true);
        answer.put("key", key);
        if (!delete) {
            answer.put("value", value);
        }
        answer.put("leader_id", node.id());
        answer.put("term", outcome.entry().id().term());
        answer.put("index", outcome.entry().index());
        return answer;
    }

    /** Wait for what becomes of a client's request. Each has a thread of its own, and the node's lock is not held. */
    private Outcome outcomeOf(CompletableFuture<Outcome> promised) throws Http.Refusal {
        if (promised == null) {
            throw new Http.Refusal(503, node.notLeader());
        }
        Outcome outcome = promised.join();
        if (outcome.kind() == Outcome.Kind.UNKNOWN) {
            throw new Http.Refusal(504, "Outcome unknown");
        }
        if (outcome.kind() == Outcome.Kind.OVERLOADED) {
            throw new Http.Refusal(503, "Too many writes wait for their copies; try again later");
        }
        return outcome;
    }
}
