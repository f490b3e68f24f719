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
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executors;

/** What every node's HTTP interface needs, whatever it answers: JSON in and out, keys in paths, refusals. */
final class Http {
    /** What a node answers to a request: the body of a 200. */
    interface Answerer {
        Object answerTo(HttpExchange exchange) throws IOException, Refusal;
    }

    /** An answer other than 200. */
    static final class Refusal extends Exception {
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

    private Http() {}

    static void listen(String host, int port, Answerer answerer) throws IOException {
        // Otherwise each answer waits up to 40 ms for the rest of a packet that never comes.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        HttpServer server = HttpServer.create(new InetSocketAddress(host, port), 100);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/", exchange -> answer(exchange, answerer));
        server.start();
    }

    private static void answer(HttpExchange exchange, Answerer answerer) throws IOException {
        try (exchange) {
            try {
                send(exchange, 200, answerer.answerTo(exchange));
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
        exchange.getResponseHeaders().set("Content-Type", "application/json");
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
    static void allowPage(HttpExchange exchange) {
        String origin = exchange.getRequestHeaders().getFirst("Origin");
        Headers headers = exchange.getResponseHeaders();
        if (origin != null && origin.matches("https?://(localhost|127\\.0\\.0\\.1|\\[::1])(:[0-9]+)?")) {
            headers.set("Access-Control-Allow-Origin", origin);
            headers.set("Access-Control-Allow-Methods", "GET, PUT, DELETE, OPTIONS");
            headers.set("Access-Control-Allow-Headers", "Content-Type");
            headers.set("Vary", "Origin");
        }
    }

    /** The path as it was sent: decoded or tidied up, the key ".." would be a step towards the root. */
    static String path(HttpExchange exchange) {
        return Objects.requireNonNullElse(exchange.getRequestURI().getRawPath(), "");
    }

    static void allow(String method, String... allowed) throws Refusal {
        if (!List.of(allowed).contains(method)) {
            throw new Refusal(405, "Method not allowed; this takes " + String.join(", ", allowed));
        }
    }

    /** Percent-decoding as paths have it: a plus sign is a plus sign, unlike in forms. */
    static String keyIn(String path) throws Refusal {
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

    static Map<String, Object> keyNotFound(String key) {
        return Map.of("error", "Key not found", "key", key);
    }

    static Object readJson(HttpExchange exchange, int most, int mostNested) throws IOException, Refusal {
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
