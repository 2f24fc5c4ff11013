//! What every endpoint is, and what happens around it.

use http::{Method, header};
use serde::Serialize;
use share_contract::{ErrorCode, Operation};
use share_model::UserId;
use share_store::{Clock, Platform, StartError};

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

/// Answers `http`, which comes now, whatever happens: an error becomes a problem, or a page
/// for a browser.
pub async fn respond<E: Endpoint>(
    endpoint: &E,
    http: lambda_http::Request,
    clock: &Clock,
) -> Response {
    let request = match Request::new(http, clock, E::OPERATIONS) {
        Ok(request) => request,
        Err(Unrouted { id, gateway_id, method, path }) => {
            let code = ErrorCode::RouteUnknown;
            let response = ApiError::from(code).problem(&id);
            let named = Named { id: &id, gateway_id: &gateway_id, method: &method, path: &path };
            return finish(response, &named, (code.as_str(), None), None);
        }
    };
    // Boxed, because the AWS SDK's futures are large and nest deeply.
    let (response, code, metric, user) = match Box::pin(endpoint.handle(&request)).await {
        Ok(answer) => {
            let metric = answer.metric;
            (answer.into_response(), "ok", metric, None)
        }
        Err(error) => {
            let code = error.code().as_str();
            (refuse(&error, &request), code, error.metric(), error.user())
        }
    };
    let named = Named {
        id: request.id(),
        gateway_id: request.gateway_id(),
        method: request.method(),
        path: request.path(),
    };
    finish(response, &named, (code, metric), user)
}

/// What a line in the log calls a request.
struct Named<'a> {
    id: &'a str,
    gateway_id: &'a str,
    method: &'a Method,
    /// Without the query, which may hold a token.
    path: &'a str,
}

/// Adds what every response has, and logs it: with the account that was refused, where it is known.
fn finish(
    mut response: Response,
    request: &Named<'_>,
    (code, metric): (&str, Option<Metric>),
    user: Option<UserId>,
) -> Response {
    secure(&mut response);
    let status = response.status().as_u16();
    let metric = metric.map_or("", Metric::as_str);
    let Named { id: request_id, gateway_id: gateway_request_id, method, path } = request;
    let method = method.as_str();
    let user = user.map(tracing::field::display);
    tracing::info!(request_id, gateway_request_id, method, path, status, code, metric, user);
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
