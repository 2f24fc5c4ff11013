//! The cookie by which a browser that has logged in before is known.

use http::HeaderMap;
use jiff::Timestamp;
use share_auth::{DeviceToken, SigningKeys};

use crate::{Request, own_cookie};

const COOKIE: &str = "__Host-device";

/// The cookie that holds a [`DeviceToken`].
pub struct DeviceCookie;

impl DeviceCookie {
    /// The token of the request's cookie. `None` when there is none, when it counts no more, and when
    /// the request does not come from a page of this service, which is at `own`.
    #[must_use]
    pub fn read(request: &Request, own: &str, keys: &SigningKeys) -> Option<DeviceToken> {
        let value = request.cookie(COOKIE)?;
        let token = DeviceToken::verify(value, request.now(), keys)?;
        own_cookie::is_from_own_page(request, own).then_some(token)
    }

    /// Sets the cookie, for as long as a token lasts.
    pub fn set(headers: &mut HeaderMap, token: DeviceToken, now: Timestamp, keys: &SigningKeys) {
        let text = token.issue(now, keys);
        own_cookie::set(headers, COOKIE, &text, DeviceToken::LIFETIME_SECONDS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::tests::request;
    use serde_json::json;
    use share_model::{SessionId, UserId};

    #[test]
    fn a_device_is_known_only_from_a_page_of_this_service_and_by_the_cookie_that_was_set() {
        let keys = SigningKeys::parse("0123456789abcdef0123456789abcdef").unwrap();
        let now = Timestamp::from_second(1_000).unwrap();
        let (user, session) = (UserId::new(now, [7; 10]), SessionId::new(now, [8; 10]));
        let token = DeviceToken { user, session, generation: 3 };
        let mut headers = HeaderMap::new();
        DeviceCookie::set(&mut headers, token, now, &keys);
        let set = headers["set-cookie"].to_str().unwrap();
        let (cookie, attributes) = set.split_once(';').unwrap();
        let expected = " Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=34560000";
        assert_eq!(attributes, expected);

        let own = "https://files.example/prod";
        let read = |cookie: &str, more: &[(&str, &str)]| {
            let headers = [&[("cookie", cookie)], more].concat();
            DeviceCookie::read(&request(&headers, &json!({})), own, &keys)
        };
        let (origin, site) = (("origin", "https://files.example"), "sec-fetch-site");
        assert_eq!(read(cookie, &[origin, (site, "same-origin")]), Some(token));
        assert_eq!(read(cookie, &[origin]), Some(token), "of a browser without Fetch Metadata");
        assert_eq!(read(cookie, &[origin, (site, "same-site")]), None);
        assert_eq!(read(cookie, &[("origin", "https://other.example")]), None);
        assert_eq!(read(cookie, &[]), None);
        for other in ["__Host-device=", "__Host-device=a.b", "device=a", ""] {
            assert_eq!(read(other, &[origin]), None, "{other}");
        }
        assert_eq!(read(&cookie.replace("__Host-", ""), &[origin]), None);
    }
}
