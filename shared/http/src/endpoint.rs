//! What every endpoint is, and what happens around it.

use http::{Method, header};
use jiff::Timestamp;
use serde::Serialize;
use share_contract::{ErrorCode, Operation};
use share_store::{Platform, StartError};

use crate::answer::{Response, secure};
use crate::request::Unrouted;
use crate::{Answer, ApiError, Metric, Request};

/// One Lambda function behind one or more operations.
///
/// Its fields are the stores and settings that it needs; its IAM policy in `template.yaml` says
/// the same.
pub trait Endpoint: Sized + Send + Sync + 'static {
    /// Its name, the logical id in `template.yaml`.
    const NAME: &'static str;

    /// The operations that it serves.
    const OPERATIONS: &'static [&'static Operation];

    /// Whether it reads the Users table. Then the connection is opened ahead of the first request.
    const READS_USERS: bool = true;

    /// The JSON that it answers with.
    type Json: Serialize;

    /// Builds the endpoint, once per process.
    ///
    /// # Errors
    /// When a setting is missing or wrong, or a secret cannot be read.
    fn connect(platform: &Platform) -> impl Future<Output = Result<Self, StartError>> + Send;

    /// Answers one request.
    ///
    /// # Errors
    /// Those that the caller gets as a problem.
    fn handle(
        &self,
        request: &Request,
    ) -> impl Future<Output = Result<Answer<Self::Json>, ApiError>> + Send;
}

/// Answers `http`, which came at `now`, whatever happens: an error becomes a problem, or a page
/// for a browser.
pub async fn respond<E: Endpoint>(
    endpoint: &E,
    http: lambda_http::Request,
    now: Timestamp,
) -> Response {
    let request = match Request::new(http, now, E::OPERATIONS) {
        Ok(request) => request,
        Err(Unrouted { id, method, path }) => {
            let code = ErrorCode::RouteUnknown;
            let response = ApiError::from(code).problem(&id);
            return finish(response, (&id, &method, &path), code.as_str(), None);
        }
    };
    // Boxed, because the AWS SDK's futures are large and nest deeply.
    let (response, code, metric) = match Box::pin(endpoint.handle(&request)).await {
        Ok(answer) => {
            let metric = answer.metric;
            (answer.into_response(), "ok", metric)
        }
        Err(error) => (refuse(&error, &request), error.code().as_str(), error.metric()),
    };
    // The path without its query, which may hold a token.
    finish(response, (request.id(), request.method(), request.path()), code, metric)
}

/// Adds what every response has, and logs it.
fn finish(
    mut response: Response,
    (request_id, method, path): (&str, &Method, &str),
    code: &str,
    metric: Option<Metric>,
) -> Response {
    secure(&mut response);
    let status = response.status().as_u16();
    let (method, metric) = (method.as_str(), metric.map_or("", Metric::as_str));
    tracing::info!(request_id, method, path, status, code, metric);
    response
}

fn refuse(error: &ApiError, request: &Request) -> Response {
    if let Some(cause) = error.cause() {
        tracing::error!(request_id = request.id(), cause);
    }
    let mut response =
        if request.wants_page() { error.page(request.id()) } else { error.problem(request.id()) };
    if let Some((name, value)) = error.header() {
        response.headers_mut().insert(name, value);
    }
    response
        .headers_mut()
        .entry(header::VARY)
        .or_insert(header::HeaderValue::from_static("Accept"));
    response
}
