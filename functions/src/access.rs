//! What a session's owner gets: an access token, and the refresh token that continues the session.

use share_auth::{ACCESS_TOKEN_SECONDS, AccessToken, OpaqueSecret, SigningKeys};
use share_contract::LoggedIn;
use share_http::{Answer, RefreshCookie, Request};
use share_model::{Session, User};

/// The answer that gives access to `session` of `user`. The refresh token is a cookie when
/// `as_cookie` says so.
pub(crate) fn grant(
    keys: &SigningKeys,
    (user, session): (&User, &Session),
    refresh: &OpaqueSecret,
    as_cookie: bool,
    request: &Request,
) -> Answer<LoggedIn> {
    let access = AccessToken { user: user.id, session: session.id, generation: session.generation };
    let mut answer = Answer::ok(LoggedIn {
        access: keys.issue(access, user.role, request.now()),
        refresh: (!as_cookie).then(|| refresh.reveal()),
        token_type: "Bearer".to_owned(),
        expires_in: ACCESS_TOKEN_SECONDS,
    });
    if as_cookie {
        RefreshCookie::set(answer.headers_mut(), refresh);
    }
    answer
}
