//! Cookies that only pages of this service use.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::Request;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a page of this service, which is at `own`, has sent the request.
///
/// `SameSite=Strict` keeps cookies back from other sites too; but other hosts of one's own domain are
/// the same site.
pub(crate) fn is_from_own_page(request: &Request, own: &str) -> bool {
    let origin = request.header(header::ORIGIN).unwrap_or_default();
    let fetched = request.header(SEC_FETCH_SITE);
    origin == origin_of(own) && fetched.is_none_or(|site| site == "same-origin")
}

/// Sets a cookie for so many seconds, which no script and no other site can use. Its name must begin
/// with `__Host-`: only this host, only over TLS, and set by no other (RFC 6265bis, 4.1.3.2).
pub(crate) fn set(headers: &mut HeaderMap, name: &str, value: &str, seconds: i64) {
    let cookie =
        format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={seconds}");
    if let Ok(value) = HeaderValue::try_from(cookie) {
        headers.append(header::SET_COOKIE, value);
    }
}

/// Scheme, host and port of an address (RFC 6454, section 6.2).
fn origin_of(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let path = url.get(host..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| host + at);
    url.get(..path).unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_ends_before_the_path() {
        for url in ["http://127.0.0.1:3000", "http://127.0.0.1:3000/", "http://127.0.0.1:3000/a/b"]
        {
            assert_eq!(origin_of(url), "http://127.0.0.1:3000", "{url}");
        }
    }
}
