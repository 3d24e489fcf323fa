//! How a fault is written and read.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::demo::server::kinds::Kind;

/// A fault: what goes wrong, with which requests, how often, and when.
///
/// It is written as words with commas between them. The first one says what goes wrong:
///
/// | Word | What happens |
/// |---|---|
/// | `latency=300ms` | answers come that much later |
/// | `drop` | watches end, in order |
/// | `cut`, `cut=400` | the connection is closed, at once or after so many bytes of the answer's body |
/// | `silence`, `silence=400` | nothing is sent any more, at once or after so many bytes of the body, and the connection stays open |
/// | `garbage`, `garbage=http` | the answer is not JSON, or not even HTTP |
/// | `401` | nobody is known any more, as when a token has expired |
/// | `410` | lists and watches: the version asked for is forgotten |
/// | `429`, `429=2s` | too many requests, come back after so long |
/// | `500` | the server failed |
/// | `503`, `503=2s` | the server is not available, come back after so long |
///
/// The others, in any order, narrow it; without them it concerns every request from now on:
///
/// | Word | Which requests |
/// |---|---|
/// | `verb=list` | with this verb: `get`, `list`, `continue` (the second page of a list and all after it), `watch`, `create`, `update`, `patch`, `delete`, `deletecollection` |
/// | `resource=pods` | for this resource, by plural, short name or `PLURAL.GROUP` |
/// | `namespace=shop` | in this namespace |
/// | `times=3` | the next three |
/// | `after=5s` | those that come later than that |
/// | `for=10s` | those of so long a time |
///
/// Watches that are open when a fault begins meet it too: where the fault is a status, they end, and meet it when they
/// come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub(super) kind: FaultKind,
    pub(super) verb: Option<&'static str>,
    pub(super) resource: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) times: Option<u32>,
    pub(super) after: Duration,
    pub(super) lasts: Option<Duration>,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    Latency(Duration),
    Drop,
    /// After so many bytes of the body.
    Cut(usize),
    /// After so many bytes of the body; none: before the head, where that has not gone out yet.
    Silence(Option<usize>),
    Garbage,
    GarbageForHttp,
    Unauthorized,
    Gone,
    TooMany(u64),
    Failed,
    /// Seconds after which to come back, if that is told.
    Unavailable(Option<u64>),
}

/// A fault that cannot be read. Its text says what can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadFault(String);

const KINDS: &str =
    "latency=TIME, drop, cut[=BYTES], silence[=BYTES], garbage[=http], 401, 410, 429[=TIME], 500, 503[=TIME]";
const CONDITIONS: &str = "verb=, resource=, namespace=, times=, after= and for=";
const VERBS: [&str; 9] =
    ["get", "list", "continue", "watch", "create", "update", "patch", "delete", "deletecollection"];

impl Fault {
    /// What can be written, for the help of a command line.
    pub const HELP: &'static str = "\
A fault is words with commas between them, like 429=2s,verb=list,resource=vms,times=3 or drop,after=5s,for=10s.
What goes wrong: latency=TIME, drop (watches end), cut[=BYTES] (connection closed after so many bytes of a body),
silence[=BYTES] (nothing is sent any more), garbage[=http] (not JSON, or not even HTTP), 401, 410, 429[=TIME], 500,
503[=TIME]. With which requests: verb=list|continue|watch|get|…, resource=NAME, namespace=NAME. How often: times=N.
When: after=TIME, for=TIME. A TIME is like 300ms, 5s or 1m.";
}

impl FromStr for Fault {
    type Err = BadFault;

    fn from_str(text: &str) -> Result<Self, BadFault> {
        let mut words = text.split(',').map(str::trim);
        let mut fault = Self {
            kind: kind(words.next().unwrap_or_default())?,
            verb: None,
            resource: None,
            namespace: None,
            times: None,
            after: Duration::ZERO,
            lasts: None,
        };
        for word in words {
            let Some((name, value)) = word.split_once('=').filter(|(_, value)| !value.is_empty()) else {
                return Err(no_condition(word));
            };
            match name {
                "verb" => fault.verb = Some(verb(value)?),
                "resource" => fault.resource = Some(resource(value)?),
                "namespace" => fault.namespace = Some(value.to_owned()),
                "times" => fault.times = Some(number(word, value)?),
                "after" => fault.after = time(word, value)?,
                "for" => fault.lasts = Some(time(word, value)?),
                _ => return Err(no_condition(word)),
            }
        }
        Ok(fault)
    }
}

fn no_condition(word: &str) -> BadFault {
    BadFault(format!("{word:?} does not say which requests a fault is for; {CONDITIONS} with a value do."))
}

fn kind(word: &str) -> Result<FaultKind, BadFault> {
    let (name, value) = match word.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word, None),
    };
    let seconds = |value: &str| {
        let time = time(word, value)?;
        Ok::<u64, BadFault>(time.as_secs() + u64::from(time.subsec_nanos() > 0))
    };
    Ok(match (name, value) {
        ("latency", Some(value)) => FaultKind::Latency(time(word, value)?),
        ("drop", None) => FaultKind::Drop,
        ("cut", None) => FaultKind::Cut(0),
        ("cut", Some(bytes)) => FaultKind::Cut(number(word, bytes)?),
        ("silence", None) => FaultKind::Silence(None),
        ("silence", Some(bytes)) => FaultKind::Silence(Some(number(word, bytes)?)),
        ("garbage", None) => FaultKind::Garbage,
        ("garbage", Some("http")) => FaultKind::GarbageForHttp,
        ("401", None) => FaultKind::Unauthorized,
        ("410", None) => FaultKind::Gone,
        ("429", value) => FaultKind::TooMany(value.map_or(Ok(1), seconds)?),
        ("500", None) => FaultKind::Failed,
        ("503", value) => FaultKind::Unavailable(value.map(seconds).transpose()?),
        _ => return Err(BadFault(format!("{word:?} is not a fault; these are: {KINDS}."))),
    })
}

fn verb(value: &str) -> Result<&'static str, BadFault> {
    let found = VERBS.into_iter().find(|verb| *verb == value);
    found.ok_or_else(|| BadFault(format!("{value:?} is not a verb; these are: {}.", VERBS.join(", "))))
}

fn resource(value: &str) -> Result<String, BadFault> {
    if Kind::all().any(|kind| names(kind, value)) {
        return Ok(value.to_owned());
    }
    let why = "write its plural, its short name or PLURAL.GROUP";
    Err(BadFault(format!("The embedded server has no resource {value:?}; {why}.")))
}

/// Whether a kind is meant by this name.
pub(super) fn names(kind: Kind, name: &str) -> bool {
    let row = kind.row();
    row.plural == name || row.short.contains(&name) || kind.qualified() == name
}

fn number<T: FromStr>(word: &str, value: &str) -> Result<T, BadFault> {
    value.parse().map_err(|_| BadFault(format!("{word:?} needs a whole number, like 3.")))
}

fn time(word: &str, value: &str) -> Result<Duration, BadFault> {
    let wrong = || BadFault(format!("{word:?} needs a time, like 300ms, 5s or 1m."));
    let digits = value.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let amount: u32 = value[..digits].parse().map_err(|_| wrong())?;
    match &value[digits..] {
        "ms" => Ok(Duration::from_millis(amount.into())),
        "s" => Ok(Duration::from_secs(amount.into())),
        "m" => Ok(Duration::from_secs(u64::from(amount) * 60)),
        _ => Err(wrong()),
    }
}

impl fmt::Display for Fault {
    /// As it is written; reading that gives the same fault.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            FaultKind::Latency(time) => write!(f, "latency={}ms", time.as_millis())?,
            FaultKind::Drop => f.write_str("drop")?,
            FaultKind::Cut(bytes) => write!(f, "cut={bytes}")?,
            FaultKind::Silence(None) => f.write_str("silence")?,
            FaultKind::Silence(Some(bytes)) => write!(f, "silence={bytes}")?,
            FaultKind::Garbage => f.write_str("garbage")?,
            FaultKind::GarbageForHttp => f.write_str("garbage=http")?,
            FaultKind::Unauthorized => f.write_str("401")?,
            FaultKind::Gone => f.write_str("410")?,
            FaultKind::TooMany(seconds) => write!(f, "429={seconds}s")?,
            FaultKind::Failed => f.write_str("500")?,
            FaultKind::Unavailable(None) => f.write_str("503")?,
            FaultKind::Unavailable(Some(seconds)) => write!(f, "503={seconds}s")?,
        }
        let texts = [
            self.verb.map(|verb| format!(",verb={verb}")),
            self.resource.as_ref().map(|name| format!(",resource={name}")),
            self.namespace.as_ref().map(|name| format!(",namespace={name}")),
            self.times.map(|times| format!(",times={times}")),
            (!self.after.is_zero()).then(|| format!(",after={}ms", self.after.as_millis())),
            self.lasts.map(|lasts| format!(",for={}ms", lasts.as_millis())),
        ];
        texts.iter().flatten().try_for_each(|text| f.write_str(text))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn faults_are_read_as_they_are_meant() {
        let cases = [
            ("latency=300ms", "latency=300ms"),
            ("drop,after=5s,for=1m", "drop,after=5000ms,for=60000ms"),
            ("cut, verb=list", "cut=0,verb=list"),
            ("cut=400,resource=vms", "cut=400,resource=vms"),
            ("silence", "silence"),
            (
                "silence=9,resource=virtualmachines.kubevirt.io",
                "silence=9,resource=virtualmachines.kubevirt.io",
            ),
            ("garbage", "garbage"),
            ("garbage=http,namespace=shop", "garbage=http,namespace=shop"),
            ("401", "401"),
            ("410,verb=continue,times=1", "410,verb=continue,times=1"),
            ("429", "429=1s"),
            ("429=1500ms", "429=2s"),
            ("500,times=3", "500,times=3"),
            ("503=2s", "503=2s"),
            ("503", "503"),
        ];
        for (text, wanted) in cases {
            let fault: Fault = text.parse().unwrap();
            assert_eq!(fault.to_string(), wanted, "{text}");
            assert_eq!(fault.to_string().parse::<Fault>().unwrap(), fault);
        }
    }

    #[test]
    fn what_is_not_understood_is_answered_with_what_is() {
        let cases = [
            ("", "\"\" is not a fault; these are: latency=TIME, drop"),
            ("drap", "\"drap\" is not a fault; these are: latency=TIME, drop"),
            ("drop=3", "\"drop=3\" is not a fault"),
            ("garbage=tls", "\"garbage=tls\" is not a fault"),
            ("latency", "\"latency\" is not a fault"),
            ("latency=5", "\"latency=5\" needs a time, like 300ms, 5s or 1m."),
            ("latency=-5s", "needs a time"),
            ("latency=99999999999s", "needs a time"),
            ("429=x", "\"429=x\" needs a time"),
            ("cut=x", "\"cut=x\" needs a whole number, like 3."),
            ("drop,verb=lst", "\"lst\" is not a verb; these are: get, list, continue, watch"),
            ("drop,resource=vmz", "The embedded server has no resource \"vmz\""),
            ("drop,often", "\"often\" does not say which requests a fault is for; verb=, resource="),
            ("drop,times=", "\"times=\" does not say which"),
            ("drop,times=-1", "needs a whole number"),
            ("drop,,", "\"\" does not say"),
        ];
        for (text, wanted) in cases {
            let why = text.parse::<Fault>().unwrap_err().to_string();
            assert!(why.starts_with(wanted) || why.contains(wanted), "{text}: {why}");
            assert!(why.ends_with('.'), "{text}: {why}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "(latency|429|cut|drop|é)=?[0-9a-zé]{0,12}(,(times|after|for|verb)?=?[0-9smé]{0,12}){0,3}") {
            let _ = text.parse::<Fault>();
        }
    }
}
