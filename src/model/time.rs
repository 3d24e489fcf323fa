//! Instants as the API server writes them, and how long ago they were.

use std::fmt::{self, Write as _};
use std::num::NonZeroU32;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A moment in whole seconds since 1970, in four bytes (`Option<Time>` too); enough until 2106.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(NonZeroU32);

impl Time {
    /// The moment `seconds` after 1970; `None` outside 1970–2106.
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        u32::try_from(seconds).ok().and_then(NonZeroU32::new).map(Self)
    }

    /// Seconds since 1970.
    pub fn seconds(self) -> i64 {
        i64::from(self.0.get())
    }

    /// Reads RFC 3339, whole seconds or a fraction, `Z` or an offset. Anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        fixed_utc(text.as_bytes())
            .or_else(|| text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second))
            .and_then(Self::from_seconds)
    }
}

impl fmt::Display for Time {
    /// RFC 3339 in UTC, as `kubectl -o yaml` shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.seconds()) {
            Ok(stamp) => write!(f, "{stamp}"),
            Err(_) => f.write_str("?"),
        }
    }
}

/// The shape that Kubernetes writes (`2026-11-21T10:49:14Z`), read without a general parser: one per object and condition.
fn fixed_utc(text: &[u8]) -> Option<i64> {
    let &[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', n0, n1, b':', s0, s1, b'Z'] = text
    else {
        return None;
    };
    let digit = |c: u8| c.is_ascii_digit().then(|| i64::from(c - b'0'));
    let pair = |a, b| Some(digit(a)? * 10 + digit(b)?);
    let year = pair(y0, y1)? * 100 + pair(y2, y3)?;
    let (month, day) = (pair(m0, m1)?, pair(d0, d1)?);
    let (hour, minute, second) = (pair(h0, h1)?, pair(n0, n1)?, pair(s0, s1)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Days from a year that starts in March, so that the leap day comes last.
    let (shifted, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = shifted * 365 + shifted.div_euclid(4) - shifted.div_euclid(100)
        + shifted.div_euclid(400)
        + (month * 153 + 2) / 5
        + day
        - 719_469;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// What the time is, given to whatever needs it: nothing below the edges reads a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Seconds since 1970, for ages.
    pub wall: i64,
    /// For durations and deadlines.
    pub instant: Instant,
}

impl Now {
    /// Reads both clocks.
    pub fn read() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Self { wall: i64::try_from(wall).unwrap_or(i64::MAX), instant: Instant::now() }
    }

    /// A fixed wall time, for tests and for recordings.
    pub fn at(wall: i64) -> Self {
        Self { wall, instant: Instant::now() }
    }

    /// How long ago `time` was.
    pub fn since(self, time: Time) -> Age {
        Age(self.wall - time.seconds())
    }
}

/// A span in seconds, written as kubectl does: `119s`, `5m3s`, `179m`, `5h12m`, `47h`, `2d4h`, `700d`, `2y30d`, `9y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age(pub i64);

/// A moment that lies so many seconds ahead has just been: the clocks of nodes differ, and a server's is known by what its
/// last answer told.
const ASKEW: i64 = 60;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// How ages below a limit are written.
struct Step {
    /// In seconds.
    below: i64,
    unit: i64,
    letter: char,
    /// The unit beside it.
    second: Option<(i64, char)>,
}

const fn step(below: i64, unit: i64, letter: char, second: Option<(i64, char)>) -> Step {
    Step { below, unit, letter, second }
}

const STEPS: [Step; 9] = [
    step(2 * MINUTE, 1, 's', None),
    step(10 * MINUTE, MINUTE, 'm', Some((1, 's'))),
    step(3 * HOUR, MINUTE, 'm', None),
    step(8 * HOUR, HOUR, 'h', Some((MINUTE, 'm'))),
    step(2 * DAY, HOUR, 'h', None),
    step(8 * DAY, DAY, 'd', Some((HOUR, 'h'))),
    step(2 * YEAR, DAY, 'd', None),
    step(8 * YEAR, YEAR, 'y', Some((DAY, 'd'))),
    step(i64::MAX, YEAR, 'y', None),
];

impl Age {
    fn step(self) -> &'static Step {
        STEPS.iter().find(|step| self.0 < step.below).unwrap_or(&STEPS[STEPS.len() - 1])
    }

    /// How long until the written form changes.
    pub fn next_change(self) -> Duration {
        let step = self.step();
        let unit = step.second.map_or(step.unit, |(unit, _)| unit);
        let left = if self.0 < 0 { 1 - self.0 } else { unit - self.0 % unit };
        Duration::from_secs(left.unsigned_abs().max(1))
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            return f.write_str(if self.0 < -ASKEW { "<invalid>" } else { "0s" });
        }
        let &Step { unit, letter, second, .. } = self.step();
        write!(f, "{}", self.0 / unit)?;
        f.write_char(letter)?;
        match second {
            Some((small, letter)) if self.0 % unit / small > 0 => {
                write!(f, "{}{letter}", self.0 % unit / small)
            }
            _ => Ok(()),
        }
    }
}

/// Reads a span as people write it: `90s`, `1h30m`, `3d4h`, `2w`; in seconds. Units go from large to small and stand once.
pub fn parse_span(text: &str) -> Option<i64> {
    const UNITS: [(char, i64); 6] =
        [('y', YEAR), ('w', 7 * DAY), ('d', DAY), ('h', HOUR), ('m', MINUTE), ('s', 1)];
    let (mut rest, mut units, mut sum) = (text, UNITS.iter(), 0_i64);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let letter = rest[end..].chars().next()?;
        let (_, seconds) = units.find(|(unit, _)| *unit == letter)?;
        sum = sum.checked_add(rest[..end].parse::<i64>().ok()?.checked_mul(*seconds)?)?;
        rest = &rest[end + 1..];
    }
    (!text.is_empty()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        let cases = [
            ("2026-11-21T10:49:14Z", Some(1_795_258_154)),
            ("1970-01-01T00:00:01Z", Some(1)),
            ("2024-02-29T23:59:59Z", Some(1_709_251_199)),
            ("2026-11-21T12:49:14+02:00", Some(1_795_258_154)),
            ("2026-11-21T10:49:14.123456Z", Some(1_795_258_154)),
            ("2023-02-29T00:00:00Z", None),
            ("2026-13-01T00:00:00Z", None),
            ("1969-12-31T23:59:59Z", None),
            ("0001-01-01T00:00:00Z", None),
            ("yesterday", None),
            ("", None),
        ];
        for (text, want) in cases {
            assert_eq!(Time::parse(text).map(Time::seconds), want, "{text}");
        }
    }

    #[test]
    fn both_readers_agree() {
        for day in (0..48_000).step_by(13) {
            let want = day * DAY + 12_345;
            let text = jiff::Timestamp::from_second(want).unwrap().to_string();
            assert_eq!(fixed_utc(text.as_bytes()), Some(want), "{text}");
        }
    }

    #[test]
    fn spans_are_read() {
        for (text, want) in [
            ("90s", Some(90)),
            ("2h", Some(2 * HOUR)),
            ("3d4h", Some(3 * DAY + 4 * HOUR)),
            ("1h30m", Some(90 * MINUTE)),
            ("2w", Some(14 * DAY)),
            ("1y", Some(YEAR)),
            ("", None),
            ("2", None),
            ("h", None),
            ("4h3d", None),
            ("1h2h", None),
            ("2é", None),
            ("99999999999999999y", None),
        ] {
            assert_eq!(parse_span(text), want, "{text}");
        }
    }

    #[test]
    fn ages_are_short() {
        let cases = [
            (-5, "0s"),
            (-60, "0s"),
            (-61, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (303, "5m3s"),
            (600, "10m"),
            (179 * 60 + 59, "179m"),
            (5 * HOUR + 12 * 60, "5h12m"),
            (8 * HOUR, "8h"),
            (47 * HOUR, "47h"),
            (2 * DAY + 4 * HOUR, "2d4h"),
            (700 * DAY, "700d"),
            (2 * YEAR + 30 * DAY, "2y30d"),
            (9 * YEAR, "9y"),
        ];
        for (seconds, want) in cases {
            assert_eq!(Age(seconds).to_string(), want);
        }
    }

    #[test]
    fn an_age_says_when_it_changes() {
        for seconds in [0, 59, 119, 121, 599, 601, 3 * HOUR + 1, 2 * DAY - 1, 9 * DAY, 3 * YEAR] {
            let age = Age(seconds);
            let later = Age(seconds + i64::try_from(age.next_change().as_secs()).unwrap());
            assert_ne!(age.to_string(), later.to_string());
            assert_eq!(age.to_string(), Age(later.0 - 1).to_string(), "{seconds}");
        }
    }
}
