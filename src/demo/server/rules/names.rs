//! Forms of names, labels and annotations, and what is said of those that have another form.

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and \
     end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
     '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end \
     with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
     '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const NAME_PART: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric \
     character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
     '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start \
     and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation \
     is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const CONFIG_KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or \
     'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

/// The forms that names of objects have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Subdomain,
    Label,
    /// Anything that can stand in a path.
    Segment,
}

impl Form {
    /// What is wrong with a name. A prefix may end in what only the end of a name may not be.
    pub(super) fn faults(self, name: &str, prefix: bool) -> Vec<String> {
        let masked;
        let name = match name.strip_suffix('-') {
            Some(rest) if prefix && self != Self::Segment => {
                masked = format!("{rest}a");
                masked.as_str()
            }
            _ => name,
        };
        match self {
            Self::Subdomain => {
                let mut faults = too_long(name, 253);
                if !is_subdomain(name) {
                    faults.push(SUBDOMAIN.to_owned());
                }
                faults
            }
            Self::Label => {
                let mut faults = too_long(name, 63);
                if name.contains('.') {
                    faults.push("must not contain dots".to_owned());
                } else if !is_label(name) {
                    faults.push(LABEL.to_owned());
                }
                faults
            }
            Self::Segment => {
                let mut faults = Vec::new();
                if matches!(name, "." | "..") {
                    faults.push(format!("may not be '{name}'"));
                }
                let found = ['/', '%'].into_iter().filter(|part| name.contains(*part));
                faults.extend(found.map(|part| format!("may not contain '{part}'")));
                faults
            }
        }
    }
}

fn too_long(name: &str, longest: usize) -> Vec<String> {
    let long = name.len() > longest;
    long.then(|| format!("must be no more than {longest} characters")).into_iter().collect()
}

fn is_label(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.iter().all(|byte| fits(*byte) || *byte == b'-')
        && bytes.first().copied().is_some_and(fits)
        && bytes.last().copied().is_some_and(fits)
}

fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}

fn is_name_part(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
}

/// What is wrong with the key of a label or an annotation, or the name of a finalizer.
pub(super) fn qualified(key: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let name = match key.split('/').collect::<Vec<_>>().as_slice() {
        [name] => *name,
        [prefix, name] => {
            if prefix.is_empty() {
                faults.push("prefix part must be non-empty".to_owned());
            } else {
                if prefix.len() > 253 {
                    faults.push("prefix part must be no more than 253 bytes".to_owned());
                }
                if !is_subdomain(prefix) {
                    faults.push(format!("prefix part {SUBDOMAIN}"));
                }
            }
            *name
        }
        _ => {
            return vec![format!(
                "a valid label key {NAME_PART} with an optional DNS subdomain prefix and '/' (e.g. \
                 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        faults.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        faults.push("name part must be no more than 63 bytes".to_owned());
    }
    if !is_name_part(name) {
        faults.push(format!("name part {NAME_PART}"));
    }
    faults
}

/// What is wrong with the value of a label.
pub(super) fn label_value(value: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if value.len() > 63 {
        faults.push("must be no more than 63 bytes".to_owned());
    }
    if !value.is_empty() && !is_name_part(value) {
        faults.push(LABEL_VALUE.to_owned());
    }
    faults
}

/// What is wrong with a key in the data of a ConfigMap or a Secret.
pub(super) fn config_key(key: &str) -> Vec<String> {
    let mut faults = too_long(key, 253);
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) {
        faults.push(CONFIG_KEY.to_owned());
    }
    if matches!(key, "." | "..") {
        faults.push(format!("must not be '{key}'"));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_forms() {
        for (form, name, good) in [
            (Form::Subdomain, "a.b-c.1", true),
            (Form::Subdomain, "a..b", false),
            (Form::Subdomain, "-a", false),
            (Form::Subdomain, "A", false),
            (Form::Subdomain, "ä", false),
            (Form::Label, "a-1", true),
            (Form::Label, "a.b", false),
            (Form::Segment, "system:x", true),
            (Form::Segment, "a/b", false),
            (Form::Segment, "..", false),
        ] {
            assert_eq!(form.faults(name, false).is_empty(), good, "{form:?} {name}");
        }
        assert!(Form::Subdomain.faults("web-", true).is_empty());
        assert_eq!(Form::Subdomain.faults(&"a".repeat(254), false), ["must be no more than 253 characters"]);
    }

    #[test]
    fn labels_have_forms() {
        for (key, faults) in [
            ("a", 0),
            ("example.com/a_B.c", 0),
            ("", 2),
            ("/a", 1),
            ("a/b/c", 1),
            ("x/", 2),
            ("a b", 1),
            ("X_/a", 1),
        ] {
            assert_eq!(qualified(key).len(), faults, "{key:?}");
        }
        for (value, faults) in [("", 0), ("a.B_c-1", 0), ("a b", 1), ("-a", 1)] {
            assert_eq!(label_value(value).len(), faults, "{value:?}");
        }
        assert_eq!(label_value(&"v".repeat(64)), ["must be no more than 63 bytes"]);
    }
}
