//! What a browser keeps of a login, so that the account stays open to it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use share_model::{SessionId, UserId};

use crate::{SigningKeys, sealed_text};

/// Keeps its MACs apart from those of challenges, cursors and access tokens.
const PURPOSE: &[u8] = b"device\0";

/// That a browser has logged in to an account. It logs nobody in: it only has the password that comes
/// with it counted on its own, and not with those of strangers.
///
/// It is not a JSON Web Token and has a MAC of its own, so that it passes for no other token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceToken {
    /// Whose account it is.
    pub user: UserId,
    /// The session that the browser has, or had. Its wrong passwords are counted by this id: so who
    /// continues a session gets no new counter, and a new login, which needs the password, does.
    pub session: SessionId,
    /// The user's count of the acts that end all sessions, such as a new password. When it has
    /// risen since, the token counts no more.
    pub generation: u32,
}

/// A token and its time.
#[derive(Serialize, Deserialize)]
struct Content {
    #[serde(flatten)]
    device: DeviceToken,
    /// The first second at which it counts no more, since 1970.
    until: i64,
}

impl DeviceToken {
    /// A token's life, in seconds: 400 days, for which browsers keep a cookie at most (RFC 6265bis,
    /// section 5.5).
    pub const LIFETIME_SECONDS: i64 = 400 * 24 * 60 * 60;

    /// The text for the browser to keep, good from `now` on for [`DeviceToken::LIFETIME_SECONDS`].
    #[must_use]
    #[expect(clippy::expect_used, reason = "ids and numbers always serialize")]
    pub fn issue(self, now: Timestamp, keys: &SigningKeys) -> String {
        let content = Content { device: self, until: now.as_second() + Self::LIFETIME_SECONDS };
        let content = serde_json::to_vec(&content).expect("a device's token serializes");
        sealed_text::seal(&content, PURPOSE, keys)
    }

    /// The token whose text this is; `None` when [`DeviceToken::issue`] did not give it, or its time
    /// is over at `now`.
    #[must_use]
    pub fn verify(text: &str, now: Timestamp, keys: &SigningKeys) -> Option<Self> {
        let content = sealed_text::open(text, PURPOSE, keys)?;
        let content: Content = serde_json::from_slice(&content).ok()?;
        (now.as_second() < content.until).then_some(content.device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use share_model::Role;

    use crate::{AccessToken, Challenge, ChallengePurpose, PageCursor};

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const OTHER: &str = "fedcba9876543210fedcba9876543210";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn keys() -> SigningKeys {
        SigningKeys::parse(SECRET).unwrap()
    }

    fn device() -> DeviceToken {
        let (user, session) = (UserId::new(at(7), [7; 10]), SessionId::new(at(8), [8; 10]));
        DeviceToken { user, session, generation: 3 }
    }

    #[test]
    fn a_device_is_known_for_400_days() {
        let text = device().issue(at(1_000), &keys());
        let end = 1_000 + 34_560_000;
        assert_eq!(DeviceToken::verify(&text, at(1_000), &keys()), Some(device()));
        assert_eq!(DeviceToken::verify(&text, at(end - 1), &keys()), Some(device()));
        assert_eq!(DeviceToken::verify(&text, at(end), &keys()), None);
    }

    #[test]
    fn a_device_token_is_no_other_token_and_no_other_token_is_one() {
        let (now, keys) = (at(1_000), keys());
        let DeviceToken { user, session, generation } = device();
        let purposes = [ChallengePurpose::Login, ChallengePurpose::Enrolment];
        let text = device().issue(now, &keys);
        assert!(keys.verify(&text, now).is_err());
        assert!(PageCursor::open(&text, "users", &keys).is_err());
        assert!(purposes.iter().all(|it| Challenge::verify(&text, *it, now, &keys).is_err()));
        let cursor = PageCursor([("user".to_owned(), user.to_string())].into());
        let access = AccessToken { user, session, generation };
        let mut others =
            vec![keys.issue(access, Role::Ops, now), cursor.seal("users", &keys), String::new()];
        let challenge = Challenge { user, generation };
        others.extend(purposes.map(|purpose| challenge.issue(purpose, now, &keys)));
        for other in others {
            assert_eq!(DeviceToken::verify(&other, now, &keys), None, "{other}");
        }
    }

    #[test]
    fn a_device_token_of_the_previous_key_counts_and_one_of_a_foreign_key_does_not() {
        let text = device().issue(at(0), &keys());
        let rotated = json!({"current": OTHER, "previous": SECRET}).to_string();
        let rotated = SigningKeys::parse(&rotated).unwrap();
        assert_eq!(DeviceToken::verify(&text, at(1), &rotated), Some(device()));
        let foreign = SigningKeys::parse(OTHER).unwrap();
        assert_eq!(DeviceToken::verify(&text, at(1), &foreign), None);
    }

    proptest! {
        #[test]
        fn any_change_to_a_device_token_is_noticed(
            place: prop::sample::Index, other in "[A-Za-z0-9_.-]",
        ) {
            let text = device().issue(at(0), &keys());
            let place = place.index(text.len());
            let mut changed = text.clone();
            changed.replace_range(place..=place, &other);
            let read = DeviceToken::verify(&changed, at(1), &keys());
            prop_assert_eq!(read.is_some(), changed == text);
        }
    }
}
