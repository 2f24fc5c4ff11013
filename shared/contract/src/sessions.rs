//! Sessions: logging in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema;

/// The body of `client_login` and `ops_login`: a password, and a username or an e-mail address.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["username"] }, { "required": ["email"] }]))]
pub struct LogIn {
    /// The account's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The account's address, once it is proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The account's password.
    #[schemars(length(min = 1, max = 256))]
    pub password: String,
}

/// The answer of `client_login` and `ops_login`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LoggedIn {
    /// The access token, a JSON Web Token for `Authorization: Bearer`.
    pub access: String,
    /// The refresh token. Nothing takes it yet.
    #[schemars(schema_with = "schema::token")]
    pub refresh: String,
    /// Always `Bearer` (RFC 6750).
    pub token_type: String,
    /// Seconds for which the access token can be used.
    pub expires_in: i64,
}
