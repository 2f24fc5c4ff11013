//! Groups of Clients, for whom a file can be.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::user::uuid_v7;
use crate::{Invalid, UserId, rfc3339_millis};

/// A group's identity, a UUID version 7. A later group of the same name has another one, so nobody
/// in it sees what was for the earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupId(Uuid);

impl GroupId {
    /// An identity born at `now`; `random` keeps apart those of one millisecond.
    #[must_use]
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        Self(uuid_v7(now, random))
    }
}

impl FromStr for GroupId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Uuid::try_parse(text).map(Self).map_err(|_| Invalid::because("must be the id of a group"))
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// 2 to 64 letters from a to z, digits and hyphens. Upper case becomes lower case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupName(String);

impl GroupName {
    /// What stands before the name where it is one of the recipients of a file.
    pub const PREFIX: &str = "group:";

    /// The name in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GroupName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if !(2..=64).contains(&text.len()) || !text.bytes().all(fits) {
            return Err(Invalid::because(
                "must be 2 to 64 characters: letters from a to z, digits and -",
            ));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Identity.
    pub id: GroupId,
    /// Name, which never changes.
    pub name: GroupName,
    /// When it was made.
    #[serde(with = "rfc3339_millis")]
    pub created_at: Timestamp,
    /// Who is in it. Each of these accounts names the group, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<UserId>,
    /// Whether it is being deleted. Then nobody joins, and no file names it any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ending: bool,
}

impl Group {
    /// How many accounts can be in it: all of them leave within the request that deletes it.
    pub const MAX_MEMBERS: usize = 1000;

    /// A group made at `now`, without members.
    #[must_use]
    pub fn new(id: GroupId, name: GroupName, now: Timestamp) -> Self {
        Self { id, name, created_at: now, members: Vec::new(), ending: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_has_a_name_that_can_stand_in_an_address_and_is_one_in_any_case() {
        let name: GroupName = "Board-2026".parse().unwrap();
        assert_eq!(name.as_str(), "board-2026");
        for length in [2, 64] {
            assert!("a".repeat(length).parse::<GroupName>().is_ok());
        }
        for text in ["", "a", &"a".repeat(65), "a b", "a/b", "a@b", "gruppe:a", "käufer", "a_b"] {
            assert!(text.parse::<GroupName>().is_err(), "{text:?}");
        }
    }
}
