//! Why a value that came from outside was refused.

/// A sentence about the value, written for the person who sent it. It never repeats the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

impl Invalid {
    /// A refusal for the given reason.
    pub fn because(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}
