//! How a lease travels: in the header `Download-Lease`, or in a cookie.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use share_auth::OpaqueSecret;
use share_contract::ErrorCode;
use share_model::LinkId;

use crate::{ApiError, Request};

const HEADER: HeaderName = HeaderName::from_static("download-lease");

/// The lease that a request brings. A lease need not have come from here: a client that brings 256
/// random bits of its own with the first request holds the lease even when no answer arrives.
///
/// # Errors
/// 400 when the header is there and is not 43 characters of base64url. A cookie that is not one
/// of ours is passed over.
pub fn read_lease(request: &Request, link: &LinkId) -> Result<Option<OpaqueSecret>, ApiError> {
    if request.has_header(&HEADER) {
        let value = request.header(HEADER).unwrap_or_default();
        let wrong = "must be 43 characters of base64url, 256 bits in all";
        let values = [("header", "Download-Lease"), ("reason", wrong)];
        let invalid = |_| ApiError::with(ErrorCode::InvalidHeader, &values);
        return OpaqueSecret::parse(value).map(Some).map_err(invalid);
    }
    let cookie = request.cookie(&cookie_name(link));
    Ok(cookie.and_then(|value| OpaqueSecret::parse(value).ok()))
}

/// Sends a lease to its holder, as a header and as a cookie.
pub fn send_lease(headers: &mut HeaderMap, link: &LinkId, lease: &OpaqueSecret, seconds: i64) {
    set_lease_cookie(headers, link, lease, seconds);
    if let Ok(value) = HeaderValue::try_from(lease.reveal()) {
        headers.insert(HEADER, value);
    }
}

/// Sends a lease as a cookie, so that a browser has it before its download starts.
pub fn set_lease_cookie(
    headers: &mut HeaderMap,
    link: &LinkId,
    lease: &OpaqueSecret,
    seconds: i64,
) {
    // `__Host-`: only this host, only over TLS, and set by no other (RFC 6265bis, 4.1.3.2). Lax,
    // so that it comes along when the link is opened again from a mail.
    let cookie = format!(
        "{}={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}",
        cookie_name(link),
        lease.reveal(),
    );
    if let Ok(value) = HeaderValue::try_from(cookie) {
        headers.append(header::SET_COOKIE, value);
    }
}

/// One cookie for each link, so that two downloads do not take each other's lease away.
fn cookie_name(link: &LinkId) -> String {
    format!("__Host-download-lease-{link}")
}
