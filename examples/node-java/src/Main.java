import java.io.IOException;

/** Start one node with the settings of its environment: {@code NODE_ID=node-1 PORT=4001 ... java -cp dist Main}. */
final class Main {
    public static void main(String[] arguments) {
        try {
            Settings settings = Settings.read(System.getenv());
            StoreNode node = new StoreNode(settings);
            listen(node, settings);
            System.out.println("[" + node.id() + "] Store Node listening on port " + settings.port());
            node.start();
        } catch (Settings.Bad bad) {
            System.err.println(bad.getMessage());
            System.exit(2);
        }
    }

    private static void listen(StoreNode node, Settings settings) {
        try {
            Server.listen(node, settings.host(), settings.port());
        } catch (IOException error) {
            System.err.printf("[%s] cannot listen on port %d: %s%n", node.id(), settings.port(), error.getMessage());
            System.exit(1);
        }
    }
}
