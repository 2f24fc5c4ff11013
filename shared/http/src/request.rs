//! What came in.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, header};
use jiff::Timestamp;
use lambda_http::RequestExt;
use lambda_http::aws_lambda_events::apigw::ApiGatewayProxyRequestContext;
use lambda_http::request::RequestContext as RequestContextOf;
use share_contract::{ErrorCode, Operation};
use share_model::limits::Source;
use share_model::{Invalid, UserId};
use share_store::{Actor, Clock, RequestContext};

use crate::multipart::{self, UploadForm};
use crate::{ApiError, Fields};

/// A request for an operation, the moment it came, and its id.
pub struct Request {
    http: lambda_http::Request,
    operation: &'static Operation,
    now: Timestamp,
    clock: Clock,
    id: String,
}

/// A request for something that its function does not serve.
pub(crate) struct Unrouted {
    pub(crate) id: String,
    pub(crate) gateway_id: String,
    pub(crate) method: Method,
    pub(crate) path: String,
}

impl Request {
    /// `http`, as it comes now, for one of `operations`.
    ///
    /// # Errors
    /// When it is for none of them: the template has a route that the contract does not know, and
    /// nothing says who may call it.
    pub(crate) fn new(
        http: lambda_http::Request,
        clock: &Clock,
        operations: &'static [&'static Operation],
    ) -> Result<Self, Unrouted> {
        let gateway = gateway(&http);
        let route = gateway.and_then(|gateway| gateway.resource_path.as_deref());
        let wanted = |it: &&&Operation| it.has_route(http.method(), route.unwrap_or_default());
        let operation = operations.iter().find(wanted).copied();
        // Lambda's own id first: the gateway's can be chosen by the client (x-amzn-RequestId).
        let gateway_id = gateway_id(&http);
        let id = http.lambda_context_ref().map(|context| context.request_id.as_str());
        let id = id.filter(|id| !id.is_empty()).unwrap_or(gateway_id).to_owned();
        match operation {
            Some(operation) => {
                Ok(Self { http, operation, now: clock(), clock: Arc::clone(clock), id })
            }
            None => Err(Unrouted {
                id,
                gateway_id: gateway_id.to_owned(),
                method: http.method().clone(),
                path: http.raw_http_path().to_owned(),
            }),
        }
    }

    /// The operation that it asks for.
    #[must_use]
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// When it came. The same throughout the request.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What tells the time, which goes on while the request is worked on.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// This request, as a link's receipts name it.
    #[must_use]
    pub fn context(&self) -> RequestContext<'_> {
        RequestContext { clock: &self.clock, request_id: &self.id }
    }

    /// `user`, who does something in this request.
    #[must_use]
    pub fn actor(&self, user: UserId) -> Actor<'_> {
        Actor { user: Some(user), context: self.context() }
    }

    /// Its id, as in the log and in problems.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the gateway calls it: `x-amzn-RequestId` of the answer, and in the access log.
    pub(crate) fn gateway_id(&self) -> &str {
        gateway_id(&self.http)
    }

    /// Its method.
    #[must_use]
    pub fn method(&self) -> &Method {
        self.http.method()
    }

    /// The path, without the stage.
    #[must_use]
    pub fn path(&self) -> &str {
        self.http.raw_http_path()
    }

    /// The parameter `name` of the path as `parse` understands it; `None` when the route has none.
    ///
    /// # Errors
    /// 400 when `parse` refuses it.
    pub fn path_parameter<T>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Result<Option<T>, ApiError> {
        let text = self.http.path_parameters_ref().and_then(|parameters| parameters.first(name));
        parameter(name, text, parse)
    }

    /// The parameter `name` of the query as `parse` understands it; `None` when it is not given.
    ///
    /// # Errors
    /// 400 when `parse` refuses it.
    pub fn query_parameter<T>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Result<Option<T>, ApiError> {
        parameter(name, self.query(name), parse)
    }

    /// The parameter `name` of the query, when it is given. Of several the first counts.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.http.query_string_parameters_ref()?.first(name)
    }

    /// The parameter `name` of the query.
    ///
    /// # Errors
    /// 400 when it is not given.
    pub fn required_query(&self, name: &'static str) -> Result<&str, ApiError> {
        self.query(name)
            .ok_or_else(|| ApiError::with(ErrorCode::MissingParameter, &[("parameter", name)]))
    }

    /// The header `name`, when it is there and plain ASCII.
    #[must_use]
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.http.headers().get(name)?.to_str().ok()
    }

    /// Whether the header `name` is there, whatever it holds.
    #[must_use]
    pub fn has_header(&self, name: &HeaderName) -> bool {
        self.http.headers().contains_key(name)
    }

    /// The cookie `name`. Clients of HTTP/2 may send several headers of them.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let headers = self.http.headers().get_all(header::COOKIE).into_iter();
        let pairs = headers.filter_map(|it| it.to_str().ok()).flat_map(|it| it.split(';'));
        let mut named = pairs.filter_map(|pair| pair.trim().split_once('='));
        named.find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The token of `Authorization: Bearer` (RFC 6750, section 2.1).
    #[must_use]
    pub fn bearer_token(&self) -> Option<&str> {
        let (scheme, token) = self.header(header::AUTHORIZATION)?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    }

    /// Whether a browser asks: browsers accept `text/html` by name, programs do not.
    #[must_use]
    pub fn wants_page(&self) -> bool {
        self.accepts_by_name("text/html")
    }

    /// Whether it asks for CSV by name.
    #[must_use]
    pub fn wants_csv(&self) -> bool {
        self.accepts_by_name("text/csv")
    }

    fn accepts_by_name(&self, wanted: &str) -> bool {
        self.header(header::ACCEPT).is_some_and(|accept| {
            accept.split(',').any(|range| {
                let media_type = range.split(';').next().unwrap_or_default();
                media_type.trim().eq_ignore_ascii_case(wanted)
            })
        })
    }

    /// Whether it accepts JSON and nothing else, as no browser and few programs say.
    #[must_use]
    pub fn wants_only_json(&self) -> bool {
        let accept = self.header(header::ACCEPT).unwrap_or_default();
        accept.split(',').all(|range| {
            let media_type = range.split(';').next().unwrap_or_default();
            media_type.trim().eq_ignore_ascii_case("application/json")
        })
    }

    /// The address from which it came, as the gateway saw it.
    #[must_use]
    pub fn source_address(&self) -> &str {
        let identity = self.gateway().map(|gateway| &gateway.identity);
        identity.and_then(|identity| identity.source_ip.as_deref()).unwrap_or_default()
    }

    /// Where it comes from, as far as limits are concerned; `None` when it comes from this machine.
    #[must_use]
    pub fn source(&self) -> Option<Source> {
        Source::of(self.source_address())
    }

    /// Whether it comes from the machine that it is answered on, as with `cargo run`.
    #[must_use]
    pub fn is_from_this_machine(&self) -> bool {
        is_from_this_machine(self.source_address(), self.http.headers())
    }

    /// What the gateway itself says about the request.
    pub(crate) fn gateway(&self) -> Option<&ApiGatewayProxyRequestContext> {
        gateway(&self.http)
    }

    /// Refuses a browser that fetches a page before anybody has asked for it
    /// (`Sec-Purpose: prefetch`, Fetch standard; `Purpose` and `X-Moz` of older browsers), so that
    /// nothing is spent. The browser drops the refusal, and asks again when somebody clicks.
    ///
    /// # Errors
    /// 403 for such a request.
    pub fn refuse_prefetch(&self) -> Result<(), ApiError> {
        let prefetches = ["sec-purpose", "purpose", "x-moz"].into_iter().any(|name| {
            let purpose = self.header(HeaderName::from_static(name)).unwrap_or_default();
            purpose.contains("prefetch") || purpose.contains("preview")
        });
        if prefetches { Err(ErrorCode::PrefetchRefused.into()) } else { Ok(()) }
    }

    /// Whether there is no body.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.http.body().is_empty()
    }

    /// Whether the body says that it is JSON.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.media_type() == "application/json"
    }

    /// The body as a JSON object.
    ///
    /// # Errors
    /// 415 when it does not say that it is JSON, 400 when it is not.
    pub fn json(&self) -> Result<Fields, ApiError> {
        if !self.is_json() {
            return Err(unsupported("application/json"));
        }
        let object = serde_json::from_slice(self.http.body());
        object.map(Fields::new).map_err(|_| ErrorCode::MalformedJson.into())
    }

    /// The body as a JSON object, or as a form that a page of ours sends.
    ///
    /// # Errors
    /// 415 when it does not say that it is one of the two, 400 when it is not.
    pub fn json_or_form(&self) -> Result<Fields, ApiError> {
        if self.media_type() != "application/x-www-form-urlencoded" {
            return self.json();
        }
        let object = serde_urlencoded::from_bytes(self.http.body());
        object.map(Fields::new).map_err(|_| ErrorCode::MalformedForm.into())
    }

    /// The content type without its parameters, in lower case; empty when there is none.
    fn media_type(&self) -> String {
        let content_type = self.header(header::CONTENT_TYPE).unwrap_or_default();
        content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The one file of a `multipart/form-data` body, and what else it says.
    ///
    /// # Errors
    /// 415 for another content type, 400 when the form is broken, 422 when it is not one file.
    pub async fn upload_form(&self) -> Result<UploadForm, ApiError> {
        if self.media_type() != "multipart/form-data" {
            return Err(unsupported("multipart/form-data"));
        }
        let content_type = self.header(header::CONTENT_TYPE).unwrap_or_default();
        multipart::read(content_type, Bytes::copy_from_slice(self.http.body())).await
    }
}

fn gateway(http: &lambda_http::Request) -> Option<&ApiGatewayProxyRequestContext> {
    match http.request_context_ref()? {
        RequestContextOf::ApiGatewayV1(context) => Some(context),
        _ => None,
    }
}

fn gateway_id(http: &lambda_http::Request) -> &str {
    gateway(http).and_then(|gateway| gateway.request_id.as_deref()).unwrap_or_default()
}

fn unsupported(media_type: &str) -> ApiError {
    ApiError::with(ErrorCode::UnsupportedMediaType, &[("type", media_type)])
}

fn parameter<T>(
    name: &'static str,
    text: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, Invalid>,
) -> Result<Option<T>, ApiError> {
    let value = text.map(parse).transpose();
    value.map_err(|reason| {
        let values = [("parameter", name), ("reason", &reason.0)];
        ApiError::with(ErrorCode::InvalidParameter, &values)
    })
}

/// What a proxy adds to the requests that it passes on.
const PROXY: [&str; 3] = ["via", "x-forwarded-for", "x-real-ip"];

/// Whether a request from `source` with these headers comes from this machine. A proxy on it passes
/// on the requests of others, and says so.
#[must_use]
pub fn is_from_this_machine(source: &str, headers: &HeaderMap) -> bool {
    let source = source.parse::<IpAddr>();
    source.is_ok_and(|source| source.to_canonical().is_loopback())
        && !PROXY.iter().any(|name| headers.contains_key(*name))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::{Value, json};
    use share_contract::operations;

    fn clock() -> Clock {
        Arc::new(|| Timestamp::from_second(1_000).unwrap())
    }

    /// A GET of `file_download` with these headers, as API Gateway hands it over.
    pub(crate) fn request(headers: &[(&str, &str)], context: &Value) -> Request {
        let mut multi = serde_json::Map::new();
        for (name, value) in headers {
            let values = multi.entry(*name).or_insert_with(|| json!([]));
            values.as_array_mut().unwrap().push(json!(value));
        }
        let mut event = json!({
            "resource": "/api/file/download",
            "path": "/api/file/download",
            "httpMethod": "GET",
            "headers": {},
            "multiValueHeaders": multi,
            "queryStringParameters": { "token": "second" },
            "multiValueQueryStringParameters": { "token": ["first", "second"] },
            "requestContext": {
                "resourcePath": "/api/file/download",
                "httpMethod": "GET",
                "requestId": "from-the-gateway",
                "identity": { "sourceIp": "192.0.2.1" },
            },
            "body": null,
            "isBase64Encoded": false,
        });
        let own = event["requestContext"].as_object_mut().unwrap();
        own.extend(context.as_object().unwrap().clone());
        let http = lambda_http::request::from_str(&event.to_string()).unwrap();
        let request = Request::new(http, &clock(), &[&operations::FILE_DOWNLOAD]);
        request.unwrap_or_else(|_| panic!("no operation has this route"))
    }

    #[test]
    fn cookies_are_found_among_several_in_one_header_or_more() {
        let request =
            request(&[("cookie", "a=1; b=2"), ("cookie", "c=3=3;broken; d= 4 ")], &json!({}));
        let values = ["a", "b", "c", "d", "broken", "e"].map(|name| request.cookie(name));
        assert_eq!(values, [Some("1"), Some("2"), Some("3=3"), Some(" 4"), None, None]);
    }

    #[test]
    fn the_bearer_scheme_is_known_in_any_case_and_no_other_scheme_is() {
        let token = |value: &str| {
            let request = request(&[("authorization", value)], &json!({}));
            request.bearer_token().map(str::to_owned)
        };
        assert_eq!(token("Bearer abc"), Some("abc".to_owned()));
        assert_eq!(token("bEARER  abc "), Some("abc".to_owned()));
        for other in ["Basic abc", "Bearer", "abc", ""] {
            assert_eq!(token(other), None, "{other}");
        }
    }

    #[test]
    fn only_a_client_that_names_html_wants_a_page() {
        let wants = |accept: &str| request(&[("accept", accept)], &json!({})).wants_page();
        for accept in ["text/html", "application/xhtml+xml, TEXT/HTML;q=0.9, */*"] {
            assert!(wants(accept), "{accept}");
        }
        for accept in ["*/*", "application/json", "text/htmlx", "text/*", ""] {
            assert!(!wants(accept), "{accept}");
        }
    }

    #[test]
    fn a_client_that_would_take_something_else_does_not_want_only_json() {
        let wants = |accept: &str| request(&[("accept", accept)], &json!({})).wants_only_json();
        assert!(wants("application/json") && wants("Application/JSON; q=1, application/json"));
        for accept in ["", "*/*", "application/json, text/plain, */*", "application/problem+json"] {
            assert!(!wants(accept), "{accept}");
        }
        assert!(!request(&[], &json!({})).wants_only_json());
    }

    #[test]
    fn a_prefetch_is_refused_whichever_header_names_it() {
        let refused =
            |name, value| request(&[(name, value)], &json!({})).refuse_prefetch().is_err();
        assert!(refused("sec-purpose", "prefetch;prerender"));
        assert!(refused("purpose", "prefetch"));
        assert!(refused("x-moz", "prefetch"));
        assert!(!refused("purpose", "navigate"));
    }

    #[test]
    fn of_several_values_of_a_query_parameter_the_first_counts() {
        assert_eq!(request(&[], &json!({})).query("token"), Some("first"));
    }

    #[test]
    fn an_operation_that_the_function_does_not_serve_is_no_request() {
        let event = json!({
            "resource": "/api/links", "path": "/api/links", "httpMethod": "GET", "headers": {},
            "multiValueHeaders": {},
            "requestContext": { "resourcePath": "/api/links", "httpMethod": "GET", "requestId": "id" },
        });
        let http = lambda_http::request::from_str(&event.to_string()).unwrap();
        let request = Request::new(http, &clock(), &[&operations::FILE_DOWNLOAD]);
        let Err(unrouted) = request else { panic!("the route is served") };
        assert_eq!((unrouted.id.as_str(), unrouted.path.as_str()), ("id", "/api/links"));
    }
}
