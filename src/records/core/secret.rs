//! Secret.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::model::{Name, Word};
use crate::records::wire::{Nullable, Str, WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};
use crate::text;

/// A Secret without its values: they are skipped while the object is read and are nowhere in the program.
#[derive(Debug, Default, PartialEq)]
pub struct Secret {
    /// What every object has.
    pub meta: Meta,
    /// `type`: `Opaque`, `kubernetes.io/dockerconfigjson`, ….
    pub of: Word,
    /// The keys of `data` with commas, cut after 200 characters.
    pub keys: Name,
    /// How many keys `data` has.
    pub count: u32,
    /// Whether it cannot be changed (`immutable`).
    pub immutable: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct SecretWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
    #[serde(borrow, rename = "type")]
    of: Str<'a>,
    data: Nullable<DataKeys>,
    immutable: Nullable<bool>,
}
versioned!(SecretWire);

#[derive(Default)]
struct DataKeys {
    names: String,
    count: u32,
}

impl DataKeys {
    /// How many bytes of names are kept.
    const MOST: usize = 200;

    fn add(&mut self, name: &str) {
        self.count = self.count.saturating_add(1);
        if self.names.len() < Self::MOST {
            if !self.names.is_empty() {
                self.names.push(',');
            }
            self.names.push_str(name);
        }
    }
}

impl<'de> Deserialize<'de> for DataKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pick;

        impl<'de> Visitor<'de> for Pick {
            type Value = DataKeys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the data of a secret")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<DataKeys, M::Error> {
                let mut keys = DataKeys::default();
                while let Some((name, IgnoredAny)) = map.next_entry::<Str<'de>, IgnoredAny>()? {
                    keys.add(&name);
                }
                Ok(keys)
            }
        }

        deserializer.deserialize_map(Pick)
    }
}

impl Record for Secret {
    const KIND: Kind = Kind::Secret;
    const INFO: KindInfo = KindInfo {
        group: "",
        versions: &["v1"],
        name: "Secret",
        plural: "secrets",
        words: "secrets",
        short: &[],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = SecretWire<'de>;

    fn fold(wire: SecretWire<'_>) -> Self {
        Self {
            of: wire.of.word(),
            keys: Name::new(text::one_line(&wire.data.names, DataKeys::MOST)),
            count: wire.data.count,
            immutable: *wire.immutable,
            meta: wire.metadata.fold(),
        }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta, ..Self::default() }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::decode;

    #[test]
    fn values_are_left_behind() {
        let json = r#"{"metadata":{"name":"login"},"type":"Opaque","immutable":true,
            "data":{"password":"aHVudGVyMg==","user\u001b[31m":null},"stringData":{"never":"served"}}"#;
        let secret: Secret = decode(json.as_bytes()).unwrap().record;
        assert_eq!((&*secret.of, &*secret.keys, secret.count), ("Opaque", "password,user␛[31m", 2));
        assert!(secret.immutable && !format!("{secret:?}").contains("aHVudGVyMg"));
        let empty: Secret = decode(br#"{"metadata":{"name":"empty"},"data":null}"#).unwrap().record;
        assert_eq!((&*empty.keys, empty.count), ("", 0));
    }

    #[test]
    fn a_thousand_keys_are_counted_and_few_are_kept() {
        let data: Vec<String> = (0..1000).map(|n| format!(r#""key-{n}":"x""#)).collect();
        let json = format!(r#"{{"metadata":{{"name":"many"}},"data":{{{}}}}}"#, data.join(","));
        let secret: Secret = decode(json.as_bytes()).unwrap().record;
        assert!(secret.count == 1000 && secret.keys.len() <= 210, "{secret:?}");
    }
}
