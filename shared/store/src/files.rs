//! The Files table: what is on the shelf.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put};
use serde_dynamo::{from_item, to_item};
use share_auth::PageCursor;
use share_model::{FileId, FileRecord};

use crate::page::page;
use crate::transaction::{Write, commit};
use crate::{Page, Platform, StartError, StoreError};

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
    ) -> Result<Page<FileRecord>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(SHELF)
            .key_condition_expression("shelf = :shelf")
            .expression_attribute_values(":shelf", AttributeValue::S(AVAILABLE.to_owned()))
            .scan_index_forward(false);
        page(query, &["file_id", "shelf", "uploaded_at"], limit, cursor).await?.map(record)
    }
}

fn record(mut item: Item) -> Result<FileRecord, StoreError> {
    if let Some(id) = item.remove("file_id") {
        item.insert("id".to_owned(), id);
    }
    from_item(item).map_err(StoreError::during("read a file record"))
}
