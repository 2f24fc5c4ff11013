//! What can go wrong behind the handlers.

use std::error::Error;

use share_model::SettingError;

/// A dependency failed, or holds something that cannot be read. For the log, not for a caller.
#[derive(Debug, thiserror::Error)]
#[error("{operation}: {reason}")]
pub struct StoreError {
    operation: &'static str,
    reason: String,
}

impl StoreError {
    /// For `map_err` on an AWS SDK call; `operation` names it in the log.
    pub fn during<E: Error + 'static>(operation: &'static str) -> impl FnOnce(E) -> Self {
        move |error| Self { operation, reason: with_sources(&error) }
    }

    /// For what has no other error as its cause, such as a record that is not as this program writes
    /// it.
    pub fn because(operation: &'static str, reason: impl Into<String>) -> Self {
        Self { operation, reason: reason.into() }
    }
}

/// The error and its causes in a line. The SDK's own `DisplayErrorContext` adds the whole raw
/// answer, which is more than a log should hold.
fn with_sources(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Why a function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its configuration is incomplete or wrong.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// Something that it needs at start did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}
