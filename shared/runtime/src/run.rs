//! The entry points of the functions.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt, Collected};
use lambda_http::lambda_runtime::{self, Diagnostic, LambdaEvent};
use lambda_http::{IntoResponse, service_fn};
use serde_json::{Map, Value};
use share_http::{Body, BodyError, Endpoint, Response, respond};
use share_model::Environment;
use share_store::{Clock, Platform, StartError, Users};

use crate::{DirectFunction, clock, log};

/// Why a function stopped.
pub type Error = lambda_http::Error;

/// Runs `E` as a Lambda function whose answers are whole.
///
/// # Errors
/// When the function cannot start, or the runtime's API breaks off.
pub async fn run<E: Endpoint>(environment: Environment) -> Result<(), Error> {
    let endpoint = start::<E>(environment).await?;
    let clock: Clock = Arc::new(clock);
    let (endpoint, clock) = (&endpoint, &clock);
    lambda_http::run(service_fn(move |http| async move {
        Ok::<_, Infallible>(Buffered(respond(endpoint, http, clock).await))
    }))
    .await
}

/// Runs `E` as a Lambda function that streams its answers, or gives them whole when
/// `DOWNLOAD_DELIVERY` is `buffered`: the gateway must be set up for the one or the other.
///
/// # Errors
/// When the function cannot start, or the runtime's API breaks off.
pub async fn run_streaming<E: Endpoint>(environment: Environment) -> Result<(), Error> {
    if environment.optional("DOWNLOAD_DELIVERY") == Some("buffered") {
        return run::<E>(environment).await;
    }
    let endpoint = start::<E>(environment).await?;
    let clock: Clock = Arc::new(clock);
    let (endpoint, clock) = (&endpoint, &clock);
    lambda_http::run_with_streaming_response(service_fn(move |http| async move {
        Ok::<_, Infallible>(respond(endpoint, http, clock).await.map(EndProcessOnError))
    }))
    .await
}

/// Runs `F` as a Lambda function that is invoked directly.
///
/// # Errors
/// When the function cannot start, or the runtime's API breaks off.
pub async fn run_direct<F: DirectFunction>(environment: Environment) -> Result<(), Error> {
    let function = F::connect(&platform(environment).await).await.inspect_err(cannot_start)?;
    let clock: Clock = Arc::new(clock);
    let (function, clock) = (&function, &clock);
    let service = service_fn(move |event: LambdaEvent<Map<String, Value>>| async move {
        let answer = function.invoke(event.payload, clock).await;
        let (request_id, done) = (event.context.request_id.as_str(), answer.is_ok());
        tracing::info!(request_id, done, "invoked directly");
        answer.map_err(|error| Diagnostic {
            error_type: "NotDone".to_owned(),
            error_message: error.to_string(),
        })
    });
    lambda_runtime::run(service).await
}

async fn start<E: Endpoint>(environment: Environment) -> Result<E, Error> {
    let platform = platform(environment).await;
    if !E::READS_USERS {
        return Ok(E::connect(&platform).await.inspect_err(cannot_start)?);
    }
    // Lambda gives an initialisation a full core, and the first request a part of one. A failure
    // here is no reason not to start.
    let users = Users::connect(&platform).inspect_err(cannot_start)?;
    let (endpoint, opened) = tokio::join!(E::connect(&platform), users.open_connection());
    if let Err(error) = opened {
        tracing::warn!(%error, "the connection could not be opened ahead of the first request");
    }
    Ok(endpoint.inspect_err(cannot_start)?)
}

fn cannot_start(error: &StartError) {
    tracing::error!(%error, "the function cannot start");
}

async fn platform(environment: Environment) -> Platform {
    let function = environment.optional("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default().to_owned();
    let mut loader = aws_config::defaults(aws_config::BehaviorVersion::latest());
    // So that CloudTrail shows which function called.
    if let Ok(name) = aws_config::AppName::new(function.clone()) {
        loader = loader.app_name(name);
    }
    log::start(function);
    Platform::load(environment, loader).await
}

/// A streamed body that ends the process where it breaks off, so that the connection is cut and the
/// client sees that bytes are missing. What must be recorded has been: a body says that it is broken
/// after its report.
///
/// A body that just ended would look whole, because the gateway may send the answer in chunks,
/// without `Content-Length`. And the runtime would tell Lambda of an error with lines that become
/// bytes of the answer, which a client that continues where its bytes end would take for the file's.
struct EndProcessOnError(Body);

impl http_body::Body for EndProcessOnError {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.0).poll_frame(context));
        if let Some(Err(error)) = &frame {
            tracing::error!(%error, "the answer breaks off, and the process ends");
            std::process::exit(1);
        }
        Poll::Ready(frame)
    }
}

/// An answer for the buffered form of Lambda's reply.
///
/// `lambda_http` decides by media type whether a body is text, and would replace bytes of a text
/// file that are not UTF-8. This asks the bytes.
struct Buffered(Response);

impl IntoResponse for Buffered {
    fn into_response(
        self,
    ) -> Pin<Box<dyn Future<Output = http::Response<lambda_http::Body>> + Send>> {
        Box::pin(async {
            let (parts, body) = self.0.into_parts();
            // Endpoints stream only through `run_streaming`; here every body is in memory.
            let bytes = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
            let body = String::from_utf8(bytes.into())
                .map_or_else(|error| error.into_bytes().into(), lambda_http::Body::Text);
            http::Response::from_parts(parts, body)
        })
    }
}
