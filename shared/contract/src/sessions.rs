//! Sessions: logging in, going on without a password, and logging out.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use share_model::{Session, SessionId, rfc3339_millis};

use crate::schema;

/// The body of `client_login` and `ops_login`: a password, and a username or an e-mail address. Or
/// what follows on `second_factor_required`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum LogIn {
    /// By the account's name.
    ByUsername {
        /// The account's name.
        username: String,
        /// The account's password.
        #[schemars(length(min = 1, max = 256))]
        password: String,
        /// Whether the refresh token is to be a cookie, for browsers.
        #[serde(default)]
        cookie: bool,
    },
    /// By the account's address, once it is proven.
    ByEmail {
        /// The account's address.
        email: String,
        /// The account's password.
        #[schemars(length(min = 1, max = 256))]
        password: String,
        /// Whether the refresh token is to be a cookie, for browsers.
        #[serde(default)]
        cookie: bool,
    },
    /// After `second_factor_required`.
    ByCode {
        /// The challenge of that answer.
        #[schemars(length(max = 512))]
        challenge: String,
        /// The six digits that the app shows, or a recovery code.
        #[schemars(length(max = 64))]
        code: String,
        /// Whether the refresh token is to be a cookie, for browsers.
        #[serde(default)]
        cookie: bool,
    },
}

/// The body of `session_refresh`. Empty when the refresh token is a cookie.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionRefresh {
    /// The refresh token of the login, or of the last refresh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::token")]
    pub refresh: Option<String>,
}

/// The answer of `client_login`, `ops_login` and `session_refresh`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LoggedIn {
    /// The access token, a JSON Web Token for `Authorization: Bearer`.
    pub access: String,
    /// The refresh token, good for one `session_refresh`. Not there when it is a cookie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::token")]
    pub refresh: Option<String>,
    /// Always `Bearer` (RFC 6750).
    pub token_type: String,
    /// Seconds for which the access token can be used.
    pub expires_in: i64,
}

/// A session, as `session_list` and `user_sessions` show it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SessionSummary {
    /// Its id.
    #[schemars(schema_with = "schema::text")]
    pub id: SessionId,
    /// Whether it is the one that asks.
    pub current: bool,
    /// What the program that logged in calls itself (`User-Agent`), up to 200 characters.
    pub device: String,
    /// The network address from which it was last continued.
    pub address: String,
    /// When somebody logged in.
    #[serde(with = "rfc3339_millis")]
    #[schemars(schema_with = "schema::moment")]
    pub created_at: Timestamp,
    /// When it was last continued.
    #[serde(with = "rfc3339_millis")]
    #[schemars(schema_with = "schema::moment")]
    pub last_used_at: Timestamp,
    /// When it ends, however much it is used.
    #[serde(with = "rfc3339_millis")]
    #[schemars(schema_with = "schema::moment")]
    pub expires_at: Timestamp,
}

impl SessionSummary {
    /// The session, as it is shown to the session `current`.
    #[must_use]
    pub fn new(session: Session, current: SessionId) -> Self {
        Self {
            id: session.id,
            current: session.id == current,
            device: session.device,
            address: session.address,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
        }
    }
}
