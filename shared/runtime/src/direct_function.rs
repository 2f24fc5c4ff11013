//! Functions that are invoked directly, with IAM's permission, and have no route.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Map, Value};
use share_http::ApiError;
use share_store::{Platform, StartError, StoreError};

/// A Lambda function that takes a JSON object and gives a JSON value.
pub trait DirectFunction: Sized + Send + Sync + 'static {
    /// Its name, the logical id in `template.yaml`.
    const NAME: &'static str;

    /// Builds the function, once per process.
    ///
    /// # Errors
    /// When a setting is missing or wrong, or a secret cannot be read.
    fn connect(platform: &Platform) -> impl Future<Output = Result<Self, StartError>> + Send;

    /// Answers one invocation.
    ///
    /// # Errors
    /// When it cannot be done; the invoker is an operator and is told why.
    fn invoke(
        &self,
        input: Map<String, Value>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Value, NotDone>> + Send;
}

/// Why an invocation did nothing, in words for an operator.
#[derive(Debug)]
pub struct NotDone(String);

impl NotDone {
    /// It makes no sense as things are.
    #[must_use]
    pub fn because(reason: &str) -> Self {
        Self(reason.to_owned())
    }
}

impl fmt::Display for NotDone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for NotDone {}

impl From<StoreError> for NotDone {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

impl From<ApiError> for NotDone {
    fn from(error: ApiError) -> Self {
        Self(error.sentence())
    }
}
