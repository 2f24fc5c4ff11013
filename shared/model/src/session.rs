//! Sessions: what a login leaves behind, to be continued without a password, and the rules by which
//! its refresh tokens follow one another.

#[cfg(test)]
mod model_check;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::user::uuid_v7;
use crate::{Invalid, UserId, rfc3339_millis};

/// A session's identity, a UUID version 7. The family of all refresh tokens that follow from one
/// login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(Uuid);

impl SessionId {
    /// An identity born at `now`; `random` keeps apart those of one millisecond.
    #[must_use]
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        Self(uuid_v7(now, random))
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for SessionId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Uuid::try_parse(text).map(Self).map_err(|_| Invalid::because("must be a session id"))
    }
}

/// One session, as the Sessions table holds it.
///
/// Its refresh tokens come in rounds. The token of the current round takes the session to the next
/// one, which has another token; the record of a token says of which round it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Identity.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// [`crate::User::generation`] when it began. It has ended when the user's is another.
    pub generation: u32,
    /// The current round, counted from 0.
    pub round: u32,
    /// The random value of which, and of the token before, the current token is made; base64url.
    /// Worthless without that token. None in round 0, whose token is random itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// When somebody logged in.
    #[serde(with = "rfc3339_millis")]
    pub created_at: Timestamp,
    /// When the current round began.
    #[serde(with = "rfc3339_millis")]
    pub last_used_at: Timestamp,
    /// The first moment at which it can no longer be continued, however much it is used.
    #[serde(with = "rfc3339_millis")]
    pub expires_at: Timestamp,
    /// What the program that logged in calls itself: the beginning of its `User-Agent`.
    pub device: String,
    /// The network address from which it was last continued.
    pub address: String,
}

/// What is to become of a session for which somebody presents a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    /// The next round begins.
    Advance,
    /// The token before the current one, shortly after its use: the answer was lost, or two tabs
    /// refresh at once. The holder gets the current token again.
    Repeat,
    /// A token that was used before. Two parties have it, and one of them is a thief.
    Replayed,
    /// The session has ended, by its owner's wish or somebody else's with the right to it.
    Ended,
    /// Its time is over, or nobody has continued it for too long.
    Expired,
}

impl Session {
    /// How long a session lives, in seconds: 14 days.
    pub const LIFETIME_SECONDS: i64 = 14 * 24 * 60 * 60;

    /// How long the token before the current one yields the current one, in seconds.
    pub const GRACE_SECONDS: i64 = 30;

    /// How much is kept of a `User-Agent`, in characters.
    pub const DEVICE_LENGTH: usize = 200;

    /// A session that begins at `now`.
    #[must_use]
    pub fn new(
        id: SessionId,
        (user_id, generation): (UserId, u32),
        device: &str,
        address: &str,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            user_id,
            generation,
            round: 0,
            nonce: None,
            created_at: now,
            last_used_at: now,
            expires_at: later(now, Self::LIFETIME_SECONDS),
            device: device.chars().take(Self::DEVICE_LENGTH).collect(),
            address: address.to_owned(),
        }
    }

    /// Whether it can be continued at `now`, when `generation` is its user's and a session that is
    /// not used for `idle_seconds` ends.
    #[must_use]
    pub fn is_live(&self, generation: u32, idle_seconds: i64, now: Timestamp) -> bool {
        self.generation == generation
            && now < self.expires_at
            && now < later(self.last_used_at, idle_seconds)
    }

    /// What a refresh token of round `round` does at `now`.
    #[must_use]
    pub fn refresh(
        &self,
        round: u32,
        generation: u32,
        idle_seconds: i64,
        now: Timestamp,
    ) -> Refresh {
        if self.generation != generation {
            Refresh::Ended
        } else if !self.is_live(generation, idle_seconds, now) {
            Refresh::Expired
        } else if round == self.round {
            Refresh::Advance
        } else if round.checked_add(1) == Some(self.round)
            && now < later(self.last_used_at, Self::GRACE_SECONDS)
        {
            Refresh::Repeat
        } else {
            Refresh::Replayed
        }
    }

    /// The session in its next round, whose token is made with `nonce`.
    #[must_use]
    pub fn advanced(&self, nonce: String, address: &str, now: Timestamp) -> Self {
        Self {
            round: self.round + 1,
            nonce: Some(nonce),
            last_used_at: now,
            address: address.to_owned(),
            ..self.clone()
        }
    }
}

fn later(moment: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_millisecond(moment.as_millisecond().saturating_add(seconds * 1000))
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: i64 = 86_400;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn session() -> Session {
        let id = SessionId::new(at(0), [0; 10]);
        Session::new(id, (UserId::new(at(0), [0; 10]), 3), "curl", "192.0.2.1", at(0))
    }

    #[test]
    fn a_session_ends_14_days_after_login_and_its_id_is_that_of_rfc_9562() {
        // RFC 9562, appendix A.6.
        let login = Timestamp::from_millisecond(1_645_557_742_000).unwrap();
        let random = [0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f];
        let id = SessionId::new(login, random);
        assert_eq!(id.to_string(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
        let session = Session::new(id, (UserId::new(login, random), 0), "", "", login);
        assert_eq!(session.created_at, login);
        assert_eq!(session.expires_at.as_second() - login.as_second(), 1_209_600);
    }

    #[test]
    fn the_current_token_advances_and_the_one_before_repeats_for_30_seconds() {
        let session = session().advanced("n".to_owned(), "192.0.2.2", at(100));
        let refresh = |round, now| session.refresh(round, 3, IDLE, at(now));
        assert_eq!(refresh(1, 100), Refresh::Advance);
        assert_eq!([refresh(0, 129), refresh(0, 130)], [Refresh::Repeat, Refresh::Replayed]);
        let session = session.advanced("m".to_owned(), "192.0.2.2", at(101));
        assert_eq!(session.refresh(0, 3, IDLE, at(101)), Refresh::Replayed, "two rounds ago");
    }

    #[test]
    fn a_session_expires_by_its_age_and_by_its_idleness() {
        let mut session = session();
        let refresh = |session: &Session, now| session.refresh(0, 3, IDLE, at(now));
        assert_eq!(refresh(&session, IDLE - 1), Refresh::Advance);
        assert_eq!(refresh(&session, IDLE), Refresh::Expired);
        session.last_used_at = at(1_209_599);
        assert_eq!(refresh(&session, 1_209_599), Refresh::Advance);
        assert_eq!(refresh(&session, 1_209_600), Refresh::Expired);
    }

    #[test]
    fn a_session_of_another_generation_has_ended_whatever_the_token() {
        for round in [0, 1, 2] {
            assert_eq!(session().refresh(round, 4, IDLE, at(1)), Refresh::Ended, "{round}");
        }
    }

    #[test]
    fn a_device_keeps_200_characters() {
        let name = |length: usize| {
            let id = SessionId::new(at(0), [0; 10]);
            let user = UserId::new(at(0), [0; 10]);
            Session::new(id, (user, 0), &"\u{e9}".repeat(length), "", at(0)).device.chars().count()
        };
        assert_eq!([199, 200, 201].map(name), [199, 200, 200]);
    }
}
