//! A request that its client may repeat, because it has a key of its own.

use jiff::SignedDuration;

use crate::{ContentDigest, UserId};

/// How long a key stands for the request that has first come with it.
pub const KEY_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// A request with a key, as it is remembered: by digests, from which neither it nor its key can be
/// read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedRequest {
    /// Of the account and the key, so that keys of two accounts never meet.
    pub key: ContentDigest,
    /// Of all that the request says. The key is in it as well, because what a request says could be
    /// guessed.
    pub content: ContentDigest,
}

impl KeyedRequest {
    /// The request of `account` that has this key and says `content`.
    #[must_use]
    pub fn new(account: UserId, key: &str, content: &[u8]) -> Self {
        // Neither an account's id nor a key has a zero byte in it.
        let owned = format!("{account}\0{key}\0").into_bytes();
        let content = ContentDigest::of(&[&owned, content].concat());
        Self { key: ContentDigest::of(&owned), content }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: u8) -> UserId {
        format!("01890a5d-ac96-774b-bcce-b302099a80{number:02x}").parse().unwrap()
    }

    #[test]
    fn a_request_is_known_by_its_account_its_key_and_all_that_it_says() {
        let request = |number, key, content| KeyedRequest::new(account(number), key, content);
        let first = request(1, "a", b"one");
        assert_eq!(first, request(1, "a", b"one"));
        let other = request(1, "a", b"other");
        assert!(first.key == other.key && first.content != other.content);
        for elsewhere in [request(2, "a", b"one"), request(1, "b", b"one")] {
            assert!(first.key != elsewhere.key && first.content != elsewhere.content);
        }
        assert_ne!(request(1, "a", b"b").content, request(1, "ab", b"").content);
    }
}
