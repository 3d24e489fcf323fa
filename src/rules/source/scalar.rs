//! Which value a plain word of YAML is. Kubernetes reads YAML 1.1: `yes` is a boolean and `017` is fifteen.

use compact_str::CompactString;

use super::tree::Value;

/// The value of a word without quotes.
pub(super) fn plain(word: &str) -> Value {
    match word {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Value::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Value::Bool(false);
        }
        _ => {}
    }
    let first = word.as_bytes().first().copied().unwrap_or_default();
    let number = if matches!(first, b'0'..=b'9' | b'+' | b'-' | b'.') { number(word) } else { None };
    number.unwrap_or_else(|| Value::Text(word.into()))
}

/// The value of a word with one of YAML's own tags; `None` where the word does not fit the tag.
pub(super) fn tagged(tag: &str, word: &str, quoted: bool) -> Option<Value> {
    let value = if quoted { Value::Text(word.into()) } else { plain(word) };
    match (tag, plain(word)) {
        ("str" | "binary" | "timestamp", _) => Some(Value::Text(word.into())),
        ("null", Value::Null) => Some(Value::Null),
        ("bool", Value::Bool(truth)) => Some(Value::Bool(truth)),
        ("int", Value::Int(number)) => Some(Value::Int(number)),
        #[expect(clippy::cast_precision_loss, reason = "the author asked for a float")]
        ("float", Value::Int(number)) => Some(Value::Float(number as f64)),
        ("float", Value::Float(number)) => Some(Value::Float(number)),
        ("null" | "bool" | "int" | "float", _) => None,
        _ => Some(value),
    }
}

fn number(word: &str) -> Option<Value> {
    let plain: CompactString = word.chars().filter(|&c| c != '_').collect();
    if let Some(whole) = integer(&plain) {
        return Some(Value::Int(whole));
    }
    match plain.as_str() {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Some(Value::Float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => return Some(Value::Float(f64::NEG_INFINITY)),
        ".nan" | ".NaN" | ".NAN" => return Some(Value::Float(f64::NAN)),
        _ => {}
    }
    let digits = plain.trim_start_matches(['+', '-']);
    let floats = plain.len() - digits.len() <= 1
        && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
        && digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && !digits.starts_with(".e")
        && !digits.starts_with(".E");
    if floats { plain.parse().ok().map(Value::Float) } else { None }
}

fn integer(word: &str) -> Option<i64> {
    let (negative, digits) = match word.as_bytes().first() {
        Some(b'-') => (true, &word[1..]),
        Some(b'+') => (false, &word[1..]),
        _ => (false, word),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let size = i128::from_str_radix(digits, radix).ok()?;
    i64::try_from(if negative { -size } else { size }).ok()
}

/// Whether a text without quotes would be read back as that text.
pub(in crate::rules) fn plain_text_stays_text(text: &str) -> bool {
    let first = text.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '.'));
    let safe =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '.' | '-' | '+' | '=' | '@' | ':');
    let colon = text.ends_with(':');
    first && !colon && text.chars().all(safe) && matches!(plain(text), Value::Text(_)) && !date_like(text)
}

/// Dates and times of day are texts for Kubernetes, and something else for other readers of YAML.
fn date_like(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && text.contains([':', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_kubernetes_takes_them_for() {
        let cases = [
            ("yes", Value::Bool(true)),
            ("off", Value::Bool(false)),
            ("y", Value::Bool(true)),
            ("~", Value::Null),
            ("", Value::Null),
            ("017", Value::Int(15)),
            ("0o17", Value::Int(15)),
            ("0x10", Value::Int(16)),
            ("-0b11", Value::Int(-3)),
            ("08", Value::Float(8.0)),
            ("1_000", Value::Int(1000)),
            ("1e3", Value::Float(1000.0)),
            ("1.", Value::Float(1.0)),
            (".5", Value::Float(0.5)),
            ("-.inf", Value::Float(f64::NEG_INFINITY)),
            ("1:20", Value::Text("1:20".into())),
            ("2026-01-01", Value::Text("2026-01-01".into())),
            ("2Gi", Value::Text("2Gi".into())),
            ("--1", Value::Text("--1".into())),
            ("-", Value::Text("-".into())),
            (".", Value::Text(".".into())),
            ("0x", Value::Text("0x".into())),
            ("9223372036854775808", Value::Float(9_223_372_036_854_775_808.0)),
            ("=", Value::Text("=".into())),
        ];
        for (word, want) in cases {
            assert_eq!(plain(word), want, "{word}");
        }
    }

    #[test]
    fn tags_decide() {
        assert_eq!(tagged("str", "1", false), Some(Value::Text("1".into())));
        assert_eq!(tagged("int", "1", true), Some(Value::Int(1)));
        assert_eq!(tagged("int", "x", false), None);
        assert_eq!(tagged("float", "1", false), Some(Value::Float(1.0)));
    }

    #[test]
    fn what_needs_quotes_is_known() {
        for (text, want) in [
            ("web", true),
            ("cpln://volumeset/a", true),
            ("2Gi", true),
            ("yes", false),
            ("1", false),
            ("", false),
            ("a: b", false),
            ("- a", false),
            ("#a", false),
            ("12:30:45", false),
            ("a:", false),
        ] {
            assert_eq!(plain_text_stays_text(text), want, "{text}");
        }
    }
}
