//! Errors as authenticator see them: problem details (RFC 9457).
//!
//! Use the variant whose `code` the README documents for the case. What a caller may know goes
//! into the problem; what only the operator may know stays in the [`StoreError`] and goes to the
//! log.

use std::fmt::Write;

use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use share_model::{Invalid, LinkRefusal};
use share_store::StoreError;

use crate::response::{Response, typed};
use crate::{HtmlPage, Metric, escape};

/// What is wrong with one field of the input.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name.
    pub field: String,
    /// What it must be.
    pub message: String,
}

/// Every way in which a request can fail.
#[derive(Debug)]
#[expect(missing_docs, reason = "`ApiError::describe` says it, in the words that the caller reads")]
pub enum ApiError {
    MalformedJson,
    MalformedForm,
    MalformedMultipart,
    MissingParameter(&'static str),
    InvalidParameter(&'static str, Invalid),
    InvalidHeader(&'static str, Invalid),
    MissingToken,
    InvalidToken,
    TokenExpired,
    InvalidCredentials,
    EmailNotVerified,
    AccountDisabled,
    WrongRole,
    LinkBound,
    OpsByInvitation,
    PrefetchRefused,
    FileUnknown,
    LinkUnknown,
    VerificationUnknown,
    InvitationUnknown,
    UsernameTaken,
    FilenameMismatch,
    LinkUsed,
    LinkExpired,
    LinkRevoked,
    LeaseEnded,
    FileGone,
    VerificationUsed,
    VerificationExpired,
    InvitationUsed,
    InvitationExpired,
    FileTooLarge,
    RangeUnsatisfiable(u64),
    UnsupportedMediaType(&'static str),
    FileTypeNotAllowed(String),
    ContentMismatch,
    InvalidFields(Vec<FieldError>),
    NoPublicUrl,
    Unavailable(StoreError),
}

impl From<LinkRefusal> for ApiError {
    fn from(refusal: LinkRefusal) -> Self {
        match refusal {
            LinkRefusal::Used => Self::LinkUsed,
            LinkRefusal::Expired => Self::LinkExpired,
            LinkRefusal::Revoked => Self::LinkRevoked,
            LinkRefusal::LeaseEnded => Self::LeaseEnded,
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

impl ApiError {
    /// A 422 about one field.
    #[must_use]
    pub fn field(field: &str, reason: Invalid) -> Self {
        Self::InvalidFields(vec![FieldError { field: field.to_owned(), message: reason.0 }])
    }

    /// Status, stable code, and a sentence for the caller. The one place that maps errors to HTTP.
    #[expect(clippy::too_many_lines, reason = "a table; splitting it would hide gaps")]
    fn describe(&self) -> (StatusCode, &'static str, String) {
        use StatusCode as S;
        let (status, code, detail) = match self {
            Self::MalformedJson => {
                (S::BAD_REQUEST, "malformed_json", "The body is not a JSON object.")
            }
            Self::MalformedForm => {
                (S::BAD_REQUEST, "malformed_form", "The body is not a well-formed form.")
            }
            Self::MalformedMultipart => (
                S::BAD_REQUEST,
                "malformed_multipart",
                "The body is not well-formed multipart/form-data.",
            ),
            Self::MissingParameter(name) => {
                return (
                    S::BAD_REQUEST,
                    "missing_parameter",
                    format!("The parameter {name} is missing."),
                );
            }
            Self::InvalidParameter(name, reason) => {
                return (
                    S::BAD_REQUEST,
                    "invalid_parameter",
                    format!("The parameter {name} {reason}."),
                );
            }
            Self::InvalidHeader(name, reason) => {
                return (S::BAD_REQUEST, "invalid_header", format!("The header {name} {reason}."));
            }
            Self::MissingToken => (
                S::UNAUTHORIZED,
                "missing_token",
                "This needs an access token. Send it as Authorization: Bearer …",
            ),
            Self::InvalidToken => {
                (S::UNAUTHORIZED, "invalid_token", "The access token is not valid.")
            }
            Self::TokenExpired => {
                (S::UNAUTHORIZED, "token_expired", "The access token has expired. Log in again.")
            }
            Self::InvalidCredentials => (
                S::UNAUTHORIZED,
                "invalid_credentials",
                "Wrong name, address or password, or not an account of this kind. An e-mail \
                 address can be used to log in once it is verified.",
            ),
            Self::EmailNotVerified => (
                S::FORBIDDEN,
                "email_not_verified",
                "Verify your e-mail address first: open the link that was mailed to you.",
            ),
            Self::AccountDisabled => {
                (S::FORBIDDEN, "account_disabled", "This account has been switched off.")
            }
            Self::LinkBound => (
                S::FORBIDDEN,
                "link_bound",
                "This link is bound to the account that made it, which is not yours.",
            ),
            Self::WrongRole => (S::FORBIDDEN, "wrong_role", "Your role does not permit this."),
            Self::OpsByInvitation => {
                (S::FORBIDDEN, "ops_by_invitation", "Ops accounts are made by invitation.")
            }
            Self::PrefetchRefused => (
                S::FORBIDDEN,
                "prefetch_refused",
                "This link is not for prefetching: it would be spent.",
            ),
            Self::FileUnknown => (S::NOT_FOUND, "file_unknown", "There is no such file."),
            Self::LinkUnknown => (S::NOT_FOUND, "link_unknown", "There is no such download link."),
            Self::VerificationUnknown => {
                (S::NOT_FOUND, "verification_unknown", "There is no such verification link.")
            }
            Self::InvitationUnknown => {
                (S::NOT_FOUND, "invitation_unknown", "There is no such invitation.")
            }
            Self::UsernameTaken => (S::CONFLICT, "username_taken", "This username is taken."),
            Self::FilenameMismatch => {
                (S::CONFLICT, "filename_mismatch", "The file has another name than the one given.")
            }
            Self::LinkUsed => (S::GONE, "link_used", "This link has been used. Ask for a new one."),
            Self::LinkExpired => {
                (S::GONE, "link_expired", "This link has expired. Ask for a new one.")
            }
            Self::LinkRevoked => (S::GONE, "link_revoked", "This link has been taken back."),
            Self::LeaseEnded => (
                S::GONE,
                "lease_ended",
                "This download cannot be resumed any more: its lease has ended.",
            ),
            Self::FileGone => (S::GONE, "file_gone", "The file is no longer available."),
            Self::VerificationUsed => (
                S::GONE,
                "verification_used",
                "This verification link has been used. The address is verified: log in.",
            ),
            Self::VerificationExpired => {
                (S::GONE, "verification_expired", "This verification link has expired.")
            }
            Self::InvitationUsed => {
                (S::GONE, "invitation_used", "This invitation has been used: log in.")
            }
            Self::InvitationExpired => {
                (S::GONE, "invitation_expired", "This invitation has expired. Ask for a new one.")
            }
            Self::FileTooLarge => (
                S::PAYLOAD_TOO_LARGE,
                "file_too_large",
                "A file may have at most 4 MiB (4194304 bytes).",
            ),
            Self::RangeUnsatisfiable(size) => {
                let detail = format!("The file has {size} bytes; none of those asked for.");
                return (S::RANGE_NOT_SATISFIABLE, "range_unsatisfiable", detail);
            }
            Self::UnsupportedMediaType(wanted) => {
                let detail = format!("Send the body as {wanted}.");
                return (S::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail);
            }
            Self::FileTypeNotAllowed(allowed) => {
                let detail = format!("Files of this type are not taken. Allowed: {allowed}.");
                return (S::UNSUPPORTED_MEDIA_TYPE, "file_type_not_allowed", detail);
            }
            Self::ContentMismatch => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "content_mismatch",
                "The file's content is not what its name's extension says.",
            ),
            Self::InvalidFields(_) => {
                (S::UNPROCESSABLE_ENTITY, "invalid_field", "Some fields are not as they must be.")
            }
            Self::NoPublicUrl | Self::Unavailable(_) => (
                S::SERVICE_UNAVAILABLE,
                "dependency_unavailable",
                "A service that this one needs does not answer. Try again.",
            ),
        };
        (status, code, detail.to_owned())
    }

    /// The stable code, for the log.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.describe().1
    }

    /// What to count when this happens.
    pub(crate) fn metric(&self) -> Option<Metric> {
        match self {
            Self::LinkUnknown
            | Self::LinkUsed
            | Self::LinkExpired
            | Self::LinkRevoked
            | Self::LinkBound
            | Self::LeaseEnded => Some(Metric::LinkRefused),
            Self::InvalidCredentials => Some(Metric::LoginFailed),
            Self::NoPublicUrl | Self::Unavailable(_) => Some(Metric::DependencyFailure),
            _ => None,
        }
    }

    /// The cause, for the operator.
    pub(crate) fn cause(&self) -> Option<String> {
        match self {
            Self::NoPublicUrl => {
                Some("PUBLIC_BASE_URL is not set, and the event names no API".into())
            }
            Self::Unavailable(cause) => Some(cause.to_string()),
            _ => None,
        }
    }

    /// The error in words.
    pub(crate) fn sentence(&self) -> String {
        let mut text = self.describe().2;
        for FieldError { field, message } in self.fields() {
            let _ = write!(text, " {field} {message}."); // a string takes everything
        }
        text
    }

    /// The answer as a page, for somebody in a browser. Its heading is the first sentence.
    pub(crate) fn page(&self, request_id: &str) -> Response {
        let (status, sentence) = (self.describe().0, self.sentence());
        let (title, rest) =
            sentence.split_once(". ").unwrap_or((sentence.trim_end_matches('.'), ""));
        let rest = (!rest.is_empty()).then(|| format!("<p>{}</p>\n", escape(rest)));
        let (rest, request_id) = (rest.unwrap_or_default(), escape(request_id));
        let content = format!("{rest}<p><small>Request {request_id}</small></p>");
        HtmlPage { title: title.to_owned(), content }.respond(status)
    }

    fn fields(&self) -> &[FieldError] {
        match self {
            Self::InvalidFields(errors) => errors,
            _ => &[],
        }
    }

    /// The headers that go with the status.
    pub(crate) fn headers(&self) -> Option<(header::HeaderName, HeaderValue)> {
        let value = match self {
            Self::MissingToken | Self::InvalidCredentials => "Bearer realm=\"secure-file-share\"",
            Self::InvalidToken | Self::TokenExpired => {
                "Bearer realm=\"secure-file-share\", error=\"invalid_token\""
            }
            Self::Unavailable(_) => {
                return Some((header::RETRY_AFTER, HeaderValue::from_static("5")));
            }
            Self::RangeUnsatisfiable(size) => {
                let range = HeaderValue::try_from(format!("bytes */{size}")).ok()?;
                return Some((header::CONTENT_RANGE, range)); // RFC 9110, section 15.5.17
            }
            _ => return None,
        };
        Some((header::WWW_AUTHENTICATE, HeaderValue::from_static(value)))
    }

    /// The answer as `application/problem+json`.
    #[expect(clippy::expect_used, reason = "a problem is a struct of strings")]
    pub(crate) fn problem(&self, request_id: &str) -> Response {
        let (status, code, detail) = self.describe();
        let problem = Problem {
            // RFC 9457, section 4.2.1: the title says no more than the status; `code` does.
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: &detail,
            code,
            request_id,
            errors: self.fields(),
        };
        let text = serde_json::to_vec(&problem).expect("a problem serializes");
        typed(status, "application/problem+json", text)
    }
}

#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}
