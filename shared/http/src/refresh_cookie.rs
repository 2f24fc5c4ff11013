//! The refresh token as a cookie, so that no script of a page can read it.

use http::HeaderMap;
use share_auth::OpaqueSecret;
use share_contract::ErrorCode;
use share_model::Session;

use crate::{ApiError, PublicUrl, Request, own_cookie};

const COOKIE: &str = "__Host-refresh";

/// The cookie that holds a refresh token.
pub struct RefreshCookie;

impl RefreshCookie {
    /// The refresh token of the request's cookie, when it has one.
    ///
    /// # Errors
    /// 403 when the request does not come from a page of this service.
    pub fn read(
        request: &Request,
        public_url: &PublicUrl,
    ) -> Result<Option<OpaqueSecret>, ApiError> {
        let Some(value) = request.cookie(COOKIE) else { return Ok(None) };
        let own = public_url.of(request, "")?;
        if !own_cookie::is_from_own_page(request, &own) {
            return Err(ErrorCode::CrossSite.into());
        }
        Ok(OpaqueSecret::parse(value).ok())
    }

    /// Sets the cookie, for as long as a session can last.
    pub fn set(headers: &mut HeaderMap, token: &OpaqueSecret) {
        own_cookie::set(headers, COOKIE, &token.reveal(), Session::LIFETIME_SECONDS);
    }

    /// Removes the cookie, when the request has it.
    pub fn clear(request: &Request, headers: &mut HeaderMap) {
        if request.cookie(COOKIE).is_some() {
            own_cookie::set(headers, COOKIE, "", 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::tests::request;
    use serde_json::json;

    #[test]
    fn a_cookie_counts_only_from_a_page_of_this_service() {
        let token = OpaqueSecret::generate().reveal();
        let cookie = format!("__Host-refresh={token}");
        let environment = [("PUBLIC_BASE_URL", "https://files.example/prod")].into_iter().collect();
        let url = PublicUrl::read(&environment).unwrap();
        let read = |more: &[(&str, &str)]| {
            let headers = [&[("cookie", cookie.as_str())], more].concat();
            let read = RefreshCookie::read(&request(&headers, &json!({})), &url);
            read.map(|token| token.unwrap().reveal()).map_err(|error| error.code())
        };
        let (own, site) = (("origin", "https://files.example"), "sec-fetch-site");
        assert_eq!(read(&[own, (site, "same-origin")]), Ok(token.clone()));
        assert_eq!(read(&[own]), Ok(token.clone()), "of a browser without Fetch Metadata");
        for site_of in ["same-site", "cross-site", "none", ""] {
            assert_eq!(read(&[own, (site, site_of)]), Err(ErrorCode::CrossSite), "{site_of}");
        }
        for origin in ["https://files.example.evil", "http://files.example", "null", ""] {
            assert_eq!(read(&[("origin", origin)]), Err(ErrorCode::CrossSite), "{origin}");
        }
        assert_eq!(read(&[]), Err(ErrorCode::CrossSite));
    }

    #[test]
    fn without_a_cookie_there_is_nothing_to_refuse() {
        let environment = [("PUBLIC_BASE_URL", "https://files.example")].into_iter().collect();
        let url = PublicUrl::read(&environment).unwrap();
        let request = request(&[("origin", "https://evil.example")], &json!({}));
        assert!(RefreshCookie::read(&request, &url).unwrap().is_none());
    }
}
