//! DynamoDB and S3 in this process, behind real sockets, so that the AWS SDK talks to them as it
//! does to AWS.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use dynoxide::Database;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use serde_json::{Map, Value};
use tokio::net::TcpListener;

use crate::template::Template;

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

/// Starts DynamoDB on the file `database` with the template's tables, and gives its address.
pub(crate) async fn dynamodb(database: &Path, template: &Template) -> anyhow::Result<String> {
    let path = database.to_str().context("the data folder's name is not UTF-8")?;
    let database = Database::new(path)
        .map_err(|error| anyhow::anyhow!("cannot open the database {path}: {error}"))?;
    let tables = database.list_tables(serde_json::from_value(Value::Object(Map::new()))?);
    let tables = tables.map_err(failed("list the tables"))?.table_names;
    if let Some(unknown) = tables.iter().find(|name| !template.tables.contains_key(*name)) {
        bail!(
            "{path} was made by another version: it has the table {unknown}; delete the data \
             folder, or choose another --data-dir"
        );
    }
    for (name, definition) in &template.tables {
        match database.get_table_metadata(name).map_err(failed("look up a table"))? {
            None => {
                let request = serde_json::from_value(definition.clone())?;
                database.create_table(request).map_err(failed("create a table"))?;
            }
            Some(table) => {
                let has = table.gsi_definitions.unwrap_or_default();
                if let Some(index) = indexes(definition).find(|index| !has.contains(index)) {
                    bail!(
                        "{path} was made by another version: {name} has no index {index}; delete \
                         the data folder, or choose another --data-dir"
                    );
                }
            }
        }
    }
    let (listener, address) = loopback().await?;
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    Ok(address)
}

/// The names of a table's indexes.
fn indexes(definition: &Value) -> impl Iterator<Item = &str> {
    let indexes = definition.get("GlobalSecondaryIndexes").and_then(Value::as_array);
    indexes.into_iter().flatten().filter_map(|index| index.get("IndexName")?.as_str())
}

fn failed<E: std::fmt::Display>(what: &'static str) -> impl FnOnce(E) -> anyhow::Error {
    move |error| anyhow::anyhow!("cannot {what}: {error}")
}

/// Starts S3 on the folder `objects` with an empty or former bucket, and gives its address.
pub(crate) async fn s3(objects: &Path, credentials: &Credentials) -> anyhow::Result<String> {
    fs::create_dir_all(objects.join(BUCKET))
        .with_context(|| format!("cannot create {}", objects.display()))?;
    let files = FileSystem::new(objects).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single(credentials.id, credentials.secret.clone()));
    let (listener, address) = loopback().await?;
    tokio::spawn(serve_s3(listener, builder.build()));
    Ok(address)
}

async fn serve_s3(listener: TcpListener, service: S3Service) {
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
}

async fn loopback() -> anyhow::Result<(TcpListener, String)> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("no free loopback port")?;
    let address = format!("http://{}", listener.local_addr()?);
    Ok((listener, address))
}
