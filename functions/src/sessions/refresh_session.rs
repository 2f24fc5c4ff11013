//! `session_refresh`: a new access token for a refresh token, and the refresh token that follows.

use share_auth::{OpaqueSecret, SigningKeys};
use share_contract::settings::SESSION_IDLE;
use share_contract::{ErrorCode, LoggedIn, Operation, operations};
use share_http::{
    Answer, ApiError, Endpoint, Fields, PublicUrl, RefreshCookie, Request, log_failure,
};
use share_mail::Mail;
use share_model::{Invalid, Session, User};
use share_store::{Mailer, Platform, Refreshed, Sessions, StartError, StoreError, signing_keys};

use crate::access::grant;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct RefreshSession {
    sessions: Sessions,
    idle_seconds: i64,
    keys: SigningKeys,
    mailer: Mailer,
    public_url: PublicUrl,
}

impl Endpoint for RefreshSession {
    const NAME: &'static str = "RefreshSession";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::SESSION_REFRESH];
    type Json = LoggedIn;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            sessions: Sessions::connect(platform)?,
            idle_seconds: SESSION_IDLE.read(platform.environment())?,
            keys: signing_keys(platform).await?,
            mailer: Mailer::connect(platform)?,
            public_url: PublicUrl::read(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<LoggedIn>, ApiError> {
        let (token, as_cookie) = self.read(request)?; // 400, 403, 415, 422
        let (address, context) = (request.source_address(), request.context());
        let refreshed = self.sessions.refresh(&token, self.idle_seconds, address, context).await?; // 503
        let code = match refreshed {
            Refreshed::Continued { user, session, token } => {
                return Ok(grant(&self.keys, (&user, &session), &token, as_cookie, request));
            }
            Refreshed::Replayed { user, session } => {
                if let Err(failure) = self.warn(&user, &session).await {
                    log_failure(request.id(), &failure);
                }
                ErrorCode::SessionRevoked
            }
            Refreshed::Ended => ErrorCode::SessionRevoked,
            Refreshed::Unknown => ErrorCode::RefreshUnknown,
            Refreshed::Expired => ErrorCode::SessionExpired,
            Refreshed::Disabled => ErrorCode::AccountDisabled,
        };
        Err(code.into()) // 401, 403
    }
}

impl RefreshSession {
    /// The refresh token, and whether it came as a cookie.
    fn read(&self, request: &Request) -> Result<(OpaqueSecret, bool), ApiError> {
        let mut fields = if request.is_empty() { Fields::default() } else { request.json()? };
        let given = fields.optional("refresh", OpaqueSecret::parse);
        if let Some(token) = fields.finish(given)? {
            return Ok((token, false));
        }
        let cookie = RefreshCookie::read(request, &self.public_url)?;
        let missing = || ApiError::field("refresh", Invalid::because("is required"));
        Ok((cookie.ok_or_else(missing)?, true))
    }

    /// Tells the owner that somebody else may have had the session.
    async fn warn(&self, user: &User, session: &Session) -> Result<(), StoreError> {
        let mail = Mail::SessionRevoked {
            username: &user.username,
            device: &session.device,
            begun: session.created_at,
            source: &session.address,
        };
        self.mailer.send(&user.email, &mail).await
    }
}
