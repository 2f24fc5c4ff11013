//! DynamoDB in this process. It has no port and checks no signature, so only we can ask it.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bytes::Bytes;
use dynoxide::actions::transact_write_items::TransactWriteItemsRequest;
use dynoxide::{Database, DynoxideError};
use http::{Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::template::Template;

/// For so long a transaction that comes again, under the same `ClientRequestToken`, is not carried
/// out again.
const REPEATED_WITHIN: Duration = Duration::from_mins(10);

/// For answers that are kept.
const ANSWERS_BYTES: usize = 1024 * 1024;

/// Connections that only read.
const READERS: usize = 4;

/// The embedded DynamoDB.
#[derive(Clone)]
pub struct DynamoDb {
    database: Database,
    /// Further connections to the same file. A connection does one thing at a time, but in WAL mode
    /// readers wait neither for each other nor for the writer.
    readers: Arc<[Database; READERS]>,
    /// Which reader is next.
    turn: Arc<AtomicUsize>,
    /// The transactions that may be repeated. The engine has a list of its own, but looks through
    /// all of it at each transaction.
    done: Arc<Mutex<Done>>,
    answers: Arc<Mutex<Answers>>,
}

/// Answers that are given again while nothing is written. Everything that is written goes through
/// this process, and so a read always sees the last write.
#[derive(Default)]
struct Answers {
    by_request: HashMap<Vec<u8>, Bytes>,
    /// Bytes of all of it.
    size: usize,
    /// Writes under way. Meanwhile nothing is kept.
    writing: usize,
    /// Counts the beginnings and the ends of writes.
    version: u64,
}

impl Answers {
    fn forget(&mut self) {
        self.by_request.clear();
        self.size = 0;
    }

    fn keep(&mut self, request: Vec<u8>, answer: Bytes) {
        self.size += request.len() + answer.len();
        if self.size > ANSWERS_BYTES {
            self.forget();
        } else {
            self.by_request.insert(request, answer);
        }
    }
}

/// Transactions that were carried out, by their tokens.
#[derive(Default)]
struct Done {
    by_token: HashMap<Arc<str>, (u64, Bytes)>,
    oldest_first: VecDeque<(Instant, Arc<str>)>,
}

impl Done {
    fn forget_old(&mut self) {
        let old = |(at, _): &mut (Instant, _)| at.elapsed() > REPEATED_WITHIN;
        while let Some((_, token)) = self.oldest_first.pop_front_if(old) {
            self.by_token.remove(&token);
        }
    }

    fn remember(&mut self, token: &str, items: u64, answer: Bytes) {
        let token = Arc::from(token);
        self.oldest_first.push_back((Instant::now(), Arc::clone(&token)));
        self.by_token.insert(token, (items, answer));
    }
}

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
        // `synchronous = NORMAL`: what a killed process has committed is there afterwards. After a
        // loss of power the last transactions may be missing, whole ones only.
        database.disable_bulk_loading().map_err(failed("set up the database"))?;
        let mut readers = Vec::with_capacity(READERS);
        for _ in 0..READERS {
            readers.push(Database::new(path).map_err(failed("open the database again"))?);
        }
        let readers = readers.try_into().map_err(|_| anyhow::anyhow!("too few readers"))?;
        Ok(Self {
            database,
            readers: Arc::new(readers),
            turn: Arc::default(),
            done: Arc::default(),
            answers: Arc::default(),
        })
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

    fn reader(&self) -> &Database {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % READERS;
        self.readers.get(turn).unwrap_or(&self.database)
    }

    fn transact(&self, mut request: TransactWriteItemsRequest) -> dynoxide::Result<Bytes> {
        let Some(token) = request.client_request_token.take() else {
            return write(&self.database.transact_write_items(request)?);
        };
        let mut hasher = DefaultHasher::new();
        // A `Value` has the attributes in one order, whatever the order in the request.
        let items = serde_json::to_value(&request.transact_items);
        items
            .map_err(|error| DynoxideError::SerializationException(error.to_string()))?
            .hash(&mut hasher);
        let items = hasher.finish();
        // Held until it is carried out, so that a repetition waits for the first.
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.forget_old();
        match done.by_token.get(token.as_str()) {
            Some((known, answer)) if *known == items => return Ok(answer.clone()),
            Some(_) => {
                let message = "the token was used for other writes".to_owned();
                return Err(DynoxideError::IdempotentParameterMismatchException(message));
            }
            None => {}
        }
        let answer = write(&self.database.transact_write_items(request)?)?;
        done.remember(&token, items, answer.clone());
        Ok(answer)
    }

    /// What `read` gives, or gave to the same request since the last write.
    fn kept(
        &self,
        operation: &str,
        body: &[u8],
        read: impl FnOnce() -> dynoxide::Result<Bytes>,
    ) -> dynoxide::Result<Bytes> {
        let request = [operation.as_bytes(), body].concat();
        let version = {
            let answers = self.answers();
            if let Some(answer) = answers.by_request.get(&request) {
                return Ok(answer.clone());
            }
            answers.version
        };
        let answer = read()?;
        let mut answers = self.answers();
        if answers.writing == 0 && answers.version == version {
            answers.keep(request, answer.clone());
        }
        Ok(answer)
    }

    fn writing(&self, write: impl FnOnce() -> dynoxide::Result<Bytes>) -> dynoxide::Result<Bytes> {
        {
            let mut answers = self.answers();
            answers.forget();
            answers.writing += 1;
            answers.version += 1;
        }
        let answer = write();
        let mut answers = self.answers();
        answers.writing -= 1;
        answers.version += 1;
        answer
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The operations that the stores and their tests use.
    fn run(&self, operation: &str, body: &[u8]) -> dynoxide::Result<Bytes> {
        match operation {
            "BatchGetItem" => with(body, |it| self.reader().batch_get_item(it)),
            "GetItem" => self.kept(operation, body, || with(body, |it| self.reader().get_item(it))),
            "ListTables" => with(body, |it| self.database.list_tables(it)),
            "Query" => self.kept(operation, body, || with(body, |it| self.reader().query(it))),
            "Scan" => with(body, |it| self.reader().scan(it)),
            _ => self.writing(|| self.write(operation, body)),
        }
    }

    fn write(&self, operation: &str, body: &[u8]) -> dynoxide::Result<Bytes> {
        match operation {
            "CreateTable" => with(body, |it| self.database.create_table(it)),
            "DeleteItem" => with(body, |it| self.database.delete_item(it)),
            "PutItem" => with(body, |it| self.database.put_item(it)),
            "TransactWriteItems" => self.transact(read(body)?),
            "UpdateItem" => with(body, |it| self.database.update_item(it)),
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
    write(&run(read(body)?)?)
}

fn read<I: DeserializeOwned>(body: &[u8]) -> dynoxide::Result<I> {
    let input = serde_json::from_slice(body);
    input.map_err(|error| DynoxideError::SerializationException(error.to_string()))
}

fn write<O: Serialize>(output: &O) -> dynoxide::Result<Bytes> {
    let output = serde_json::to_vec(output);
    Ok(output.map_err(|error| DynoxideError::InternalServerError(error.to_string()))?.into())
}

/// The names of a table's indexes.
fn indexes(definition: &Value) -> impl Iterator<Item = &str> {
    let indexes = definition.get("GlobalSecondaryIndexes").and_then(Value::as_array);
    indexes.into_iter().flatten().filter_map(|index| index.get("IndexName")?.as_str())
}

fn failed<E: std::fmt::Display>(what: &'static str) -> impl FnOnce(E) -> anyhow::Error {
    move |error| anyhow::anyhow!("cannot {what}: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// An embedded DynamoDB with the template's tables, in a folder of its own.
    fn new() -> (tempfile::TempDir, DynamoDb) {
        let folder = tempfile::tempdir().unwrap();
        let template = Template::read().unwrap();
        let dynamodb = DynamoDb::open(&folder.path().join("database"), &template).unwrap();
        (folder, dynamodb)
    }

    fn ask(dynamodb: &DynamoDb, operation: &str, body: &Value) -> (u16, String) {
        let target = format!("DynamoDB_20120810.{operation}");
        let answer = dynamodb.answer(&target, body.to_string().as_bytes());
        (answer.status().as_u16(), String::from_utf8(answer.body().to_vec()).unwrap())
    }

    #[test]
    fn every_read_sees_the_last_write() {
        let (_folder, dynamodb) = new();
        let get = json!({"TableName": "UsersTable", "Key": {"pk": {"S": "a"}}});
        let query = json!({
            "TableName": "UsersTable", "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": "a"}},
        });
        for number in 0..10 {
            let item = json!({"pk": {"S": "a"}, "number": {"N": number.to_string()}});
            let put = json!({"TableName": "UsersTable", "Item": item});
            let (operation, put) = if number % 2 == 0 {
                ("PutItem", put)
            } else {
                ("TransactWriteItems", json!({"TransactItems": [{"Put": put}]}))
            };
            assert_eq!(ask(&dynamodb, operation, &put).0, 200);
            let expected = format!("{{\"N\":\"{number}\"}}");
            for (operation, body) in [("GetItem", &get), ("Query", &query), ("GetItem", &get)] {
                let (_, answer) = ask(&dynamodb, operation, body);
                assert!(answer.contains(&expected), "{operation}: {answer}");
            }
        }
        ask(&dynamodb, "DeleteItem", &get);
        assert_eq!(ask(&dynamodb, "GetItem", &get), (200, "{}".to_owned()));
    }

    /// One thread writes numbers, and others read: once somebody has seen a number, nobody sees an
    /// earlier one.
    #[test]
    fn no_read_goes_back_behind_another() {
        let (_folder, dynamodb) = new();
        let written = AtomicUsize::new(0);
        let get = json!({"TableName": "UsersTable", "Key": {"pk": {"S": "a"}}});
        let seen = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while written.load(Ordering::SeqCst) < 300 {
                        let least = seen.load(Ordering::SeqCst);
                        let (_, answer) = ask(&dynamodb, "GetItem", &get);
                        let answer: Value = serde_json::from_str(&answer).unwrap();
                        let number = answer["Item"]["number"]["N"].as_str().unwrap_or("0");
                        let number = number.parse().unwrap();
                        assert!(number >= least, "{number} after {least}");
                        seen.fetch_max(number, Ordering::SeqCst);
                    }
                });
            }
            for number in 1..=300_usize {
                let item = json!({"pk": {"S": "a"}, "number": {"N": number.to_string()}});
                ask(&dynamodb, "PutItem", &json!({"TableName": "UsersTable", "Item": item}));
                written.store(number, Ordering::SeqCst);
            }
        });
    }

    #[test]
    fn a_repeated_transaction_is_answered_as_the_first_and_done_once() {
        let (_folder, dynamodb) = new();
        let put = |token: &str, key: &str| {
            let put = json!({
                "TableName": "UsersTable", "Item": {"pk": {"S": key}},
                "ConditionExpression": "attribute_not_exists(pk)",
            });
            let items = json!([{ "Put": put }]);
            let body = json!({ "ClientRequestToken": token, "TransactItems": items });
            ask(&dynamodb, "TransactWriteItems", &body)
        };
        let first = put("one", "a");
        assert_eq!(first.0, 200);
        assert_eq!(put("one", "a"), first, "the condition does not hold any more");
        let (status, other) = put("one", "b");
        assert!(status == 400 && other.contains("IdempotentParameterMismatch"), "{other}");
        for _ in 0..2 {
            let (status, refused) = put("two", "a");
            assert!(status == 400 && refused.contains("ConditionalCheckFailed"), "{refused}");
        }
        let (_, items) = ask(&dynamodb, "Scan", &json!({"TableName": "UsersTable"}));
        assert!(items.contains("\"Count\":1"), "{items}");
    }
}
