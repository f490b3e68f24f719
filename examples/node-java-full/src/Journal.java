import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;

/**
 * The file that survives a crash. Each line is a record: a checksum, a space, JSON.
 *
 * <p>{@link #save} returns when the record is on the disk, not before: what the node says afterwards may rest on it.
 */
class Journal {
    static final class Damaged extends Exception {
        Damaged(String what) {
            super(what);
        }
    }

    /** A node without DATA_DIR lives in memory only. */
    static final Journal NONE = new Journal();

    private static final long SMALL = 4 << 20;

    private final Path file;
    private FileChannel channel;
    private long size = 0;
    /** Its size after it was last written anew. */
    private long compact = 0;

    private Journal() {
        this.file = null;
    }

    private Journal(Path file) {
        this.file = file;
    }

    /** The journal in this folder, behind what it holds already; {@code saved} is given that. */
    static Journal open(Path folder, List<Map<String, Object>> saved) throws IOException, Damaged {
        Files.createDirectories(folder);
        lock(folder.resolve("lock"));
        Journal journal = new Journal(folder.resolve("journal"));
        if (Files.exists(journal.file)) {
            journal.size = read(Files.readAllBytes(journal.file), saved);
        }
        journal.channel = FileChannel.open(journal.file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        journal.channel.truncate(journal.size); // a line that was torn by the crash was promised to nobody
        journal.channel.position(journal.size);
        journal.channel.force(true);
        syncFolder(folder);
        return journal;
    }

    /** Held until this process ends: two processes that write one journal would destroy it. */
    private static void lock(Path file) throws IOException, Damaged {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        if (channel.tryLock() == null) {
            throw new Damaged("another process uses this folder");
        }
    }

    /** Returns where the last whole line ends. */
    private static int read(byte[] bytes, List<Map<String, Object>> saved) throws Damaged {
        int start = 0;
        for (int end = 0; end < bytes.length; end += 1) {
            if (bytes[end] == '\n') {
                saved.add(record(Arrays.copyOfRange(bytes, start, end), saved.size() + 1));
                start = end + 1;
            }
        }
        return start;
    }

    private static Map<String, Object> record(byte[] line, int number) throws Damaged {
        String text = new String(line, StandardCharsets.UTF_8);
        if (text.length() > 9 && text.substring(0, 8).equals(checksum(text.substring(9)))) {
            try {
                return Json.asObject(Json.parse(text.substring(9), Values.MOST_NESTED + 10));
            } catch (Json.Invalid error) {
                throw new Damaged("line " + number + ": " + error.getMessage());
            }
        }
        throw new Damaged("line " + number + " does not fit its checksum");
    }

    private static String checksum(String json) {
        CRC32 crc = new CRC32();
        crc.update(json.getBytes(StandardCharsets.UTF_8));
        return "%08x".formatted(crc.getValue());
    }

    void save(Map<String, Object> record) {
        if (channel != null) {
            try {
                write(List.of(record));
            } catch (IOException error) {
                end(error);
            }
        }
    }

    private void write(List<Map<String, Object>> records) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (Map<String, Object> record : records) {
            String json = Json.write(record);
            lines.append(checksum(json)).append(' ').append(json).append('\n');
        }
        ByteBuffer bytes = ByteBuffer.wrap(lines.toString().getBytes(StandardCharsets.UTF_8));
        size += bytes.remaining();
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
        channel.force(false);
    }

    /** Whether much of it has no meaning any more. */
    boolean isLong() {
        return size > 2 * compact + SMALL;
    }

    /** Put these records in the place of all that was written. A crash leaves the old file or the new one. */
    void rewrite(List<Map<String, Object>> records) {
        try {
            Path fresh = file.resolveSibling("journal.new");
            channel.close();
            channel = FileChannel.open(fresh, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                    StandardOpenOption.TRUNCATE_EXISTING);
            size = 0;
            write(records);
            compact = size;
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            syncFolder(file.getParent());
        } catch (IOException error) {
            end(error);
        }
    }

    /** A new name in a folder is on the disk when the folder is. Windows does that by itself, if not told to. */
    private static void syncFolder(Path folder) throws IOException {
        if (!System.getProperty("os.name").startsWith("Windows")) {
            try (FileChannel names = FileChannel.open(folder, StandardOpenOption.READ)) {
                names.force(true);
            }
        }
    }

    /** A node whose disk does not take what it promises must promise nothing more. */
    private static void end(IOException error) {
        System.err.println("The journal cannot be written: " + error);
        Runtime.getRuntime().halt(1);
    }
}
