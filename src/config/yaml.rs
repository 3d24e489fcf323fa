//! Files in YAML that people write.

use std::fmt;
use std::io::Read as _;
use std::marker::PhantomData;
use std::path::Path;

use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor,
};
use serde_saphyr::{DuplicateKeyPolicy, MessageFormatter as _, NonFiniteFloatPolicy, UserMessageFormatter};

/// More is no file of this kind.
const LARGEST: u64 = 1024 * 1024;

/// Why a file could not be used, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Line and column, both from 1, where they are known.
    pub place: Option<(u64, u64)>,
    /// What is wrong there.
    pub why: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((line, column)) => write!(out, "line {line}, column {column}: {}", self.why),
            None => out.write_str(&self.why),
        }
    }
}

impl std::error::Error for Broken {}

/// Reads a document. A file without one is as good as an empty mapping; of a key that is there twice the last one counts.
///
/// # Errors
///
/// It is not YAML, or not of this type.
pub fn read<T: DeserializeOwned + Default>(text: &str) -> Result<T, Broken> {
    let read: Option<T> =
        serde_saphyr::from_str_with_options(text, options()).map_err(|error| broken(&error))?;
    Ok(read.unwrap_or_default())
}

/// Reads the value at a path of keys, whatever else the document says; `None` where it has none.
///
/// # Errors
///
/// It is not YAML, or the value is not of this type.
pub fn read_at<T: DeserializeOwned>(text: &str, path: &[&str]) -> Result<Option<T>, Broken> {
    let at = At { path, value: PhantomData };
    serde_saphyr::with_deserializer_from_str_with_options(text, options(), |document| {
        at.deserialize(document)
    })
    .map_err(|error| broken(&error))
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
    }
}

fn broken(error: &serde_saphyr::Error) -> Broken {
    let error = error.without_snippet();
    let place = error.location().map(|place| (place.line(), place.column()));
    Broken { place, why: UserMessageFormatter.format_message(error).into_owned() }
}

/// Reads one value and passes over the rest.
struct At<'p, T> {
    path: &'p [&'p str],
    value: PhantomData<T>,
}

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for At<'_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
        if self.path.is_empty() { Option::deserialize(value) } else { value.deserialize_option(self) }
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for At<'_, T> {
    type Value = Option<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("keys with values")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
        value.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Some((first, below)) = self.path.split_first() else { return Ok(None) };
        let mut found = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == *first {
                found = map.next_value_seed(At { path: below, value: PhantomData })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// The text of a file; `None` if there is no such file.
///
/// # Errors
///
/// It cannot be read, is larger than any such file, or is not UTF-8.
pub fn text_of(path: &Path) -> Result<Option<String>, Broken> {
    let broken = |why: String| Broken { place: None, why };
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(broken(error.to_string())),
    };
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| broken(error.to_string()))?;
    if bytes.len() as u64 > LARGEST {
        return Err(broken(format!("it is larger than {} KiB", LARGEST / 1024)));
    }
    String::from_utf8(bytes).map(Some).map_err(|_| broken("it is not UTF-8".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    type Map = BTreeMap<String, u8>;

    #[test]
    fn what_is_broken_is_named_with_its_place() {
        let cases = [
            ("a: 1\nb: [", "line 2"),
            ("a: 1\n  b: 2\n", "line 1"),
            ("a: 1\nb: many\n", "line 2, column 4"),
            ("a: *none\n", "line 1, column 4"),
            ("- a\n", "line 1, column 1"),
            ("a: 300\n", "line 1, column 4"),
            ("a: 1\n---\nb: 2\n", "line 3"),
        ];
        for (text, place) in cases {
            let broken = read::<Map>(text).unwrap_err().to_string();
            assert!(broken.starts_with(place) && broken.lines().count() == 1, "{text:?}: {broken}");
        }
    }

    #[test]
    fn nothing_written_is_nothing_said_and_the_last_word_counts() {
        for text in ["", "\n", "# only a comment\n", "---\n", "null\n", "{}\n"] {
            assert_eq!(read::<Map>(text), Ok(Map::new()), "{text:?}");
        }
        assert_eq!(read::<Map>("a: 1\na: 2\n"), Ok(Map::from([("a".to_owned(), 2)])));
    }

    #[test]
    fn a_value_is_read_whatever_is_wrong_beside_it() {
        let text = "a: {b: many, c: 3}\nd: 4\n";
        assert_eq!(read_at::<u8>(text, &["a", "c"]), Ok(Some(3)));
        assert_eq!(read_at::<u8>(text, &["d"]), Ok(Some(4)));
        assert_eq!(read_at::<u8>(text, &["x", "y"]), Ok(None));
        assert_eq!(read_at::<u8>("a:\n", &["a", "c"]), Ok(None));
        let place = |path: &[&str]| read_at::<u8>(text, path).unwrap_err().place;
        assert_eq!((place(&["a", "b"]), place(&["d", "e"])), (Some((1, 8)), Some((2, 4))));
    }

    #[test]
    fn files_are_missing_readable_or_broken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert_eq!(text_of(&path), Ok(None));
        assert!(text_of(folder.path()).is_err());
        std::fs::write(&path, "a: é").unwrap();
        assert_eq!(text_of(&path), Ok(Some("a: é".to_owned())));
        std::fs::write(&path, b"\xff").unwrap();
        assert!(text_of(&path).unwrap_err().why.contains("UTF-8"));
        std::fs::write(&path, vec![b'#'; 1024 * 1024 + 1]).unwrap();
        assert!(text_of(&path).unwrap_err().why.contains("larger"));
    }
}
