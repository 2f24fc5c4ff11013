//! Lists, page by page.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use share_auth::PageCursor;

use crate::StoreError;

type Item = HashMap<String, AttributeValue>;

/// One page of a list.
pub struct Page<T> {
    /// Its records.
    pub records: Vec<T>,
    /// Where the next page begins, when there is one.
    pub next: Option<PageCursor>,
}

impl<T> Page<T> {
    /// The page with `read` made of each record.
    pub(crate) fn map<U>(
        self,
        read: impl FnMut(T) -> Result<U, StoreError>,
    ) -> Result<Page<U>, StoreError> {
        let records = self.records.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Page { records, next: self.next })
    }
}

/// The first `limit` records of `query`, or those after `cursor`. `key` names the attributes of
/// the key of the table, and of the index where `query` asks one; all of them texts.
pub(crate) async fn page(
    query: QueryFluentBuilder,
    key: &[&str],
    limit: usize,
    cursor: Option<&PageCursor>,
) -> Result<Page<Item>, StoreError> {
    // One more than asked, to know whether there is a next page.
    let asked = i32::try_from(limit + 1).unwrap_or(i32::MAX);
    let start = cursor.map(|cursor| {
        let texts = cursor.0.iter();
        texts.map(|(name, text)| (name.clone(), AttributeValue::S(text.clone()))).collect()
    });
    let answer = query.limit(asked).set_exclusive_start_key(start).send().await;
    let answer = answer.map_err(StoreError::during("list a table"))?;
    let mut records = answer.items.unwrap_or_default();
    // DynamoDB reads at most 1 MB at a time, which may be fewer.
    let cut_short = records.len() <= limit && answer.last_evaluated_key.is_some();
    let more = records.len() > limit || cut_short;
    records.truncate(limit);
    let last = records.last().filter(|_| more);
    let next = last.map(|record| {
        let text =
            |name: &&str| Some(((*name).to_owned(), record.get(*name)?.as_s().ok()?.clone()));
        PageCursor(key.iter().filter_map(text).collect())
    });
    Ok(Page { records, next })
}
