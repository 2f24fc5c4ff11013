//! The audit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use share_model::UserId;

use crate::schema;

/// A line of the audit, as `audit_list` shows it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AuditEntry {
    /// When.
    #[schemars(schema_with = "schema::moment")]
    pub at: String,
    /// What it is about: `file:<id>`, `user:<id>` or `group:<id>`.
    pub subject: String,
    /// What was done, such as `session_begun`.
    pub action: String,
    /// The account that did it.
    #[schemars(schema_with = "schema::text")]
    pub actor: UserId,
    /// The request that did it, as in problems and logs.
    pub request_id: String,
    /// What the action does not say, such as `client to ops` or the name of a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::text")]
    pub detail: Option<String>,
}
