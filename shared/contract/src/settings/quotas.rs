//! How much can be stored.

use share_model::{Environment, Invalid, SettingError};

use super::{About, Default, Range, Setting};

/// A limit of [`Quotas`]: none when it is 0.
const fn quota(
    name: &'static str,
    text: &'static str,
    parameter: &'static str,
) -> Setting<Option<u64>> {
    let range = Range::Number(0, 1_000_000_000_000_000_000);
    let parameter = Some(parameter);
    let about = About { name, default: Default::Value("0"), range, text, parameter };
    Setting {
        about,
        parse: |text| match text.parse() {
            Ok(0) => Ok(None),
            Ok(most @ 1..=1_000_000_000_000_000_000) => Ok(Some(most)),
            _ => Err(Invalid::because("must be a number from 0 to 1000000000000000000")),
        },
    }
}

/// Bytes of one account.
pub const ACCOUNT_QUOTA_BYTES: Setting<Option<u64>> = quota(
    "ACCOUNT_QUOTA_BYTES",
    "Bytes of all files of one Ops account, at most. 0: no limit.",
    "AccountQuotaBytes",
);
/// Files of one account.
pub const ACCOUNT_QUOTA_FILES: Setting<Option<u64>> = quota(
    "ACCOUNT_QUOTA_FILES",
    "Files of one Ops account, at most. 0: no limit.",
    "AccountQuotaFiles",
);
/// Bytes of all accounts.
pub const STACK_QUOTA_BYTES: Setting<Option<u64>> = quota(
    "STACK_QUOTA_BYTES",
    "Bytes of all files of the installation, at most. 0: no limit.",
    "StackQuotaBytes",
);
/// Files of all accounts.
pub const STACK_QUOTA_FILES: Setting<Option<u64>> = quota(
    "STACK_QUOTA_FILES",
    "Files of the installation, at most. 0: no limit.",
    "StackQuotaFiles",
);

/// How much can be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Of one Ops account.
    pub account: Quota,
    /// Of the installation.
    pub stack: Quota,
}

/// What counts is every file that is uploading, being checked or available.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Bytes of all files, at most; none for no limit.
    pub bytes: Option<u64>,
    /// Files, at most; none for no limit.
    pub files: Option<u64>,
}

impl Quotas {
    /// # Errors
    /// When a setting is not what it may be.
    pub fn read(environment: &Environment) -> Result<Self, SettingError> {
        Ok(Self {
            account: Quota {
                bytes: ACCOUNT_QUOTA_BYTES.read(environment)?,
                files: ACCOUNT_QUOTA_FILES.read(environment)?,
            },
            stack: Quota {
                bytes: STACK_QUOTA_BYTES.read(environment)?,
                files: STACK_QUOTA_FILES.read(environment)?,
            },
        })
    }
}
