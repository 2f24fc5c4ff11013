//! Functions that are invoked directly, with IAM's permission, and have no route.

use jiff::Timestamp;
use serde_json::{Map, Value};
use share_store::{Platform, StartError, StoreError};

use crate::ApiError;

/// One Lambda function that takes a JSON object and gives a JSON value.
pub trait DirectFunction: Sized + Send + Sync + 'static {
    /// Builds the task, once per process.
    ///
    /// # Errors
    /// When a setting is missing or wrong, or a secret cannot be read.
    fn connect(platform: &Platform) -> impl Future<Output = Result<Self, StartError>> + Send;

    /// Does the task.
    ///
    /// # Errors
    /// When it cannot be done; the invoker is an operator and is told why.
    fn run(
        &self,
        input: Map<String, Value>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Value, DirectFunctionError>> + Send;
}

/// Why a task was not done, in words for an operator.
#[derive(Debug)]
pub struct DirectFunctionError(String);

impl DirectFunctionError {
    /// The task makes no sense as things are.
    #[must_use]
    pub fn refused(reason: &str) -> Self {
        Self(reason.to_owned())
    }
}

impl std::fmt::Display for DirectFunctionError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for DirectFunctionError {}

impl From<StoreError> for DirectFunctionError {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

impl From<ApiError> for DirectFunctionError {
    fn from(error: ApiError) -> Self {
        Self(error.sentence())
    }
}
