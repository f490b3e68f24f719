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
import java.util.concurrent.Executors;

/** The node's HTTP interface: /status, /key/{key} for clients, /internal/ for the other nodes. */
final class Server {
    private static final int MOST_BYTES = 1_048_576;
    /** The leader may send all data at once. */
    private static final int MOST_BYTES_FROM_LEADER = 64 * MOST_BYTES;
    private static final int MOST_NESTED = 100;
    /** A value stands within other things in a message: a leader that takes it must be able to send it. */
    static final int MOST_NESTED_IN_MESSAGE = MOST_NESTED + 5;

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

    private Server(StoreNode node) {
        this.node = node;
    }

    static void listen(StoreNode node, String host, int port) throws IOException {
        // Otherwise each answer waits up to 40 ms for the rest of a packet that never comes.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        HttpServer server = HttpServer.create(new InetSocketAddress(host, port), 100);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/", new Server(node)::answer);
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

    private static void send(HttpExchange exchange, int code, Map<String, Object> body) throws IOException {
        byte[] text = Json.write(body).getBytes(StandardCharsets.UTF_8);
        Headers headers = exchange.getResponseHeaders();
        headers.set("Content-Type", "application/json");
        allowPage(exchange.getRequestHeaders().getFirst("Origin"), headers);
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

    private Map<String, Object> answerTo(HttpExchange exchange) throws IOException, Refusal {
        // The path as it was sent: decoded or tidied up, the key ".." would be a step towards the root.
        String path = Objects.requireNonNullElse(exchange.getRequestURI().getRawPath(), "");
        String method = exchange.getRequestMethod();
        if (method.equals("OPTIONS")) {
            return Map.of();
        }
        if (path.equals("/status")) {
            allow(method, "GET", "HEAD");
            return node.status();
        }
        if (path.startsWith("/key/")) {
            allow(method, "GET", "HEAD", "PUT", "DELETE");
            return answerAboutKey(exchange, method, keyIn(path.substring("/key/".length())));
        }
        if (path.equals("/internal/heartbeat") || path.equals("/internal/replicate")) {
            allow(method, "POST");
            Object body = readJson(exchange, MOST_BYTES_FROM_LEADER, MOST_NESTED_IN_MESSAGE);
            Map<String, Object> message = Json.asObject(body);
            long term = Json.whole(message, "term", -1);
            if (term < 0 || !(message.get("leader_id") instanceof String leader)) {
                throw new Refusal(400, "A message needs a leader_id and a term");
            }
            return node.hear(leader, term, message);
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

    private Map<String, Object> answerAboutKey(HttpExchange exchange, String method, String key)
            throws IOException, Refusal {
        if (method.equals("GET") || method.equals("HEAD")) {
            Map<String, Object> found = node.read(key);
            if (found == null) {
                throw new Refusal(404, keyNotFound(key));
            }
            return found;
        }
        boolean delete = method.equals("DELETE");
        Object value = delete ? null : readJson(exchange, MOST_BYTES, MOST_NESTED);
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("success", true);
        answer.put("key", key);
        if (!delete) {
            answer.put("value", value);
        }
        answer.put("leader_id", node.id());
        return switch (node.write(new Store.Change(key, value, delete))) {
            case DONE -> answer;
            case NO_SUCH_KEY -> throw new Refusal(404, keyNotFound(key));
            case NOT_LEADER -> throw new Refusal(503, node.notLeader());
        };
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
