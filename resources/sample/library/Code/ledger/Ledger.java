package club.ledger;

import java.math.BigDecimal;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Double-entry bookkeeping for a small club: every posting must balance. */
public final class Ledger {

    public record Line(String account, BigDecimal amount) {}

    public record Posting(LocalDate date, String text, List<Line> lines) {}

    public static final class Unbalanced extends IllegalArgumentException {
        Unbalanced(BigDecimal rest) {
            super("debits and credits differ by " + rest);
        }
    }

    private final List<Posting> postings = new ArrayList<>();

    /** Adds a posting if its lines sum to zero. */
    public void post(LocalDate date, String text, List<Line> lines) {
        BigDecimal rest = lines.stream().map(Line::amount).reduce(BigDecimal.ZERO, BigDecimal::add);
        if (rest.signum() != 0) {
            throw new Unbalanced(rest);
        }
        postings.add(new Posting(date, text, List.copyOf(lines)));
    }

    /** What every account stood at on the evening of a day. */
    public Map<String, BigDecimal> balances(LocalDate evening) {
        Map<String, BigDecimal> sums = new TreeMap<>();
        for (Posting posting : postings) {
            if (!posting.date().isAfter(evening)) {
                posting.lines().forEach(l -> sums.merge(l.account(), l.amount(), BigDecimal::add));
            }
        }
        return Collections.unmodifiableMap(sums);
    }

    /** Undoes a posting by its mirror image; nothing is ever deleted. */
    public void reverse(Posting wrong, LocalDate today) {
        List<Line> mirrored =
                wrong.lines().stream().map(l -> new Line(l.account(), l.amount().negate())).toList();
        post(today, "reversal of: " + wrong.text(), mirrored);
    }
}
