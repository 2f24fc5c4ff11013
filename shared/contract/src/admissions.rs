//! Who may come in: approvals of sign-ups, and invitations.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use share_model::{EmailAddress, Role, User, UserId, Username, rfc3339_millis};

use crate::schema;

/// Somebody who waits to be let in, as `approval_list` shows them.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalSummary {
    /// The account's id.
    #[schemars(schema_with = "schema::text")]
    pub id: UserId,
    /// Its name.
    pub username: Username,
    /// Its address, which is proven.
    pub email: EmailAddress,
    /// What it can do once it is let in.
    pub role: Role,
    /// When its owner signed up.
    #[serde(with = "rfc3339_millis")]
    #[schemars(schema_with = "schema::moment")]
    pub created_at: Timestamp,
}

impl From<User> for ApprovalSummary {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            username: user.username,
            email: user.email,
            role: user.role,
            created_at: user.created_at,
        }
    }
}

/// The body of `invitation_create`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationRequest {
    /// Where the invitation goes.
    pub email: EmailAddress,
    /// What the account may do.
    pub role: Role,
    /// The account's name. When it is left out, one is made of the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<Username>,
}

/// An invitation, as admins see it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct InvitationSummary {
    /// The id of the account, and so of the invitation.
    #[schemars(schema_with = "schema::text")]
    pub id: UserId,
    /// Where it went.
    pub email: EmailAddress,
    /// What the account may do.
    pub role: Role,
    /// The account's name.
    pub username: Username,
    /// When it was first sent.
    #[serde(with = "rfc3339_millis")]
    #[schemars(schema_with = "schema::moment")]
    pub created_at: Timestamp,
    /// When it can no longer be accepted.
    #[serde(with = "rfc3339_millis")]
    #[schemars(schema_with = "schema::moment")]
    pub expires_at: Timestamp,
}

impl InvitationSummary {
    /// The invitation to this account, which ends at `expires_at`.
    #[must_use]
    pub fn new(user: User, expires_at: Timestamp) -> Self {
        Self {
            id: user.id,
            email: user.email,
            role: user.role,
            username: user.username,
            created_at: user.created_at,
            expires_at,
        }
    }
}
