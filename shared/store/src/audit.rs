//! The Audit table: who did what to which file. Written, never changed.
//!
//! All records of a file are together, under the subject `file#<id>`. Receipts of its links have
//! the key `link#<creation of the link>#<link>#<number>`, so each link's chain is in order.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put};
use serde::Deserialize;
use serde_dynamo::{from_item, to_item};
use share_auth::PageCursor;
use share_model::{AuditEvent, FileId, Link, SealedReceipt, rfc3339_millis};

use crate::page::page;
use crate::transaction::Write;
use crate::{Page, Platform, StartError, StoreError};

/// The Audit table. It only makes writes; the store of the deed commits them with the deed.
#[derive(Clone)]
pub struct Audit {
    client: Client,
    table: String,
}

type Item = HashMap<String, AttributeValue>;

/// What the keys of receipts begin with.
const RECEIPTS: &str = "link#";

/// A receipt, and when it may be forgotten.
#[derive(Debug, Deserialize)]
pub struct StoredReceipt {
    /// The receipt.
    #[serde(flatten)]
    pub sealed: SealedReceipt,
    /// In seconds since 1970.
    pub forget_at: i64,
}

/// For how long events are kept: a year. Receipts are kept for a year after their link's end.
const RETENTION_SECONDS: i64 = 365 * 24 * 60 * 60;

impl Audit {
    /// The table that `AUDIT_TABLE` names.
    ///
    /// # Errors
    /// When the variable is not set.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        let table = platform.environment().required("AUDIT_TABLE")?.to_owned();
        Ok(Self { client: platform.dynamodb(), table })
    }

    /// The write that records `event`.
    ///
    /// # Errors
    /// Never in practice: only if a key were missing.
    pub fn entry(&self, event: &AuditEvent) -> Result<Write, StoreError> {
        let at = rfc3339_millis::text(event.at);
        let forget_at = event.at.as_second() + RETENTION_SECONDS;
        let put = Put::builder()
            .table_name(&self.table)
            .item("subject", AttributeValue::S(subject(event.file)))
            .item("at_id", AttributeValue::S(format!("{at}#{}", event.request_id)))
            .item("action", AttributeValue::S(event.action.as_str().to_owned()))
            .item("actor", AttributeValue::S(event.actor.to_string()))
            .item("forget_at", AttributeValue::N(forget_at.to_string()))
            .build();
        Ok(put.map_err(StoreError::during("write the audit trail"))?.into())
    }

    /// The write that adds `receipt` to the chain of `link`, as its number `number`.
    pub(crate) fn receipt(
        &self,
        link: &Link,
        number: u32,
        receipt: &SealedReceipt,
    ) -> Result<Write, StoreError> {
        let made = rfc3339_millis::text(link.created_at);
        let key = format!("{RECEIPTS}{made}#{}#{number:06}", link.id);
        let item: Item = to_item(receipt).map_err(StoreError::during("write a receipt"))?;
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .item("subject", AttributeValue::S(subject(link.file_id)))
            .item("at_id", AttributeValue::S(key))
            .item("forget_at", AttributeValue::N(forget_at(link).to_string()))
            .condition_expression("attribute_not_exists(subject)")
            .build();
        Ok(put.map_err(StoreError::during("write a receipt"))?.into())
    }

    /// `limit` receipts of the links to `file`, or those after `cursor`: the oldest link first,
    /// each link's in order.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn receipts(
        &self,
        file: FileId,
        limit: usize,
        cursor: Option<&PageCursor>,
    ) -> Result<Page<StoredReceipt>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("subject = :subject AND begins_with(at_id, :receipts)")
            .expression_attribute_values(":subject", AttributeValue::S(subject(file)))
            .expression_attribute_values(":receipts", AttributeValue::S(RECEIPTS.to_owned()));
        let read = |item| from_item(item).map_err(StoreError::during("read a receipt"));
        page(query, &["subject", "at_id"], limit, cursor).await?.map(read)
    }
}

/// When a link and its receipts may be forgotten, in seconds since 1970.
pub(crate) fn forget_at(link: &Link) -> i64 {
    link.expires_at.as_second() + RETENTION_SECONDS
}

fn subject(file: FileId) -> String {
    format!("file#{file}")
}
