//! DynamoDB in this process. It has no port and checks no signature, so only we can ask it.

use std::path::Path;

use anyhow::{Context, bail};
use bytes::Bytes;
use dynoxide::{Database, DynoxideError};
use http::{Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::template::Template;

/// The embedded DynamoDB.
#[derive(Clone)]
pub struct DynamoDb(Database);

impl DynamoDb {
    /// Opens the file `database`, with the template's tables.
    pub(crate) fn open(database: &Path, template: &Template) -> anyhow::Result<Self> {
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
                            "{path} was made by another version: {name} has no index {index}; \
                             delete the data folder, or choose another --data-dir"
                        );
                    }
                }
            }
        }
        Ok(Self(database))
    }

    /// Answers a request in DynamoDB's JSON protocol. `target` is its header `X-Amz-Target`.
    ///
    /// Whoever offers this on a port gives away all that is stored: only tests do.
    #[must_use]
    pub fn answer(&self, target: &str, body: &[u8]) -> Response<Bytes> {
        let operation = target.strip_prefix("DynamoDB_20120810.").unwrap_or_default();
        let (status, body) = match self.run(operation, body) {
            Ok(body) => (StatusCode::OK, body),
            Err(error) => {
                let status = StatusCode::from_u16(error.status_code());
                (status.unwrap_or(StatusCode::BAD_REQUEST), error.to_json().into())
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        response
    }

    /// The operations that the stores and their tests use.
    fn run(&self, operation: &str, body: &[u8]) -> dynoxide::Result<Bytes> {
        match operation {
            "BatchGetItem" => with(body, |it| self.0.batch_get_item(it)),
            "CreateTable" => with(body, |it| self.0.create_table(it)),
            "DeleteItem" => with(body, |it| self.0.delete_item(it)),
            "GetItem" => with(body, |it| self.0.get_item(it)),
            "ListTables" => with(body, |it| self.0.list_tables(it)),
            "PutItem" => with(body, |it| self.0.put_item(it)),
            "Query" => with(body, |it| self.0.query(it)),
            "Scan" => with(body, |it| self.0.scan(it)),
            "TransactWriteItems" => with(body, |it| self.0.transact_write_items(it)),
            "UpdateItem" => with(body, |it| self.0.update_item(it)),
            other => Err(DynoxideError::UnsupportedCapability(format!(
                "the embedded DynamoDB is not asked for {other:?}"
            ))),
        }
    }
}

fn with<I: DeserializeOwned, O: Serialize>(
    body: &[u8],
    run: impl FnOnce(I) -> dynoxide::Result<O>,
) -> dynoxide::Result<Bytes> {
    let input = serde_json::from_slice(body);
    let output = run(input.map_err(|it| DynoxideError::SerializationException(it.to_string()))?)?;
    let output = serde_json::to_vec(&output);
    Ok(output.map_err(|it| DynoxideError::InternalServerError(it.to_string()))?.into())
}

/// The names of a table's indexes.
fn indexes(definition: &Value) -> impl Iterator<Item = &str> {
    let indexes = definition.get("GlobalSecondaryIndexes").and_then(Value::as_array);
    indexes.into_iter().flatten().filter_map(|index| index.get("IndexName")?.as_str())
}

fn failed<E: std::fmt::Display>(what: &'static str) -> impl FnOnce(E) -> anyhow::Error {
    move |error| anyhow::anyhow!("cannot {what}: {error}")
}
