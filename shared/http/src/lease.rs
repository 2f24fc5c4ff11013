//! How a lease travels: in the header `Download-Lease`, or as the one cookie from which a browser's
//! leases are made.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use share_auth::OpaqueSecret;
use share_contract::ErrorCode;
use share_model::LinkId;

use crate::{ApiError, Request};

const HEADER: HeaderName = HeaderName::from_static("download-lease");

/// `__Host-`: only this host, only over TLS, and set by no other (RFC 6265bis, 4.1.3.2).
const COOKIE: &str = "__Host-downloads";

/// For how long a browser keeps the cookie: 69 days, because a link lives for at most 7, and a lease
/// for a day and, of the largest file (5 TiB), for another 61.
const COOKIE_SECONDS: u32 = 69 * 24 * 60 * 60;

/// Whoever holds the leases of downloads.
pub enum LeaseHolder {
    /// A program, which sends the lease of this one download.
    Program(OpaqueSecret),
    /// A browser, or another client with cookies. It sends a secret of which its leases of all
    /// links are made, because a cookie for each link would soon be more than a gateway takes.
    Browser(OpaqueSecret),
}

impl LeaseHolder {
    /// A holder that has nothing yet, and can be given a cookie.
    #[must_use]
    pub fn generate() -> Self {
        Self::Browser(OpaqueSecret::generate())
    }

    /// The holder that a request for the link of `token` names. Its secret need not have come from
    /// here: a client that brings 256 random bits of its own with the first request holds the lease
    /// even when no answer arrives.
    ///
    /// # Errors
    /// 400 when the header is there and holds no lease, or one that others could guess. A cookie
    /// that is not one of ours is passed over.
    pub fn read(
        request: &Request,
        token: &OpaqueSecret,
        link: &LinkId,
    ) -> Result<Option<Self>, ApiError> {
        if !request.has_header(&HEADER) {
            let cookie = request.cookie(COOKIE).and_then(|value| OpaqueSecret::parse(value).ok());
            return Ok(cookie.filter(|it| !it.is_plainly_not_random()).map(Self::Browser));
        }
        let value = request.header(HEADER).unwrap_or_default();
        let invalid = |reason| {
            ApiError::with(
                ErrorCode::InvalidHeader,
                &[("header", "Download-Lease"), ("reason", reason)],
            )
        };
        let lease = OpaqueSecret::parse(value)
            .map_err(|_| invalid("must be 43 characters of base64url, 256 bits in all"))?;
        if value == token.reveal() || value == link.as_str() {
            return Err(invalid("must not be the link's token or id, which others know"));
        }
        if lease.is_plainly_not_random() {
            return Err(invalid("must be 32 random bytes; these repeat themselves or count"));
        }
        Ok(Some(Self::Program(lease)))
    }

    /// Its lease of `link`: the only one of a program, or a browser's of this number, counted from
    /// 1. A browser can redeem a link once more when its lease has ended.
    #[must_use]
    pub fn lease(&self, link: &LinkId, number: u32) -> OpaqueSecret {
        match self {
            Self::Program(lease) => lease.clone(),
            Self::Browser(secret) => secret.lease(link, number),
        }
    }

    /// Sets a browser's cookie.
    pub fn set_cookie(&self, headers: &mut HeaderMap) {
        let Self::Browser(secret) = self else { return };
        // Lax, so that it comes along when a link is opened from a mail.
        let secret = secret.reveal();
        let cookie = format!(
            "{COOKIE}={secret}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={COOKIE_SECONDS}",
        );
        if let Ok(value) = HeaderValue::try_from(cookie) {
            headers.append(header::SET_COOKIE, value);
        }
    }
}

/// Sends a lease to its holder.
pub fn send_lease(headers: &mut HeaderMap, lease: &OpaqueSecret) {
    if let Ok(value) = HeaderValue::try_from(lease.reveal()) {
        headers.insert(HEADER, value);
    }
}
