//! Quantities as the Go library of Kubernetes reads them, with the errors that it tells.

use serde_json::Value;

const FORMAT: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const NUMERIC: &str = "unable to parse numeric part of quantity";
const SUFFIX: &str = "unable to parse quantity's suffix";

/// How many thousand-millionths make one.
const NANO: i128 = 1_000_000_000;

/// An amount in thousand-millionths. What is out of all bounds is the largest there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Quantity(i128);

impl Quantity {
    /// The amount that stands in an object: a text or a number.
    pub(super) fn of(value: &Value) -> Result<Self, &'static str> {
        match value {
            Value::String(text) => Self::parse(text),
            Value::Number(number) => Self::parse(&number.to_string()),
            Value::Null => Ok(Self::default()),
            _ => Err(FORMAT),
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        if number.is_empty() || !is_suffix(suffix) {
            return Err(FORMAT);
        }
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        if part.contains('.') || whole.is_empty() && part.is_empty() {
            return Err(NUMERIC);
        }
        let (base, power) = scale(suffix).ok_or(SUFFIX)?;
        let sign = if text.starts_with('-') { -1 } else { 1 };
        Ok(Self(sign * amount(whole, part, base, power)))
    }

    /// In whole numbers, rounded away from zero.
    pub(super) fn whole(self) -> i128 {
        round(self.0, NANO)
    }

    /// In thousandths, rounded away from zero.
    pub(super) fn milli(self) -> i128 {
        round(self.0, NANO / 1000)
    }
}

fn round(amount: i128, unit: i128) -> i128 {
    let rest = i128::from(amount % unit != 0) * amount.signum();
    amount / unit + rest
}

/// Letters, a sign, digits; each of them may be missing.
fn is_suffix(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| "eEinumkKMGTP".contains(c));
    let rest = rest.strip_prefix(['+', '-']).unwrap_or(rest);
    rest.bytes().all(|byte| byte.is_ascii_digit())
}

/// Base and power of a suffix.
fn scale(suffix: &str) -> Option<(i128, i32)> {
    const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    const DECIMAL: [(&str, i32); 10] = [
        ("n", -9),
        ("u", -6),
        ("m", -3),
        ("", 0),
        ("k", 3),
        ("M", 6),
        ("G", 9),
        ("T", 12),
        ("P", 15),
        ("E", 18),
    ];
    if let Some((_, power)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        return Some((10, *power));
    }
    if let Some(place) = BINARY.iter().position(|name| *name == suffix) {
        return Some((1024, i32::try_from(place).ok()? + 1));
    }
    let power = suffix.strip_prefix(['e', 'E'])?;
    power.parse::<i32>().ok().map(|power| (10, power))
}

fn amount(whole: &str, part: &str, base: i128, power: i32) -> i128 {
    const MOST: i128 = i128::MAX / 4;
    // More digits than these change nothing that is looked at here.
    let part = part.get(..part.len().min(9)).unwrap_or_default();
    let whole = whole.trim_start_matches('0');
    if whole.len() > 27 {
        return MOST;
    }
    let whole: i128 = whole.parse().unwrap_or_default();
    let part: i128 = format!("{part:0<9}").parse().unwrap_or_default();
    let mut amount = whole * NANO + part;
    for _ in 0..power.unsigned_abs().min(64) {
        if power < 0 {
            amount = round(amount, base);
        } else {
            amount = amount.checked_mul(base).filter(|amount| *amount <= MOST).unwrap_or(MOST);
        }
    }
    amount
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_kubernetes_does() {
        for (text, whole, milli) in [
            ("1", 1, 1_000),
            ("1500m", 2, 1_500),
            ("-1", -1, -1_000),
            ("1Gi", 1 << 30, 1000 << 30),
            ("0.5", 1, 500),
            ("1e3", 1000, 1_000_000),
            ("2.5k", 2500, 2_500_000),
            ("1n", 1, 1),
            (".5Ki", 512, 512_000),
        ] {
            let quantity = Quantity::parse(text).unwrap();
            assert_eq!((quantity.whole(), quantity.milli()), (whole, milli), "{text}");
        }
        for (text, why) in [
            ("lots", FORMAT),
            ("", FORMAT),
            ("1Gib", FORMAT),
            ("1 Gi", FORMAT),
            ("1GG", SUFFIX),
            ("1.2.3", NUMERIC),
            ("ä", FORMAT),
        ] {
            assert_eq!(Quantity::parse(text), Err(why), "{text}");
        }
        assert!(
            Quantity::parse("99999999999999999999999999999999999999E").unwrap()
                > Quantity::parse("1E").unwrap()
        );
    }
}
