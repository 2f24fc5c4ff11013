//! A SHA-256 that is computed over several runs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::digest::common::hazmat::SerializableState;
use sha2::{Digest, Sha256};

use crate::ContentDigest;

/// The digest of a file's first bytes, which can be saved and continued. In the tables it is the
/// state of the algorithm as base64, and the number of bytes.
#[derive(Debug, Clone, Default)]
pub struct DigestProgress {
    state: Sha256,
    bytes: u64,
}

impl DigestProgress {
    /// Adds the bytes that follow.
    pub fn add(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// How many bytes it has.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The digest of all bytes.
    #[must_use]
    pub fn finish(self) -> ContentDigest {
        ContentDigest::from_bytes(self.state.finalize().into())
    }
}

impl PartialEq for DigestProgress {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes && self.state.serialize() == other.state.serialize()
    }
}

/// As the tables hold it.
#[derive(Serialize, Deserialize)]
struct Stored {
    state: String,
    bytes: u64,
}

impl Serialize for DigestProgress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let state = STANDARD.encode(self.state.serialize());
        Stored { state, bytes: self.bytes }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DigestProgress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Stored { state, bytes } = Stored::deserialize(deserializer)?;
        let state = STANDARD.decode(state).map_err(de::Error::custom)?;
        let state = state.as_slice().try_into().map_err(de::Error::custom)?;
        let state = Sha256::deserialize(state).map_err(de::Error::custom)?;
        Ok(Self { state, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_digest_that_was_saved_anywhere_ends_as_one_that_was_not(
            bytes in prop::collection::vec(any::<u8>(), 0..400), place: prop::sample::Index,
        ) {
            let (first, rest) = bytes.split_at(place.index(bytes.len() + 1));
            let mut progress = DigestProgress::default();
            progress.add(first);
            let saved = serde_json::to_string(&progress).unwrap();
            let mut continued: DigestProgress = serde_json::from_str(&saved).unwrap();
            prop_assert_eq!(continued.bytes(), first.len() as u64);
            continued.add(rest);
            prop_assert_eq!(continued.finish(), ContentDigest::of(&bytes));
        }
    }
}
