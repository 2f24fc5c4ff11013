//! The store, seen from behind. No other file of the tests knows the name of a table, of a key or
//! of an attribute.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, KeySchemaElement, Put, TransactWriteItem,
};
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::types::{Tag, Tagging};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::samples::sha256;
use crate::world::real_time;
use share_local::Backend;
use share_model::limits::Limit;

const USERS: &str = "UsersTable";
const FILES: &str = "FilesTable";
/// Links, leases and one-time tokens.
const LINKS: &str = "LinksTable";
const AUDIT: &str = "AuditTable";
/// What lists of files show.
const SHELF: &str = "ShelfTable";

/// Counters.
const LIMITS: &str = "LimitsTable";

/// The key of a record in the table of links.
const LINKS_KEY: &str = "pk";

fn user_key(id: &str) -> String {
    format!("user#{id}")
}

fn name_key(name: &str) -> String {
    format!("name#{name}")
}

fn address_key(address: &str) -> String {
    format!("mail#{address}")
}

fn link_key(id: &str) -> String {
    format!("link#{id}")
}

fn lease_key(link: &str, lease: &str) -> String {
    format!("lease#{link}#{}", hash_of(lease))
}

fn one_time_token_key(token: &str) -> String {
    format!("token#{}", hash_of(token))
}

/// A new secret as the service makes them: 32 random bytes in base64url.
pub fn new_secret() -> String {
    let mut bytes = [0; 32];
    fastrand::fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What the store holds in the place of a secret: the SHA-256 of its bytes, in base64url.
pub fn hash_of(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(URL_SAFE_NO_PAD.decode(secret).unwrap()))
}

/// Every record of every table and every object of the bucket, as text.
#[derive(Debug, PartialEq, Eq, Clone)]
pub struct Snapshot {
    tables: BTreeMap<String, BTreeSet<String>>,
    objects: BTreeSet<String>,
}

impl Snapshot {
    /// How many records the users' table has: accounts, and the reservations of their names and
    /// addresses.
    pub fn user_records(&self) -> usize {
        self.tables[USERS].len()
    }

    /// The records that reserve an address.
    pub fn reserved_addresses(&self) -> BTreeSet<String> {
        let key = format!("S(\"{}", address_key(""));
        self.tables[USERS].iter().filter(|record| record.contains(&key)).cloned().collect()
    }

    /// How many links, leases and one-time tokens there are.
    pub fn link_records(&self) -> usize {
        self.tables[LINKS].len()
    }

    /// How many receipts there are of this event.
    pub fn receipts(&self, event: &str) -> usize {
        // A receipt is stored as its text.
        let event = format!("\\\"{event}\\\"");
        self.tables[AUDIT].iter().filter(|record| record.contains(&event)).count()
    }

    /// Without what counts towards limits.
    #[must_use]
    pub fn without_counters(mut self) -> Self {
        self.tables.remove(LIMITS);
        self
    }

    /// The records that contain `text`, each after the name of its table, and the objects.
    pub fn mentions(&self, text: &str) -> Vec<String> {
        let tables = self.tables.iter().map(|(name, records)| (name.as_str(), records));
        let all = tables.chain([("objects", &self.objects)]).flat_map(|(place, records)| {
            records.iter().map(move |record| format!("{place}: {record}"))
        });
        all.filter(|record| record.to_lowercase().contains(text)).collect()
    }

    /// What this one has and `other` has not, and the other way round.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let none = BTreeSet::new();
        let mut lines = Vec::new();
        let mut compare = |place: &str, mine: &BTreeSet<String>, theirs: &BTreeSet<String>| {
            lines.extend(mine.difference(theirs).map(|it| format!("+ {place}: {it}")));
            lines.extend(theirs.difference(mine).map(|it| format!("- {place}: {it}")));
        };
        let names: BTreeSet<_> = self.tables.keys().chain(other.tables.keys()).collect();
        for name in names {
            let [mine, theirs] = [self, other].map(|it| it.tables.get(name).unwrap_or(&none));
            compare(name, mine, theirs);
        }
        compare("the bucket", &self.objects, &other.objects);
        lines
    }
}

type Item = HashMap<String, AttributeValue>;

/// A DynamoDB client for the server's tables.
pub async fn dynamodb(backend: &Backend) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::config::Builder::from(&backend.sdk().await)
        .endpoint_url(&backend.variables["AWS_ENDPOINT_URL_DYNAMODB"]);
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

/// An S3 client for the server's bucket.
pub async fn s3(backend: &Backend) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(&backend.sdk().await)
        .endpoint_url(&backend.variables["AWS_ENDPOINT_URL_S3"])
        .force_path_style(true);
    aws_sdk_s3::Client::from_conf(config.build())
}

/// The tables and the bucket of one server, as an administrator reaches them.
pub struct Store {
    dynamodb: aws_sdk_dynamodb::Client,
    s3: aws_sdk_s3::Client,
    bucket: String,
}

/// A link's own record.
#[derive(Debug, PartialEq)]
pub struct LinkRecord {
    id: String,
    item: Item,
}

impl LinkRecord {
    /// Whether the uploader has been told; `None` when the record says nothing of it.
    pub fn notified(&self) -> Option<bool> {
        self.item.get("notified").and_then(|it| it.as_bool().ok()).copied()
    }

    /// How many receipts the link has, and the hash of the last one.
    pub fn chain(&self) -> (usize, String) {
        let count = self.item["receipts"].as_n().unwrap().parse().unwrap();
        (count, self.item["last_receipt"].as_s().unwrap().clone())
    }
}

/// A receipt as it is stored: its text, and the hash of the text.
#[derive(Debug, Clone)]
pub struct StoredReceipt(Item);

impl StoredReceipt {
    pub fn text(&self) -> &str {
        self.0["receipt"].as_s().unwrap()
    }

    pub fn hash(&self) -> &str {
        self.0["hash"].as_s().unwrap()
    }

    pub fn set_text(&mut self, value: &str) {
        self.0.insert("receipt".to_owned(), text(value));
    }

    pub fn set_hash(&mut self, value: &str) {
        self.0.insert("hash".to_owned(), text(value));
    }
}

impl Store {
    /// The store of a server.
    pub async fn of(backend: &Backend) -> Self {
        let (dynamodb, s3) = (dynamodb(backend).await, s3(backend).await);
        Self { dynamodb, s3, bucket: backend.variables["FILES_BUCKET"].clone() }
    }

    /// Reads everything.
    pub async fn snapshot(&self) -> Snapshot {
        let names = self.dynamodb.list_tables().into_paginator().items().send();
        let names: Vec<_> = names.collect::<Result<_, _>>().await.unwrap();
        let tables = join_all(names.into_iter().map(async |name| {
            let pages = self.dynamodb.scan().table_name(&name).into_paginator().items().send();
            let items = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
            (name, items.into_iter().map(as_text).collect())
        }));
        let tables: BTreeMap<_, _> = tables.await.into_iter().collect();
        assert!(!tables.is_empty(), "there are tables");
        let mut objects = BTreeSet::new();
        let mut pages = self.s3.list_objects_v2().bucket(&self.bucket).into_paginator().send();
        while let Some(page) = pages.next().await {
            objects.extend(page.unwrap().contents().iter().filter_map(|it| it.key.clone()));
        }
        Snapshot { tables, objects }
    }

    /// Creates a table that this version does not know.
    pub async fn create_unknown_table(&self, name: &str) {
        let key = AttributeDefinition::builder().attribute_name("id").attribute_type("S".into());
        let schema = KeySchemaElement::builder().attribute_name("id").key_type("HASH".into());
        let create = self.dynamodb.create_table().table_name(name);
        let create = create.billing_mode("PAY_PER_REQUEST".into());
        let create = create.attribute_definitions(key.build().unwrap());
        create.key_schema(schema.build().unwrap()).send().await.unwrap();
    }

    /// The id of the user who has reserved this name, in lower case.
    pub async fn user_named(&self, name: &str) -> String {
        let reservation = self.get(USERS, "pk", &name_key(name)).await.unwrap();
        reservation["user_id"].as_s().unwrap().clone()
    }

    /// When an account and the reservation of its name, in lower case, may be forgotten, in seconds
    /// since 1970.
    pub async fn forgotten_at(&self, user: &str, name: &str) -> [Option<i64>; 2] {
        let at = async |key: String| {
            let item = self.get(USERS, "pk", &key).await.unwrap();
            item.get("forget_at").map(|it| it.as_n().unwrap().parse().unwrap())
        };
        [at(user_key(user)).await, at(name_key(name)).await]
    }

    /// Gives a name, in lower case, to another account than the one that has it.
    pub async fn give_name(&self, name: &str, user: &str) {
        self.set(USERS, ("pk", &name_key(name)), "user_id", text(user)).await;
    }

    /// Enables or disables an account.
    pub async fn set_active(&self, user: &str, active: bool) {
        self.set(USERS, ("pk", &user_key(user)), "active", AttributeValue::Bool(active)).await;
    }

    /// Reserves an address for an account that is invited there until this second.
    pub async fn hold_address(&self, address: &str, user: &str, end: i64) {
        let key = format!("mail#{address}");
        self.set(USERS, ("pk", &key), "user_id", text(user)).await;
        let end = AttributeValue::N(end.to_string());
        self.set(USERS, ("pk", &key), "unproven_until", end).await;
    }

    /// Makes an account wait for an approval.
    pub async fn let_wait(&self, user: &str) {
        self.set(USERS, ("pk", &user_key(user)), "waiting_for", text("approval")).await;
    }

    pub async fn set_role(&self, user: &str, role: &str) {
        self.set(USERS, ("pk", &user_key(user)), "role", text(role)).await;
    }

    /// The names of the admins whose accounts can be used, sorted.
    pub async fn active_admins(&self) -> Vec<String> {
        let users = self.dynamodb.scan().table_name(USERS).consistent_read(true);
        let items = users.into_paginator().items().send().collect::<Result<Vec<_>, _>>();
        let is = |item: &Item, name: &str| item[name] == AttributeValue::Bool(true);
        let admin = |item: &Item| {
            item.get("role") == Some(&text("admin")) && is(item, "active") && is(item, "verified")
        };
        let admins = items.await.unwrap().into_iter().filter(admin);
        let mut names: Vec<_> =
            admins.map(|item| item["username"].as_s().unwrap().clone()).collect();
        names.sort();
        names
    }

    /// Makes an account one of an earlier version, which had no list of accounts.
    pub async fn unlist(&self, user: &str) {
        let update = self.dynamodb.update_item().table_name(USERS).key("pk", text(&user_key(user)));
        let update = update.update_expression("REMOVE listed, name_key, search_name, seen_key");
        update.send().await.unwrap();
    }

    /// The hash of an account's password.
    pub async fn password_hash(&self, user: &str) -> String {
        let item = self.get(USERS, "pk", &user_key(user)).await.unwrap();
        item["password_hash"].as_s().unwrap().clone()
    }

    pub async fn set_password_hash(&self, user: &str, hash: &str) {
        self.set(USERS, ("pk", &user_key(user)), "password_hash", text(hash)).await;
    }

    /// Gives the second factor of one account to another, as it is stored.
    pub async fn copy_second_factor(&self, from: &str, to: &str) {
        let item = self.get(USERS, "pk", &user_key(from)).await.unwrap();
        let factor = item["second_factor"].clone();
        self.set(USERS, ("pk", &user_key(to)), "second_factor", factor).await;
    }

    /// Writes down that this account is to be erased, as a deletion does that breaks off then.
    pub async fn put_erasure(&self, user: &str, address: &str, at: Timestamp) {
        let item = [
            ("pk", text(&format!("erasure#{user}"))),
            ("user_id", text(user)),
            ("address", text(address)),
            ("closed_at", text(&format!("{at:.3}"))),
            ("listed", text("erasure")),
            ("name_key", text(user)),
        ];
        let item = item.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
        self.put(USERS, item).await;
    }

    /// Deletes an account with all that it has reserved.
    pub async fn delete_account(&self, user: &str, name: &str, address: &str) {
        for key in [user_key(user), name_key(name), address_key(address)] {
            self.delete(USERS, [("pk", text(&key))]).await;
        }
    }

    /// Puts a new one-time token of this kind and gives it.
    pub async fn one_time_token(&self, kind: &str, user: &str, expires_at: i64) -> String {
        let token = new_secret();
        let put = self.dynamodb.put_item().table_name(LINKS);
        let put = put
            .item(LINKS_KEY, text(&one_time_token_key(&token)))
            .item("hash", text(&hash_of(&token)))
            .item("kind", text(kind))
            .item("user_id", text(user))
            .item("expires_at", AttributeValue::N(expires_at.to_string()));
        put.send().await.unwrap();
        token
    }

    /// Sets what `whom` has done so often by `at`.
    pub async fn set_count(&self, limit: &Limit, whom: &str, taken: u32, at: Timestamp) {
        let item = Item::from([
            ("pk".to_owned(), text(&limit.key(whom, at))),
            ("taken".to_owned(), AttributeValue::N(taken.to_string())),
            ("last_at".to_owned(), AttributeValue::N(at.as_second().to_string())),
            ("forget_at".to_owned(), AttributeValue::N(limit.window_end(at).to_string())),
        ]);
        self.put(LIMITS, item).await;
    }

    /// Forgets what anybody has done how often, so that nobody has done too much.
    pub async fn forget_counts(&self) {
        for item in self.items(LIMITS).await {
            self.delete(LIMITS, [("pk", item["pk"].clone())]).await;
        }
    }

    /// How often `whom` has done something in the window of `at`.
    pub async fn count(&self, limit: &Limit, whom: &str, at: Timestamp) -> u64 {
        let item = self.get(LIMITS, "pk", &limit.key(whom, at)).await;
        item.map_or(0, |item| number(&item, "taken"))
    }

    /// Says that this token is the newest one of its kind and account, and gives the account this
    /// address.
    pub async fn make_newest(&self, kind: &str, user: &str, token: &str, address: &str) {
        let put = self.dynamodb.put_item().table_name(LINKS);
        let put = put
            .item(LINKS_KEY, text(&format!("newest#{kind}#{user}")))
            .item("token_hash", text(&hash_of(token)));
        put.send().await.unwrap();
        let key = one_time_token_key(token);
        self.set(LINKS, (LINKS_KEY, &key), "email", text(address)).await;
        let first = AttributeValue::N("0".to_owned());
        self.set(LINKS, (LINKS_KEY, &key), "generation", first).await;
    }

    pub async fn link(&self, id: &str) -> LinkRecord {
        self.find_link(id).await.unwrap()
    }

    pub async fn find_link(&self, id: &str) -> Option<LinkRecord> {
        let item = self.get(LINKS, LINKS_KEY, &link_key(id)).await?;
        Some(LinkRecord { id: id.to_owned(), item })
    }

    /// Does to a link and its receipts what a line of `tampering.json` says: changes records,
    /// deletes them, restores them, or writes the whole chain anew.
    pub async fn tamper(&self, link: &str, lease: Option<&str>, change: &Value) {
        let record = self.link(link).await;
        let mut receipts = self.receipts(&record).await;
        let key = |part: &str| match part {
            "record" => link_key(link),
            "token" => format!("token#{link}"),
            _ => lease_key(link, lease.unwrap()),
        };
        if let Some(number) = change["text"].as_u64() {
            let receipt = &mut receipts[usize::try_from(number).unwrap() - 1];
            let [from, to] = ["from", "to"].map(|it| change[it].as_str().unwrap());
            let changed = receipt.text().replace(from, to);
            assert_ne!(changed, receipt.text());
            receipt.set_text(&changed);
            if change["hash"] == true {
                receipt.set_hash(&sha256(changed.as_bytes()));
            }
            self.put(AUDIT, receipt.0.clone()).await;
        } else if let Some(part) = change["delete"].as_str() {
            match (part, change["number"].as_u64()) {
                ("receipt", Some(number)) => {
                    self.delete_receipt(&receipts[usize::try_from(number).unwrap() - 1]).await;
                }
                ("receipts", _) => {
                    for receipt in &receipts {
                        self.delete_receipt(receipt).await;
                    }
                }
                _ => self.delete(LINKS, [(LINKS_KEY, text(&key(part)))]).await,
            }
        } else if let Some(part) = change["put"].as_str() {
            let item = if part == "token" {
                let expires: Timestamp = record.item["expires_at"].as_s().unwrap().parse().unwrap();
                Item::from([
                    (LINKS_KEY.to_owned(), text(&key("token"))),
                    ("hash".to_owned(), text(link)),
                    ("kind".to_owned(), text("download")),
                    ("user_id".to_owned(), record.item["user_id"].clone()),
                    ("expires_at".to_owned(), AttributeValue::N(expires.as_second().to_string())),
                ])
            } else {
                let mut other = self.get(LINKS, LINKS_KEY, &key("lease")).await.unwrap();
                other.insert(LINKS_KEY.to_owned(), text(&lease_key(link, &new_secret())));
                other
            };
            self.put(LINKS, item).await;
        } else if let Some(part) = change["set"].as_str() {
            let values = change.as_object().unwrap().iter().filter(|(name, _)| *name != "set");
            let values: Item = values.map(|(name, it)| (name.clone(), attribute(it))).collect();
            if part == "receipts" {
                for mut receipt in receipts {
                    receipt.0.extend(values.clone());
                    self.put(AUDIT, receipt.0).await;
                }
            } else {
                let mut item = self.get(LINKS, LINKS_KEY, &key(part)).await.unwrap();
                item.extend(values);
                self.put(LINKS, item).await;
            }
        } else {
            self.rewrite(record, &receipts, change["story"].as_array().unwrap()).await;
        }
    }

    /// Writes a link's chain anew: each part is the number of a receipt as it was, that with
    /// changes, or a new one.
    async fn rewrite(&self, record: LinkRecord, old: &[StoredReceipt], story: &[Value]) {
        let read = |number: &Value| -> Value {
            let place = usize::try_from(number.as_u64().unwrap()).unwrap() - 1;
            serde_json::from_str(old[place].text()).unwrap()
        };
        let created = read(&1.into());
        let mut item = record.item;
        let (mut previous, mut at) = (Value::Null, created["at"].clone());
        for receipt in old {
            self.delete_receipt(receipt).await;
        }
        for (number, part) in (1..).zip(story) {
            let (mut receipt, changes) = match part {
                Value::Array(parts) => (read(&parts[0]), parts[1].clone()),
                Value::Object(_) => {
                    let mut receipt = json!({"user_id": created["user_id"], "request_id": "x"});
                    receipt["link"] = created["link"].clone();
                    receipt["at"] = at.clone();
                    (receipt, part.clone())
                }
                number => (read(number), json!({})),
            };
            for (name, value) in changes.as_object().unwrap() {
                receipt[name] = value.clone();
            }
            receipt["number"] = number.into();
            receipt["previous"] = previous;
            at = receipt["at"].clone();
            let mut stored = old[0].clone();
            stored.set_text(&receipt.to_string());
            let hash = sha256(stored.text().as_bytes());
            stored.set_hash(&hash);
            let place = old[0].0["at_id"].as_s().unwrap();
            let place = format!("{}#{number:06}", place.rsplit_once('#').unwrap().0);
            stored.0.insert("at_id".to_owned(), text(&place));
            self.put(AUDIT, stored.0).await;
            item.insert("receipts".to_owned(), AttributeValue::N(number.to_string()));
            item.insert("last_receipt".to_owned(), text(&hash));
            previous = hash.into();
        }
        self.put(LINKS, item).await;
    }

    /// Which download of the link this lease belongs to; `None` when there is no such lease.
    pub async fn download_of_lease(&self, link: &str, lease: &str) -> Option<u32> {
        let item = self.get(LINKS, LINKS_KEY, &lease_key(link, lease)).await?;
        Some(item["download"].as_n().unwrap().parse().unwrap())
    }

    /// The link's receipts, the first one first.
    pub async fn receipts(&self, link: &LinkRecord) -> Vec<StoredReceipt> {
        let of_link = |name: &str| link.item[name].as_s().unwrap();
        let subject = format!("file#{}", of_link("file_id"));
        let place = format!("link#{}#{}#", of_link("created_at"), link.id);
        let query = self.dynamodb.query().table_name(AUDIT).consistent_read(true);
        let query = query
            .key_condition_expression("subject = :subject AND begins_with(at_id, :place)")
            .expression_attribute_values(":subject", text(&subject))
            .expression_attribute_values(":place", text(&place));
        let items = query.into_paginator().items().send().collect::<Result<Vec<_>, _>>();
        items.await.unwrap().into_iter().map(StoredReceipt).collect()
    }

    /// What the audit says of an account: the names of the actions, sorted.
    pub async fn audit_of_user(&self, user: &str) -> Vec<String> {
        let items = self.audit_records_of_user(user).await.into_iter();
        let mut actions: Vec<_> =
            items.map(|item| item["action"].as_s().unwrap().clone()).collect();
        actions.sort();
        actions
    }

    /// Puts this many lines about an account and by it into the audit, all of one moment.
    pub async fn put_events(&self, user: &str, count: usize, at: Timestamp) {
        let numbers: Vec<_> = (0..count).collect();
        for some in numbers.chunks(100) {
            let puts = some.iter().map(|number| {
                let put = Put::builder()
                    .table_name(AUDIT)
                    .item("subject", text(&user_key(user)))
                    .item("at_id", text(&format!("{at:.3}#{number:06}#session_begun")))
                    .item("action", text("session_begun"))
                    .item("actor", text(user))
                    .item("listed", text("events"));
                TransactWriteItem::builder().put(put.build().unwrap()).build()
            });
            let request = self.dynamodb.transact_write_items();
            request.set_transact_items(Some(puts.collect())).send().await.unwrap();
        }
    }

    /// The second from which on the first line about an account may be forgotten.
    pub async fn forget_audit_at(&self, user: &str) -> i64 {
        let items = self.audit_records_of_user(user).await;
        items[0]["forget_at"].as_n().unwrap().parse().unwrap()
    }

    /// Who has done this to an account, the first time.
    pub async fn actor(&self, user: &str, action: &str) -> String {
        let items = self.audit_records_of_user(user).await;
        let item = items.iter().find(|item| item["action"] == text(action)).unwrap();
        item["actor"].as_s().unwrap().clone()
    }

    async fn audit_records_of_user(&self, user: &str) -> Vec<Item> {
        let query = self.dynamodb.query().table_name(AUDIT).consistent_read(true);
        let query = query
            .key_condition_expression("subject = :subject")
            .expression_attribute_values(":subject", text(&user_key(user)));
        query.into_paginator().items().send().collect::<Result<_, _>>().await.unwrap()
    }

    async fn put(&self, table: &str, item: Item) {
        self.dynamodb.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
    }

    async fn delete_receipt(&self, receipt: &StoredReceipt) {
        let key = ["subject", "at_id"].map(|name| (name, receipt.0[name].clone()));
        self.delete(AUDIT, key).await;
    }

    /// Changes the size that is recorded of a file.
    pub async fn set_file_size(&self, file: &str, size: usize) {
        let size = AttributeValue::N(size.to_string());
        self.set(FILES, ("file_id", file), "size", size).await;
    }

    /// The state of a file, if there is a record of it.
    pub async fn file_state(&self, file: &str) -> Option<String> {
        let item = self.get(FILES, "file_id", file).await?;
        Some(item["state"].as_s().unwrap().clone())
    }

    /// How many bytes of a file have been digested by a check that is not at its end.
    pub async fn digested(&self, file: &str) -> Option<u64> {
        let item = self.get(FILES, "file_id", file).await?;
        let progress = item.get("progress")?.as_m().unwrap();
        Some(progress["bytes"].as_n().unwrap().parse().unwrap())
    }

    /// The bytes and files that count against a quota: that of an account, or of the `stack`.
    pub async fn usage(&self, whose: &str) -> (u64, u64) {
        let item = self.get(FILES, "file_id", &format!("usage#{whose}")).await.unwrap_or_default();
        ["used_bytes", "used_files"].map(|name| number(&item, name)).into()
    }

    /// The files that are not at their end: neither available nor gone with all that there was of
    /// them; and their states.
    pub async fn unsettled_files(&self) -> Vec<(String, String)> {
        let files = self.items(FILES).await.into_iter().filter(|it| it.contains_key("state"));
        let files = files.map(|item| {
            let [id, state] = ["file_id", "state"].map(|name| item[name].as_s().unwrap().clone());
            (id, state, item.contains_key("leftover"))
        });
        let ends = |state: &str| ["available", "rejected", "deleted"].contains(&state);
        let unsettled = files.filter(|(_, state, leftover)| *leftover || !ends(state));
        unsettled.map(|(id, state, _)| (id, state)).collect()
    }

    /// Where lists, counters and the bucket do not say what the records of files say. Bytes whose
    /// removal is still due are no fault.
    pub async fn faults_of_files(&self) -> Vec<String> {
        let (mut faults, mut counted, mut listed) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
        let (mut usage, mut kept) = (BTreeMap::new(), BTreeSet::new());
        let (mut created, mut recorded) = (Vec::new(), BTreeSet::new());
        let text = |item: &Item, name: &str| item[name].as_s().unwrap().clone();
        for item in self.items(FILES).await {
            let id = text(&item, "file_id");
            if let Some(whose) = id.strip_prefix("usage#") {
                let used = ["used_bytes", "used_files"].map(|name| number(&item, name));
                usage.insert(whose.to_owned(), used);
                continue;
            }
            if id.starts_with("request#") {
                created.push(text(&item, "file"));
                continue;
            }
            recorded.insert(id.clone());
            let (state, size) = (text(&item, "state"), number(&item, "size"));
            if ["uploading", "checking", "available"].contains(&state.as_str()) {
                for whose in [text(&item, "uploader"), "stack".to_owned()] {
                    let sum = counted.entry(whose).or_insert([0, 0]);
                    *sum = [sum[0] + size, sum[1] + 1];
                }
            }
            if state != "uploading" && (item.contains_key("leftover") || state == "checking") {
                kept.insert(id);
            } else if state == "available" {
                listed.insert((id.clone(), text(&item, "sha256")));
                match self.bytes_of_object(&id).await {
                    Some(bytes) if sha256(&bytes) == text(&item, "sha256") => {}
                    Some(_) => faults.push(format!("{id} is available with other bytes")),
                    None => faults.push(format!("{id} is available without bytes")),
                }
                if self.tags_of_object(&id).await.contains(&"unfinished".to_owned()) {
                    faults.push(format!("{id} is available and will expire"));
                }
                kept.insert(id);
            }
        }
        usage.retain(|_, used| *used != [0, 0]);
        if usage != counted {
            faults.push(format!("counted are {usage:?}, and the records make {counted:?}"));
        }
        created.retain(|file| !recorded.contains(file));
        if !created.is_empty() {
            faults.push(format!(
                "requests have created these, of which there is no record: {created:?}"
            ));
        }
        let entries = self.items(SHELF).await.into_iter();
        let entries = entries.filter(|item| text(item, "audience") == "everyone");
        let entries: BTreeSet<_> =
            entries.map(|it| (text(&it, "id"), text(&it, "sha256"))).collect();
        if entries != listed {
            faults.push(format!("listed are {entries:?}, and available {listed:?}"));
        }
        let stray = self.snapshot().await.objects.difference(&kept).cloned().collect::<Vec<_>>();
        if !stray.is_empty() {
            faults.push(format!("no file has these objects: {stray:?}"));
        }
        faults
    }

    /// Makes a file's record one of a version that did not store who had uploaded it.
    pub async fn forget_uploader(&self, file: &str) {
        let update = self.dynamodb.update_item().table_name(FILES).key("file_id", text(file));
        update.update_expression("REMOVE uploader").send().await.unwrap();
    }

    /// The file's bytes in S3.
    pub async fn object(&self, file: &str) -> Vec<u8> {
        let get = self.s3.get_object().bucket(&self.bucket).key(file).send().await.unwrap();
        get.body.collect().await.unwrap().to_vec()
    }

    /// The file's bytes in S3, if there are any.
    pub async fn bytes_of_object(&self, file: &str) -> Option<Vec<u8>> {
        let get = self.s3.get_object().bucket(&self.bucket).key(file).send().await.ok()?;
        Some(get.body.collect().await.unwrap().to_vec())
    }

    /// How many bytes the file has in S3, if it has an object there.
    pub async fn length_of_object(&self, file: &str) -> Option<i64> {
        let head = self.s3.head_object().bucket(&self.bucket).key(file).send().await.ok()?;
        head.content_length
    }

    /// The names of the tags of the file's object.
    pub async fn tags_of_object(&self, file: &str) -> Vec<String> {
        let tags = self.s3.get_object_tagging().bucket(&self.bucket).key(file).send().await;
        let tags = tags.map(|tags| tags.tag_set).unwrap_or_default();
        tags.into_iter().map(|tag| tag.key).collect()
    }

    /// Puts a tag on the file's object, beside those that it has.
    pub async fn tag_object(&self, file: &str, name: &str, value: &str) {
        let tags = self.s3.get_object_tagging().bucket(&self.bucket).key(file).send().await;
        let tag = Tag::builder().key(name).value(value).build().unwrap();
        let tags = Tagging::builder().set_tag_set(Some(tags.unwrap().tag_set)).tag_set(tag);
        let put = self.s3.put_object_tagging().bucket(&self.bucket).key(file);
        put.tagging(tags.build().unwrap()).send().await.unwrap();
    }

    /// Aborts an upload in S3, as the bucket's rule does after its time.
    pub async fn abort_in_s3(&self, file: &str) {
        let item = self.get(FILES, "file_id", file).await.unwrap();
        let upload = item["s3_upload"].as_s().unwrap();
        let abort = self.s3.abort_multipart_upload().bucket(&self.bucket).key(file);
        abort.upload_id(upload).send().await.unwrap();
    }

    /// A request for a part that was signed so many seconds ago, for 15 minutes.
    pub async fn part_signed_before(
        &self,
        seconds: u64,
        file: &str,
        number: i32,
        bytes: &[u8],
    ) -> PresignedRequest {
        let item = self.get(FILES, "file_id", file).await.unwrap();
        let config = PresigningConfig::builder().expires_in(Duration::from_mins(15));
        let then = SystemTime::from(real_time()) - Duration::from_secs(seconds);
        let part = self.s3.upload_part().bucket(&self.bucket).key(file).part_number(number);
        let part = part.upload_id(item["s3_upload"].as_s().unwrap());
        let part = part.content_length(i64::try_from(bytes.len()).unwrap());
        let part = part.checksum_sha256(STANDARD.encode(Sha256::digest(bytes)));
        part.presigned(config.start_time(then).build().unwrap()).await.unwrap()
    }

    pub async fn put_object(&self, file: &str, content: Vec<u8>) {
        let put = self.s3.put_object().bucket(&self.bucket).key(file).body(content.into());
        put.send().await.unwrap();
    }

    pub async fn delete_object(&self, file: &str) {
        self.s3.delete_object().bucket(&self.bucket).key(file).send().await.unwrap();
    }

    async fn items(&self, table: &str) -> Vec<Item> {
        let pages = self.dynamodb.scan().table_name(table).consistent_read(true);
        let items = pages.into_paginator().items().send().collect::<Result<Vec<_>, _>>();
        items.await.unwrap()
    }

    async fn get(&self, table: &str, key: &str, value: &str) -> Option<Item> {
        let get = self.dynamodb.get_item().table_name(table).key(key, text(value));
        get.consistent_read(true).send().await.unwrap().item
    }

    async fn set(&self, table: &str, key: (&str, &str), name: &str, value: AttributeValue) {
        let update = self.dynamodb.update_item().table_name(table).key(key.0, text(key.1));
        let update = update.update_expression("SET #name = :value");
        let update = update.expression_attribute_names("#name", name);
        update.expression_attribute_values(":value", value).send().await.unwrap();
    }

    async fn delete<const N: usize>(&self, table: &str, key: [(&str, AttributeValue); N]) {
        let delete = self.dynamodb.delete_item().table_name(table);
        let key = key.map(|(name, value)| (name.to_owned(), value));
        delete.set_key(Some(key.into())).send().await.unwrap();
    }
}

/// A number of an item; 0 when it does not have it.
fn number(item: &Item, name: &str) -> u64 {
    item.get(name).map_or(0, |it| it.as_n().unwrap().parse().unwrap())
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn attribute(value: &Value) -> AttributeValue {
    match value {
        Value::Bool(value) => AttributeValue::Bool(*value),
        Value::Number(value) => AttributeValue::N(value.to_string()),
        value => text(value.as_str().unwrap()),
    }
}

fn as_text(item: Item) -> String {
    let fields = item.into_iter().collect::<BTreeMap<_, _>>().into_iter();
    let fields = fields.map(|(name, value)| format!("{name:?}: {}", value_as_text(value)));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
}

fn value_as_text(value: AttributeValue) -> String {
    match value {
        AttributeValue::M(inner) => as_text(inner),
        AttributeValue::L(values) => {
            let values: Vec<_> = values.into_iter().map(value_as_text).collect();
            format!("[{}]", values.join(", "))
        }
        value => format!("{value:?}"),
    }
}
