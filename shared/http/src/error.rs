//! Errors on their way to the caller.
//!
//! `ErrorCode` in `share-contract` is the table of all errors. What a caller may know goes into the
//! problem; what only the operator may know is the cause, and goes to the log.

use std::fmt::Write;

use http::{HeaderName, HeaderValue, StatusCode, header};
use share_contract::{ErrorCode, FieldError, Problem};
use share_model::limits::LimitReached;
use share_model::{Invalid, LinkRefusal, TokenKind, TokenRefusal, UserId};
use share_store::{ProofRefusal, RecoveryRefusal, RefusedToken, StoreError};

use crate::answer::{Response, json};
use crate::{HtmlPage, Metric, escape};

/// Why a request failed.
#[derive(Debug)]
pub struct ApiError {
    code: ErrorCode,
    /// The code's sentence, its places filled in.
    detail: Box<str>,
    fields: Box<[FieldError]>,
    /// The size of the file of which nothing was that was asked for.
    size: Option<u64>,
    /// After how many seconds the request can be repeated.
    retry_after: Option<i64>,
    cause: Option<Box<str>>,
    /// Whose request it was, as far as that is known. For the log.
    user: Option<Box<UserId>>,
    /// What to send with the next request, after a password that is right and not enough.
    challenge: Option<Box<str>>,
    /// What a browser is shown; without it a page of the error alone.
    page: Option<Box<HtmlPage>>,
}

impl From<ErrorCode> for ApiError {
    fn from(code: ErrorCode) -> Self {
        Self::with(code, &[])
    }
}

impl From<LinkRefusal> for ApiError {
    fn from(refusal: LinkRefusal) -> Self {
        let code = match refusal {
            LinkRefusal::Used => ErrorCode::LinkUsed,
            LinkRefusal::Expired => ErrorCode::LinkExpired,
            LinkRefusal::Revoked => ErrorCode::LinkRevoked,
            LinkRefusal::LeaseEnded => ErrorCode::LeaseEnded,
        };
        code.into()
    }
}

impl From<RefusedToken> for ApiError {
    fn from(refused: RefusedToken) -> Self {
        let code = match (refused.kind, refused.refusal) {
            (TokenKind::Verification, TokenRefusal::Unknown) => ErrorCode::VerificationUnknown,
            (TokenKind::Verification, TokenRefusal::Used) => ErrorCode::VerificationUsed,
            (TokenKind::Verification, TokenRefusal::Expired) => ErrorCode::VerificationExpired,
            (TokenKind::Invitation, TokenRefusal::Unknown) => ErrorCode::InvitationUnknown,
            (TokenKind::Invitation, TokenRefusal::Used) => ErrorCode::InvitationUsed,
            (TokenKind::Invitation, TokenRefusal::Expired) => ErrorCode::InvitationExpired,
            (TokenKind::PasswordReset, TokenRefusal::Unknown) => ErrorCode::PasswordResetUnknown,
            (TokenKind::PasswordReset, TokenRefusal::Used) => ErrorCode::PasswordResetUsed,
            (TokenKind::PasswordReset, TokenRefusal::Expired) => ErrorCode::PasswordResetExpired,
            (TokenKind::EmailChange, TokenRefusal::Unknown) => ErrorCode::EmailChangeUnknown,
            (TokenKind::EmailChange, TokenRefusal::Used) => ErrorCode::EmailChangeUsed,
            (TokenKind::EmailChange, TokenRefusal::Expired) => ErrorCode::EmailChangeExpired,
            (TokenKind::EmailUndo, TokenRefusal::Unknown) => ErrorCode::EmailUndoUnknown,
            (TokenKind::EmailUndo, TokenRefusal::Used) => ErrorCode::EmailUndoUsed,
            (TokenKind::EmailUndo, TokenRefusal::Expired) => ErrorCode::EmailUndoExpired,
            (TokenKind::Download, TokenRefusal::Unknown) => ErrorCode::LinkUnknown,
            (TokenKind::Download, TokenRefusal::Used) => ErrorCode::LinkUsed,
            (TokenKind::Download, TokenRefusal::Expired) => ErrorCode::LinkExpired,
        };
        code.into()
    }
}

impl From<ProofRefusal> for ApiError {
    fn from(refusal: ProofRefusal) -> Self {
        match refusal {
            ProofRefusal::Token(refused) => refused.into(),
            ProofRefusal::EmailTaken => ErrorCode::EmailTaken.into(),
        }
    }
}

impl From<RecoveryRefusal> for ApiError {
    fn from(refusal: RecoveryRefusal) -> Self {
        let code = match refusal {
            RecoveryRefusal::Token(refused) => return refused.into(),
            RecoveryRefusal::EmailTaken => ErrorCode::EmailTaken,
            RecoveryRefusal::EmailJustChanged => ErrorCode::EmailJustChanged,
            RecoveryRefusal::Disabled => ErrorCode::AccountDisabled,
            RecoveryRefusal::WrongPassword => ErrorCode::WrongPassword,
            RecoveryRefusal::SessionEnded => ErrorCode::SessionRevoked,
        };
        code.into()
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::unavailable(error.to_string())
    }
}

impl ApiError {
    /// The error of this code, with these values in the places of its sentence.
    #[must_use]
    pub fn with(code: ErrorCode, values: &[(&str, &str)]) -> Self {
        Self {
            code,
            detail: code.detail(values).into(),
            fields: Box::default(),
            size: None,
            retry_after: (code == ErrorCode::DependencyUnavailable).then_some(5),
            cause: None,
            user: None,
            challenge: None,
            page: None,
        }
    }

    /// A 503. `cause` is for the log.
    #[must_use]
    pub fn unavailable(cause: String) -> Self {
        Self { cause: Some(cause.into()), ..ErrorCode::DependencyUnavailable.into() }
    }

    /// A 422 about one field.
    #[must_use]
    pub fn field(field: &str, reason: Invalid) -> Self {
        Self::fields(vec![FieldError { field: field.to_owned(), message: reason.0 }])
    }

    /// A 422 about these fields.
    #[must_use]
    pub fn fields(fields: Vec<FieldError>) -> Self {
        Self { fields: fields.into(), ..ErrorCode::InvalidField.into() }
    }

    /// A 401 for a password that is right and not enough. `challenge` goes with the next request.
    #[must_use]
    pub fn challenge(code: ErrorCode, challenge: String) -> Self {
        Self { challenge: Some(challenge.into()), ..code.into() }
    }

    /// A 416 about a file of this size.
    #[must_use]
    pub fn range_unsatisfiable(size: u64) -> Self {
        let error = Self::with(ErrorCode::RangeUnsatisfiable, &[("size", &size.to_string())]);
        Self { size: Some(size), ..error }
    }

    /// For `map_err`: the 429 of this code.
    pub(crate) fn limited(code: ErrorCode) -> impl FnOnce(LimitReached) -> Self {
        move |reached| Self { retry_after: Some(reached.retry_after), ..code.into() }
    }

    /// The same, for a browser on the page that is made with what went wrong, so that it can be
    /// tried again there.
    #[must_use]
    pub fn shown_on(self, page: impl FnOnce(&str) -> HtmlPage) -> Self {
        Self { page: Some(Box::new(page(&self.sentence()))), ..self }
    }

    /// Its code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// What to count when this happens.
    pub(crate) fn metric(&self) -> Option<Metric> {
        match self.code {
            ErrorCode::LinkUnknown
            | ErrorCode::LinkUsed
            | ErrorCode::LinkExpired
            | ErrorCode::LinkRevoked
            | ErrorCode::LinkBound
            | ErrorCode::LeaseEnded => Some(Metric::LinkRefused),
            ErrorCode::InvalidCredentials | ErrorCode::InvalidCode | ErrorCode::WrongCode => {
                Some(Metric::LoginFailed)
            }
            ErrorCode::DependencyUnavailable => Some(Metric::DependencyFailure),
            _ => None,
        }
    }

    /// The same, of a request that came from the owner of this account, or from who wants to be.
    #[must_use]
    pub fn of_user(self, user: UserId) -> Self {
        Self { user: Some(user.into()), ..self }
    }

    /// Whose request it was, for the operator.
    pub(crate) fn user(&self) -> Option<UserId> {
        self.user.as_deref().copied()
    }

    /// The cause, for the operator.
    pub(crate) fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The error in words.
    #[must_use]
    pub fn sentence(&self) -> String {
        let mut text = self.detail.to_string();
        for FieldError { field, message } in &*self.fields {
            let _ = write!(text, " {field} {message}."); // a string takes everything
        }
        text
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The response as a page, for a browser. Its heading is the first sentence.
    pub(crate) fn page(&self, request_id: &str) -> Response {
        if let Some(page) = &self.page {
            return page.respond(self.status());
        }
        let sentence = self.sentence();
        let (title, rest) =
            sentence.split_once(". ").unwrap_or((sentence.trim_end_matches('.'), ""));
        let rest = (!rest.is_empty()).then(|| format!("<p class=\"lead\">{}</p>\n", escape(rest)));
        let (rest, request_id) = (rest.unwrap_or_default(), escape(request_id));
        let content = format!("{rest}<p class=\"hint\">Request {request_id}</p>");
        HtmlPage { title: title.to_owned(), content, wide: false }.respond(self.status())
    }

    /// The header that goes with the status.
    pub(crate) fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        let value = match self.code {
            ErrorCode::MissingToken
            | ErrorCode::InvalidCredentials
            | ErrorCode::SecondFactorRequired
            | ErrorCode::SecondFactorEnrolmentRequired
            | ErrorCode::InvalidChallenge
            | ErrorCode::InvalidCode => "Bearer realm=\"secure-file-share\"",
            ErrorCode::InvalidToken
            | ErrorCode::TokenExpired
            | ErrorCode::RefreshUnknown
            | ErrorCode::SessionExpired
            | ErrorCode::SessionRevoked => {
                "Bearer realm=\"secure-file-share\", error=\"invalid_token\""
            }
            ErrorCode::RangeUnsatisfiable => {
                let range = HeaderValue::try_from(format!("bytes */{}", self.size?)).ok()?;
                return Some((header::CONTENT_RANGE, range)); // RFC 9110, section 15.5.17
            }
            _ => return Some((header::RETRY_AFTER, self.retry_after?.into())),
        };
        Some((header::WWW_AUTHENTICATE, HeaderValue::from_static(value)))
    }

    /// The response as `application/problem+json`.
    pub(crate) fn problem(&self, request_id: &str) -> Response {
        let status = self.status();
        let problem = Problem {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: self.detail.to_string(),
            code: self.code.as_str().to_owned(),
            request_id: request_id.to_owned(),
            challenge: self.challenge.as_deref().map(str::to_owned),
            errors: self.fields.to_vec(),
        };
        json(status, "application/problem+json", &problem)
    }
}
