//! Groups of Clients.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use share_model::{Group, rfc3339_millis};

use crate::schema;

/// The body of `group_create`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupCreate {
    /// 2 to 64 letters from a to z, digits and hyphens.
    #[schemars(length(min = 2, max = 64))]
    pub name: String,
}

/// A group, as `group_create` and `group_list` show it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct GroupDetails {
    /// Its name, in lower case. Among the recipients of a file it is `group:<name>`.
    pub name: String,
    /// How many accounts are in it.
    pub members: usize,
    /// When it was made.
    #[serde(with = "rfc3339_millis")]
    #[schemars(schema_with = "schema::moment")]
    pub created_at: Timestamp,
}

impl From<Group> for GroupDetails {
    fn from(group: Group) -> Self {
        Self {
            name: group.name.as_str().to_owned(),
            members: group.members.len(),
            created_at: group.created_at,
        }
    }
}
