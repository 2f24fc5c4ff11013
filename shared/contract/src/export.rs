//! What is held about a person, and its end.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use share_model::{TokenKind, rfc3339_millis};

use crate::{
    AuditEntry, FileDetails, LinkSummary, ReceiptEntry, SessionSummary, UserDetails, schema,
};

/// The body of `account_delete`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountDeletion {
    /// The account's password.
    #[schemars(length(min = 1, max = 256))]
    pub password: String,
}

/// A link that was mailed to the owner of an account, and can be used once.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PendingToken {
    /// What it is good for.
    pub kind: TokenKind,
    /// The first moment at which it is no longer good.
    #[serde(with = "rfc3339_millis")]
    #[schemars(schema_with = "schema::moment")]
    pub expires_at: Timestamp,
}

/// The answer of `account_export` and `user_export`: all that is held about an account and its owner.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AccountExport {
    /// The account. The hash of its password is left out.
    pub account: UserDetails,
    /// The names of the groups that it is in.
    pub groups: Vec<String>,
    /// The links that were mailed to its owner and can still be used, without their secrets.
    pub tokens: Vec<PendingToken>,
    /// Its sessions.
    pub sessions: Vec<SessionSummary>,
    /// The files that it has uploaded.
    pub files: Vec<FileDetails>,
    /// The links that it has made.
    pub links: Vec<LinkSummary>,
    /// What happened to those links.
    pub receipts: Vec<ReceiptEntry>,
    /// What was done to the account.
    pub audit: Vec<AuditEntry>,
    /// What the account did.
    pub actions: Vec<AuditEntry>,
    /// The lists that end early, because the answer would be too large. The later ones of these lists
    /// are then empty.
    pub cut: Vec<String>,
}
