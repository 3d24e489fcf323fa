//! The clock of a server, as its answers tell it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::{Now, Time};

/// So many seconds may an answer be late: it takes a while, and tells whole seconds.
const LATE: i64 = 2;

/// So many seconds ahead of the server's clock, a moment in an object was not written by it.
const FAR: i64 = 300;

/// How far a server's clock is ahead of ours. Ages, and what takes too long, go by the clock that wrote the moments in its
/// objects. Clones share what they have heard.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<AtomicI64>);

impl Clock {
    /// Takes the `Date` of an answer that came now. What is no date counts for nothing.
    pub fn hear(&self, date: &str, now: Now) {
        let parser = jiff::fmt::rfc2822::DateTimeParser::new();
        let Ok(there) = parser.parse_timestamp(date) else { return };
        let ahead = there.as_second() - now.wall;
        let known = self.0.load(Ordering::Relaxed);
        // An answer is only ever late: what it tells is the least that the clock is ahead.
        if (-LATE..=0).contains(&ahead) {
            self.0.store(0, Ordering::Relaxed);
        } else if ahead > known || known - ahead > LATE {
            self.0.store(ahead, Ordering::Relaxed);
        }
    }

    /// Takes moments at which objects were made there, and what the time was thought to be: they have passed. One far
    /// ahead tells of another clock.
    pub fn have_passed(&self, moments: impl Iterator<Item = Time>, there: Now) {
        let ahead =
            moments.map(|moment| moment.seconds() - there.wall).filter(|ahead| (1..=FAR).contains(ahead));
        if let Some(ahead) = ahead.max() {
            self.0.fetch_add(ahead, Ordering::Relaxed);
        }
    }

    /// What the time is there.
    pub fn there(&self, now: Now) -> Now {
        Now { wall: now.wall.saturating_add(self.0.load(Ordering::Relaxed)), ..now }
    }
}

impl PartialEq for Clock {
    /// What a clock shows is no part of what it belongs to.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Clock {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_tell_how_far_two_clocks_are_apart() {
        let clock = Clock::default();
        // Thu, 01 Jan 2026 00:00:00 GMT
        let now = Now::at(1_767_225_600);
        for (date, ahead) in [
            ("", 0),
            ("yesterday", 0),
            ("Wed, 31 Dec 2025 23:59:58 GMT", 0),
            ("Thu, 01 Jan 2026 00:00:01 GMT", 1),
            ("Thu, 01 Jan 2026 00:05:00 GMT", 300),
            // Some answers take longer than others.
            ("Thu, 01 Jan 2026 00:05:01 GMT", 301),
            ("Thu, 01 Jan 2026 00:04:59 GMT", 301),
            ("Wed, 31 Dec 2025 23:50:00 GMT", -600),
            ("not a date", -600),
            ("Wed, 31 Dec 2025 23:59:59 GMT", 0),
        ] {
            clock.hear(date, now);
            assert_eq!(clock.clone().there(now).wall - now.wall, ahead, "{date}");
        }
    }

    #[test]
    fn what_was_made_there_was_made_before() {
        let (clock, now) = (Clock::default(), Now::at(1_767_225_600));
        for (made, ahead) in [(-50, 0), (2, 2), (1, 2), (300, 300), (601, 300), (600, 600), (0, 600)] {
            let moments = [-50, made].map(|made| Time::from_seconds(now.wall + made).unwrap());
            clock.have_passed(moments.into_iter(), clock.there(now));
            assert_eq!(clock.there(now).wall - now.wall, ahead, "{made}");
        }
    }
}
