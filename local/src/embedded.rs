//! S3 in this process. Its port is for presigned URLs; every request needs a signature.

use std::fs;
use std::path::Path;

use anyhow::Context;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;

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
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            // The answer's head and body are separate writes; waiting to join them costs 40 ms.
            let _ = socket.set_nodelay(true);
            let service = service.clone();
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new()).http1_only();
                // A client that goes away is no event.
                let _ = server.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    Ok(address)
}
