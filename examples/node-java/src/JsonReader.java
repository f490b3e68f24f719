import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads one JSON text (RFC 8259) from its beginning to its end: for each kind of value a method. */
final class JsonReader {
    private final String text;
    private final int mostNested;
    private int at = 0;
    private int depth = 0;

    JsonReader(String text, int mostNested) {
        this.text = text;
        this.mostNested = mostNested;
    }

    /** The one value that the text is. */
    Object all() throws Json.Invalid {
        Object value = value();
        skipSpace();
        if (at < text.length()) {
            throw invalid("the end");
        }
        return value;
    }

    private Object value() throws Json.Invalid {
        skipSpace();
        char first = peek();
        return switch (first) {
            case '{' -> object();
            case '[' -> list();
            case '"' -> string();
            case 't' -> word("true", true);
            case 'f' -> word("false", false);
            case 'n' -> word("null", null);
            default -> number();
        };
    }

    private Map<String, Object> object() throws Json.Invalid {
        Map<String, Object> object = new LinkedHashMap<>();
        enter('{');
        boolean more = !closes('}');
        while (more) {
            skipSpace();
            String name = string();
            skipSpace();
            take(':');
            if (object.containsKey(name)) {
                throw new Json.Invalid("the name \"" + name + "\" comes twice: programs differ in which one they read");
            }
            object.put(name, value());
            more = anotherOne('}');
        }
        depth -= 1;
        return object;
    }

    private List<Object> list() throws Json.Invalid {
        List<Object> list = new ArrayList<>();
        enter('[');
        boolean more = !closes(']');
        while (more) {
            list.add(value());
            more = anotherOne(']');
        }
        depth -= 1;
        return list;
    }

    /** Each level is a call in a call: without a bound a long row of brackets would end in a StackOverflowError. */
    private void enter(char bracket) throws Json.Invalid {
        take(bracket);
        depth += 1;
        if (depth > mostNested) {
            throw new Json.Invalid("nested more than " + mostNested + " deep");
        }
    }

    private boolean closes(char bracket) throws Json.Invalid {
        skipSpace();
        boolean here = peek() == bracket;
        if (here) {
            at += 1;
        }
        return here;
    }

    private boolean anotherOne(char bracket) throws Json.Invalid {
        if (closes(bracket)) {
            return false;
        }
        take(',');
        return true;
    }

    private String string() throws Json.Invalid {
        take('"');
        StringBuilder found = new StringBuilder();
        while (peek() != '"') {
            char next = text.charAt(at++);
            if (next < ' ') {
                throw invalid("no control character");
            }
            found.append(next == '\\' ? escaped() : next);
        }
        at += 1;
        String string = found.toString();
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(string)) {
            throw new Json.Invalid("half a surrogate pair is no text");
        }
        return string;
    }

    private char escaped() throws Json.Invalid {
        char letter = peek();
        at += 1;
        return switch (letter) {
            case '"', '\\', '/' -> letter;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> fourDigits();
            default -> throw invalid("an escape like \\n");
        };
    }

    private char fourDigits() throws Json.Invalid {
        String digits = text.substring(at, Math.min(text.length(), at + 4));
        if (!digits.matches("[0-9a-fA-F]{4}")) {
            throw invalid("four hexadecimal digits");
        }
        at += 4;
        return (char) Integer.parseInt(digits, 16);
    }

    private Json.Numeral number() throws Json.Invalid {
        int start = at;
        while (at < text.length() && "+-.0123456789eE".indexOf(text.charAt(at)) >= 0) {
            at += 1;
        }
        String number = text.substring(start, at);
        if (!number.matches("-?(0|[1-9][0-9]*+)(\\.[0-9]++)?([eE][+-]?[0-9]++)?")) {
            throw invalid("a value");
        }
        return new Json.Numeral(number);
    }

    private Object word(String word, Object value) throws Json.Invalid {
        if (!text.startsWith(word, at)) {
            throw invalid(word);
        }
        at += word.length();
        return value;
    }

    private void take(char wanted) throws Json.Invalid {
        if (peek() != wanted) {
            throw invalid("'" + wanted + "'");
        }
        at += 1;
    }

    private char peek() throws Json.Invalid {
        if (at >= text.length()) {
            throw invalid("more");
        }
        return text.charAt(at);
    }

    private void skipSpace() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at += 1;
        }
    }

    private Json.Invalid invalid(String wanted) {
        return new Json.Invalid(wanted + " was expected at character " + at);
    }
}
