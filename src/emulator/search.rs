//! Looking for text in what is kept.

use alacritty_terminal::grid::Dimensions as _;
use alacritty_terminal::index::{Boundary, Column, Direction, Point, Side};
use alacritty_terminal::term::search::{Match, RegexIter, RegexSearch};

use super::{Emulator, Place, Scroll, line};

/// The longest text that is looked for, in characters.
const LONGEST: usize = 200;
/// Finds that are told of in one view at most.
const MOST: usize = 2000;

/// A text that is looked for, ready to be used again and again. Small letters find large ones as well.
pub struct Needle(RegexSearch);

impl std::fmt::Debug for Needle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Needle")
    }
}

impl Needle {
    /// A text to look for; none if it is empty.
    pub fn new(text: &str) -> Option<Self> {
        let text: String = text.chars().take(LONGEST).collect();
        if text.is_empty() {
            return None;
        }
        RegexSearch::new(&regex::escape(&text)).ok().map(Self)
    }
}

impl Emulator {
    /// Where the text stands in the view: first and last place of each.
    pub fn hits(&self, needle: &mut Needle) -> Vec<(Place, Place)> {
        let offset = self.scrolled();
        let top = self.point(Place::default());
        let end = self.point(Place { row: u16::MAX, column: u16::MAX });
        // A line that goes on from above may begin there.
        let start = self.term.line_search_left(top).max(Point::new(self.term.topmost_line(), Column(0)));
        let found = RegexIter::new(start, end, Direction::Right, &self.term, &mut needle.0);
        let in_view = |found: Match| {
            let (first, last) = ((*found.start()).max(top), (*found.end()).min(end));
            (first <= last).then(|| Some((self.place(first, offset)?, self.place(last, offset)?)))?
        };
        found.take(MOST).filter_map(in_view).collect()
    }

    /// Goes to the next place with the text from another one on, upwards or downwards, around the end. None if there is none.
    pub fn find(&mut self, needle: &mut Needle, from: Place, up: bool) -> Option<Place> {
        let here = self.point(from);
        let (direction, side, origin) = if up {
            (Direction::Left, Side::Left, here.sub(&self.term, Boundary::None, 1))
        } else {
            (Direction::Right, Side::Left, here.add(&self.term, Boundary::None, 1))
        };
        let found = self.term.search_next(&mut needle.0, origin, direction, side, None)?;
        let at = *found.start();
        let last = i32::from(self.size().1) - 1;
        let offset = i32::try_from(self.scrolled()).unwrap_or(0);
        let row = at.line.0 + offset;
        if !(0..=last).contains(&row) {
            self.scroll(Scroll::Lines(last / 2 - row));
        }
        self.place(at, self.scrolled())
    }

    /// Which of all the places with the text this is, counted from the oldest on, and how many there are, up to some thousands.
    /// Zero if it is none of them.
    pub fn count(&self, needle: &mut Needle, place: Place) -> (usize, usize) {
        let here = self.point(place);
        let start = Point::new(self.term.topmost_line(), Column(0));
        let end = Point::new(line(self.term.screen_lines() - 1), self.term.last_column());
        let (mut at, mut count) = (0, 0);
        let found = RegexIter::new(start, end, Direction::Right, &self.term, &mut needle.0);
        for (before, found) in found.take(MOST * 5).enumerate() {
            count = before + 1;
            if *found.start() == here {
                at = count;
            }
        }
        (at, count)
    }
}
