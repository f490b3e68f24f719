import java.util.List;
import java.util.Map;

/** What may be stored: what every member of the cluster, in whatever language, can save, send and give back. */
final class Values {
    static final class Refused extends Exception {
        Refused(String why) {
            super(why);
        }
    }

    static final int MOST_NESTED = 100;
    static final int MOST_BYTES = 1_048_576;
    private static final int MOST_ITEMS = 1000;
    private static final int MOST_DIGITS = 308;

    private int items = 0;
    private long bytes = 0;

    private Values() {}

    /** The reader has seen to it already that it is not nested too deeply, and that each name comes once. */
    static void check(Object value) throws Refused {
        Values counted = new Values();
        counted.look(value);
        if (counted.items > MOST_ITEMS) {
            throw new Refused("The value has more than " + MOST_ITEMS + " items");
        }
        if (counted.bytes > MOST_BYTES) {
            throw new Refused("The value takes more than " + MOST_BYTES + " bytes");
        }
    }

    private void look(Object value) throws Refused {
        bytes += 2; // brackets, quotation marks or a comma
        if (value instanceof Map<?, ?> object) {
            items += Math.max(object.size(), 1);
            for (Map.Entry<?, ?> member : object.entrySet()) {
                look(member.getKey());
                look(member.getValue());
            }
        } else if (value instanceof List<?> list) {
            items += Math.max(list.size(), 1);
            for (Object item : list) {
                look(item);
            }
        } else if (value instanceof String text) {
            // As the lab's Python nodes write it, in ASCII.
            text.chars().forEach(unit -> bytes += unit > '~' || unit < ' ' ? 6 : 1);
        } else if (value instanceof Json.Numeral number) {
            look(number);
        } else {
            bytes += 5;
        }
    }

    private void look(Json.Numeral number) throws Refused {
        String text = number.text();
        bytes += text.length();
        if (text.matches("-?[0-9]+") && text.replace("-", "").length() > MOST_DIGITS) {
            throw new Refused("An integer has more than " + MOST_DIGITS + " digits");
        }
        if (Double.isInfinite(Double.parseDouble(text))) {
            throw new Refused("The number " + text + " is too large: the largest is about 1.8e308");
        }
    }
}
