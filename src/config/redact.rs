//! Secrets taken out of text that goes to a file: log lines, reports, journals.
//!
//! It errs towards hiding too much. It is the second line only: whoever knows that a value is a secret keeps it out of
//! messages in the first place.

use std::borrow::Cow;

const HIDDEN: &str = "[hidden]";

/// Ends of names, without `-`, `_`, `.` and case, whose values are secrets. `tokenFile` and `secretName` are none.
const SECRET_NAMES: [&str; 13] = [
    "token",
    "password",
    "passwd",
    "passphrase",
    "clientsecret",
    "clientkeydata",
    "privatekey",
    "apikey",
    "secretkey",
    "secretaccesskey",
    "userdatabase64",
    "authorization",
    "cookie",
];

/// How the base64 of a PEM private key begins: plain, RSA, EC, OpenSSH, encrypted.
const ENCODED_KEYS: [&str; 5] = [
    "LS0tLS1CRUdJTiBQUklWQVRF",
    "LS0tLS1CRUdJTiBSU0Eg",
    "LS0tLS1CRUdJTiBFQy",
    "LS0tLS1CRUdJTiBPUEVOU1NI",
    "LS0tLS1CRUdJTiBFTkNSWVBU",
];

/// Replaces what looks like a secret by `[hidden]`: bearer tokens, JWTs, values of `token:`, `password=`,
/// `client-key-data:` and the like, private keys (PEM, plain or in base64), passwords in URLs.
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut kept = 0;
    let mut at = 0;
    while at < text.len() {
        let Some(found) = secret_at(text, at) else {
            at += next_stop(&text[at..]);
            continue;
        };
        out.push_str(&text[kept..found.start]);
        out.push_str(HIDDEN);
        kept = found.end;
        at = found.end;
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[kept..]);
    Cow::Owned(out)
}

/// Bytes to the next place where a secret may begin: behind a part of a word, or behind one character.
fn next_stop(rest: &str) -> usize {
    match rest.bytes().take_while(u8::is_ascii_alphanumeric).count() {
        0 => rest.chars().next().map_or(1, char::len_utf8),
        length => length,
    }
}

type Span = std::ops::Range<usize>;

/// The secret that is announced by what stands at `at`.
fn secret_at(text: &str, at: usize) -> Option<Span> {
    let rest = &text[at..];
    let shifted = |span: Span| at + span.start..at + span.end;
    match rest.as_bytes().first()? {
        b'-' if rest.starts_with("-----BEGIN ") => private_key(rest).map(shifted),
        b':' if rest.starts_with("://") => password_in_url(rest).map(shifted),
        b'-' => named_value(rest, name_length(rest)).map(shifted),
        byte if byte.is_ascii_alphabetic() => {
            let length = name_length(rest);
            bare(rest).or_else(|| bearer(rest, length)).or_else(|| named_value(rest, length)).map(shifted)
        }
        _ => None,
    }
}

/// Bounded, so that a text without blanks does not take quadratic time.
fn name_length(text: &str) -> usize {
    text.bytes().take(64).take_while(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte)).count()
}

/// From the line of dashes that begins a private key to the end of the one that ends it, or of the text.
fn private_key(rest: &str) -> Option<Span> {
    let label = rest["-----BEGIN ".len()..].split("-----").next()?;
    if label.len() > 40 || !label.ends_with("PRIVATE KEY") {
        return None;
    }
    let end = format!("-----END {label}-----");
    Some(0..rest.find(&end).map_or(rest.len(), |found| found + end.len()))
}

/// The password in `://user:password@host`.
fn password_in_url(rest: &str) -> Option<Span> {
    let authority = &rest[3..];
    let length = authority.find(|c: char| c.is_whitespace() || "/\"'<>".contains(c));
    let authority = &authority[..length.unwrap_or(authority.len())];
    let end = authority.rfind('@')?;
    let colon = authority[..end].find(':')?;
    (colon + 1 < end).then_some(3 + colon + 1..3 + end)
}

/// Secrets that are recognised without a name: JWTs, tokens of OpenShift and EKS, private keys in base64.
fn bare(rest: &str) -> Option<Span> {
    let encoded = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=-_".contains(byte);
    let run = |text: &str| text.as_bytes().iter().take_while(|byte| encoded(byte)).count();
    if rest.starts_with("eyJ") {
        let head = run(rest);
        let claims = rest[head..].strip_prefix('.')?;
        let body = run(claims);
        if head < 10 || body < 4 {
            return None;
        }
        let signature = claims[body..].strip_prefix('.').map_or(0, |text| 1 + run(text));
        return Some(0..head + 1 + body + signature);
    }
    if ENCODED_KEYS.iter().any(|key| rest.starts_with(key)) {
        return Some(0..run(rest));
    }
    let prefix = ["sha256~", "k8s-aws-v1."].into_iter().find(|prefix| rest.starts_with(prefix))?;
    Some(0..prefix.len() + run(&rest[prefix.len()..]))
}

/// The credential after the word `Bearer`.
fn bearer(rest: &str, length: usize) -> Option<Span> {
    if !rest[..length].eq_ignore_ascii_case("bearer") {
        return None;
    }
    let start = length + blanks(&rest[length..]);
    let span = start..start + rest[start..].find(ends_word).unwrap_or(rest.len() - start);
    (start > length && !prose(&rest[span.clone()])).then_some(span)
}

/// What follows `Bearer` in a sentence about it.
fn prose(word: &str) -> bool {
    word.is_empty() || ["token", "tokens", "auth", "authentication", "authorization"].contains(&word)
}

/// The value of a name such as `password`, after `:` or `=`, or after a blank where the name is a flag.
fn named_value(rest: &str, length: usize) -> Option<Span> {
    let name = &rest[..length];
    let plain: String =
        name.chars().filter(|c| !"-_.".contains(*c)).map(|c| c.to_ascii_lowercase()).collect();
    if !SECRET_NAMES.iter().any(|secret| plain.ends_with(secret)) {
        return None;
    }
    let mut start = length;
    let after = rest[start..].trim_start_matches(['"', '\'', '\\']);
    start = rest.len() - after.len();
    let gap = blanks(after);
    match after[gap..].chars().next()? {
        ':' | '=' => start += gap + 1,
        _ if name.starts_with("--") && gap > 0 => start += gap,
        _ => return None,
    }
    start += blanks(&rest[start..]);
    if rest[start..].starts_with("Some(") {
        start += "Some(".len();
    }
    let value = &rest[start..];
    // A header's value is a scheme and a credential, or several pairs: all of it goes.
    let whole_line = plain.ends_with("authorization") || plain.ends_with("cookie");
    let quote = value.trim_start_matches('\\').chars().next().filter(|c| "\"'".contains(*c));
    let (open, inner) = match quote {
        Some(quote) => {
            let escapes = value.len() - value.trim_start_matches('\\').len();
            let open = escapes + 1;
            (open, closing_quote(&value[open..], quote, escapes > 0))
        }
        None if whole_line => (0, value.find(['\n', '\r', '"'])),
        None => (0, value.find(char::is_whitespace)),
    };
    let inner = inner.unwrap_or(value.len() - open);
    (inner > 0).then_some(start + open..start + open + inner)
}

/// Where a quoted value ends. In a JSON text that stands inside another string, the quotes are escaped themselves.
fn closing_quote(value: &str, quote: char, escaped: bool) -> Option<usize> {
    let mut slashes = 0;
    for (at, c) in value.char_indices() {
        match c {
            '\\' => slashes += 1,
            _ if c == quote && (slashes == 0 || (escaped && slashes == 1)) => return Some(at - slashes),
            _ => slashes = 0,
        }
    }
    None
}

fn blanks(text: &str) -> usize {
    text.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || "\"'`,;)}\\".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden() {
        let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJl.c2lnbmF0dXJl";
        let pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----";
        let cases = [
            ("Authorization: Bearer abc123", "Authorization: [hidden]"),
            ("got `Bearer abc.def-1` from", "got `Bearer [hidden]` from"),
            ("bearer abc123", "bearer [hidden]"),
            ("\"authorization\": \"Basic dXNlcjpw\", x", "\"authorization\": \"[hidden]\", x"),
            ("authorization: Basic dXNlcjpw\nnext", "authorization: [hidden]\nnext"),
            ("token: abc\nname: x", "token: [hidden]\nname: x"),
            ("id-token=abc, next", "id-token=[hidden] next"),
            ("--token abc --context c", "--token [hidden] --context c"),
            ("--token=abc -n x", "--token=[hidden] -n x"),
            ("password: 'a b c' end", "password: '[hidden]' end"),
            (r#"{"password":"a\"b","user":"u"}"#, r#"{"password":"[hidden]","user":"u"}"#),
            (r#""{\"password\":\"ab\",\"user\":\"u\"}""#, r#""{\"password\":\"[hidden]\",\"user\":\"u\"}""#),
            ("hashed_passwd: $6$x", "hashed_passwd: [hidden]"),
            ("client-key-data: TUlJ", "client-key-data: [hidden]"),
            ("clientSecret = \"x\"", "clientSecret = \"[hidden]\""),
            ("token: Some(\"abc\")", "token: Some(\"[hidden]\")"),
            ("AWS_SECRET_ACCESS_KEY=a/b+c", "AWS_SECRET_ACCESS_KEY=[hidden]"),
            ("LS0tLS1CRUdJTiBSU0EgUFJJVkFURQ==\nx", "[hidden]\nx"),
            ("oc sha256~abc_D-1 x", "oc [hidden] x"),
            ("proxy http://me:pa:ss@host:3128/ x", "proxy http://me:[hidden]@host:3128/ x"),
        ];
        for (text, want) in cases {
            assert_eq!(redact(text), want, "{text}");
            assert_eq!(redact(want), want, "twice");
        }
        assert_eq!(redact(&format!("a {jwt}, b")), "a [hidden], b");
        assert_eq!(redact(&format!("my-{jwt}")), "my-[hidden]");
        assert_eq!(redact(&format!("a\n{pem}\nb")), "a\n[hidden]\nb");
        assert_eq!(redact(&pem[..40]), "[hidden]", "cut in the middle");
    }

    #[test]
    fn the_rest_stays() {
        for text in [
            "",
            "größe 東京 …",
            "bearer token is missing",
            "the token has expired",
            "tokenFile: /var/run/secrets/token",
            "secretName: my-secret",
            "password",
            "password:",
            "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----",
            "https://host:6443/api/v1?watch=true",
            "http://user@host/",
            "eyJust a word. And more",
        ] {
            assert!(matches!(redact(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken(text in "(token|password|Bearer|://|eyJ|-----BEGIN |PRIVATE KEY|[ :='\"\\\\@.aü\n]){0,12}") {
            let once = redact(&text);
            proptest::prop_assert!(once.len() <= text.len() * 9 + HIDDEN.len());
        }
    }
}
