//! Accounts, as admins see and change them.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use share_model::{Invalid, Role, User, UserId, UserState, rfc3339_millis};

use crate::schema;

/// An account, as `user_list`, `user_show` and `user_change` show it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct UserDetails {
    /// Its id.
    #[schemars(schema_with = "schema::text")]
    pub id: UserId,
    /// Its name.
    pub username: String,
    /// Its address.
    pub email: String,
    /// What it may do.
    pub role: Role,
    /// Whether it can be used, and if not, why.
    pub state: UserState,
    /// Whether logging in needs a second factor.
    pub second_factor: bool,
    /// When somebody signed up, or was invited.
    #[serde(with = "rfc3339_millis")]
    #[schemars(schema_with = "schema::moment")]
    pub created_at: Timestamp,
    /// When its owner last logged in or continued a session. Not there when that never was.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rfc3339_millis::optional")]
    #[schemars(schema_with = "schema::moment")]
    pub last_seen_at: Option<Timestamp>,
    /// When it got another address last. For 7 days from then on whoever has the one before can undo
    /// that. Not there when that never was, or was undone.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rfc3339_millis::optional")]
    #[schemars(schema_with = "schema::moment")]
    pub email_changed_at: Option<Timestamp>,
}

/// A limit of an account that is in force, as `user_limits` shows it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LimitDetails {
    /// What is counted.
    pub what: LimitKind,
    /// How often it was done in this window.
    pub taken: u32,
    /// How often it may be done in a window.
    pub most: u32,
    /// When the window ends, and nothing is counted any more.
    #[serde(with = "rfc3339_millis")]
    #[schemars(schema_with = "schema::moment")]
    pub ends_at: Timestamp,
    /// After how many seconds it can be done once more. Not there when it can be done now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<i64>,
}

/// What a limit of an account counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// Wrong passwords for the name, from all sources.
    WrongPasswordsForName,
    /// Wrong passwords for the address, from all sources.
    WrongPasswordsForAddress,
    /// Wrong codes of the second factor.
    WrongCodes,
    /// Links.
    Links,
    /// Uploads and imports.
    Uploads,
    /// Requests for another address.
    AddressChanges,
    /// Mails because of a reset.
    ResetMails,
    /// Mails because of a sign-up.
    SignUpMails,
    /// Mails because of another verification link.
    VerificationMails,
    /// Mails because an account is to have this address.
    NewAddressMails,
    /// Mails because of an invitation.
    InvitationMails,
    /// Mails about a file to its recipient.
    FileMails,
    /// Mails about downloads to an uploader.
    DownloadMails,
}

/// The order of a list of accounts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum UserSort {
    /// By name.
    #[default]
    #[serde(rename = "name")]
    Name,
    /// Those first whose owners were seen last.
    #[serde(rename = "-last_seen")]
    LastSeen,
    /// Those first whose owners were not seen for the longest time.
    #[serde(rename = "last_seen")]
    LongestUnseen,
}

/// The body of `user_change`. What is left out stays as it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct UserChange {
    /// Another role. The account's sessions end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Whether the account may be used. When it may not, its sessions end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// `end`: all its sessions end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions: Option<SessionsChange>,
    /// `reset`: the password does not count any more, and all its sessions end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Reset>,
    /// `reset`: the second factor does not count any more, and all its sessions end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_factor: Option<Reset>,
}

/// What is to become of an account's sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionsChange {
    /// They end.
    End,
}

/// That a password or a second factor is to count no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reset {
    /// It does not count any more.
    Reset,
}

impl From<User> for UserDetails {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            username: user.username.as_str().to_owned(),
            email: user.email.as_str().to_owned(),
            role: user.role,
            state: user.state(),
            second_factor: user.confirmed_factor().is_some(),
            created_at: user.created_at,
            last_seen_at: user.last_seen_at,
            email_changed_at: user.email_changed_at,
        }
    }
}

impl UserSort {
    /// # Errors
    /// When the text names no order.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text {
            "name" => Ok(Self::Name),
            "-last_seen" => Ok(Self::LastSeen),
            "last_seen" => Ok(Self::LongestUnseen),
            _ => Err(Invalid::because("must be name, last_seen or -last_seen")),
        }
    }

    /// As a query says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::LastSeen => "-last_seen",
            Self::LongestUnseen => "last_seen",
        }
    }
}

impl SessionsChange {
    /// # Errors
    /// When the text is not `end`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text == "end" { Ok(Self::End) } else { Err(Invalid::because("must be end")) }
    }
}

impl Reset {
    /// # Errors
    /// When the text is not `reset`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text == "reset" { Ok(Self::Reset) } else { Err(Invalid::because("must be reset")) }
    }
}
