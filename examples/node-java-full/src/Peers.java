import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/** Messages from this node to the others, and the messages in their answers. */
final class Peers {
    /** A message of a peer as it comes and goes: with its sender, and a name that no other message has. */
    record Envelope(String from, Message message) {
        static Envelope read(Object json) throws Fields.Bad {
            Fields fields = new Fields(json);
            fields.text("id");
            return new Envelope(fields.text("from"), Message.read(fields.object("message")));
        }
    }

    private static final long LONGEST_CONNECTING_MS = 2000;

    private final Settings settings;
    private final HttpClient client;
    private final Duration patience;
    /** A node that starts again must not use its numbers again: it begins at the time of day. */
    private final AtomicLong number = new AtomicLong(System.currentTimeMillis() * 1000);
    private StoreNode node = null;

    Peers(Settings settings) {
        this.settings = settings;
        long connecting = Math.min(2L * settings.heartbeatMs(), LONGEST_CONNECTING_MS);
        this.patience = Duration.ofMillis(Math.max(settings.electionTimeoutMs(), 1000));
        // Without the version, Java asks in each request whether the peer also speaks HTTP/2.
        this.client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(Duration.ofMillis(connecting))
                .build();
    }

    /** Who is told what peers answer. */
    void answersTo(StoreNode storeNode) {
        this.node = storeNode;
    }

    Map<String, Object> envelope(Message message) {
        Map<String, Object> envelope = new LinkedHashMap<>();
        envelope.put("from", settings.nodeId());
        envelope.put("id", settings.nodeId() + ":" + number.incrementAndGet());
        envelope.put("message", message.toJson());
        return envelope;
    }

    /** Waits for nothing. A message that does not arrive is lost: whoever needs it sends it again. */
    void send(String to, Message message) {
        URI address = URI.create(settings.peers().get(to) + "/internal/" + message.path());
        HttpRequest.Builder request = HttpRequest.newBuilder(address)
                .timeout(patience)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(Json.write(envelope(message))));
        if (!settings.token().isEmpty()) {
            request.header("X-Cluster-Token", settings.token());
        }
        client.sendAsync(request.build(), BodyHandlers.ofString())
                .exceptionally(error -> null) // not there, or silent for too long
                .thenAccept(response -> Turns.orEnd(() -> hear(to, response)));
    }

    private void hear(String from, HttpResponse<String> response) {
        if (response == null) {
            return;
        }
        if (response.statusCode() != 200) {
            System.out.printf("[%s] %s refuses a message: %s%n", settings.nodeId(), from, response.body());
            return;
        }
        try {
            if (Json.parse(response.body(), Server.MOST_NESTED) instanceof List<?> envelopes) {
                for (Object json : envelopes) {
                    hear(from, Envelope.read(json));
                }
            }
        } catch (Json.Invalid | Fields.Bad error) {
            System.out.printf("[%s] %s answers what is no answer: %s%n", settings.nodeId(), from, error.getMessage());
        }
    }

    private void hear(String from, Envelope envelope) {
        if (envelope.from().equals(from)) {
            node.hear(from, envelope.message()).forEach(message -> send(from, message));
        }
    }
}
