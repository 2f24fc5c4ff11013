//! The Audit table: receipts of links, and events about files and accounts. Written, never changed.
//!
//! All records of a file are together, under the subject `file#<id>`, and those of an account under
//! `user#<id>`. Receipts of a file's links have the key
//! `link#<creation of the link>#<link>#<number>`, so each link's chain is in order.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use share_auth::PageCursor;
use share_contract::settings::AUDIT_TABLE;
use share_model::{
    AuditAction, AuditEvent, FileId, Link, RETENTION, SealedReceipt, Subject, UserId,
    rfc3339_millis,
};

use crate::table::{Condition, Key, List, Table, absent, text};
use crate::transaction::Write;
use crate::{Actor, Page, Platform, StartError, StoreError};

/// The Audit table. It only makes writes; the store of an action commits them with the action.
#[derive(Clone)]
pub struct Audit {
    table: Table,
}

/// What the keys of receipts begin with.
const RECEIPTS: &str = "link#";

/// A receipt, as the table holds it.
#[derive(Debug, Deserialize)]
pub struct StoredReceipt {
    /// The receipt.
    #[serde(flatten)]
    pub sealed: SealedReceipt,
}

/// What the table says of an event.
#[derive(Serialize)]
struct StoredEvent {
    action: &'static str,
    actor: UserId,
}

impl Audit {
    /// # Errors
    /// When `AUDIT_TABLE` is not set.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { table: Table::connect(platform, &AUDIT_TABLE)? })
    }

    /// The write that records that `actor` did this; none when nobody is known to have.
    pub(crate) fn by(
        &self,
        actor: Actor<'_>,
        subject: Subject,
        action: AuditAction,
    ) -> Option<Write> {
        Some(self.entry(&AuditEvent {
            subject,
            action,
            actor: actor.user?,
            at: (actor.context.clock)(),
            request_id: actor.context.request_id.to_owned(),
        }))
    }

    /// The write that records `event`.
    fn entry(&self, event: &AuditEvent) -> Write {
        let at = rfc3339_millis::text(event.at);
        let at_id = format!("{at}#{}#{}", event.request_id, event.action.as_str());
        let key = key(event.subject, at_id);
        let forget_at = event.at.as_second() + RETENTION.as_secs();
        let stored = StoredEvent { action: event.action.as_str(), actor: event.actor };
        self.table.put_until(&key, &stored, forget_at, &absent("subject"))
    }

    /// The write that adds `receipt` to the chain of `link`, as its number `number`.
    pub(crate) fn receipt(&self, link: &Link, number: u32, receipt: &SealedReceipt) -> Write {
        let subject = Subject::File(link.file_id);
        let key = key(subject, format!("{}{number:06}", chain(link)));
        self.table.put_until(&key, receipt, forget_at(link), &absent("subject"))
    }

    /// All receipts of `link` that its record counts, in order. When the record was read before,
    /// they are there.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn receipts_of(&self, link: &Link) -> Result<Vec<SealedReceipt>, StoreError> {
        let count = usize::try_from(link.chain.receipts).unwrap_or(usize::MAX);
        let mut receipts = Vec::new();
        let mut cursor = None;
        loop {
            let condition = Condition::new("subject = :subject AND begins_with(at_id, :chain)")
                .with(":subject", text(Subject::File(link.file_id).to_string()))
                .with(":chain", text(chain(link)));
            let key = &["subject", "at_id"];
            let list = List { index: None, key, condition, filter: None, newest_first: false };
            let page = self.table.page::<SealedReceipt>(list, 1000, cursor.as_ref()).await?;
            receipts.extend(page.records);
            cursor = page.next;
            if cursor.is_none() || receipts.len() >= count {
                break;
            }
        }
        // Those after them came later, and the record that was read does not vouch for them.
        receipts.truncate(count);
        Ok(receipts)
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
        self.receipts_as(file, limit, cursor).await
    }

    /// As [`Self::receipts`], with another reading of the records.
    pub(crate) async fn receipts_as<T: DeserializeOwned>(
        &self,
        file: FileId,
        limit: usize,
        cursor: Option<&PageCursor>,
    ) -> Result<Page<T>, StoreError> {
        let condition = Condition::new("subject = :subject AND begins_with(at_id, :receipts)");
        let list = List {
            index: None,
            key: &["subject", "at_id"],
            condition: condition
                .with(":subject", text(Subject::File(file).to_string()))
                .with(":receipts", text(RECEIPTS)),
            filter: None,
            newest_first: false,
        };
        self.table.page(list, limit, cursor).await
    }
}

/// When a link and its receipts may be forgotten, in seconds since 1970.
#[must_use]
pub fn forget_at(link: &Link) -> i64 {
    link.expires_at.as_second() + RETENTION.as_secs()
}

/// What the keys of the link's receipts begin with.
fn chain(link: &Link) -> String {
    format!("{RECEIPTS}{}#{}#", rfc3339_millis::text(link.created_at), link.id)
}

fn key(subject: Subject, at_id: String) -> Key {
    Key::new("subject", subject.to_string()).and("at_id", at_id)
}
