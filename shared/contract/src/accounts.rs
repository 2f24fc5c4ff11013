//! Accounts: signing up, proving an address, accepting an invitation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use share_model::{EmailAddress, Invalid, Role, Username};

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

/// The body of `invitation_accept`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationAccept {
    /// Any characters. Common passwords, the username and the address are refused.
    #[schemars(length(min = 8, max = 256))]
    pub password: String,
}

/// The answer of `invitation_accept`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PasswordSet {
    /// What to do next.
    pub message: String,
    /// The account's name, to log in with.
    pub username: Username,
}
