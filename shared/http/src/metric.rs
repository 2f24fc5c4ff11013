//! What is counted.

use share_store::StoreError;

/// An outcome that an operator wants to count, or to be alarmed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// A link was redeemed.
    LinkUsed,
    /// A request came with a link that is used, expired, revoked or unknown.
    LinkRefused,
    /// Wrong credentials.
    LoginFailed,
    /// DynamoDB, S3, SES or Secrets Manager did not do what was asked.
    DependencyFailure,
}

impl Metric {
    /// Its name in CloudWatch.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LinkUsed => "LinkUsed",
            Self::LinkRefused => "LinkRefused",
            Self::LoginFailed => "LoginFailed",
            Self::DependencyFailure => "DependencyFailure",
        }
    }
}

/// Logs and counts the failure of something that the caller of a request need not know of.
pub fn log_failure(request_id: &str, error: &StoreError) {
    let metric = Metric::DependencyFailure.as_str();
    tracing::error!(request_id, cause = error.to_string(), metric);
}
