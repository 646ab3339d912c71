//! Answers as bytes.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::Timestamp;

/// An answer and when it was read: what only ages must know how old it is wherever it has been.
pub fn encode(loaded_at: Timestamp, value: &impl Serialize) -> Option<Vec<u8>> {
    postcard::to_stdvec(&(loaded_at, value)).ok()
}

/// What [`encode`] has written; nothing when it is anything else.
pub fn decode<V: DeserializeOwned>(bytes: &[u8]) -> Option<(Timestamp, V)> {
    match postcard::take_from_bytes(bytes) {
        Ok((decoded, [])) => Some(decoded),
        _ => None,
    }
}

/// How many bytes [`encode`] would write for the value.
pub fn encoded_size(value: &impl Serialize) -> usize {
    postcard::serialize_with_flavor(value, postcard::ser_flavors::Size::default()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let (time, value) = (Timestamp::now(), vec![Some("a".to_owned()), None]);
        let bytes = encode(time, &value).unwrap();
        assert_eq!(decode(&bytes), Some((time, value.clone())));
        assert_eq!(encoded_size(&(time, &value)), bytes.len());
        for length in 0..bytes.len() {
            assert_eq!(decode::<Vec<Option<String>>>(&bytes[..length]), None, "{length} bytes");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(decode::<Vec<Option<String>>>(&longer), None);
        assert_eq!(
            decode::<(u64, Vec<u64>)>(b"garbage that is not a value \xff\xff\xff\xff\xff\xff\xff\xff\xff"),
            None
        );
    }
}
