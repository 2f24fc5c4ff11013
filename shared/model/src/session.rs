//! Sessions: what a login leaves behind, to be continued without a password.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::user::uuid_v7;
use crate::{UserId, rfc3339_millis};

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

/// One session, as the Sessions table holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Identity.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// The SHA-256 of the current refresh secret, base64url.
    pub secret_hash: String,
    /// When somebody logged in.
    #[serde(with = "rfc3339_millis")]
    pub created_at: Timestamp,
    /// The first moment at which it can no longer be continued.
    #[serde(with = "rfc3339_millis")]
    pub expires_at: Timestamp,
}

impl Session {
    /// How long a session lives, in seconds: 14 days.
    pub const LIFETIME_SECONDS: i64 = 14 * 24 * 60 * 60;

    /// A session of `user` that begins at `now`.
    #[must_use]
    pub fn new(id: SessionId, user: UserId, secret_hash: String, now: Timestamp) -> Self {
        let end = now.as_second().saturating_add(Self::LIFETIME_SECONDS);
        let expires_at = Timestamp::from_second(end).unwrap_or(Timestamp::MAX);
        Self { id, user_id: user, secret_hash, created_at: now, expires_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_14_days_after_login_and_its_id_is_that_of_rfc_9562() {
        // RFC 9562, appendix A.6.
        let login = Timestamp::from_millisecond(1_645_557_742_000).unwrap();
        let random = [0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f];
        let id = SessionId::new(login, random);
        assert_eq!(id.to_string(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
        let session = Session::new(id, UserId::new(login, random), "hash".to_owned(), login);
        assert_eq!(session.created_at, login);
        assert_eq!(session.expires_at.as_second() - login.as_second(), 1_209_600);
    }
}
