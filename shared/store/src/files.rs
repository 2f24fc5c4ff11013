//! The Files table: what is on the shelf.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put};
use serde_dynamo::{from_item, to_item};
use share_auth::PageCursor;
use share_model::{FileId, FileRecord, rfc3339_millis};

use crate::transaction::{Write, commit};
use crate::{Platform, StartError, StoreError};

type Item = HashMap<String, AttributeValue>;

/// The index that lists the shelf by time of upload.
const SHELF: &str = "shelf";
/// The one shelf. A record without this mark is not listed and cannot be linked to.
const AVAILABLE: &str = "available";

/// The Files table.
pub struct Files {
    client: Client,
    table: String,
}

/// One page of the shelf, newest first.
pub struct Page {
    /// The files.
    pub files: Vec<FileRecord>,
    /// Where the next page begins, when there is one.
    pub next: Option<PageCursor>,
}

impl Files {
    /// The table that `FILES_TABLE` names.
    ///
    /// # Errors
    /// When the variable is not set.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        let table = platform.environment().required("FILES_TABLE")?.to_owned();
        Ok(Self { client: platform.dynamodb(), table })
    }

    /// Puts a file on the shelf, and does `with_it`, in one transaction.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn shelve(&self, file: &FileRecord, with_it: Vec<Write>) -> Result<(), StoreError> {
        let mut item: Item = to_item(file).map_err(StoreError::during("write a file record"))?;
        if let Some(id) = item.remove("id") {
            item.insert("file_id".to_owned(), id);
        }
        item.insert("shelf".to_owned(), AttributeValue::S(AVAILABLE.to_owned()));
        let put = Put::builder().table_name(&self.table).set_item(Some(item)).build();
        let mut writes = vec![put.map_err(StoreError::during("write a file record"))?.into()];
        writes.extend(with_it);
        commit(&self.client, "shelve a file", writes).await.map(|_| ())
    }

    /// The file with this identity, when it is on the shelf.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn on_shelf(&self, id: FileId) -> Result<Option<FileRecord>, StoreError> {
        let key = AttributeValue::S(id.to_string());
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = request.key("file_id", key).send().await;
        let item = answer.map_err(StoreError::during("read the Files table"))?.item;
        item.filter(|item| item.contains_key("shelf")).map(record).transpose()
    }

    /// The newest `limit` files, or those after `cursor`.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn page(
        &self,
        limit: usize,
        cursor: Option<&PageCursor>,
    ) -> Result<Page, StoreError> {
        // One more than asked, to know whether there is a next page.
        let asked = i32::try_from(limit + 1).unwrap_or(i32::MAX);
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(SHELF)
            .key_condition_expression("shelf = :shelf")
            .expression_attribute_values(":shelf", AttributeValue::S(AVAILABLE.to_owned()))
            .scan_index_forward(false)
            .limit(asked)
            .set_exclusive_start_key(cursor.map(index_key))
            .send()
            .await
            .map_err(StoreError::during("list the Files table"))?;
        let mut files = answer
            .items
            .unwrap_or_default()
            .into_iter()
            .map(record)
            .collect::<Result<Vec<_>, _>>()?;
        let more = files.len() > limit;
        files.truncate(limit);
        let last = files.last().filter(|_| more);
        let next = last.map(|file| PageCursor { file: file.id, uploaded_at: file.uploaded_at });
        Ok(Page { files, next })
    }
}

fn record(mut item: Item) -> Result<FileRecord, StoreError> {
    if let Some(id) = item.remove("file_id") {
        item.insert("id".to_owned(), id);
    }
    from_item(item).map_err(StoreError::during("read a file record"))
}

fn index_key(cursor: &PageCursor) -> Item {
    HashMap::from([
        ("file_id".to_owned(), AttributeValue::S(cursor.file.to_string())),
        ("shelf".to_owned(), AttributeValue::S(AVAILABLE.to_owned())),
        ("uploaded_at".to_owned(), AttributeValue::S(rfc3339_millis::text(cursor.uploaded_at))),
    ])
}
