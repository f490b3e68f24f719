import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The fields of something that came from outside: each is there and is of the kind that is asked for, or it is Bad. */
final class Fields {
    static final class Bad extends Exception {
        Bad(String what) {
            super(what);
        }
    }

    private final Map<String, Object> object;

    Fields(Object json) throws Bad {
        if (!(json instanceof Map<?, ?>)) {
            throw new Bad("expected an object");
        }
        this.object = Json.asObject(json);
    }

    private Object field(String name) throws Bad {
        if (!object.containsKey(name)) {
            throw new Bad(name + " is missing");
        }
        return object.get(name);
    }

    Fields object(String name) throws Bad {
        return new Fields(field(name));
    }

    String text(String name) throws Bad {
        return text(field(name), name);
    }

    /** A text, or null where null is written. */
    String textOrNull(String name) throws Bad {
        return field(name) == null ? null : text(name);
    }

    long whole(String name) throws Bad {
        return whole(field(name), name);
    }

    boolean truth(String name) throws Bad {
        if (field(name) instanceof Boolean truth) {
            return truth;
        }
        throw new Bad(name + ": expected true or false");
    }

    List<?> list(String name) throws Bad {
        return list(field(name), name);
    }

    EntryId id(String name) throws Bad {
        List<?> parts = list(name);
        if (parts.size() != 3) {
            throw new Bad(name + ": expected [index, term, leader]");
        }
        return idIn(parts, name);
    }

    List<Entry> entries(String name) throws Bad {
        List<Entry> entries = new ArrayList<>();
        for (Object one : list(name)) {
            List<?> parts = list(one, name);
            if (parts.size() != 6) {
                throw new Bad(name + ": expected [index, term, leader, op, key, value]");
            }
            String op = text(parts.get(3), name);
            if (!List.of("put", "delete", "noop").contains(op)) {
                throw new Bad(name + ": op must be put, delete or noop");
            }
            entries.add(new Entry(idIn(parts, name), op, text(parts.get(4), name), parts.get(5)));
        }
        return entries;
    }

    private static EntryId idIn(List<?> parts, String name) throws Bad {
        return new EntryId(whole(parts.get(0), name), whole(parts.get(1), name), text(parts.get(2), name));
    }

    private static List<?> list(Object value, String name) throws Bad {
        if (value instanceof List<?> list) {
            return list;
        }
        throw new Bad(name + ": expected a list");
    }

    private static String text(Object value, String name) throws Bad {
        if (value instanceof String text) {
            return text;
        }
        throw new Bad(name + ": expected a text");
    }

    static long whole(Object value, String name) throws Bad {
        if (value instanceof Json.Numeral number && number.text().matches("[0-9]{1,18}")) {
            return Long.parseLong(number.text());
        }
        throw new Bad(name + ": expected a whole number");
    }
}
