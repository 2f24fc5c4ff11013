//! What somebody gets for the right password who has yet to show a second factor.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use share_model::UserId;

use crate::{AccessRefusal, SigningKeys, sealed_text};

/// A challenge's life, in seconds.
pub const CHALLENGE_SECONDS: i64 = 5 * 60;

/// That somebody knows the password of an account, and has not shown a second factor.
///
/// It is not a JSON Web Token and has a MAC of its own, so that it passes for no access token, and
/// no access token for a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// Whose account it is.
    pub user: UserId,
    /// The user's count of the acts that end all sessions, such as a new password. When it has
    /// risen since, the challenge counts no more.
    pub generation: u32,
}

/// What a challenge is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengePurpose {
    /// To log in, together with a code.
    Login,
    /// To set up a second factor, where the role demands one and the account has none.
    Enrolment,
}

/// A challenge and its time.
#[derive(Serialize, Deserialize)]
struct Content {
    #[serde(flatten)]
    challenge: Challenge,
    /// The first second at which it counts no more, since 1970.
    until: i64,
}

impl Challenge {
    /// The text to hand to the caller, good from `now` on for [`CHALLENGE_SECONDS`].
    #[must_use]
    #[expect(clippy::expect_used, reason = "texts and numbers always serialize")]
    pub fn issue(self, purpose: ChallengePurpose, now: Timestamp, keys: &SigningKeys) -> String {
        let content = Content { challenge: self, until: now.as_second() + CHALLENGE_SECONDS };
        let content = serde_json::to_vec(&content).expect("a challenge serializes");
        sealed_text::seal(&content, purpose.name(), keys)
    }

    /// The challenge whose text this is.
    ///
    /// # Errors
    /// When it is not a text that [`Challenge::issue`] gave for this purpose, or its time is over
    /// at `now`.
    pub fn verify(
        text: &str,
        purpose: ChallengePurpose,
        now: Timestamp,
        keys: &SigningKeys,
    ) -> Result<Self, AccessRefusal> {
        let content: Content = sealed_text::open(text, purpose.name(), keys)
            .and_then(|content| serde_json::from_slice(&content).ok())
            .ok_or(AccessRefusal::Invalid)?;
        if now.as_second() >= content.until {
            return Err(AccessRefusal::Expired);
        }
        Ok(content.challenge)
    }
}

impl ChallengePurpose {
    /// Keeps the MACs of one purpose apart from those of another.
    fn name(self) -> &'static [u8] {
        match self {
            Self::Login => b"login challenge\0",
            Self::Enrolment => b"enrolment challenge\0",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use share_model::{Role, SessionId};

    use crate::{AccessToken, PageCursor};

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const OTHER: &str = "fedcba9876543210fedcba9876543210";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn keys() -> SigningKeys {
        SigningKeys::parse(SECRET).unwrap()
    }

    fn challenge() -> Challenge {
        Challenge { user: UserId::new(at(1_700_000_000), [7; 10]), generation: 3 }
    }

    fn verify(text: &str, purpose: ChallengePurpose, now: i64) -> Result<Challenge, AccessRefusal> {
        Challenge::verify(text, purpose, at(now), &keys())
    }

    #[test]
    fn a_challenge_is_good_for_its_purpose_until_just_before_its_end() {
        use ChallengePurpose::{Enrolment, Login};
        for (purpose, other) in [(Login, Enrolment), (Enrolment, Login)] {
            let text = challenge().issue(purpose, at(1_000), &keys());
            assert_eq!(verify(&text, purpose, 1_000), Ok(challenge()));
            assert_eq!(verify(&text, purpose, 1_299), Ok(challenge()));
            assert_eq!(verify(&text, purpose, 1_300), Err(AccessRefusal::Expired));
            assert_eq!(verify(&text, other, 1_000), Err(AccessRefusal::Invalid));
        }
    }

    #[test]
    fn a_challenge_is_no_access_token_and_no_other_token_is_a_challenge() {
        use ChallengePurpose::{Enrolment, Login};
        let session = SessionId::new(at(1_000), [7; 10]);
        let access = AccessToken { user: challenge().user, session, generation: 3 };
        let access = keys().issue(access, Role::Ops, at(1_000));
        let cursor = PageCursor([("user".to_owned(), challenge().user.to_string())].into());
        let cursor = cursor.seal("users", &keys());
        for purpose in [Login, Enrolment] {
            let text = challenge().issue(purpose, at(1_000), &keys());
            assert_eq!(keys().verify(&text, at(1_001)), Err(AccessRefusal::Invalid));
            assert!(PageCursor::open(&text, "users", &keys()).is_err());
            for other in [&access, &cursor, "", ".", "e30.e30"] {
                assert_eq!(verify(other, purpose, 1_001), Err(AccessRefusal::Invalid), "{other}");
            }
        }
    }

    #[test]
    fn a_challenge_of_the_previous_key_counts_and_one_of_a_foreign_key_does_not() {
        let purpose = ChallengePurpose::Login;
        let text = challenge().issue(purpose, at(0), &keys());
        let rotated = json!({"current": OTHER, "previous": SECRET}).to_string();
        let rotated = SigningKeys::parse(&rotated).unwrap();
        assert_eq!(Challenge::verify(&text, purpose, at(1), &rotated), Ok(challenge()));
        let foreign = SigningKeys::parse(OTHER).unwrap();
        let refused = Challenge::verify(&text, purpose, at(1), &foreign);
        assert_eq!(refused, Err(AccessRefusal::Invalid));
    }

    proptest! {
        #[test]
        fn any_change_to_a_challenge_is_noticed(
            place: prop::sample::Index, other in "[A-Za-z0-9_.-]",
        ) {
            let text = challenge().issue(ChallengePurpose::Login, at(0), &keys());
            let place = place.index(text.len());
            let mut changed = text.clone();
            changed.replace_range(place..=place, &other);
            let read = verify(&changed, ChallengePurpose::Login, 1);
            prop_assert_eq!(read.is_ok(), changed == text);
        }
    }
}
