import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;

/** The node's HTTP interface: /status, /key/{key} for clients, /internal/ for the other nodes. */
final class Server {
    /** A value within an entry, within a list, within a message, within an envelope, within a list. */
    static final int MOST_NESTED = Values.MOST_NESTED + 5;
    private static final int MOST_BYTES_FROM_PEERS = 16 << 20;

    /** An answer other than 200. */
    private static final class Refusal extends Exception {
        final int code;
        final Map<String, Object> body;

        Refusal(int code, Map<String, Object> body) {
            this.code = code;
            this.body = body;
        }

        Refusal(int code, String error) {
            this(code, Map.of("error", error));
        }
    }

    private final StoreNode node;
    private final Settings settings;
    private final Peers peers;

    private Server(StoreNode node, Settings settings, Peers peers) {
        this.node = node;
        this.settings = settings;
        this.peers = peers;
    }

    static void listen(StoreNode node, Settings settings, Peers peers) throws IOException {
        // Otherwise each answer waits up to 40 ms for the rest of a packet that never comes.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        HttpServer server = HttpServer.create(new InetSocketAddress(settings.host(), settings.port()), 100);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/", new Server(node, settings, peers)::answer);
        server.start();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            try {
                send(exchange, 200, answerTo(exchange));
            } catch (Refusal refusal) {
                send(exchange, refusal.code, refusal.body);
            } catch (RuntimeException error) {
                error.printStackTrace();
                send(exchange, 500, Map.of("error", "Internal error"));
            }
        }
    }

    private static void send(HttpExchange exchange, int code, Object body) throws IOException {
        byte[] text = Json.write(body).getBytes(StandardCharsets.UTF_8);
        Headers headers = exchange.getResponseHeaders();
        headers.set("Content-Type", "application/json");
        if (!exchange.getRequestURI().getPath().startsWith("/internal/")) {
            allowPage(exchange.getRequestHeaders().getFirst("Origin"), headers);
        }
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.sendResponseHeaders(code, -1); // no content
            return;
        }
        exchange.sendResponseHeaders(code, text.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(text);
        }
    }

    /** A web page may use the node if this computer served it. */
    private static void allowPage(String origin, Headers headers) {
        if (origin != null && origin.matches("https?://(localhost|127\\.0\\.0\\.1|\\[::1])(:[0-9]+)?")) {
            headers.set("Access-Control-Allow-Origin", origin);
            headers.set("Access-Control-Allow-Methods", "GET, PUT, DELETE, OPTIONS");
            headers.set("Access-Control-Allow-Headers", "Content-Type");
            headers.set("Vary", "Origin");
        }
    }

    private Object answerTo(HttpExchange exchange) throws IOException, Refusal {
        // The path as it was sent: decoded or tidied up, the key ".." would be a step towards the root.
        String path = Objects.requireNonNullElse(exchange.getRequestURI().getRawPath(), "");
        String method = exchange.getRequestMethod();
        if (path.startsWith("/internal/")) {
            allow(method, "POST");
            return answerPeer(exchange);
        }
        if (method.equals("OPTIONS")) {
            return Map.of();
        }
        if (path.equals("/status")) {
            allow(method, "GET", "HEAD");
            return node.status();
        }
        if (path.startsWith("/key/")) {
            allow(method, "GET", "HEAD", "PUT", "DELETE");
            String key = keyIn(path.substring("/key/".length()));
            boolean read = method.equals("GET") || method.equals("HEAD");
            return read ? answerRead(key, exchange.getRequestURI().getRawQuery()) : answerWrite(exchange, method, key);
        }
        throw new Refusal(404, "Not found");
    }

    private static void allow(String method, String... allowed) throws Refusal {
        if (!List.of(allowed).contains(method)) {
            throw new Refusal(405, "Method not allowed; this takes " + String.join(", ", allowed));
        }
    }

    /** Percent-decoding as paths have it: a plus sign is a plus sign, unlike in forms. */
    private static String keyIn(String path) throws Refusal {
        if (path.isEmpty()) {
            throw new Refusal(400, "The key is empty");
        }
        ByteBuffer bytes = ByteBuffer.allocate(path.length());
        for (int at = 0; at < path.length(); at += 1) {
            char next = path.charAt(at);
            if (next == '%') { // the server has seen to it that two hexadecimal digits follow
                bytes.put((byte) Integer.parseInt(path.substring(at + 1, at + 3), 16));
                at += 2;
            } else {
                bytes.put((byte) next);
            }
        }
        try {
            return utf8(Arrays.copyOf(bytes.array(), bytes.position()));
        } catch (CharacterCodingException error) {
            throw new Refusal(400, "The key is not percent-encoded UTF-8");
        }
    }

    // -- peers ----------------------------------------------------------------------------------------

    /** The token is looked at before the body is read: nobody else can make this node keep 16 MiB. */
    private Object answerPeer(HttpExchange exchange) throws IOException, Refusal {
        Headers headers = exchange.getRequestHeaders();
        boolean page = headers.containsKey("Origin") || headers.containsKey("Sec-Fetch-Site");
        boolean known = settings.token().isEmpty() || settings.token().equals(headers.getFirst("X-Cluster-Token"));
        if (page || !known) {
            throw new Refusal(403, "The X-Cluster-Token header is missing or wrong");
        }
        try {
            Peers.Envelope envelope = Peers.Envelope.read(readJson(exchange, MOST_BYTES_FROM_PEERS, MOST_NESTED));
            if (!settings.peers().containsKey(envelope.from())) {
                throw new Fields.Bad("no peer of " + node.id() + " is called '" + envelope.from() + "'");
            }
            return node.hear(envelope.from(), envelope.message()).stream().map(peers::envelope).toList();
        } catch (Fields.Bad bad) {
            throw new Refusal(400, "Bad message: " + bad.getMessage());
        }
    }

    // -- clients --------------------------------------------------------------------------------------

    private Object answerRead(String key, String query) throws Refusal {
        if (query != null && !query.equals("read=linearizable")) {
            throw new Refusal(400, "The only query parameter here is read=linearizable");
        }
        if (query != null) {
            outcomeOf(node.mayRead());
        }
        Map<String, Object> found = node.read(key);
        if (found == null) {
            throw new Refusal(404, keyNotFound(key));
        }
        return found;
    }

    private Object answerWrite(HttpExchange exchange, String method, String key) throws IOException, Refusal {
        boolean delete = method.equals("DELETE");
        Object value = delete ? null : readJson(exchange, Values.MOST_BYTES, Values.MOST_NESTED);
        try {
            Values.check(value);
        } catch (Values.Refused refused) {
            throw new Refusal(400, refused.getMessage());
        }
        Outcome outcome = outcomeOf(node.write(delete ? "delete" : "put", key, value));
        if (delete && !outcome.found()) {
            throw new Refusal(404, keyNotFound(key));
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
    private Outcome outcomeOf(CompletableFuture<Outcome> promised) throws Refusal {
        if (promised == null) {
            throw new Refusal(503, node.notLeader());
        }
        Outcome outcome = promised.join();
        if (outcome.kind() == Outcome.Kind.UNKNOWN) {
            throw new Refusal(504, "Outcome unknown");
        }
        if (outcome.kind() == Outcome.Kind.OVERLOADED) {
            throw new Refusal(503, "Too many writes wait for their copies; try again later");
        }
        return outcome;
    }

    private static Map<String, Object> keyNotFound(String key) {
        return Map.of("error", "Key not found", "key", key);
    }

    private static Object readJson(HttpExchange exchange, int most, int mostNested) throws IOException, Refusal {
        byte[] body = exchange.getRequestBody().readNBytes(most + 1);
        if (body.length > most) {
            throw new Refusal(413, "The body is longer than " + most + " bytes");
        }
        try {
            return Json.parse(utf8(body), mostNested);
        } catch (CharacterCodingException | Json.Invalid error) {
            throw new Refusal(400, "Invalid JSON");
        }
    }

    /** Strictly: Java's usual way puts question marks where the bytes are no UTF-8. */
    private static String utf8(byte[] bytes) throws CharacterCodingException {
        return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    }
}
