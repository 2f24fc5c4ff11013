//! The process's environment and clock. Everything else takes settings and time as arguments.

use jiff::Timestamp;
use share_model::Environment;

/// The process's environment: the one place that reads it.
#[expect(clippy::disallowed_methods, reason = "this is their one home")]
#[must_use]
pub fn environment() -> Environment {
    std::env::vars().collect()
}

/// The moment a request came: the one place in a Lambda function that reads the clock.
#[expect(clippy::disallowed_methods, reason = "this is its one home")]
#[must_use]
pub fn clock() -> Timestamp {
    Timestamp::now()
}
