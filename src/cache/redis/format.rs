//! Names of keys, and values.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use fred::types::Key;
use rand::RngExt as _;
use uuid::Uuid;

use super::EntryKey;

/// The first byte of every value.
const VERSION: u8 = 1;
const GENERATION_BYTES: usize = 16;

/// A generation of a tag. Chosen at random, and so never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Generation([u8; GENERATION_BYTES]);

impl Generation {
    /// One that nobody has used.
    pub fn random() -> Self {
        Self(rand::rng().random())
    }

    /// The generation that a value is.
    pub fn read(value: &[u8]) -> Option<Self> {
        value.try_into().ok().map(Self)
    }

    /// The value that it is.
    pub fn bytes(self) -> Bytes {
        Bytes::copy_from_slice(&self.0)
    }
}

/// An entry's value: what it is, under which generation it was loaded, and the answer.
pub fn value(generation: Generation, payload: &[u8]) -> Bytes {
    [&[VERSION][..], &generation.0, payload].concat().into()
}

/// The answer in an entry's value, if it was loaded under this generation.
pub fn payload(generation: Generation, value: &Bytes) -> Option<Bytes> {
    let is_of_it = value.strip_prefix(&[VERSION])?.strip_prefix(&generation.0).is_some();
    is_of_it.then(|| value.slice(1 + GENERATION_BYTES..))
}

/// How keys begin. A tag and its entries are kept in the same part of a cluster: what stands in braces decides that
/// (<https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/>, hash tags).
#[derive(Debug)]
pub struct KeySpace {
    prefix: String,
}

impl KeySpace {
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// The key of a tag's generation.
    pub fn generation(&self, namespace: Uuid, tag: &str) -> Key {
        Key::from(format!("{}:{}:{{{tag}}}", self.prefix, namespace.simple()))
    }

    /// The key of an entry.
    pub fn entry(&self, namespace: Uuid, key: &EntryKey) -> Key {
        let name = URL_SAFE_NO_PAD.encode(key.entry);
        Key::from(format!("{}:{}:{{{}}}:{name}", self.prefix, namespace.simple(), key.tag))
    }

    /// The key of a rate limit. All of them are in the same part of a cluster, so that a script sees several.
    pub fn limit(&self, name: &str) -> Key {
        Key::from(format!("{}:{{limits}}:{name}", self.prefix))
    }

    /// A key that shows whether the server takes what is written.
    pub fn probe(&self) -> Key {
        Key::from(format!("{}:probe", self.prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_in_its_generation_alone() {
        let (one, other) = (Generation::random(), Generation::random());
        let stored = value(one, b"answer");
        assert_eq!(payload(one, &stored), Some(Bytes::from_static(b"answer")));
        assert_eq!(payload(other, &stored), None);
        for garbage in [&b""[..], b"x", &[VERSION], &stored[..10], b"\x02aaaaaaaaaaaaaaaaanswer"] {
            assert_eq!(payload(one, &Bytes::copy_from_slice(garbage)), None, "{garbage:?}");
        }
        assert_eq!(Generation::read(&one.bytes()), Some(one));
        assert_eq!(Generation::read(b"short"), None);
    }

    #[test]
    fn a_tag_and_its_entries_are_kept_together() {
        let (keys, namespace) = (KeySpace::new("evalgraph"), Uuid::now_v7());
        for tag in ["p:0192", "P:a}b{c", "P:"] {
            let entry = EntryKey { tag: tag.into(), entry: [7; 32] };
            let (tag, entry) = (keys.generation(namespace, tag), keys.entry(namespace, &entry));
            assert_eq!(tag.cluster_hash(), entry.cluster_hash());
            assert_ne!(tag, entry);
        }
    }
}
