//! Small values that several records share, and how they are read.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use serde::de::{self, Deserialize, Deserializer, Visitor};

use super::wire::{Fold, Str};
use crate::model::{Name, Time, Word};
use crate::text;

/// The status of a condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    /// There is no such condition.
    #[default]
    Missing,
    /// `True`.
    True,
    /// `False`.
    False,
    /// `Unknown`, or a word that this program does not know.
    Unknown,
}

impl Truth {
    pub(super) fn read(status: &str) -> Self {
        match status {
            "" => Self::Missing,
            "True" => Self::True,
            "False" => Self::False,
            _ => Self::Unknown,
        }
    }

    /// Annotations write it in small letters.
    pub(super) fn read_small(status: &str) -> Self {
        match status {
            "true" => Self::True,
            "false" => Self::False,
            other => Self::read(other),
        }
    }
}

/// An entry of `status.conditions` whose message is evidence.
#[derive(serde::Deserialize, Debug, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Told<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) name: Str<'a>,
    #[serde(borrow)]
    pub(super) status: Str<'a>,
    #[serde(borrow)]
    pub(super) reason: Str<'a>,
    #[serde(borrow)]
    pub(super) message: Str<'a>,
    #[serde(borrow)]
    pub(super) last_transition_time: Str<'a>,
}

/// What a condition tells while its status is not as it should be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trouble {
    /// `reason`.
    pub reason: Word,
    /// `message` on one line of at most 300 characters; may be empty.
    pub message: Box<str>,
    /// When its status changed last; KubeVirt often leaves it out.
    pub since: Option<Time>,
}

impl Told<'_> {
    /// What is kept of it.
    pub(super) fn keep(&self) -> Box<Trouble> {
        Box::new(Trouble {
            reason: self.reason.word(),
            message: line(&self.message, 300).into(),
            since: self.last_transition_time.time(),
        })
    }
}

/// `text` on one line of at most `most` characters, copied only where it is not like that already.
pub(super) fn line(text: &str, most: usize) -> Cow<'_, str> {
    let mut last = b' ';
    let plain = text.len() <= most
        && text.bytes().all(|byte| {
            let fits = matches!(byte, b'!'..=b'~') || (byte == b' ' && last != b' ');
            last = byte;
            fits
        });
    if plain && (last != b' ' || text.is_empty()) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text::one_line(text, most))
    }
}

/// A message of at most `most` characters on one line; nothing if there is none.
pub(super) fn message(text: &str, most: usize) -> Option<Box<Name>> {
    let line = line(text, most);
    (!line.is_empty()).then(|| Box::new(Name::from(line)))
}

/// Thousandths out of a percentage as CDI writes it: `45.32%` → 453, `100.0%` → 1000; `N/A` and anything else is `None`.
pub(super) fn per_mille(text: &str) -> Option<u16> {
    let number = text.trim().strip_suffix('%')?;
    let (whole, rest) = number.split_once('.').unwrap_or((number, "0"));
    let digit = rest.bytes().next().filter(u8::is_ascii_digit)? - b'0';
    let whole = whole
        .bytes()
        .try_fold(0_u16, |value, c| {
            c.is_ascii_digit().then(|| value.saturating_mul(10).saturating_add((c - b'0').into()))
        })
        .filter(|_| !whole.is_empty())?;
    Some(whole.saturating_mul(10).saturating_add(digit.into()).min(1000))
}

/// A whole number of any size: what does not fit is clamped, fractions are cut, `null` is 0. Digits in quotes, as
/// annotations have them, are read too; any other text is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Number(i64);

impl Number {
    pub(super) fn u32(self) -> u32 {
        u32::try_from(self.0.max(0)).unwrap_or(u32::MAX)
    }

    pub(super) fn u16(self) -> u16 {
        u16::try_from(self.0.max(0)).unwrap_or(u16::MAX)
    }

    pub(super) fn i32(self) -> i32 {
        let limit = if self.0 < 0 { i32::MIN } else { i32::MAX };
        i32::try_from(self.0).unwrap_or(limit)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl Visitor<'_> for Any {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(i64::try_from(number).unwrap_or(i64::MAX)))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
                Ok(Number(number))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Number, E> {
                Ok(Number(number as i64))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                Ok(Number(text.parse().unwrap_or(0)))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Number, E> {
                Ok(Number(0))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

/// An IP address in 16 bytes, IPv4 mapped into IPv6; all zeros where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Address([u8; 16]);

impl Address {
    pub(super) fn read(text: &str) -> Self {
        match text.parse() {
            Ok(IpAddr::V4(address)) => Self(address.to_ipv6_mapped().octets()),
            Ok(IpAddr::V6(address)) => Self(address.octets()),
            Err(_) => Self::default(),
        }
    }

    pub(super) fn get(self) -> Option<IpAddr> {
        let address = Ipv6Addr::from(self.0);
        (!address.is_unspecified()).then(|| address.to_canonical())
    }
}

/// The elements of a short array, kept until the whole object is read: `N` in place, more on the heap.
#[derive(Debug)]
pub(super) struct Few<T, const N: usize> {
    first: [Option<T>; N],
    more: Vec<T>,
}

impl<T, const N: usize> Default for Few<T, N> {
    fn default() -> Self {
        Self { first: [const { None }; N], more: Vec::new() }
    }
}

impl<T, const N: usize> Few<T, N> {
    pub(super) fn push(&mut self, item: T) {
        match self.first.iter_mut().find(|place| place.is_none()) {
            Some(free) => *free = Some(item),
            None => self.more.push(item),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().flatten().chain(&self.more)
    }
}

impl<'de, T: Deserialize<'de>, const N: usize> Fold<'de> for Few<T, N> {
    type Item = T;

    fn add(&mut self, item: T) {
        self.push(item);
    }
}

/// How many elements an array has, whatever they are.
#[derive(Debug, Default)]
pub(super) struct Length(pub(super) u32);

impl<'de> Fold<'de> for Length {
    type Item = de::IgnoredAny;

    fn add(&mut self, _: de::IgnoredAny) {
        self.0 = self.0.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::wire::Folded;

    #[test]
    fn percentages_are_read() {
        let cases = [
            ("45.32%", Some(453)),
            ("100.0%", Some(1000)),
            ("3.20%", Some(32)),
            ("0.00%", Some(0)),
            ("7%", Some(70)),
            ("999999.9%", Some(1000)),
            ("N/A", None),
            ("", None),
            ("%", None),
            (".5%", None),
            ("-1.0%", None),
            ("1e3%", None),
            ("5.%", None),
            ("45.32", None),
        ];
        for (text, want) in cases {
            assert_eq!(per_mille(text), want, "{text}");
        }
    }

    #[test]
    fn numbers_of_any_size_are_clamped() {
        let cases = [
            ("3", 3, 3),
            ("-3", 0, -3),
            ("1e30", u32::MAX, i32::MAX),
            ("18446744073709551615", u32::MAX, i32::MAX),
            ("-9223372036854775808", 0, i32::MIN),
            ("2.9", 2, 2),
            (r#""12""#, 12, 12),
            (r#""many""#, 0, 0),
            ("null", 0, 0),
        ];
        for (json, unsigned, signed) in cases {
            let number: Number = serde_json::from_str(json).unwrap();
            assert_eq!((number.u32(), number.i32()), (unsigned, signed), "{json}");
        }
        assert_eq!(Number(70_000).u16(), u16::MAX);
    }

    #[test]
    fn arrays_are_kept_or_counted() {
        let few: Folded<Few<Number, 2>> = serde_json::from_str("[1,null,2,3]").unwrap();
        assert_eq!(few.iter().map(|n| n.0).collect::<Vec<_>>(), [1, 2, 3]);
        let length: Folded<Length> = serde_json::from_str(r#"[{}, 1, "a", null]"#).unwrap();
        assert_eq!(length.0.0, 3);
    }

    #[test]
    fn addresses_take_sixteen_bytes() {
        for text in ["10.0.0.7", "fd00::7"] {
            assert_eq!(Address::read(text).get().unwrap().to_string(), text);
        }
        assert_eq!(Address::read("fe80::1%eth0").get(), None);
        assert_eq!(Address::read("").get(), None);
    }

    #[test]
    fn messages_become_one_line() {
        let cases = [
            ("FailedMount", "FailedMount", false),
            ("a b", "a b", false),
            ("", "", false),
            (" a", "a", true),
            ("a ", "a", true),
            (" ", "", true),
            ("a  b", "a b", true),
            ("a\nb", "a b", true),
            ("a\u{1b}", "a␛", true),
            ("twelve chars", "twelve chars", false),
            ("thirteen char", "thirteen cha…", true),
        ];
        for (text, want, copied) in cases {
            let found = line(text, 12);
            assert_eq!((&*found, matches!(found, Cow::Owned(_))), (want, copied));
        }
        assert_eq!(message(" \n", 9), None);
        assert_eq!(**message("a\nb", 9).unwrap(), *"a b");
    }
}
