//! Bodies of requests: YAML or JSON of any content type, and nothing is as good as `{}`.

use serde_json::Value;

use super::refusal::Refusal;

/// What a body says. Fields that nobody knows are passed over.
#[derive(Clone, Debug)]
pub(super) struct Options {
    fields: Value,
    /// What the fields are a part of, as texts about wrong types name it.
    go: &'static str,
}

impl Options {
    /// Reads a body.
    pub(super) fn of(body: &[u8], go: &'static str) -> Result<Self, Refusal> {
        let begin = body.iter().find(|byte| !byte.is_ascii_whitespace());
        let fields = match begin {
            None => Value::Null,
            Some(b'{') => serde_json::from_slice(body).map_err(|why| {
                unreadable(&if why.is_eof() { "unexpected EOF".to_owned() } else { why.to_string() })
            })?,
            Some(_) => {
                let text = std::str::from_utf8(body).map_err(|why| unreadable(&why.to_string()))?;
                serde_saphyr::from_str(text).map_err(|why| {
                    let whole = why.to_string();
                    unreadable(whole.lines().next().unwrap_or_default())
                })?
            }
        };
        match fields {
            Value::Null => Ok(Self { fields: Value::Object(serde_json::Map::new()), go }),
            Value::Object(_) => Ok(Self { fields, go }),
            other => Err(unreadable(&format!(
                "json: cannot unmarshal {} into Go value of type v1.{go}",
                type_name(&other)
            ))),
        }
    }

    /// The field, if it is there and of this type.
    fn field<'a, T>(
        &'a self,
        name: &str,
        go_type: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        match self.fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(value).map(Some).ok_or_else(|| {
                let (is, go) = (type_name(value), self.go);
                unreadable(&format!(
                    "json: cannot unmarshal {is} into Go struct field {go}.{name} of type {go_type}"
                ))
            }),
        }
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        Ok(self.field(name, "bool", Value::as_bool)?.unwrap_or_default())
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        self.field(name, "int64", Value::as_i64)
    }

    /// A text; empty if it is not there.
    pub(super) fn text(&self, name: &str) -> Result<&str, Refusal> {
        Ok(self.field(name, "string", Value::as_str)?.unwrap_or_default())
    }

    pub(super) fn object(&self, name: &str, go_type: &str) -> Result<Option<&Value>, Refusal> {
        self.field(name, go_type, |value| value.is_object().then_some(value))
    }

    /// `dryRun`: what the API server is asked to do in its place.
    pub(super) fn dry_run(&self) -> Result<Vec<String>, Refusal> {
        let texts = |value: &Value| {
            let list = value.as_array()?.iter().map(|one| one.as_str().map(str::to_owned));
            list.collect::<Option<Vec<String>>>()
        };
        Ok(self.field("dryRun", "[]string", texts)?.unwrap_or_default())
    }
}

fn unreadable(why: &str) -> Refusal {
    Refusal::bad_request(format!("Can not unmarshal Request body to struct, error: {why}"))
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_json_or_yaml_or_nothing() {
        let paused = |body: &str| {
            let options = Options::of(body.as_bytes(), "StartOptions")?;
            options.flag("paused")
        };
        for body in
            ["", "  \n", "{}", "null", "paused: false", "{\"paused\": null}", "{\"dryRun\": [\"All\"]}"]
        {
            assert_eq!(paused(body), Ok(false), "{body}");
        }
        for body in ["{\"paused\": true}", "paused: true\n", " {\"paused\": true, \"more\": 1}"] {
            assert_eq!(paused(body), Ok(true), "{body}");
        }
        let why = "Can not unmarshal Request body to struct, error: ";
        for (body, wanted) in [
            ("{\"bad\"", "unexpected EOF"),
            ("[]", "json: cannot unmarshal array into Go value of type v1.StartOptions"),
            (
                "{\"paused\": \"yes\"}",
                "json: cannot unmarshal string into Go struct field StartOptions.paused of type bool",
            ),
        ] {
            let refusal = paused(body).unwrap_err();
            assert_eq!(
                (refusal.code.as_u16(), refusal.message()),
                (400, format!("{why}{wanted}").as_str()),
                "{body}"
            );
        }
        assert!(Options::of(b"\xff\xfe", "X").is_err());
    }
}
