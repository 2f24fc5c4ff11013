//! Sessions: logging in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema;

/// The body of `client_login` and `ops_login`: a password, and a username or an e-mail address.
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
    },
    /// By the account's address, once it is proven.
    ByEmail {
        /// The account's address.
        email: String,
        /// The account's password.
        #[schemars(length(min = 1, max = 256))]
        password: String,
    },
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
