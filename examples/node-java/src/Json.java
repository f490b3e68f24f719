import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * JSON as Java objects: Map, List, String, Boolean, null, and {@link Numeral} for numbers. Java's standard library has
 * no JSON, so here is a small writer, and a small reader in {@link JsonReader}.
 */
final class Json {
    /** A number as it was written. Nothing here calculates with stored values, so none of them is rounded. */
    record Numeral(String text) {}

    /** What was read is no JSON; the message says why. */
    static final class Invalid extends Exception {
        Invalid(String why) {
            super(why);
        }
    }

    private Json() {}

    /** @param mostNested how many arrays and objects may be within each other */
    static Object parse(String text, int mostNested) throws Invalid {
        return new JsonReader(text, mostNested).all();
    }

    static String write(Object value) {
        StringBuilder out = new StringBuilder();
        write(value, out);
        return out.toString();
    }

    private static void write(Object value, StringBuilder out) {
        if (value instanceof Map<?, ?> object) {
            out.append('{');
            for (Iterator<? extends Map.Entry<?, ?>> entries = object.entrySet().iterator(); entries.hasNext(); ) {
                Map.Entry<?, ?> entry = entries.next();
                write(entry.getKey(), out);
                out.append(": ");
                write(entry.getValue(), out);
                out.append(entries.hasNext() ? ", " : "");
            }
            out.append('}');
        } else if (value instanceof Iterable<?> list) {
            out.append('[');
            for (Iterator<?> items = list.iterator(); items.hasNext(); ) {
                write(items.next(), out);
                out.append(items.hasNext() ? ", " : "");
            }
            out.append(']');
        } else if (value instanceof String string) {
            quote(string, out);
        } else if (value instanceof Numeral number) {
            out.append(number.text());
        } else {
            out.append(value); // null, true, false, or a whole number of our own
        }
    }

    private static void quote(String string, StringBuilder out) {
        out.append('"');
        for (char next : string.toCharArray()) {
            if (next == '"' || next == '\\') {
                out.append('\\').append(next);
            } else if (next < ' ') {
                out.append(String.format("\\u%04x", (int) next));
            } else {
                out.append(next);
            }
        }
        out.append('"');
    }

    // -- looking into what came -----------------------------------------------------------------------

    @SuppressWarnings("unchecked")
    static Map<String, Object> asObject(Object value) {
        return value instanceof Map<?, ?> ? (Map<String, Object>) value : Map.of();
    }

    static List<?> asList(Object value) {
        return value instanceof List<?> list ? list : List.of();
    }

    /** The whole number in this field, or `otherwise` where there is none. */
    static long whole(Map<String, Object> object, String field, long otherwise) {
        boolean fits = object.get(field) instanceof Numeral number && number.text().matches("-?[0-9]{1,15}");
        return fits ? Long.parseLong(((Numeral) object.get(field)).text()) : otherwise;
    }
}
