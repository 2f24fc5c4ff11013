//! The Audit table: receipts of links, and events about files and accounts. Written, never changed,
//! but for the first receipt of a link whose maker's account is deleted.
//!
//! All records of a file are together, under the subject `file#<id>`, and those of an account under
//! `user#<id>`. Receipts of a file's links have the key
//! `link#<creation of the link>#<link>#<number>`, so each link's chain is in order.

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use share_auth::PageCursor;
use share_contract::settings::{AUDIT_RETENTION_DAYS, AUDIT_TABLE};
use share_model::{
    AuditEvent, AuditedAction, FileId, Link, RETENTION, SealedReceipt, Subject, UserId,
    rfc3339_millis,
};

use crate::table::{Condition, Key, List, Table, absent, text};
use crate::transaction::Write;
use crate::{Actor, Page, Platform, StartError, StoreError};

/// The Audit table. It only makes writes; the store of an action commits them with the action.
#[derive(Clone)]
pub struct Audit {
    table: Table,
    /// How long an event is kept.
    retention: SignedDuration,
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

/// The index of all events, which stand under one key: by their time.
const BY_TIME: &str = "audit_by_time";

/// The key of all events in [`BY_TIME`].
const LISTED: &str = "events";

/// The index of events by who did it, and then by their time.
const BY_ACTOR: &str = "audit_by_actor";

/// What the table says of an event.
#[derive(Serialize)]
struct NewEvent<'a> {
    action: &'static str,
    actor: UserId,
    listed: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

/// An event, as the table holds it.
#[derive(Debug, Deserialize)]
pub struct StoredEvent {
    /// What it is about: `file#<id>` or `user#<id>`.
    pub subject: String,
    /// When, in which request, and what was done: three texts with a `#` between them.
    pub at_id: String,
    /// What was done.
    pub action: String,
    /// Who did it.
    pub actor: UserId,
    /// What the action does not say.
    #[serde(default)]
    pub detail: Option<String>,
}

/// Which events a list has.
#[derive(Debug, Default)]
pub struct EventQuery {
    /// Those about this.
    pub subject: Option<Subject>,
    /// Those of what this account did.
    pub actor: Option<UserId>,
    /// Those of this action.
    pub action: Option<String>,
    /// Those of this moment or later.
    pub after: Option<Timestamp>,
    /// Those before this moment.
    pub before: Option<Timestamp>,
}

impl Audit {
    /// # Errors
    /// When `AUDIT_TABLE` is not set, or `AUDIT_RETENTION_DAYS` is wrong.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        let retention = AUDIT_RETENTION_DAYS.read(platform.environment())?;
        Ok(Self { table: Table::connect(platform, &AUDIT_TABLE)?, retention })
    }

    /// The write that records that `actor` did this; none when nobody is known to have.
    pub(crate) fn by(
        &self,
        actor: Actor<'_>,
        subject: Subject,
        action: impl Into<AuditedAction>,
    ) -> Option<Write> {
        Some(self.entry(&AuditEvent {
            subject,
            done: action.into(),
            actor: actor.user?,
            at: (actor.context.clock)(),
            request_id: actor.context.request_id.to_owned(),
        }))
    }

    /// The write that records `event`.
    fn entry(&self, event: &AuditEvent) -> Write {
        let at = rfc3339_millis::text(event.at);
        let action = event.done.action.as_str();
        let at_id = format!("{at}#{}#{action}", event.request_id);
        let key = key(event.subject, at_id);
        let forget_at = event.at.as_second() + self.retention.as_secs();
        let detail = event.done.detail.as_deref();
        let stored = NewEvent { action, actor: event.actor, listed: LISTED, detail };
        self.table.put_until(&key, &stored, forget_at, &absent("subject"))
    }

    /// The write that records that `actor` did this to an account; its owner did, when it is nobody
    /// with an account.
    #[must_use]
    pub fn of_account(
        &self,
        id: UserId,
        action: impl Into<AuditedAction>,
        actor: Actor<'_>,
    ) -> Write {
        self.entry(&AuditEvent {
            subject: Subject::User(id),
            done: action.into(),
            actor: actor.user.unwrap_or(id),
            at: (actor.context.clock)(),
            request_id: actor.context.request_id.to_owned(),
        })
    }

    /// `limit` events that `query` asks for, the newest first, or those after `cursor`. A page of one
    /// action, or of one actor and one subject, can be shorter, or empty.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn events(
        &self,
        query: &EventQuery,
        limit: usize,
        cursor: Option<&PageCursor>,
    ) -> Result<Page<StoredEvent>, StoreError> {
        let (index, key, of, value): (_, &[&str], _, _) = match (query.subject, query.actor) {
            (Some(subject), _) => (None, &["subject", "at_id"], "subject", subject.to_string()),
            (None, Some(actor)) => {
                (Some(BY_ACTOR), &["subject", "at_id", "actor"], "actor", actor.to_string())
            }
            (None, None) => {
                (Some(BY_TIME), &["subject", "at_id", "listed"], "listed", LISTED.to_owned())
            }
        };
        // A key begins with the moment, so it is greater than the moment alone. Those of receipts
        // begin with a letter.
        let moment = |at: Timestamp| text(rfc3339_millis::text(at));
        let condition = Condition::new(&format!("{of} = :of AND at_id BETWEEN :after AND :before"))
            .with(":of", text(value))
            .with(":after", query.after.map_or_else(|| text("0"), moment))
            .with(":before", query.before.map_or_else(|| text(":"), moment));
        let list = List { index, key, condition, filter: filter(query), newest_first: true };
        self.table.page(list, limit, cursor).await
    }

    /// The write that adds `receipt` to the chain of `link`, as its number `number`.
    pub(crate) fn receipt(&self, link: &Link, number: u32, receipt: &SealedReceipt) -> Write {
        self.table.put_until(
            &receipt_key(link, number),
            receipt,
            forget_at(link),
            &absent("subject"),
        )
    }

    /// The first receipt of `link`.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(crate) async fn first_receipt(
        &self,
        link: &Link,
    ) -> Result<Option<SealedReceipt>, StoreError> {
        self.table.get(&receipt_key(link, 1)).await
    }

    /// The write that gives the first receipt of `link` another text.
    pub(crate) fn replace_first(&self, link: &Link, receipt: &SealedReceipt) -> Write {
        let same = Condition::new("#hash = :hash")
            .with(":hash", text(receipt.hash.hex()))
            .named("#hash", "hash");
        self.table.put_until(&receipt_key(link, 1), receipt, forget_at(link), &same)
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

/// What of `query` no key says.
fn filter(query: &EventQuery) -> Option<Condition> {
    let actor = query.actor.filter(|_| query.subject.is_some());
    let expression = match (actor, &query.action) {
        (None, None) => return None,
        (Some(_), None) => "actor = :actor",
        (None, Some(_)) => "#action = :action",
        (Some(_), Some(_)) => "actor = :actor AND #action = :action",
    };
    let mut filter = Condition::new(expression);
    if let Some(actor) = actor {
        filter = filter.with(":actor", text(actor.to_string()));
    }
    if let Some(action) = &query.action {
        filter = filter.with(":action", text(action)).named("#action", "action");
    }
    Some(filter)
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

fn receipt_key(link: &Link, number: u32) -> Key {
    key(Subject::File(link.file_id), format!("{}{number:06}", chain(link)))
}

fn key(subject: Subject, at_id: String) -> Key {
    Key::new("subject", subject.to_string()).and("at_id", at_id)
}
