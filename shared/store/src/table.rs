//! One DynamoDB table: reading records by key and page by page, and making the writes of a
//! transaction.

use std::borrow::Cow;
use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, KeysAndAttributes, Put, ReturnValue,
    ReturnValuesOnConditionCheckFailure, Update,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_dynamo::{from_item, to_item};
use share_auth::PageCursor;
use share_contract::settings::Setting;

use crate::transaction::{Backoff, CommitOutcome, Write, commit};
use crate::{Platform, StartError, StoreError};

pub(crate) type Item = HashMap<String, AttributeValue>;

/// A table.
#[derive(Clone)]
pub(crate) struct Table {
    client: Client,
    name: String,
}

/// The key of a record: its attributes, all of them texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key(Vec<(&'static str, String)>);

/// What must hold of the record that a write touches.
#[derive(Debug, Clone, Default)]
pub(crate) struct Condition {
    expression: String,
    names: Vec<(&'static str, &'static str)>,
    values: Vec<(Cow<'static, str>, AttributeValue)>,
}

/// Which records of a table, or of one of its indexes, a list holds.
pub(crate) struct List<'a> {
    /// The index, when it is not the table itself.
    pub(crate) index: Option<&'static str>,
    /// The attributes of the key of the table, and of the index.
    pub(crate) key: &'a [&'static str],
    /// The condition on the key.
    pub(crate) condition: Condition,
    /// What must hold of a record of the list. A page of it is what is found in 1 MB of records,
    /// which can be fewer than asked for, or none.
    pub(crate) filter: Option<Condition>,
    /// Whether the list begins at the end.
    pub(crate) newest_first: bool,
}

/// One page of a list.
pub struct Page<T> {
    /// Its records.
    pub records: Vec<T>,
    /// Where the next page begins, when there is one.
    pub next: Option<PageCursor>,
}

/// What became of a change that was made at once.
pub(crate) enum Changed<T> {
    /// It was made. These are the attributes that it changed, as they were before.
    Yes(Option<T>),
    /// Its condition did not hold. This is the record.
    No(Option<T>),
}

/// A record, unless somebody has changed it so that it cannot be read. One such record must not keep
/// an audit from the others.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Readable<T> {
    /// It can be read.
    Yes(T),
    /// It cannot.
    No {},
}

impl Key {
    /// The key with this one attribute.
    pub(crate) fn new(attribute: &'static str, value: impl Into<String>) -> Self {
        Self(vec![(attribute, value.into())])
    }

    /// The key with one attribute more.
    pub(crate) fn and(mut self, attribute: &'static str, value: impl Into<String>) -> Self {
        self.0.push((attribute, value.into()));
        self
    }

    fn item(&self) -> Item {
        self.0.iter().map(|(name, value)| ((*name).to_owned(), text(value))).collect()
    }
}

impl Condition {
    /// That `expression` holds. Its values follow with [`Condition::with`].
    pub(crate) fn new(expression: &str) -> Self {
        Self { expression: expression.to_owned(), ..Self::default() }
    }

    /// With this value in the place of `name`, which begins with a colon.
    pub(crate) fn with(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: AttributeValue,
    ) -> Self {
        self.values.push((name.into(), value));
        self
    }

    /// With this attribute, whose name is a reserved word, in the place of `name`, which begins with
    /// a number sign.
    pub(crate) fn named(mut self, name: &'static str, attribute: &'static str) -> Self {
        self.names.push((name, attribute));
        self
    }

    fn expression(&self) -> Option<String> {
        (!self.expression.is_empty()).then(|| self.expression.clone())
    }

    fn names(&self) -> Option<HashMap<String, String>> {
        let names = self.names.iter().map(|(name, it)| ((*name).to_owned(), (*it).to_owned()));
        (!self.names.is_empty()).then(|| names.collect())
    }

    fn values(&self) -> Option<Item> {
        let values = self.values.iter().map(|(name, value)| (name.to_string(), value.clone()));
        (!self.values.is_empty()).then(|| values.collect())
    }
}

impl<T> Page<T> {
    /// The page with `change` made of each record.
    #[must_use]
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { records: self.records.into_iter().map(change).collect(), next: self.next }
    }
}

#[expect(clippy::expect_used, reason = "every write below has its table and key")]
impl Table {
    /// The table that `setting` names.
    ///
    /// # Errors
    /// When it is not set.
    pub(crate) fn connect(
        platform: &Platform,
        setting: &Setting<String>,
    ) -> Result<Self, StartError> {
        let name = setting.read(platform.environment())?;
        Ok(Self { client: platform.dynamodb(), name })
    }

    /// The record with this key, as it is now.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        key: &Key,
    ) -> Result<Option<T>, StoreError> {
        // Consistent, because a right that was taken away must be gone with the next request.
        let request = self.client.get_item().table_name(&self.name).consistent_read(true);
        let answer = request.set_key(Some(key.item())).send().await;
        let item = answer.map_err(StoreError::during("read a record"))?.item;
        item.map(read).transpose()
    }

    /// The records with these keys, at most 100, in the order of the keys. Those that are not there
    /// are left out.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(crate) async fn get_all<T: DeserializeOwned>(
        &self,
        keys: &[Key],
    ) -> Result<Vec<T>, StoreError> {
        let mut found: Vec<Item> = Vec::new();
        let mut wanted: Vec<Item> = keys.iter().map(Key::item).collect();
        // DynamoDB may leave some for the next time.
        let mut backoff = Backoff::new("read records");
        while !wanted.is_empty() {
            let request =
                KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true).build();
            let request = request.map_err(StoreError::during("read records"))?;
            let request = self.client.batch_get_item().request_items(&self.name, request);
            let answer = request.send().await.map_err(StoreError::during("read records"))?;
            found.extend(answer.responses.unwrap_or_default().into_values().flatten());
            let left = answer.unprocessed_keys.unwrap_or_default();
            wanted = left.into_values().flat_map(|left| left.keys).collect();
            if !wanted.is_empty() {
                backoff.wait().await?;
            }
        }
        let mut in_order = Vec::new();
        for key in keys.iter().map(Key::item) {
            let is_it = |item: &Item| key.iter().all(|(name, value)| item.get(name) == Some(value));
            if let Some(place) = found.iter().position(is_it) {
                in_order.push(read(found.swap_remove(place))?);
            }
        }
        Ok(in_order)
    }

    /// The first `limit` records of `list`, or those after `cursor`.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(crate) async fn page<T: DeserializeOwned>(
        &self,
        list: List<'_>,
        limit: usize,
        cursor: Option<&PageCursor>,
    ) -> Result<Page<T>, StoreError> {
        // One more than asked, to know whether there is a next page.
        let asked = i32::try_from(limit + 1).unwrap_or(i32::MAX);
        let start = cursor.map(|cursor| {
            let texts = cursor.0.iter();
            texts.map(|(name, value)| (name.clone(), text(value))).collect()
        });
        let filter = list.filter.unwrap_or_default();
        let conditions = [&list.condition, &filter];
        let names = conditions.map(Condition::names).into_iter().flatten().flatten();
        let names: HashMap<String, String> = names.collect();
        let values = conditions.map(Condition::values).into_iter().flatten();
        let answer = self
            .client
            .query()
            .table_name(&self.name)
            .set_index_name(list.index.map(str::to_owned))
            // An index is never consistent.
            .consistent_read(list.index.is_none())
            .set_key_condition_expression(list.condition.expression())
            .set_filter_expression(filter.expression())
            .set_expression_attribute_names((!names.is_empty()).then_some(names))
            .set_expression_attribute_values(Some(values.flatten().collect()))
            .scan_index_forward(!list.newest_first)
            // With a filter it would limit what is looked at.
            .set_limit(filter.expression().is_none().then_some(asked))
            .set_exclusive_start_key(start)
            .send()
            .await;
        let answer = answer.map_err(StoreError::during("list records"))?;
        let mut records = answer.items.unwrap_or_default();
        // DynamoDB reads at most 1 MB at a time, which may be fewer.
        let end = if records.len() > limit {
            records.truncate(limit);
            records.last().cloned()
        } else {
            answer.last_evaluated_key
        };
        let next = end.map(|end| {
            let text =
                |name: &&str| Some(((*name).to_owned(), end.get(*name)?.as_s().ok()?.clone()));
            PageCursor(list.key.iter().filter_map(text).collect())
        });
        let records = records.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Page { records, next })
    }

    /// Every record of the table for which `condition` holds. Reads all of it.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(crate) async fn scan<T: DeserializeOwned>(
        &self,
        condition: &Condition,
    ) -> Result<Vec<T>, StoreError> {
        let pages = self
            .client
            .scan()
            .table_name(&self.name)
            .consistent_read(true)
            .set_filter_expression(condition.expression())
            .set_expression_attribute_names(condition.names())
            .set_expression_attribute_values(condition.values())
            .into_paginator()
            .items()
            .send();
        let items = pages.collect::<Result<Vec<Item>, _>>().await;
        let items = items.map_err(StoreError::during("look through a table"))?;
        items.into_iter().map(read).collect()
    }

    /// The write that puts `record` under `key`, on `condition`.
    pub(crate) fn put<T: Serialize>(&self, key: &Key, record: &T, condition: &Condition) -> Write {
        let mut item: Item = to_item(record).expect("a record is a struct of texts and numbers");
        item.extend(key.item());
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(item))
            .set_condition_expression(condition.expression())
            .set_expression_attribute_names(condition.names())
            .set_expression_attribute_values(condition.values());
        put.build().expect("a table and an item").into()
    }

    /// The write that puts `record` under `key`, to be deleted some time after `forget_at`, in
    /// seconds since 1970.
    ///
    /// DynamoDB deletes a record days late at worst. No rule depends on that.
    pub(crate) fn put_until<T: Serialize>(
        &self,
        key: &Key,
        record: &T,
        forget_at: i64,
        condition: &Condition,
    ) -> Write {
        #[derive(Serialize)]
        struct Until<'a, T> {
            #[serde(flatten)]
            record: &'a T,
            forget_at: i64,
        }
        self.put(key, &Until { record, forget_at }, condition)
    }

    /// The write that changes the record under `key` as `change` says, on `condition`, whose values
    /// are those of both.
    pub(crate) fn update(&self, key: &Key, change: &str, condition: &Condition) -> Write {
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(key.item()))
            .update_expression(change)
            .set_condition_expression(condition.expression())
            .set_expression_attribute_names(condition.names())
            .set_expression_attribute_values(condition.values());
        update.build().expect("a table, a key and a change").into()
    }

    /// The write that makes `after` of the record under `key`, which is `before`, on `condition`. It
    /// touches the attributes that differ, and no other.
    pub(crate) fn change<T: Serialize>(
        &self,
        key: &Key,
        (before, after): (&T, &T),
        condition: &Condition,
    ) -> Write {
        let item = |record| -> Item {
            to_item(record).expect("a record is a struct of texts and numbers")
        };
        let (before, after) = (item(before), item(after));
        let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| before.get(*name) != after.get(*name));
        let (mut set, mut remove) = (Vec::new(), Vec::new());
        let mut update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(key.item()))
            .set_condition_expression(condition.expression())
            .set_expression_attribute_names(condition.names())
            .set_expression_attribute_values(condition.values());
        for (number, name) in names.into_iter().enumerate() {
            // Names of attributes can be reserved words; placeholders cannot.
            let (place, value) = (format!("#changed{number}"), format!(":changed{number}"));
            match after.get(name) {
                Some(new) => {
                    set.push(format!("{place} = {value}"));
                    update = update.expression_attribute_values(value, new.clone());
                }
                None => remove.push(place.clone()),
            }
            update = update.expression_attribute_names(place, name);
        }
        let clause = |word: &str, parts: Vec<String>| {
            (!parts.is_empty()).then(|| format!("{word} {}", parts.join(", ")))
        };
        let clauses = clause("SET", set).into_iter().chain(clause("REMOVE", remove));
        let update = update.update_expression(clauses.collect::<Vec<_>>().join(" "));
        update.build().expect("a table, a key and a change").into()
    }

    /// Changes the record under `key` as `change` says, on `condition`, in no transaction. DynamoDB
    /// makes such changes of one record one after the other, and refuses none because of another.
    ///
    /// After a lost answer the SDK asks again, and the change may be made twice.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(crate) async fn change_now<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        key: &Key,
        change: &str,
        condition: &Condition,
    ) -> Result<Changed<T>, StoreError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key.item()))
            .update_expression(change)
            .set_condition_expression(condition.expression())
            .set_expression_attribute_values(condition.values())
            .return_values(ReturnValue::UpdatedOld)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        // Boxed, because the SDK's futures are large, and others are made around this one.
        match Box::pin(request.send()).await {
            Ok(answer) => Ok(Changed::Yes(answer.attributes.map(read).transpose()?)),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(Changed::No(failed.item.clone().map(read).transpose()?))
                }
                _ => Err(StoreError::during(operation)(error)),
            },
        }
    }

    /// The write that deletes the record under `key`, on `condition`.
    pub(crate) fn delete(&self, key: &Key, condition: &Condition) -> Write {
        let delete = Delete::builder()
            .table_name(&self.name)
            .set_key(Some(key.item()))
            .set_condition_expression(condition.expression())
            .set_expression_attribute_names(condition.names())
            .set_expression_attribute_values(condition.values());
        delete.build().expect("a table and a key").into()
    }

    /// The condition on the record under `key` alone, which changes nothing.
    pub(crate) fn check(&self, key: &Key, condition: &Condition) -> Write {
        let check = ConditionCheck::builder()
            .table_name(&self.name)
            .set_key(Some(key.item()))
            .condition_expression(&condition.expression)
            .set_expression_attribute_names(condition.names())
            .set_expression_attribute_values(condition.values());
        check.build().expect("a table, a key and a condition").into()
    }

    /// Carries out `writes`, which may touch other tables too, as one transaction.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub(crate) async fn commit(
        &self,
        operation: &'static str,
        writes: Vec<Write>,
    ) -> Result<CommitOutcome, StoreError> {
        commit(&self.client, operation, writes).await
    }
}

/// No condition.
pub(crate) fn always() -> Condition {
    Condition::default()
}

/// That there is no record yet. `attribute` is one of the key.
pub(crate) fn absent(attribute: &str) -> Condition {
    Condition::new(&format!("attribute_not_exists({attribute})"))
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(crate) fn big_number(value: i128) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn read<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    from_item(item).map_err(StoreError::during("read a record"))
}
