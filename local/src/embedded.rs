//! S3 in this process. Its port is for presigned URLs; every request needs a signature.

use std::fs;
use std::path::Path;

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::serve::ListenerExt;
use http::{Response, StatusCode};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;

use crate::hosts;

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

/// S3 on the folder `objects`, with an empty or former bucket.
pub(crate) fn s3(objects: &Path, credentials: &Credentials) -> anyhow::Result<S3Service> {
    fs::create_dir_all(objects.join(BUCKET))
        .with_context(|| format!("cannot create {}", objects.display()))?;
    let files = FileSystem::new(objects).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single(credentials.id, credentials.secret.clone()));
    Ok(builder.build())
}

/// Gives `service` a port on loopback, and gives its address.
pub(crate) async fn listen(service: S3Service) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("no free loopback port")?;
    let address = format!("http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|socket| {
        // The answer's head and body are separate writes; waiting to join them costs 40 ms.
        let _ = socket.set_nodelay(true);
    });
    let router = Router::new().fallback(move |request: Request| answer(service.clone(), request));
    tokio::spawn(axum::serve(listener, router).into_future());
    Ok(address)
}

async fn answer(service: S3Service, request: Request) -> Response<Body> {
    let status = if hosts::serves(&request, None) {
        match service.call(request.map(s3s::Body::http_body_unsync)).await {
            Ok(response) => return response.map(Body::new),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    } else {
        StatusCode::MISDIRECTED_REQUEST
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
