//! Answers of endpoints, and the responses that are made of them.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::body::{Body, whole};
use crate::{HtmlPage, Metric};

/// A response on its way out.
pub type Response = http::Response<Body>;

/// What an endpoint answers when all is well: JSON of the type `T`, or bytes, or a page.
pub struct Answer<T> {
    status: StatusCode,
    headers: HeaderMap,
    content: Content<T>,
    /// What to count.
    pub(crate) metric: Option<Metric>,
}

enum Content<T> {
    Json(T),
    Page(HtmlPage),
    Bytes(Body),
}

/// The type of JSON of an endpoint that never answers with JSON.
#[derive(Serialize)]
pub enum NoJson {}

impl<T> Answer<T> {
    /// 200 with JSON.
    pub fn ok(content: T) -> Self {
        Self::json(StatusCode::OK, content)
    }

    /// 201 with JSON.
    pub fn created(content: T) -> Self {
        Self::json(StatusCode::CREATED, content)
    }

    /// JSON.
    pub fn json(status: StatusCode, content: T) -> Self {
        Self::new(status, Content::Json(content))
    }

    /// 200 with a page.
    #[must_use]
    pub fn page(page: impl Into<HtmlPage>) -> Self {
        Self::new(StatusCode::OK, Content::Page(page.into()))
    }

    /// 204.
    #[must_use]
    pub fn no_content() -> Self {
        Self::bytes(StatusCode::NO_CONTENT, whole(Bytes::new()))
    }

    /// Bytes that are neither JSON nor a page of ours. Their headers follow.
    #[must_use]
    pub fn bytes(status: StatusCode, body: Body) -> Self {
        Self::new(status, Content::Bytes(body))
    }

    fn new(status: StatusCode, content: Content<T>) -> Self {
        Self { status, headers: HeaderMap::new(), content, metric: None }
    }

    /// The same with a header, when `value` can be one.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: impl TryInto<HeaderValue>) -> Self {
        if let Ok(value) = value.try_into() {
            self.headers.insert(name, value);
        }
        self
    }

    /// The same, to be counted.
    #[must_use]
    pub fn counted(mut self, metric: Metric) -> Self {
        self.metric = Some(metric);
        self
    }

    /// Its headers.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }
}

impl<T: Serialize> Answer<T> {
    /// The response that holds it.
    pub(crate) fn into_response(self) -> Response {
        let mut response = match self.content {
            Content::Json(content) => json(self.status, "application/json", &content),
            Content::Page(page) => page.respond(self.status),
            Content::Bytes(body) => http::Response::new(body),
        };
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        response
    }
}

/// A response with JSON of a media type.
#[expect(clippy::expect_used, reason = "answers are structs of strings and numbers")]
pub(crate) fn json<T: Serialize>(
    status: StatusCode,
    media_type: &'static str,
    content: &T,
) -> Response {
    typed(status, media_type, serde_json::to_vec(content).expect("an answer serializes"))
}

/// A response of `bytes` that are of a fixed media type.
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

/// Adds the headers that every response carries (OWASP REST Security Cheat Sheet). A header that
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
