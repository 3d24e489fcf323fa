//! What is seen of a text.

use ratatui::style::Modifier;

use super::*;

fn view(columns: u16, rows: u16, text: &[Line]) -> TextView {
    let mut view = TextView::default();
    view.prepare(Rect::new(0, 0, columns, rows), text);
    view
}

fn text(lines: &[&str]) -> Vec<Line> {
    lines.iter().map(|line| Line::of(line, Ink::Plain)).collect()
}

fn numbered(count: usize) -> Vec<Line> {
    (0..count).map(|n| Line::of(&format!("line {n}"), Ink::Plain)).collect()
}

fn seen(view: &mut TextView, lines: &[Line]) -> Vec<String> {
    let area = Rect::new(0, 0, u16::try_from(view.size.0).unwrap(), u16::try_from(view.size.1).unwrap());
    view.prepare(area, lines);
    let mut buffer = Buffer::empty(area);
    view.draw(area, &mut buffer, &Theme::default(), lines);
    let row = |cells: &[ratatui::buffer::Cell]| {
        cells.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned()
    };
    buffer.content().chunks(view.size.0).map(row).collect()
}

#[test]
fn one_scrolls_through_it_and_not_beyond() {
    let lines = numbered(10);
    let mut view = view(20, 3, &lines);
    let cases = [
        (Scroll::Rows(1), "line 1"),
        (Scroll::Pages(1), "line 3"),
        (Scroll::Rows(-1), "line 2"),
        (Scroll::End, "line 7"),
        (Scroll::Rows(5), "line 7"),
        (Scroll::Pages(-1), "line 5"),
        (Scroll::Top, "line 0"),
        (Scroll::Pages(-9), "line 0"),
        (Scroll::Pages(99), "line 7"),
    ];
    for (way, first) in cases {
        view.scroll(way, &lines[..]);
        assert_eq!(seen(&mut view, &lines)[0], first, "{way:?}");
    }
}

#[test]
fn long_lines_are_wrapped_or_scrolled() {
    let lines = text(&["one two three four", "東京都庁舎", "end"]);
    let mut view = view(8, 4, &lines);
    assert_eq!(seen(&mut view, &lines), ["one two", "東 京 都 庁", "end", ""]);
    view.scroll(Scroll::Columns(5), &lines[..]);
    assert_eq!(seen(&mut view, &lines), ["wo three", " 庁 舎", "", ""]);
    view.wrap = true;
    assert_eq!(seen(&mut view, &lines), ["one two", "three", "four", "東 京 都 庁"]);
    view.scroll(Scroll::End, &lines[..]);
    assert_eq!(seen(&mut view, &lines), ["four", "東 京 都 庁", "舎", "end"]);
    view.scroll(Scroll::Rows(-1), &lines[..]);
    assert_eq!(seen(&mut view, &lines)[0], "three");
}

#[test]
fn the_end_stays_in_sight_while_it_is_followed() {
    let mut lines = numbered(3);
    let mut view = view(20, 2, &lines);
    view.follow = true;
    assert_eq!(seen(&mut view, &lines), ["line 1", "line 2"]);
    lines.extend(text(&["new"]));
    assert_eq!(seen(&mut view, &lines), ["line 2", "new"]);
    view.follow = false;
    lines.extend(text(&["newer"]));
    assert_eq!(seen(&mut view, &lines), ["line 2", "new"]);
    assert!(!view.at_end(&lines[..]));
}

#[test]
fn what_is_looked_for_is_found_counted_and_brought_into_sight() {
    let mut lines = numbered(100);
    let mut view = view(20, 6, &lines);
    view.search("LINE 4", &lines[..]);
    assert_eq!(view.found(), Some(("LINE 4", 1, 11)));
    assert_eq!(seen(&mut view, &lines)[4], "line 4");
    view.next_hit(1, &lines[..]);
    assert_eq!(view.found().unwrap().1, 2);
    assert!(seen(&mut view, &lines).contains(&"line 40".to_owned()));
    view.next_hit(-1, &lines[..]);
    view.next_hit(-1, &lines[..]);
    assert_eq!(view.found().unwrap().1, 11, "from the first one goes to the last");
    lines.extend(text(&["line 4, again"]));
    seen(&mut view, &lines);
    assert_eq!(view.found(), Some(("LINE 4", 11, 12)));
    view.search("nowhere", &lines[..]);
    assert_eq!(view.found(), Some(("nowhere", 0, 0)));
    view.next_hit(1, &lines[..]);
    view.search("", &lines[..]);
    assert_eq!(view.found(), None);
}

#[test]
fn hits_are_highlighted_and_the_one_here_is_told_apart() {
    let lines = text(&["ab ab"]);
    let mut view = view(8, 1, &lines);
    view.search("b", &lines[..]);
    let area = Rect::new(0, 0, 8, 1);
    let mut buffer = Buffer::empty(area);
    view.draw(area, &mut buffer, &Theme::default(), &lines[..]);
    let marks: String = buffer
        .content()
        .iter()
        .map(|cell| match cell.modifier {
            found if found.contains(Modifier::REVERSED | Modifier::UNDERLINED) => '!',
            found if found.contains(Modifier::REVERSED) => '^',
            _ => '.',
        })
        .collect();
    assert_eq!(marks, ".!..^...");
}

#[test]
fn a_hit_far_to_the_right_is_scrolled_to() {
    let lines = text(&[&format!("{}needle", ".".repeat(50))]);
    let mut view = view(20, 1, &lines);
    view.search("needle", &lines[..]);
    assert!(seen(&mut view, &lines)[0].contains("needle"));
}

/// Lines that are made when they are looked at.
struct Endless(std::cell::Cell<usize>);

impl Lines for Endless {
    fn first(&self) -> usize {
        0
    }

    fn end(&self) -> usize {
        10_000_000
    }

    fn line<T>(&self, number: usize, with: impl FnOnce(&Line) -> T) -> Option<T> {
        self.0.set(self.0.get() + 1);
        Some(with(&Line::of(&format!("{number} {}", "x".repeat(100)), Ink::Plain)))
    }
}

#[test]
fn only_what_is_seen_is_looked_at() {
    let lines = Endless(std::cell::Cell::new(0));
    for wrap in [false, true] {
        let mut view = TextView { wrap, ..TextView::default() };
        let area = Rect::new(0, 0, 80, 24);
        let mut buffer = Buffer::empty(area);
        for way in [Scroll::End, Scroll::Pages(-1), Scroll::Top, Scroll::Pages(1)] {
            view.scroll(way, &lines);
            view.prepare(area, &lines);
            view.draw(area, &mut buffer, &Theme::default(), &lines);
        }
    }
    assert!(lines.0.get() < 2000, "{} lines were looked at", lines.0.get());
}

#[test]
fn no_room_is_no_trouble() {
    let lines = numbered(3);
    for (columns, rows) in [(0, 0), (1, 1), (1, 0), (0, 5), (2, 9)] {
        for wrap in [false, true] {
            let mut view = TextView { wrap, follow: true, ..TextView::default() };
            let area = Rect::new(0, 0, columns, rows);
            view.prepare(area, &lines[..]);
            view.search("2", &lines[..]);
            view.scroll(Scroll::Pages(1), &lines[..]);
            view.draw(area, &mut Buffer::empty(area), &Theme::default(), &lines[..]);
            view.prepare(area, [].as_slice());
            view.scroll(Scroll::Rows(-1), [].as_slice());
        }
    }
}
