//! What every endpoint is, and what happens around it.

use http::header;
use jiff::Timestamp;
use share_store::{Platform, StartError};

use crate::response::secure;
use crate::{ApiError, Metric, Request, Response};

/// One Lambda function behind one or more routes.
///
/// Its fields are the stores and settings that it needs; its IAM policy in `template.yaml` says
/// the same.
pub trait Endpoint: Sized + Send + Sync + 'static {
    /// Builds the endpoint, once per process.
    ///
    /// # Errors
    /// When a setting is missing or wrong, or a secret cannot be read.
    fn connect(platform: &Platform) -> impl Future<Output = Result<Self, StartError>> + Send;

    /// Answers one request. A [`Metric`] among the answer's extensions is counted.
    ///
    /// # Errors
    /// Those that the caller gets as a problem.
    fn handle(&self, request: &Request) -> impl Future<Output = Result<Response, ApiError>> + Send;
}

/// Answers `http`, which came at `now`, whatever happens: an error becomes a problem, or a page
/// for somebody in a browser.
pub async fn answer<E: Endpoint>(
    endpoint: &E,
    http: lambda_http::Request,
    now: Timestamp,
) -> Response {
    let request = Request::new(http, now);
    // Boxed, because the AWS SDK's futures are large and nest deeply.
    let (mut response, code, metric) = match Box::pin(endpoint.handle(&request)).await {
        Ok(mut response) => {
            let metric = response.extensions_mut().remove::<Metric>();
            (response, "ok", metric)
        }
        Err(error) => (refusal(&error, &request), error.code(), error.metric()),
    };
    secure(&mut response);
    let status = response.status().as_u16();
    // The path without its query, which may hold a token.
    tracing::info!(
        request_id = request.id(),
        method = request.method().as_str(),
        path = request.path(),
        status,
        code,
        metric = metric.map_or("", Metric::as_str),
    );
    response
}

fn refusal(error: &ApiError, request: &Request) -> Response {
    if let Some(cause) = error.cause() {
        tracing::error!(request_id = request.id(), cause);
    }
    let mut response =
        if request.wants_page() { error.page(request.id()) } else { error.problem(request.id()) };
    if let Some((name, value)) = error.headers() {
        response.headers_mut().insert(name, value);
    }
    response
        .headers_mut()
        .entry(header::VARY)
        .or_insert(header::HeaderValue::from_static("Accept"));
    response
}
