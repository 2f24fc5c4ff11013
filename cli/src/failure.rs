//! Why a command has failed: a sentence, what to do next, and an exit status for scripts.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use http::StatusCode;
use share_contract::Problem;

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
        Self { status, message: message.into(), path: None, advice: None, problem: None }
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
            .advise("Check the network and the address, and give the same command again.")
    }

    /// The service has answered with an error.
    pub(crate) fn answered(status: StatusCode, problem: Option<Problem>) -> Self {
        let kind = match status.as_u16() {
            401 | 403 => Status::NotAllowed,
            404 | 410 => Status::NotThere,
            408 | 429 | 500..=599 => Status::Unavailable,
            _ => Status::Refused,
        };
        let Some(problem) = problem else {
            return Self::new(kind, format!("The service answered {status}"))
                .advise("Is the address that of a Secure File Share?");
        };
        let mut message = problem.detail.trim_end_matches('.').to_owned();
        for error in &problem.errors {
            message += "; ";
            message += &error.field;
            message += " ";
            message += &error.message;
        }
        let advice = match &*problem.code {
            "invalid_token" | "token_expired" | "refresh_unknown" | "session_revoked"
            | "session_expired" => {
                Some("Log in with: share login. In a script, set SHARE_TOKEN anew.")
            }
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

    /// The stable code of the service's answer.
    pub(crate) fn code(&self) -> Option<&str> {
        self.problem.as_deref().map(|problem| &*problem.code)
    }
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
