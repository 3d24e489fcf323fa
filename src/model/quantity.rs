//! Kubernetes quantities as numbers.

use std::fmt::Write as _;

/// Splits `1.5Gi` into the number and what one unit of its suffix is worth, in thousandths.
fn split(text: &str) -> Option<(f64, f64)> {
    let text = text.trim();
    let at = text
        .char_indices()
        .find(|&(at, c)| {
            let exponent = matches!(c, 'e' | 'E')
                && text[at + 1..].starts_with(|c: char| c.is_ascii_digit() || "+-".contains(c));
            !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-') || exponent)
        })
        .map_or(text.len(), |(at, _)| at);
    let (number, suffix) = text.split_at(at);
    let unit = match suffix {
        "n" => 1e-6,
        "u" => 1e-3,
        "m" => 1.0,
        "" => 1e3,
        "k" => 1e6,
        "M" => 1e9,
        "G" => 1e12,
        "T" => 1e15,
        "P" => 1e18,
        "E" => 1e21,
        "Ki" => 1e3 * 1024.0,
        "Mi" => 1e3 * 1_048_576.0,
        "Gi" => 1e3 * 1_073_741_824.0,
        "Ti" => 1e3 * 1_099_511_627_776.0,
        "Pi" => 1e3 * 1_125_899_906_842_624.0,
        "Ei" => 1e3 * 1_152_921_504_606_846_976.0,
        _ => return None,
    };
    let number: f64 = number.parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some((number, unit))
}

/// Reads an amount of memory or storage as bytes, rounded up as Kubernetes does. Negative and malformed texts are `None`.
pub fn parse_bytes(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let bytes = (number * unit / 1e3).ceil();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked against the range just here"
    )]
    (bytes < 1.8e19).then_some(bytes as u64)
}

/// Reads an amount of processors as thousandths of one, rounded up.
pub fn parse_millis(text: &str) -> Option<u32> {
    let (number, unit) = split(text)?;
    let millis = (number * unit).ceil();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked against the range just here"
    )]
    (millis < 4e9).then_some(millis as u32)
}

/// Reads a number as quantities are written: `2`, `1.5`, `250m`, `8Gi`.
pub fn parse_amount(text: &str) -> Option<f64> {
    split(text).map(|(number, unit)| number * unit / 1e3)
}

/// Reads a size as people type it: `8Gi`, `8gib`, `512mb`, `10g`. What is no quantity of Kubernetes is read without
/// regard to case, so `m` is a million and no thousandth.
pub fn parse_size(text: &str) -> Option<u64> {
    const UNITS: [&str; 12] = ["k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    let plain = lower.strip_suffix('b').unwrap_or(&lower);
    let number = plain.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    match UNITS.iter().find(|unit| unit.eq_ignore_ascii_case(&plain[number.len()..])) {
        Some(unit) => parse_bytes(&format!("{number}{unit}")),
        None => parse_bytes(plain),
    }
}

/// Appends bytes as people write them: `512Mi`, `8Gi`, `1.5Gi`; whole numbers of the largest binary unit where that is exact,
/// one decimal otherwise.
pub fn format_bytes(bytes: u64, out: &mut String) {
    const UNITS: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    let mut unit = 0;
    while unit + 1 < UNITS.len() && bytes >> (10 * (unit + 1)) > 0 {
        unit += 1;
    }
    let one = 1_u64 << (10 * unit);
    let tenths = (bytes % one).saturating_mul(10) / one;
    let _ = match tenths {
        0 => write!(out, "{}{}", bytes / one, UNITS[unit]),
        _ => write!(out, "{}.{tenths}{}", bytes / one, UNITS[unit]),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read() {
        let cases = [
            ("1Gi", Some(1 << 30)),
            ("512Mi", Some(512 << 20)),
            ("1.5Gi", Some(3 << 29)),
            ("5368709120", Some(5 << 30)),
            ("1G", Some(1_000_000_000)),
            ("100m", Some(1)),
            ("1e3", Some(1000)),
            ("12E", Some(12_000_000_000_000_000_000)),
            ("2e2Ki", Some(200 << 10)),
            ("", None),
            ("-1Gi", None),
            ("1GiB", None),
            ("99999E", None),
            ("nan", None),
            ("1é", None),
        ];
        for (text, want) in cases {
            assert_eq!(parse_bytes(text), want, "{text}");
        }
    }

    #[test]
    fn processors_are_read() {
        for (text, want) in
            [("2", Some(2000)), ("100m", Some(100)), ("0.1", Some(100)), ("1.5", Some(1500)), ("x", None)]
        {
            assert_eq!(parse_millis(text), want, "{text}");
        }
    }

    #[test]
    fn sizes_are_read_as_they_are_typed() {
        for (text, want) in [
            ("8Gi", Some(8 << 30)),
            ("8gi", Some(8 << 30)),
            ("8GiB", Some(8 << 30)),
            ("1.5g", Some(1_500_000_000)),
            ("512m", Some(512_000_000)),
            ("512MB", Some(512_000_000)),
            ("100", Some(100)),
            ("100b", Some(100)),
            ("gi", None),
            ("8x", None),
            ("", None),
        ] {
            assert_eq!(parse_size(text), want, "{text}");
        }
    }

    #[test]
    fn bytes_are_written() {
        for (bytes, want) in [
            (0, "0"),
            (1023, "1023"),
            (1 << 30, "1Gi"),
            (3 << 29, "1.5Gi"),
            (10 << 30, "10Gi"),
            (u64::MAX, "15.9Ei"),
        ] {
            let mut out = String::new();
            format_bytes(bytes, &mut out);
            assert_eq!(out, want);
        }
    }
}
