//! Why a file is not taken.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a file is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// Its extension is not on the list.
    NotAllowed,
    /// Its content is not what its extension says.
    ContentMismatch,
    /// Its bytes do not have the digest that was promised.
    DigestMismatch,
    /// The scan found malware.
    Malware,
    /// It could not be scanned.
    ScanFailed,
    /// It would pass a quota.
    QuotaExceeded,
    /// Its source did not give it.
    ImportFailed,
}

impl fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotAllowed => "its extension is not on the list",
            Self::ContentMismatch => "its content is not what its extension says",
            Self::DigestMismatch => "its bytes do not have the digest that was promised",
            Self::Malware => "the scan found malware",
            Self::ScanFailed => "it could not be scanned",
            Self::QuotaExceeded => "it would pass a quota",
            Self::ImportFailed => "its source did not give it",
        })
    }
}
