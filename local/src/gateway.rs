//! API Gateway's part: a route for a request, limits, the REST proxy event, and the gateway's own
//! answers.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body::Body as _;
use http_body_util::BodyExt;
use jiff::Timestamp;
use serde_json::{Map, Value};
use share_contract::{ErrorCode, Problem};
use share_store::Clock;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::console::{self, Origin};
use crate::event::{Api, Routed, decode};
use crate::event_bus::ACCOUNT;
use crate::functions::Functions;
use crate::hosts;
use crate::jobs::Schedules;
use crate::template::{Route, Template};

/// API Gateway takes requests of up to 10 MB.
const REQUEST_LIMIT_BYTES: usize = 10 * 1024 * 1024;
/// Lambda takes events and gives answers of up to 6 MB.
const LAMBDA_LIMIT_BYTES: usize = 6 * 1024 * 1024;
/// API Gateway waits this long for Lambda.
const TIMEOUT: Duration = Duration::from_secs(29);
/// Of a request that is too large, this much is read and dropped, so that the client gets to see
/// the answer; then the connection is closed.
const DRAIN_LIMIT_BYTES: usize = 8 * REQUEST_LIMIT_BYTES;

/// Requests with more than this are handled a few at a time: their event, its text and what the
/// function makes of it hold the body several times.
const LARGE_BODY_BYTES: usize = 256 * 1024;
/// Their turns.
static LARGE: Semaphore = Semaphore::const_new(4);

/// How the local server appears in events.
const LOCAL: Api = Api { account: ACCOUNT, id: "local", stage: "local", stage_in_path: false };

/// The gateway.
pub(crate) struct Gateway {
    pub(crate) template: Template,
    pub(crate) functions: Functions,
    /// Asked for after each request that may have changed something.
    pub(crate) schedules: Schedules,
    pub(crate) clock: Clock,
    /// The value of `PUBLIC_BASE_URL`.
    pub(crate) public_url: Option<Uri>,
    /// Whether it listens on a loopback address.
    pub(crate) on_loopback: bool,
}

impl Gateway {
    /// Answers one request, and says so on the console.
    pub(crate) async fn answer(&self, request: Request<Body>, peer: SocketAddr) -> Response<Body> {
        let started = Instant::now();
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let id = Uuid::new_v4().to_string();
        let served = !self.on_loopback || hosts::serves(&request, self.public_url.as_ref());
        let (function, response) = match self.route(&method, &path) {
            _ if !served => ("-", self.local(ErrorCode::HostUnknown, &[], &id)),
            Ok((route, parameters)) => {
                let invocation = Invocation { gateway: self, route, parameters, id: &id, peer };
                (route.function.as_str(), invocation.run(request).await)
            }
            Err(allowed) if allowed.is_empty() => {
                ("-", self.own("MISSING_AUTHENTICATION_TOKEN", &id))
            }
            Err(allowed) => ("-", self.method_not_allowed(&allowed, &id)),
        };
        if !method.is_safe() {
            self.schedules.ask();
        }
        console::request(&method, &path, function, response.status(), started.elapsed());
        response
    }

    /// The route for a request and its path parameters; or else the methods that the path has.
    fn route(
        &self,
        method: &Method,
        path: &str,
    ) -> Result<(&Route, Map<String, Value>), Vec<&str>> {
        let fitting = self.template.routes.iter();
        let fitting = fitting.filter_map(|it| Some((it, match_path(&it.path, path)?)));
        let fitting: Vec<_> = fitting.collect();
        // As in API Gateway, a path with a word in a place has precedence over one with a parameter
        // there, whatever its methods.
        let words_first = |route: &Route| -> Vec<bool> {
            route.path.split('/').map(|segment| segment.starts_with('{')).collect()
        };
        let chosen = fitting.iter().map(|(route, _)| words_first(route)).min();
        let mut allowed = Vec::new();
        for (route, parameters) in fitting {
            if Some(words_first(route)) != chosen {
                continue;
            }
            if route.method == *method {
                return Ok((route, parameters));
            }
            allowed.push(route.method.as_str());
        }
        Err(allowed)
    }

    /// An answer that the gateway gives by itself, as the template words it.
    fn own(&self, kind: &str, request_id: &str) -> Response<Body> {
        let Some(template) = self.template.gateway_responses.get(kind) else {
            return status_only(StatusCode::INTERNAL_SERVER_ERROR);
        };
        let body = template.body.replace("$context.extendedRequestId", request_id);
        let mut response = Response::new(Body::from(body));
        *response.status_mut() =
            StatusCode::from_u16(template.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in &template.headers {
            if let (Ok(name), Ok(value)) =
                (name.parse::<HeaderName>(), value.parse::<HeaderValue>())
            {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }

    /// An answer of the local server alone.
    fn local(&self, code: ErrorCode, values: &[(&str, &str)], request_id: &str) -> Response<Body> {
        let status = StatusCode::from_u16(code.status()).unwrap_or_default();
        let problem = Problem {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: code.status(),
            detail: code.detail(values),
            code: code.as_str().to_owned(),
            request_id: request_id.to_owned(),
            challenge: None,
            errors: Vec::new(),
        };
        let problem = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = self.own("MISSING_AUTHENTICATION_TOKEN", request_id);
        *response.status_mut() = status;
        *response.body_mut() = Body::from(problem);
        response
    }

    /// What RFC 9110 asks for. API Gateway itself cannot tell a wrong method from an unknown path.
    fn method_not_allowed(&self, allowed: &[&str], request_id: &str) -> Response<Body> {
        let allowed = allowed.join(", ");
        let methods = [("methods", allowed.as_str())];
        let mut response = self.local(ErrorCode::MethodNotAllowed, &methods, request_id);
        if let Ok(allowed) = HeaderValue::from_str(&allowed) {
            response.headers_mut().insert(header::ALLOW, allowed);
        }
        response
    }
}

fn status_only(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// The parameters of `path` when it is one of `pattern`'s, with or without a slash at its end.
pub(crate) fn match_path(pattern: &str, path: &str) -> Option<Map<String, Value>> {
    let without_slash = |path| str::strip_suffix(path, '/').unwrap_or(path);
    let mut parameters = Map::new();
    let mut segments = without_slash(path).split('/');
    for wanted in without_slash(pattern).split('/') {
        let segment = segments.next()?;
        match wanted.strip_prefix('{').and_then(|wanted| wanted.strip_suffix('}')) {
            Some(name) if !segment.is_empty() => {
                parameters.insert(name.to_owned(), decode(segment).into());
            }
            None if segment == wanted => {}
            _ => return None,
        }
    }
    segments.next().is_none().then_some(parameters)
}

/// One request on its way to a function.
struct Invocation<'a> {
    gateway: &'a Gateway,
    route: &'a Route,
    parameters: Map<String, Value>,
    id: &'a str,
    peer: SocketAddr,
}

impl Invocation<'_> {
    async fn run(self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let body = match read(body).await {
            Ok(body) => body,
            Err(kind) => return self.gateway.own(kind, self.id),
        };
        let is_large = body.len() > LARGE_BODY_BYTES;
        let _turn = if is_large { LARGE.acquire().await.ok() } else { None };
        let clock = &self.gateway.clock;
        let event = self.event(&parts, &body, clock());
        if event.len() > LAMBDA_LIMIT_BYTES {
            return self.gateway.own("REQUEST_TOO_LARGE", self.id);
        }
        // From here on the event's text is all that the function sees, as in Lambda.
        let Ok(request) = lambda_http::request::from_str(&event) else {
            return self.gateway.own("DEFAULT_4XX", self.id);
        };
        let Some(function) = self.gateway.functions.get(&self.route.function) else {
            return self.gateway.own("DEFAULT_5XX", self.id);
        };
        let origin = Origin::of_request(self.peer, request.headers());
        let answered = origin.of(function.respond(request, clock));
        let Ok(response) = tokio::time::timeout(TIMEOUT, answered).await else {
            return self.gateway.own("INTEGRATION_TIMEOUT", self.id);
        };
        if self.route.streams {
            return response.map(|body| Body::new(origin.of_body(body)));
        }
        let (parts, body) = response.into_parts();
        match origin.of(body.collect()).await.map(http_body_util::Collected::to_bytes) {
            Ok(bytes) if bytes.len() <= LAMBDA_LIMIT_BYTES => {
                Response::from_parts(parts, Body::from(bytes))
            }
            _ => self.gateway.own("DEFAULT_5XX", self.id),
        }
    }

    /// The text of the event that the function gets.
    fn event(&self, parts: &http::request::Parts, body: &Bytes, now: Timestamp) -> String {
        let headers = parts.headers.iter();
        let headers =
            headers.map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())));
        LOCAL.event(&Routed {
            method: parts.method.as_str(),
            resource: &self.route.path,
            path: parts.uri.path(),
            parameters: &self.parameters,
            query: parts.uri.query().unwrap_or_default(),
            headers: headers.collect(),
            body,
            source_ip: self.peer.ip().to_string(),
            request_id: self.id,
            now,
        })
    }
}

/// The body; or else the gateway's answer to one that is too large or breaks off.
async fn read(mut body: Body) -> Result<Bytes, &'static str> {
    // Grown piece by piece it would take up to twice the room.
    let length = usize::try_from(body.size_hint().lower()).unwrap_or(REQUEST_LIMIT_BYTES);
    let mut kept = BytesMut::with_capacity(length.min(REQUEST_LIMIT_BYTES));
    let mut seen = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| "DEFAULT_4XX")?.into_data() else { continue };
        seen += data.len();
        if seen <= REQUEST_LIMIT_BYTES {
            kept.extend_from_slice(&data);
        } else if seen > DRAIN_LIMIT_BYTES {
            break;
        }
    }
    if seen <= REQUEST_LIMIT_BYTES { Ok(kept.freeze()) } else { Err("REQUEST_TOO_LARGE") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_matches_with_and_without_a_slash_at_its_end_and_not_with_more() {
        let one = match_path("/a/{id}", "/a/x%20y").unwrap();
        assert_eq!(one["id"], "x y");
        assert!(match_path("/a/{id}", "/a/x/").is_some());
        for other in ["/a", "/a/", "/a/x/y", "/b/x", "/a/x//", "a/x"] {
            assert!(match_path("/a/{id}", other).is_none(), "{other}");
        }
    }
}
