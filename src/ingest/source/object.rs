//! Taking a large JSON document apart while it is read: member by member, element by element.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};

/// Takes the members of an object as they come.
pub(in crate::ingest) trait ObjectReader<'de> {
    /// Takes the value of the member with this name; it must take one.
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error>;

    /// What is missing at the end, if anything is.
    fn end(&self) -> Option<&'static str> {
        None
    }
}

/// Reads an object with an [`ObjectReader`].
pub(in crate::ingest) struct Object<'a, T> {
    reader: &'a mut T,
    is_nullable: bool,
}

impl<'a, T> Object<'a, T> {
    /// Expects an object.
    pub fn new(reader: &'a mut T) -> Self {
        Self { reader, is_nullable: false }
    }

    /// Expects an object or null.
    pub fn nullable(reader: &'a mut T) -> Self {
        Self { reader, is_nullable: true }
    }
}

impl<'de, T: ObjectReader<'de>> DeserializeSeed<'de> for Object<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.is_nullable { deserializer.deserialize_option(self) } else { deserializer.deserialize_map(self) }
    }
}

impl<'de, T: ObjectReader<'de>> Visitor<'de> for Object<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_none<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            self.reader.member(&name, &mut map)?;
        }
        self.reader.end().map_or(Ok(()), |missing| Err(A::Error::custom(missing)))
    }
}

/// Takes the elements of a list as they come.
pub(in crate::ingest) trait ByElement<T> {
    /// Takes an element; the error is told with its place in the document.
    fn element(&mut self, element: T) -> Result<(), String>;
}

impl<T, F: FnMut(T) -> Result<(), String>> ByElement<T> for F {
    fn element(&mut self, element: T) -> Result<(), String> {
        self(element)
    }
}

/// Reads a list, element by element; null is an empty list.
pub(in crate::ingest) struct Each<T, F>(F, PhantomData<T>);

impl<T, F: ByElement<T>> Each<T, F> {
    pub fn new(reader: F) -> Self {
        Self(reader, PhantomData)
    }
}

impl<'de, T: Deserialize<'de>, F: ByElement<T>> DeserializeSeed<'de> for Each<T, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, T: Deserialize<'de>, F: ByElement<T>> Visitor<'de> for Each<T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_none<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(element) = list.next_element()? {
            self.0.element(element).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

/// Whatever stands there, passed over.
pub(in crate::ingest) type Skipped = IgnoredAny;

/// Whether there is anything in a value: null, an empty list and an empty object have nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::ingest) struct Presence(pub bool);

impl<'de> Deserialize<'de> for Presence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PresenceVisitor)
    }
}

struct PresenceVisitor;

impl<'de> Visitor<'de> for PresenceVisitor {
    type Value = Presence;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Presence, E> {
        Ok(Presence(false))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Presence, E> {
        Ok(Presence(true))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Presence, E> {
        Ok(Presence(true))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Presence, E> {
        Ok(Presence(true))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Presence, E> {
        Ok(Presence(true))
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Presence, E> {
        Ok(Presence(true))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Presence, A::Error> {
        let mut presence = Presence(false);
        while list.next_element::<IgnoredAny>()?.is_some() {
            presence.0 = true;
        }
        Ok(presence)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Presence, A::Error> {
        let mut presence = Presence(false);
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            presence.0 = true;
        }
        Ok(presence)
    }
}
