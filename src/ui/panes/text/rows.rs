//! How a line is broken into rows of the screen.

use unicode_segmentation::UnicodeSegmentation as _;

use crate::text;

/// Where the rows of a text begin, in bytes; the first one is 0. A row ends at a blank if there is one in its second
/// half, else where the room ends.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<usize> {
    let mut starts = vec![0];
    if text.len() <= columns || columns == 0 {
        return starts;
    }
    let (mut start, mut used, mut blank) = (0, 0, None);
    for (at, cluster) in text.grapheme_indices(true) {
        let wide = text::width(cluster);
        if used + wide > columns && at > start {
            start = match blank {
                Some((after, column)) if 2 * column > columns && after <= at => after,
                _ => at,
            };
            starts.push(start);
            used = text::width(&text[start..at]);
            blank = None;
        }
        used += wide;
        if cluster == " " {
            blank = Some((at + 1, used));
        }
    }
    starts
}

/// The first byte at or behind a column, and how many columns of a wide character stand before it.
pub(super) fn skip(text: &str, columns: usize) -> (usize, usize) {
    if text.is_ascii() {
        return (columns.min(text.len()), 0);
    }
    let mut used = 0;
    for (at, cluster) in text.grapheme_indices(true) {
        if used >= columns {
            return (at, used - columns);
        }
        used += text::width(cluster);
    }
    (text.len(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, columns: usize) -> Vec<&str> {
        let starts = wrap(text, columns);
        let ends = starts.iter().skip(1).copied().chain([text.len()]);
        starts.iter().zip(ends).map(|(&start, end)| &text[start..end]).collect()
    }

    #[test]
    fn lines_are_broken_at_blanks_where_that_wastes_little() {
        let cases: [(&str, usize, &[&str]); 9] = [
            ("", 5, &[""]),
            ("abcde", 5, &["abcde"]),
            ("abcdefgh", 5, &["abcde", "fgh"]),
            ("abc defgh", 5, &["abc ", "defgh"]),
            ("a bcdefgh", 5, &["a bcd", "efgh"]),
            ("abcde fgh", 5, &["abcde", " fgh"]),
            ("東京都庁", 5, &["東京", "都庁"]),
            ("e\u{301}e\u{301}e\u{301}", 2, &["e\u{301}e\u{301}", "e\u{301}"]),
            ("abc", 0, &["abc"]),
        ];
        for (text, columns, want) in cases {
            assert_eq!(rows(text, columns), want, "{text:?} {columns}");
        }
    }

    proptest::proptest! {
        #[test]
        fn rows_are_the_whole_text_and_fit(text in "[ a-c東é\u{301}]{0,40}", columns in 2_usize..9) {
            let rows = rows(&text, columns);
            proptest::prop_assert_eq!(rows.concat(), text.as_str());
            for row in rows {
                proptest::prop_assert!(text::width(row) <= columns, "{:?}", row);
            }
        }
    }

    #[test]
    fn skipping_counts_columns() {
        for (text, columns, want) in [
            ("abc", 2, (2, 0)),
            ("abc", 9, (3, 0)),
            ("東京", 1, (3, 1)),
            ("東京", 2, (3, 0)),
            ("é", 5, (2, 0)),
        ] {
            assert_eq!(skip(text, columns), want, "{text} {columns}");
        }
    }
}
