//! Why a command has failed: a sentence, what to do next, and an exit status for scripts.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::StatusCode;
use share_contract::Problem;

use crate::output::plain;

/// Why a command has failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// For scripts.
    pub(crate) status: Status,
    /// What has happened, in a sentence without a full stop.
    pub(crate) message: String,
    /// The file of this machine that it is about.
    pub(crate) path: Option<PathBuf>,
    /// What to do next.
    pub(crate) advice: Option<String>,
    /// What the service has answered.
    pub(crate) problem: Option<Box<Problem>>,
    /// How long to wait before asking again, when the service or S3 says so.
    pub(crate) retry_after: Option<Duration>,
}

/// The exit status of the process. These numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// Anything else.
    Failed = 1,
    /// The arguments are wrong. It is clap's status too.
    Usage = 2,
    /// Nobody is logged in, or the account may not do it.
    NotAllowed = 3,
    /// What is asked for is not there, or not any more.
    NotThere = 4,
    /// The service does not accept it as it is.
    Refused = 5,
    /// The service cannot be reached, or is busy: the same command may succeed later.
    Unavailable = 6,
    /// A file or folder of this machine is in the way.
    Local = 7,
    /// Somebody has pressed Ctrl-C, as the shell counts it: 128 and the signal.
    Interrupted = 130,
}

impl Failure {
    pub(crate) fn new(status: Status, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, message, path: None, advice: None, problem: None, retry_after: None }
    }

    /// The same, with what to do next.
    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// The same, about the file at `path` unless it names one already.
    pub(crate) fn about(self, path: &Path) -> Self {
        if self.path.is_some() {
            return self;
        }
        let message = format!("{}: {}", path.display(), self.message);
        Self { message, path: Some(path.to_owned()), ..self }
    }

    /// The file at `path` is what it must not be: the rest of the sentence.
    pub(crate) fn file(path: &Path, is: impl Display) -> Self {
        let message = format!("{} {is}", path.display());
        Self { path: Some(path.to_owned()), ..Self::new(Status::Local, message) }
    }

    /// Something about the file at `path` has failed.
    pub(crate) fn local(path: &Path, error: &io::Error) -> Self {
        let failure = Self::new(Status::Local, error.to_string()).about(path);
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                failure.advise("Free some space and give the same command again: it continues.")
            }
            _ => failure,
        }
    }

    /// The service could not be asked.
    pub(crate) fn unreachable(error: reqwest::Error) -> Self {
        // The address may hold a token.
        let error = error.without_url();
        let mut causes = vec![];
        let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(&error);
        while let Some(inner) = cause {
            causes.push(inner.to_string());
            cause = inner.source();
        }
        let last = causes.pop().unwrap_or_else(|| error.to_string());
        Self::new(Status::Unavailable, format!("The service did not answer: {last}"))
            .advise(
                "Check the network, the address and HTTPS_PROXY, if it is set, and give the same command again.",
            )
    }

    /// The service, or S3, has answered with an error.
    pub(crate) fn answered(status: StatusCode, body: &[u8]) -> Self {
        let kind = match status.as_u16() {
            401 | 403 => Status::NotAllowed,
            404 | 410 => Status::NotThere,
            408 | 429 | 500..=599 => Status::Unavailable,
            _ => Status::Refused,
        };
        let Ok(problem) = serde_json::from_slice::<Problem>(body) else {
            let (message, otherwise) = match code_of_s3(body) {
                Some(code) => (
                    format!("S3 answered {status}: {code}"),
                    "Give the same command again. If S3 says the same again, tell the operator of the service.",
                ),
                None => (
                    format!("The service answered {status}"),
                    "Is the address that of a Secure File Share?",
                ),
            };
            return Self::new(kind, message).advise(match kind {
                Status::Unavailable => "Give the same command again later.",
                _ => otherwise,
            });
        };
        let mut message = problem.detail.trim_end_matches('.').to_owned();
        for error in &problem.errors {
            message += "; ";
            message += &error.field;
            message += " ";
            message += &error.message;
        }
        let advice = match &*problem.code {
            "link_bound" => Some("Its maker can log in with: share login"),
            "wrong_role" => Some("See who is logged in with: share whoami"),
            "lease_ended" | "link_used" | "link_expired" | "link_revoked" => {
                Some("Ask for a new link. A Client makes one with: share link FILE")
            }
            _ => None,
        };
        Self {
            advice: advice.map(str::to_owned),
            problem: Some(Box::new(problem)),
            ..Self::new(kind, message)
        }
    }

    /// Whether a login helps: the session or token is not good, or not any more.
    pub(crate) fn needs_login(&self) -> bool {
        matches!(
            self.code(),
            Some(
                "invalid_token"
                    | "token_expired"
                    | "refresh_unknown"
                    | "session_revoked"
                    | "session_expired"
            )
        )
    }

    /// The stable code of the service's answer.
    pub(crate) fn code(&self) -> Option<&str> {
        self.problem.as_deref().map(|problem| &*problem.code)
    }
}

/// What S3 says in a word, when it is S3 that has answered:
/// [its errors](https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html) are XML.
fn code_of_s3(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, error) = text.split_once("<Error>")?;
    let (_, rest) = error.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    Some(plain(code).chars().take(100).collect())
}

/// Names the file that a failed call was about.
pub(crate) trait AtPath<T> {
    /// # Errors
    /// The error, with the path.
    fn at(self, path: &Path) -> Result<T, Failure>;
}

impl<T> AtPath<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T, Failure> {
        self.map_err(|error| Failure::local(path, &error))
    }
}

/// A failure that nobody but this program can explain.
pub(crate) fn unexpected(what: &str, error: impl Display) -> Failure {
    Failure::new(Status::Failed, format!("{what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_s3_says_is_told_in_its_own_word() {
        let answered = |status: u16, body: &str| {
            let status = StatusCode::from_u16(status).expect("a status");
            let failure = Failure::answered(status, body.as_bytes());
            (failure.status, failure.message, failure.advice.unwrap_or_default())
        };
        let error = |code: &str| {
            format!(
                "<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>m</Message></Error>"
            )
        };
        let (kind, message, advice) = answered(403, &error("AccessDenied"));
        assert_eq!(kind, Status::NotAllowed);
        assert_eq!(message, "S3 answered 403 Forbidden: AccessDenied");
        assert!(advice.contains("tell the operator"), "{advice}");
        let (kind, message, advice) = answered(503, &error("SlowDown"));
        assert_eq!(kind, Status::Unavailable);
        assert_eq!(message, "S3 answered 503 Service Unavailable: SlowDown");
        assert_eq!(advice, "Give the same command again later.");
        let (_, message, _) = answered(400, &error(&format!("a\u{1b}[2J{}", "b".repeat(1000))));
        assert!(message.starts_with("S3 answered 400 Bad Request: a\\u{1b}[2Jbbb"), "{message}");
        assert!(message.len() < 150, "{message}");
    }

    #[test]
    fn what_is_neither_the_service_nor_s3_is_told_apart() {
        for body in ["", "<html>", "<Code>AccessDenied</Code>", "<Error><Code>x", "{}"] {
            let failure = Failure::answered(StatusCode::FORBIDDEN, body.as_bytes());
            assert_eq!(failure.message, "The service answered 403 Forbidden", "{body}");
            let advice = failure.advice.unwrap_or_default();
            assert_eq!(advice, "Is the address that of a Secure File Share?", "{body}");
        }
        let failure = Failure::answered(StatusCode::BAD_GATEWAY, b"<html>");
        assert_eq!(failure.advice.as_deref(), Some("Give the same command again later."));
    }
}
