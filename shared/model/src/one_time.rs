//! One-time tokens: what each is good for, and why one is refused.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a one-time token is good for. A token of one kind is unknown as any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// Proves an e-mail address.
    Verification,
    /// Sets the first password of an account.
    Invitation,
    /// Sets a new password of an account.
    PasswordReset,
    /// Proves the address that an account is to have.
    EmailChange,
    /// Gives an account the address back that it had.
    EmailUndo,
    /// Redeems a link.
    Download,
}

impl TokenKind {
    /// Those by which an account is recovered or changed. Of each an account has one at most.
    pub const OF_ACCOUNTS: [Self; 3] = [Self::PasswordReset, Self::EmailChange, Self::EmailUndo];

    /// The name in the Links table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::Invitation => "invitation",
            Self::PasswordReset => "password_reset",
            Self::EmailChange => "email_change",
            Self::EmailUndo => "email_undo",
            Self::Download => "download",
        }
    }

    /// Whether only the newest token of an account is good, so that asking for another one makes
    /// every older one worthless.
    #[must_use]
    pub fn only_newest(self) -> bool {
        Self::OF_ACCOUNTS.contains(&self)
    }
}

/// Why a one-time token cannot be spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenRefusal {
    /// There is no such token.
    Unknown,
    /// It has been spent.
    Used,
    /// It was good once, and its time is over.
    Expired,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_token_has_one_name_in_the_table_and_in_json() {
        for (kind, name) in [
            (TokenKind::Verification, "verification"),
            (TokenKind::Invitation, "invitation"),
            (TokenKind::PasswordReset, "password_reset"),
            (TokenKind::EmailChange, "email_change"),
            (TokenKind::EmailUndo, "email_undo"),
            (TokenKind::Download, "download"),
        ] {
            assert_eq!(kind.as_str(), name);
            assert_eq!(serde_json::to_value(kind).unwrap(), name);
        }
    }
}
