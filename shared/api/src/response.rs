//! Answers.

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::body::{Body, whole};

/// An answer on its way out.
pub type Response = http::Response<Body>;

/// 200 with a JSON body.
pub fn ok<T: Serialize>(content: &T) -> Response {
    json(StatusCode::OK, content)
}

/// 201 with a JSON body.
pub fn created<T: Serialize>(content: &T) -> Response {
    json(StatusCode::CREATED, content)
}

/// An answer with a JSON body.
#[expect(clippy::expect_used, reason = "answers are structs of strings and numbers")]
pub fn json<T: Serialize>(status: StatusCode, content: &T) -> Response {
    let text = serde_json::to_vec(content).expect("an answer serializes");
    typed(status, "application/json", text)
}

/// An answer of `bytes` that are of a fixed media type.
pub(crate) fn typed(
    status: StatusCode,
    media_type: &'static str,
    bytes: impl Into<Bytes>,
) -> Response {
    let mut response = Response::new(whole(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// An answer without a body.
#[must_use]
pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(whole(Bytes::new()));
    *response.status_mut() = status;
    response
}

/// 303 to `url`, where the bytes are.
#[must_use]
pub fn redirect(url: &str) -> Response {
    let mut response = empty(StatusCode::SEE_OTHER);
    if let Ok(url) = HeaderValue::from_str(url) {
        response.headers_mut().insert(header::LOCATION, url);
    }
    response
}

/// Adds the headers that every answer carries (OWASP REST Security Cheat Sheet). A header that
/// the endpoint has set stays.
pub(crate) fn secure(response: &mut Response) {
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ] {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
}
