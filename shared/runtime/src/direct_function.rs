//! Functions without a route: invoked directly, with IAM's permission, by events, or by schedules.

use std::fmt;

use serde_json::{Map, Value};
use share_http::ApiError;
use share_store::{Clock, Platform, StartError, StoreError};

/// A Lambda function that takes a JSON object and gives a JSON value.
pub trait DirectFunction: Sized + Send + Sync + 'static {
    /// Its name, the logical id in `template.yaml`.
    const NAME: &'static str;

    /// Builds the function, once per process.
    ///
    /// # Errors
    /// When a setting is missing or wrong, or a secret cannot be read.
    fn connect(platform: &Platform) -> impl Future<Output = Result<Self, StartError>> + Send;

    /// Answers one invocation. `clock` gives the time, which passes while a long one runs.
    ///
    /// # Errors
    /// When it cannot be done. An operator who invokes it is told why; an event or schedule invokes
    /// it again.
    fn invoke(
        &self,
        input: Map<String, Value>,
        clock: &Clock,
    ) -> impl Future<Output = Result<Value, NotDone>> + Send;
}

/// Why an invocation was not done, in words for an operator.
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
