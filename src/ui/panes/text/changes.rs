//! What has changed between two states of a text.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::{Line, Mark};

/// Beyond so many lines that are not the same at both ends, all of them count as changed: comparing takes quadratic time.
const MOST: usize = 4000;

/// Where the lines of the old text are in the new one.
#[derive(Debug)]
pub struct Moved {
    operations: Vec<DiffOp>,
    /// Whether anything is another.
    pub any: bool,
}

impl Moved {
    /// The line of the new text that stands in the place of an old one. The first line stays the first: who has not scrolled
    /// sees what comes above.
    pub fn place(&self, old: usize) -> usize {
        let part = self.operations.iter().find(|operation| operation.old_range().contains(&old));
        part.filter(|_| old > 0).map_or(0, |operation| {
            let within = old - operation.old_range().start;
            operation.new_range().start + within.min(operation.new_range().len().saturating_sub(1))
        })
    }
}

/// Compares two texts and marks what is new in the second; what was marked in the first stays so.
pub fn mark(old: &[Line], new: &mut [Line]) -> Moved {
    let same = |pair: &(&Line, &Line)| pair.0.text() == pair.1.text();
    let start = old.iter().zip(new.iter()).take_while(same).count();
    let end = old[start..]
        .iter()
        .rev()
        .zip(new[start..].iter().rev())
        .take_while(|(a, b)| a.text() == b.text())
        .count();
    let (old_middle, new_middle) = (start..old.len() - end, start..new.len() - end);
    let mut operations = vec![DiffOp::Equal { old_index: 0, new_index: 0, len: start }];
    if old_middle.len().max(new_middle.len()) > MOST {
        operations.push(DiffOp::Replace {
            old_index: start,
            old_len: old_middle.len(),
            new_index: start,
            new_len: new_middle.len(),
        });
    } else {
        let texts = |lines: &[Line]| lines.iter().map(|line| line.text().to_owned()).collect::<Vec<_>>();
        let (before, after) = (texts(&old[old_middle.clone()]), texts(&new[new_middle.clone()]));
        let found = capture_diff_slices(Algorithm::Myers, &before, &after);
        operations.extend(found.into_iter().map(|operation| shifted(operation, start)));
    }
    operations.push(DiffOp::Equal { old_index: old_middle.end, new_index: new_middle.end, len: end });
    let mut any = false;
    for operation in &operations {
        let (before, after) = (operation.old_range(), operation.new_range());
        if let DiffOp::Equal { .. } = operation {
            for (from, to) in before.zip(after) {
                new[to].mark = if old[from].mark == Mark::None { Mark::None } else { Mark::Changed };
            }
        } else {
            any |= !before.is_empty() || !after.is_empty();
            after.for_each(|to| new[to].mark = Mark::New);
        }
    }
    Moved { operations, any }
}

fn shifted(operation: DiffOp, by: usize) -> DiffOp {
    match operation {
        DiffOp::Equal { old_index, new_index, len } => {
            DiffOp::Equal { old_index: old_index + by, new_index: new_index + by, len }
        }
        DiffOp::Delete { old_index, old_len, new_index } => {
            DiffOp::Delete { old_index: old_index + by, old_len, new_index: new_index + by }
        }
        DiffOp::Insert { old_index, new_index, new_len } => {
            DiffOp::Insert { old_index: old_index + by, new_index: new_index + by, new_len }
        }
        DiffOp::Replace { old_index, old_len, new_index, new_len } => {
            DiffOp::Replace { old_index: old_index + by, old_len, new_index: new_index + by, new_len }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Ink;
    use super::*;

    fn lines(text: &str) -> Vec<Line> {
        text.chars().map(|c| Line::of(c.encode_utf8(&mut [0; 4]), Ink::Plain)).collect()
    }

    fn marks(lines: &[Line]) -> String {
        let sign = |line: &Line| match line.mark {
            Mark::None => '.',
            Mark::Changed => '-',
            Mark::New => '!',
        };
        lines.iter().map(sign).collect()
    }

    #[test]
    fn what_changed_is_marked_and_what_stayed_is_found_again() {
        let cases = [
            ("abc", "abc", "...", [0, 1, 2]),
            ("abc", "axc", ".!.", [0, 1, 2]),
            ("abc", "xabc", "!...", [0, 2, 3]),
            ("abc", "ac", "..", [0, 1, 1]),
            ("", "abc", "!!!", [0, 0, 0]),
            ("abc", "abxyc", "..!!.", [0, 1, 4]),
            ("abc", "", "", [0, 0, 0]),
        ];
        for (before, after, want, places) in cases {
            let mut new = lines(after);
            let moved = mark(&lines(before), &mut new);
            assert_eq!(marks(&new), want, "{before} {after}");
            assert_eq!([0, 1, 2].map(|old| moved.place(old)), places, "{before} {after}");
            assert_eq!(moved.any, before != after);
        }
    }

    #[test]
    fn what_changed_before_is_still_told_apart() {
        let mut second = lines("abx");
        mark(&lines("abc"), &mut second);
        let mut third = lines("ayx");
        mark(&second, &mut third);
        assert_eq!(marks(&third), ".!-");
    }

    #[test]
    fn two_long_texts_are_not_compared_line_by_line() {
        let long = |c: &str| vec![Line::of(c, Ink::Plain); MOST + 1];
        let mut new = long("b");
        assert!(mark(&long("a"), &mut new).any);
        assert!(new.iter().all(|line| line.mark == Mark::New));
    }
}
