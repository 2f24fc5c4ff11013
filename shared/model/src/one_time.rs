//! One-time tokens: what each is good for, and why one is refused.

use serde::{Deserialize, Serialize};

/// What a one-time token is good for. A token of one kind is unknown as any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// Proves an e-mail address.
    Verification,
    /// Sets the first password of an account.
    Invitation,
    /// Redeems a link.
    Download,
}

impl TokenKind {
    /// The name in the Links table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::Invitation => "invitation",
            Self::Download => "download",
        }
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
            (TokenKind::Download, "download"),
        ] {
            assert_eq!(kind.as_str(), name);
            assert_eq!(serde_json::to_value(kind).unwrap(), name);
        }
    }
}
