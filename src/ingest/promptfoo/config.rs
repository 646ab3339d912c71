//! The configuration of a run.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize as _, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::file::{ConfiguredTests, Frame};
use crate::ingest::redact::redact_config;
use crate::ingest::source::{Meter, ObjectReader, Skipped};
use crate::ingest::warnings::Warnings;

/// Tests whose JSON is longer are not kept with the configuration: each result has its own test.
pub(super) const TESTS_LIMIT: u64 = 256 * 1024;

/// Reads `config`. It may contain all tests, which is as much as the rest of the file.
pub(super) struct ConfigReader<'a> {
    pub meter: &'a Meter,
    pub frame: &'a mut Frame,
}

impl<'de> ObjectReader<'de> for ConfigReader<'_> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        if name == "tests" {
            self.meter.begin_value();
            self.frame.tests = map.next_value_seed(TestsSeed { meter: self.meter })?;
            self.meter.begin_value();
        } else {
            let value = map.next_value()?;
            self.frame.config.insert(name.to_owned(), value);
        }
        Ok(())
    }
}

/// Reads `config.tests`.
struct TestsSeed<'a> {
    meter: &'a Meter,
}

impl<'de> DeserializeSeed<'de> for TestsSeed<'_> {
    type Value = ConfiguredTests;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<ConfiguredTests, D::Error> {
        let begin = self.meter.taken();
        let mut kept = Vec::new();
        let mut is_too_long = false;
        let tests = TestsVisitor(|test: Option<Value>| {
            self.meter.begin_value();
            is_too_long = self.meter.taken() - begin > TESTS_LIMIT;
            if is_too_long {
                kept = Vec::new();
            } else {
                kept.extend(test);
            }
            !is_too_long
        });
        let other = deserializer.deserialize_any(tests)?;
        let length = self.meter.taken() - begin;
        Ok(match other {
            _ if is_too_long || length > TESTS_LIMIT => ConfiguredTests::TooLong(length),
            Some(Value::Null) => ConfiguredTests::None,
            Some(other) => ConfiguredTests::Kept(other),
            None => ConfiguredTests::Kept(Value::Array(kept)),
        })
    }
}

/// Gives the elements of a list to the function, as long as it wants them, and any other value back as it is.
struct TestsVisitor<F>(F);

impl<'de, F: FnMut(Option<Value>) -> bool> Visitor<'de> for TestsVisitor<F> {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tests")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Option<Value>, A::Error> {
        while let Some(test) = list.next_element::<Value>()? {
            if !(self.0)(Some(test)) {
                while list.next_element::<Skipped>()?.is_some() {
                    (self.0)(None);
                }
            }
        }
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<Value>, A::Error> {
        Map::deserialize(MapAccessDeserializer::new(map)).map(|tests| Some(Value::Object(tests)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Option<Value>, E> {
        Ok(Some(text.into()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Option<Value>, E> {
        Ok(Some(Value::Null))
    }
}

/// The configuration, without its secrets, and what is read from it.
pub(super) struct Configuration {
    pub description: Option<String>,
    pub tags: Map<String, Value>,
    pub metadata: Map<String, Value>,
    pub redacted: Value,
}

impl Configuration {
    /// The configuration with those of its tests that are kept.
    pub fn new(mut config: Map<String, Value>, tests: ConfiguredTests, warnings: &mut Warnings) -> Self {
        match tests {
            ConfiguredTests::None => {}
            ConfiguredTests::Kept(tests) => {
                config.insert("tests".to_owned(), tests);
            }
            ConfiguredTests::TooLong(length) => {
                warnings.add(format!("the tests in the configuration ({length} bytes) are not kept with it"));
            }
        }
        let mut redacted = Value::Object(config);
        redact_config(&mut redacted);
        let object = |name: &str| redacted[name].as_object().cloned().unwrap_or_default();
        let (tags, metadata) = (object("tags"), object("metadata"));
        let description = redacted["description"].as_str().map(str::trim).filter(|text| !text.is_empty());
        let description = description.map(str::to_owned);
        Self { description, tags, metadata, redacted }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::document::read_frame;
    use super::*;
    use crate::ingest::source::Source;

    fn configuration(config: &Value) -> (Value, Vec<String>) {
        let file = json!({"results": {"version": 3, "results": []}, "config": config});
        let frame = read_frame(&Source::bytes(file.to_string().as_bytes())).unwrap().frame;
        let mut warnings = Warnings::default();
        let configuration = Configuration::new(frame.config, frame.tests, &mut warnings);
        (configuration.redacted, warnings.into_texts())
    }

    #[test]
    fn configurations_are_read_as_they_are() {
        for config in [
            json!({"tests": [{"vars": {"a": 1}}, "file://x.csv"], "prompts": ["p"]}),
            json!({"tests": "file://tests.csv"}),
            json!({"tests": {"path": "x"}}),
            json!({"tests": []}),
            json!({}),
        ] {
            assert_eq!(configuration(&config), (config, vec![]));
        }
        assert_eq!(configuration(&Value::Null).0, json!({}));
        assert_eq!(configuration(&json!({"tests": null})).0, json!({}));
    }

    #[test]
    fn long_tests_are_left_out() {
        let test = "x".repeat(100_000);
        for tests in [json!([test, test, test, test]), json!([[test, test, test]]), json!({"a": [test, test, test]})] {
            let (config, warnings) = configuration(&json!({"tests": tests, "prompts": []}));
            assert_eq!(config, json!({"prompts": []}));
            let expected = format!("the tests in the configuration ({} bytes) are not kept", tests.to_string().len());
            assert!(warnings[0].starts_with(&expected), "{warnings:?}");
        }
    }
}
