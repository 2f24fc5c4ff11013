//! What a session's owner gets: an access token, and the refresh token that continues the session.

use http::{HeaderMap, header};
use share_auth::{
    ACCESS_TOKEN_SECONDS, AccessToken, DeviceToken, OpaqueSecret, SigningKeys, random_bytes,
};
use share_contract::LoggedIn;
use share_http::{Answer, DeviceCookie, RefreshCookie, Request};
use share_model::{Session, SessionId, User};

/// A session of `user` that begins with this request.
pub(crate) fn new_session(user: &User, request: &Request) -> Session {
    let id = SessionId::new(request.now(), random_bytes());
    let device = request.header(header::USER_AGENT).unwrap_or_default();
    let (owner, address) = ((user.id, user.generation), request.source_address());
    Session::new(id, owner, device, address, request.now())
}

/// The tokens of `session` of `user`, without the refresh token when that is a cookie.
pub(crate) fn tokens(
    keys: &SigningKeys,
    (user, session): (&User, &Session),
    refresh: &OpaqueSecret,
    as_cookie: bool,
    request: &Request,
) -> LoggedIn {
    let access = AccessToken { user: user.id, session: session.id, generation: session.generation };
    LoggedIn {
        access: keys.issue(access, user.role, request.now()),
        refresh: (!as_cookie).then(|| refresh.reveal()),
        token_type: "Bearer".to_owned(),
        expires_in: ACCESS_TOKEN_SECONDS,
    }
}

/// The answer that gives access to `session` of `user`. The refresh token is a cookie when
/// `as_cookie` says so.
pub(crate) fn grant(
    keys: &SigningKeys,
    (user, session): (&User, &Session),
    refresh: &OpaqueSecret,
    as_cookie: bool,
    request: &Request,
) -> Answer<LoggedIn> {
    let mut answer = Answer::ok(tokens(keys, (user, session), refresh, as_cookie, request));
    if as_cookie {
        set_cookies(answer.headers_mut(), keys, session, refresh, request);
    }
    answer
}

/// Sets the cookies of a browser that has `session`: its refresh token, and the one by which it is
/// known from then on.
pub(crate) fn set_cookies(
    headers: &mut HeaderMap,
    keys: &SigningKeys,
    session: &Session,
    refresh: &OpaqueSecret,
    request: &Request,
) {
    RefreshCookie::set(headers, refresh);
    let device =
        DeviceToken { user: session.user_id, session: session.id, generation: session.generation };
    DeviceCookie::set(headers, device, request.now(), keys);
}
