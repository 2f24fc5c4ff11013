//! S3 in this process. Its port is for presigned URLs; every request needs a signature.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::serve::ListenerExt;
use http::{Response, StatusCode};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::net::TcpListener;

use crate::event_bus::EventBus;
use crate::hosts;
use crate::s3::{Cors, MalwareScanner, Objects};

/// The bucket's name.
pub(crate) const BUCKET: &str = "files";

/// What the embedded S3 asks of its authenticator. New at every start.
#[derive(Clone)]
pub(crate) struct Credentials {
    /// Access key id.
    pub(crate) id: &'static str,
    /// Secret access key.
    pub(crate) secret: String,
}

/// S3 on the folder `objects`, with an empty or former bucket, and who looks for malware in it.
/// Changes of objects are told to `events`.
pub(crate) fn s3(
    objects: &Path,
    credentials: &Credentials,
    events: Option<EventBus>,
) -> anyhow::Result<(S3Service, MalwareScanner)> {
    fs::create_dir_all(objects.join(BUCKET))
        .with_context(|| format!("cannot create {}", objects.display()))?;
    let objects = Objects::open(objects, events)?;
    let scanner = objects.malware_scanner();
    let mut builder = S3ServiceBuilder::new(objects);
    builder.set_auth(SimpleAuth::from_single(credentials.id, credentials.secret.clone()));
    Ok((builder.build(), scanner))
}

/// Gives `service` a port on loopback, for the pages that `cors` permits too, and gives its address.
pub(crate) async fn listen(service: S3Service, cors: Cors) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("no free loopback port")?;
    let address = format!("http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|socket| {
        // The answer's head and body are separate writes; waiting to join them costs 40 ms.
        let _ = socket.set_nodelay(true);
    });
    let cors = Arc::new(cors);
    let router = Router::new().fallback(move |request: Request| {
        let (service, cors) = (service.clone(), Arc::clone(&cors));
        async move { answer(&service, &cors, request).await }
    });
    tokio::spawn(axum::serve(listener, router).into_future());
    Ok(address)
}

async fn answer(service: &S3Service, cors: &Cors, request: Request) -> Response<Body> {
    if !hosts::serves(&request, None) {
        return status_only(StatusCode::MISDIRECTED_REQUEST);
    }
    if let Some(preflight) = cors.preflight(request.method(), request.headers()) {
        return preflight.map(Body::from);
    }
    let beside = cors.headers(request.method(), request.headers());
    match service.call(request.map(s3s::Body::http_body_unsync)).await {
        Ok(response) => {
            let mut response = response.map(Body::new);
            response.headers_mut().extend(beside);
            response
        }
        Err(_) => status_only(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn status_only(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
