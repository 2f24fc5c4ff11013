//! Accounts: signing up, proving an address, accepting an invitation, and changing what was chosen.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use share_model::{EmailAddress, Invalid, Role, User, UserId, Username, rfc3339_millis};

use crate::schema;

/// The body of `account_create`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignUp {
    /// Letters and digits of one script, and `. _ + -`. Unique without regard to case.
    pub username: Username,
    /// Must be proven before the account can be used.
    pub email: EmailAddress,
    /// Any characters. Common passwords, the username and the address are refused.
    #[schemars(length(min = 8, max = 256))]
    pub password: String,
    /// `client` when it is left out; `ops` where `OPS_SIGNUP` is `open`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<PublicRole>,
}

/// A role for which somebody can sign up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PublicRole {
    /// Lists and downloads files.
    Client,
    /// Hands files to clients.
    Ops,
}

/// The answer of `account_create`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AccountCreated {
    /// What to do next.
    pub message: String,
    /// The name as it was chosen.
    pub username: Username,
    /// What the account may do.
    pub role: Role,
    /// The address that proves the e-mail address, for programs. Only where mail goes to the log,
    /// for a request from the same machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::url")]
    pub verification_url: Option<String>,
}

/// The body of `verification_answer`: the password, or that the sign-up was somebody else's.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum VerificationAnswer {
    /// Verifies.
    ItWasMe {
        /// The password of the sign-up.
        #[schemars(length(max = 256))]
        password: String,
    },
    /// Deletes the sign-up.
    ItWasNotMe {
        /// That it was somebody else who signed up.
        decline: Decline,
    },
}

/// That somebody else signed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Decline {
    /// It was somebody else.
    Yes,
}

impl Decline {
    /// Reads the text `yes`.
    ///
    /// # Errors
    /// When it is another text.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text == "yes" { Ok(Self::Yes) } else { Err(Invalid::because("must be yes")) }
    }
}

/// The answer of `account_verify` and `verification_answer`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct VerificationDone {
    /// What to do next.
    pub message: String,
}

/// The body of `invitation_accept` and `password_reset_answer`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// Any characters. Common passwords, the username and the address are refused.
    #[schemars(length(min = 8, max = 256))]
    pub password: String,
}

/// The answer of `invitation_accept`, `password_reset_answer` and `password_reset_confirm`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PasswordSet {
    /// What to do next.
    pub message: String,
    /// The account's name, to log in with.
    pub username: Username,
}

/// An account, as its owner sees it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AccountDetails {
    /// Its id, which never changes.
    #[schemars(schema_with = "schema::text")]
    pub id: UserId,
    /// Its name.
    pub username: Username,
    /// Where its mail goes.
    pub email: EmailAddress,
    /// What it may do.
    pub role: Role,
    /// Whether a login asks for a code as well.
    pub second_factor: bool,
    /// When it was made.
    #[serde(with = "rfc3339_millis")]
    #[schemars(schema_with = "schema::moment")]
    pub created_at: Timestamp,
}

impl From<User> for AccountDetails {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            second_factor: user.confirmed_factor().is_some(),
            username: user.username,
            email: user.email,
            role: user.role,
            created_at: user.created_at,
        }
    }
}

/// The body of `password_change`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The password that the account has.
    #[schemars(length(min = 1, max = 256))]
    pub current: String,
    /// Any characters. Common passwords, the username and the address are refused.
    #[schemars(length(min = 8, max = 256))]
    pub new: String,
}

/// The body of `password_reset_request` and `verification_request`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MailRequest {
    /// Where the mail goes, whether or not an account has this address.
    pub email: EmailAddress,
}

/// The answer of what has sent a mail.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct MailSent {
    /// What to do next.
    pub message: String,
}

/// The body of `password_reset_confirm`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordResetConfirm {
    /// The token from the mailed link.
    #[schemars(schema_with = "schema::token")]
    pub token: String,
    /// Any characters. Common passwords, the username and the address are refused.
    #[schemars(length(min = 8, max = 256))]
    pub password: String,
}

/// The body of `email_change_request`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailChange {
    /// The address that the account is to have.
    pub email: EmailAddress,
    /// The account's password.
    #[schemars(length(min = 1, max = 256))]
    pub password: String,
}

/// The body of `email_change_confirm`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailConfirmation {
    /// The password of the account.
    #[schemars(length(max = 256))]
    pub password: String,
}

/// The answer of `email_change_confirm` and `email_undo_confirm`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct EmailSet {
    /// What to do next.
    pub message: String,
    /// The address that the account has now.
    pub email: EmailAddress,
}
