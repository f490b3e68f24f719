import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** Requests from this node to another one. Every request has a time limit: a peer may be dead, paused or cut off. */
final class Peers {
    // Without the version, Java asks in each request whether the peer also speaks HTTP/2.
    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /** The peer's JSON object, or null where it gives none within the limit. With a body: POST. */
    CompletableFuture<Map<String, Object>> ask(String url, long limitMs, Map<String, Object> body) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofMillis(limitMs));
        if (body != null) {
            request.header("Content-Type", "application/json").POST(BodyPublishers.ofString(Json.write(body)));
        }
        return client.sendAsync(request.build(), BodyHandlers.ofString())
                .thenApply(Peers::objectIn)
                .exceptionally(error -> null); // no connection, or no answer in time: to us both are "not there"
    }

    private static Map<String, Object> objectIn(HttpResponse<String> response) {
        try {
            Object answer = Json.parse(response.body(), Server.MOST_NESTED_IN_MESSAGE);
            return response.statusCode() == 200 && answer instanceof Map<?, ?> ? Json.asObject(answer) : null;
        } catch (Json.Invalid error) {
            return null;
        }
    }
}
