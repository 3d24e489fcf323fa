//! Event.

use serde::Deserialize;

use crate::model::{Key, Name, Time, Uid, Word};
use crate::records::values::{Number, line};
use crate::records::wire::{Nullable, Str, WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Origin, Record, name_key};

/// An Event: what a controller said about an object.
#[derive(Debug, Default, PartialEq)]
pub struct Event {
    /// What every object has.
    pub meta: Meta,
    /// `reason`: usually a word, sometimes a sentence; at most 100 characters.
    pub reason: Name,
    /// `message` (`note` of newer events) on one line of at most 500 characters.
    pub message: Box<str>,
    /// `involvedObject.kind`.
    pub object_kind: Word,
    /// `involvedObject.name`.
    pub object_name: Name,
    /// `source.component`, or `reportingComponent`.
    pub source: Word,
    /// The object it is about, by UID where that is told.
    pub about: Option<Key>,
    /// When it was seen last.
    pub last_seen: Option<Time>,
    /// When it was seen first.
    pub first_seen: Option<Time>,
    /// How often it was seen, at least once.
    pub count: u32,
    /// Whether `type` is Warning. CDI tells important things as Normal: never take this for the whole truth.
    pub warning: bool,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct EventWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
    #[serde(borrow)]
    involved_object: Nullable<Involved<'a>>,
    #[serde(borrow, rename = "type")]
    of: Str<'a>,
    #[serde(borrow)]
    reason: Str<'a>,
    #[serde(borrow)]
    message: Str<'a>,
    #[serde(borrow)]
    source: Nullable<Source<'a>>,
    #[serde(borrow)]
    reporting_component: Str<'a>,
    count: Number,
    #[serde(borrow)]
    series: Nullable<Series<'a>>,
    #[serde(borrow)]
    first_timestamp: Str<'a>,
    #[serde(borrow)]
    last_timestamp: Str<'a>,
    #[serde(borrow)]
    event_time: Str<'a>,
}
versioned!(EventWire);

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Involved<'a> {
    #[serde(borrow)]
    kind: Str<'a>,
    #[serde(borrow)]
    namespace: Str<'a>,
    #[serde(borrow)]
    name: Str<'a>,
    #[serde(borrow)]
    uid: Str<'a>,
    #[serde(borrow)]
    api_version: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Source<'a> {
    #[serde(borrow)]
    component: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Series<'a> {
    count: Number,
    #[serde(borrow)]
    last_observed_time: Str<'a>,
}

impl Involved<'_> {
    /// The key of the object, if it is named well enough.
    fn key(&self) -> Option<Key> {
        let group = self.api_version.split_once('/').map_or("", |(group, _)| group);
        let kind = Kind::ALL.iter().copied().find(|kind| {
            let info = kind.info();
            kind.origin() == Origin::Server
                && info.name == &*self.kind
                && (info.group == group || self.api_version.is_empty())
        });
        match kind {
            // A kubelet writes the name of its node where the UID belongs.
            Some(Kind::Node) => Some(name_key(Kind::Node, Word::default(), &self.name)),
            _ if !self.uid.is_empty() => Some(Key::uid(Uid::parse(&self.uid))),
            Some(kind) if !self.name.is_empty() => Some(name_key(kind, self.namespace.word(), &self.name)),
            _ => None,
        }
    }
}

impl Record for Event {
    const KIND: Kind = Kind::Event;
    const INFO: KindInfo = KindInfo {
        group: "",
        versions: &["v1"],
        name: "Event",
        plural: "events",
        words: "events",
        short: &["ev"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = EventWire<'de>;

    fn fold(wire: EventWire<'_>) -> Self {
        let meta = wire.metadata.fold();
        let told = [
            wire.series.last_observed_time.time(),
            wire.last_timestamp.time(),
            wire.event_time.time(),
            wire.first_timestamp.time(),
            meta.created,
        ];
        let source =
            if wire.source.component.is_empty() { &wire.reporting_component } else { &wire.source.component };
        Self {
            reason: Name::from(line(&wire.reason, 100)),
            message: line(&wire.message, 500).into(),
            object_kind: wire.involved_object.kind.word(),
            object_name: wire.involved_object.name.name(),
            source: source.word(),
            about: wire.involved_object.key(),
            last_seen: told.into_iter().flatten().max(),
            first_seen: told.into_iter().flatten().min(),
            count: wire.count.u32().max(wire.series.count.u32()).max(1),
            warning: &*wire.of == "Warning",
            meta,
        }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta, ..Self::default() }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn part_of(&self, link: &mut dyn FnMut(Key)) {
        self.about.into_iter().for_each(link);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::decode;

    fn event(json: &str) -> Event {
        decode(json.as_bytes()).unwrap().record
    }

    #[test]
    fn an_event_keeps_who_said_what_when() {
        let event = event(
            r#"{"metadata":{"name":"web.18e9","namespace":"shop","uid":"1","creationTimestamp":"2026-11-20T11:00:00Z"},
            "involvedObject":{"kind":"VirtualMachineInstance","namespace":"shop","name":"web","uid":"314c4e62-c54a-425c-9bd2-78c7b4cee9be",
            "apiVersion":"kubevirt.io/v1"},"reason":"SyncFailed","message":"server error.\n  Message: 'no'","source":{"component":"virt-handler"},
            "firstTimestamp":"2026-11-20T11:00:00Z","lastTimestamp":"2026-11-20T11:05:00Z","count":7,"type":"Warning","eventTime":null}"#,
        );
        assert_eq!(&*event.message, "server error. Message: 'no'");
        assert_eq!((&*event.reason, event.count, event.warning), ("SyncFailed", 7, true));
        assert_eq!((&*event.object_kind, &*event.object_name), ("VirtualMachineInstance", "web"));
        assert_eq!(&*event.source, "virt-handler");
        let uid = Uid::parse("314c4e62-c54a-425c-9bd2-78c7b4cee9be");
        assert_eq!(event.about, Some(Key::uid(uid)));
        let seen = (event.first_seen, event.last_seen);
        assert_eq!(seen.1.unwrap().seconds() - seen.0.unwrap().seconds(), 300);
        let mut links = Vec::new();
        event.part_of(&mut |key| links.push(key));
        assert_eq!(links, [Key::uid(uid)]);
    }

    #[test]
    fn the_newest_of_all_times_counts() {
        let event = event(
            r#"{"metadata":{"name":"a","creationTimestamp":"2026-11-20T11:00:00Z"},"count":2,"firstTimestamp":null,"lastTimestamp":null,
            "eventTime":"2026-11-20T11:00:00.123456Z","series":{"count":99999999999,"lastObservedTime":"2026-11-20T12:00:00.000001Z"},
            "reportingComponent":"default-scheduler","source":{}}"#,
        );
        assert_eq!(event.last_seen, Time::parse("2026-11-20T12:00:00Z"));
        assert_eq!((event.count, &*event.source), (u32::MAX, "default-scheduler"));
    }

    #[test]
    fn objects_are_found_by_uid_or_by_name() {
        let space = Word::new("shop");
        let cases = [
            (
                r#"{"kind":"Pod","namespace":"shop","name":"p","apiVersion":"v1"}"#,
                Some(name_key(Kind::Pod, space, "p")),
            ),
            (
                r#"{"kind":"VirtualMachine","namespace":"shop","name":"v","uid":"","apiVersion":"kubevirt.io/v1"}"#,
                Some(name_key(Kind::Vm, space, "v")),
            ),
            (
                r#"{"kind":"VirtualMachine","namespace":"shop","name":"v","apiVersion":"virt.virtink.smartx.com/v1alpha1"}"#,
                Some(name_key(Kind::VirtinkVm, space, "v")),
            ),
            (
                r#"{"kind":"Node","name":"n1","uid":"n1","apiVersion":"v1"}"#,
                Some(name_key(Kind::Node, Word::default(), "n1")),
            ),
            (r#"{"kind":"Node","name":"n1","uid":"n1"}"#, Some(name_key(Kind::Node, Word::default(), "n1"))),
            (r#"{"kind":"Deployment","name":"d","apiVersion":"apps/v1"}"#, None),
            (
                r#"{"kind":"Deployment","name":"d","uid":"u","apiVersion":"apps/v1"}"#,
                Some(Key::uid(Uid::parse("u"))),
            ),
            (r#"{"kind":"Pod","name":null,"apiVersion":"v1"}"#, None),
            ("null", None),
        ];
        for (json, want) in cases {
            let event = event(&format!(r#"{{"metadata":{{"name":"a"}},"involvedObject":{json}}}"#));
            assert_eq!(event.about, want, "{json}");
            assert_eq!(event.count, 1);
        }
    }

    #[test]
    fn long_and_hostile_texts_are_cut_and_cleaned() {
        let json = format!(
            r#"{{"metadata":{{"name":"a"}},"reason":"{}","message":"\u001b]52;c;eA==\u0007{}"}}"#,
            "r".repeat(300),
            "m".repeat(4000)
        );
        let event = event(&json);
        assert_eq!(event.reason.chars().count(), 101);
        assert_eq!(event.message.chars().count(), 501);
        assert!(event.message.starts_with("␛]52;c;eA==␇m"));
    }
}
