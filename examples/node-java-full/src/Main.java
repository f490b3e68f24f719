import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Start one node with the settings of its environment: {@code NODE_ID=node-1 PORT=4001 ... java -cp dist Main}. */
final class Main {
    public static void main(String[] arguments) {
        try {
            Settings settings = Settings.read(System.getenv());
            Function<Election.Seat, Election> strategy = strategy(settings.election());
            Replica replica = replica(settings.dataDir());
            Peers peers = new Peers(settings);
            StoreNode node = new StoreNode(settings, replica, strategy, peers::send);
            peers.answersTo(node);
            Server.listen(node, settings, peers);
            System.out.println("[" + node.id() + "] Store Node listening on port " + settings.port());
            node.start();
        } catch (Settings.Bad bad) {
            end(2, bad.getMessage());
        } catch (Journal.Damaged | Fields.Bad bad) {
            end(1, "The journal in DATA_DIR cannot be used: " + bad.getMessage());
        } catch (IOException error) {
            end(1, "The node cannot start: " + error.getMessage());
        }
    }

    private static void end(int code, String why) {
        System.err.println(why);
        System.exit(code);
    }

    private static Replica replica(String dataDir) throws IOException, Journal.Damaged, Fields.Bad {
        List<Map<String, Object>> saved = new ArrayList<>();
        Journal journal = dataDir.isEmpty() ? Journal.NONE : Journal.open(Path.of(dataDir), saved);
        return new Replica(journal, saved);
    }

    /** {@code lowest-id} is the class LowestId. So an election of your own is a class of your own. */
    private static Function<Election.Seat, Election> strategy(String name) throws Settings.Bad {
        String className = Arrays.stream(name.split("-"))
                .filter(word -> !word.isEmpty())
                .map(word -> Character.toUpperCase(word.charAt(0)) + word.substring(1))
                .collect(Collectors.joining());
        try {
            var constructor = Class.forName(className).asSubclass(Election.class)
                    .getDeclaredConstructor(Election.Seat.class);
            return seat -> {
                try {
                    return constructor.newInstance(seat);
                } catch (InstantiationException | IllegalAccessException | InvocationTargetException error) {
                    throw new IllegalStateException(error);
                }
            };
        } catch (ClassNotFoundException | NoSuchMethodException | ClassCastException | LinkageError error) {
            throw new Settings.Bad("ELECTION takes lowest-id or the name of another election, not \"" + name
                    + "\": no class " + className + " is an election that takes a Seat");
        }
    }
}
