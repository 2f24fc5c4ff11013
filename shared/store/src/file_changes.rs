//! The one way in which a file changes: its record, and with it its places on the shelf, what it
//! counts against quotas, and the line in the audit.

use std::collections::BTreeMap;
use std::convert::Infallible;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use share_contract::settings::{Quota, Quotas, SHELF_TABLE};
use share_model::{
    AuditedAction, ContentDigest, Deleted, File, FileId, FileRecord, FileState, KEY_LIFETIME,
    KeyedRequest, Rejected, Subject, UserId, caseless, file_protocol, rfc3339_millis,
};

use crate::files::key;
use crate::table::{Condition, Key, Table, absent, always, number};
use crate::transaction::{Backoff, CommitOutcome, Write};
use crate::{Audit, Files, Objects, Platform, RequestContext, StartError, StoreError};

/// The stores that change together with a file.
#[derive(Clone)]
pub struct FileChanges {
    /// The records.
    pub files: Files,
    shelf: Table,
    audit: Audit,
    quotas: Quotas,
}

/// What is to become of a file.
pub struct FileStep {
    /// The record afterwards.
    pub after: File,
    /// What the audit says of it.
    pub action: Option<AuditedAction>,
}

/// Who changes a file, in which request.
#[derive(Clone, Copy)]
pub struct Actor<'a> {
    /// The account for which it is done. None for files of earlier versions, which do not say whose
    /// they are; then the audit says nothing.
    pub user: Option<UserId>,
    /// The request.
    pub context: RequestContext<'a>,
}

/// What became of a step.
pub enum Applied<E> {
    /// The file is as it says now.
    Changed(File),
    /// There was nothing to do.
    Unchanged(File),
    /// The step does not go with what the file is.
    Refused(E),
    /// There is no such file.
    Absent,
    /// It would have passed a quota.
    QuotaExceeded,
}

/// What became of a new file.
pub enum Created {
    /// Its record is there.
    Now,
    /// There is none, because an earlier request has the same key.
    Before(Earlier),
    /// It would have passed a quota.
    QuotaExceeded,
}

/// What an earlier request with the same key was.
pub enum Earlier {
    /// The same one. It has created this file.
    Same(Box<File>),
    /// Another one.
    Other,
}

/// What became of one attempt at a change.
#[derive(Debug, PartialEq, Eq)]
enum Attempt {
    Done,
    Stale,
    QuotaExceeded,
    KeyKnown,
}

/// That a request with a key has created a file, as the table holds it.
#[derive(Serialize, Deserialize)]
struct Known {
    /// The file.
    file: FileId,
    /// What the request said.
    content: ContentDigest,
    /// Until when the key stands for that request.
    forget_at: i64,
}

/// A record, as the table holds it. The index of what is due has only those with its keys.
#[derive(Serialize)]
struct Stored<'a> {
    #[serde(flatten)]
    file: &'a File,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    forget_at: Option<i64>,
}

/// An entry of the Shelf table.
#[derive(Clone, PartialEq, Serialize)]
struct Entry {
    /// By what a list is sorted by name.
    name_key: String,
    /// What a list looks through. A filter cannot read a key.
    search_name: String,
    /// What a Client's list shows. The uploader's list has the records themselves.
    #[serde(flatten)]
    file: Option<FileRecord>,
    /// When the file ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    forget_at: Option<i64>,
}

impl FileChanges {
    /// # Errors
    /// When a table's name or a quota is missing or wrong.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            files: Files::connect(platform)?,
            shelf: Table::connect(platform, &SHELF_TABLE)?,
            audit: Audit::connect(platform)?,
            quotas: Quotas::read(platform.environment())?,
        })
    }

    /// Puts the record of a new file, for a request that may have a key: of all requests with the same
    /// one, one creates a file.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn create(
        &self,
        file: &File,
        request: Option<&KeyedRequest>,
        actor: Actor<'_>,
    ) -> Result<Created, StoreError> {
        let now = (actor.context.clock)();
        let known = request.map(|request| remember(&self.files.table, request, file.id, now));
        match (self.attempt(None, file, None, known, actor).await?, request) {
            (Attempt::Done, _) => Ok(Created::Now),
            (Attempt::QuotaExceeded, _) => Ok(Created::QuotaExceeded),
            (Attempt::KeyKnown, Some(request)) => {
                let earlier = self.earlier(request, now).await?.map(Created::Before);
                earlier.ok_or_else(|| StoreError::because("create a file", "its key is forgotten"))
            }
            (Attempt::KeyKnown | Attempt::Stale, _) => {
                Err(StoreError::because("create a file", "there is one of this id"))
            }
        }
    }

    /// What an earlier request with the same key was, when there was one in the last 24 hours.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn earlier(
        &self,
        request: &KeyedRequest,
        now: Timestamp,
    ) -> Result<Option<Earlier>, StoreError> {
        let known: Option<Known> = self.files.table.get(&request_key(request)).await?;
        // Its deletion can be days late.
        let Some(known) = known.filter(|it| it.forget_at > now.as_second()) else {
            return Ok(None);
        };
        if known.content != request.content {
            return Ok(Some(Earlier::Other));
        }
        let file = self.files.find(known.file).await?;
        let file = file.ok_or_else(|| StoreError::because("find a file", "there is no record"))?;
        Ok(Some(Earlier::Same(Box::new(file))))
    }

    /// Takes a step: asks `step` what is to become of the file as it is now, `None` for nothing, and
    /// writes that, if it is still so; otherwise asks again.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn apply<E>(
        &self,
        id: FileId,
        actor: Actor<'_>,
        mut step: impl FnMut(&File, Timestamp) -> Result<Option<FileStep>, E>,
    ) -> Result<Applied<E>, StoreError> {
        let mut backoff = Backoff::new("change a file");
        loop {
            let Some(before) = self.files.find(id).await? else { return Ok(Applied::Absent) };
            let FileStep { after, action } = match step(&before, (actor.context.clock)()) {
                Ok(Some(step)) => step,
                Ok(None) => return Ok(Applied::Unchanged(before)),
                Err(refusal) => return Ok(Applied::Refused(refusal)),
            };
            match self.attempt(Some(&before), &after, action, None, actor).await? {
                Attempt::Done => return Ok(Applied::Changed(after)),
                Attempt::QuotaExceeded => return Ok(Applied::QuotaExceeded),
                Attempt::Stale | Attempt::KeyKnown => backoff.wait().await?,
            }
        }
    }

    /// Removes what is left of a file in S3, if anything is, and remembers that nothing is.
    ///
    /// # Errors
    /// When S3 or the tables do not answer. The same again does what is left to do.
    pub async fn remove_leftover(
        &self,
        file: &File,
        objects: &Objects,
        actor: Actor<'_>,
    ) -> Result<(), StoreError> {
        let leftover = match &file.state {
            FileState::Rejected(Rejected { leftover, .. })
            | FileState::Deleted(Deleted { leftover, .. }) => leftover.as_ref(),
            _ => None,
        };
        let Some(leftover) = leftover else { return Ok(()) };
        objects.remove(file.id, leftover.s3_upload.as_deref()).await?;
        let removed = |file: &File, _| {
            let after = file_protocol::removed(file);
            Ok::<_, Infallible>(after.map(|after| FileStep { after, action: None }))
        };
        self.apply(file.id, actor, removed).await.map(drop)
    }

    async fn attempt(
        &self,
        before: Option<&File>,
        after: &File,
        action: Option<AuditedAction>,
        known: Option<Write>,
        actor: Actor<'_>,
    ) -> Result<Attempt, StoreError> {
        let Some(usage) = self.usage(before, after) else { return Ok(Attempt::QuotaExceeded) };
        let limited = 1..=usage.len();
        let mut writes = vec![self.record(before, after)];
        writes.extend(usage);
        let keyed = known.as_ref().map(|_| writes.len());
        writes.extend(known);
        writes.extend(self.entries(before, after));
        let subject = Subject::File(after.id);
        writes.extend(action.and_then(|action| self.audit.by(actor, subject, action)));
        Ok(match self.files.table.commit("change a file", writes).await? {
            CommitOutcome::Committed => Attempt::Done,
            // First, because the earlier file may be what fills the quota.
            CommitOutcome::ConditionFailed(places)
                if keyed.is_some_and(|place| places.contains(&place)) =>
            {
                Attempt::KeyKnown
            }
            CommitOutcome::ConditionFailed(places)
                if places.iter().all(|place| limited.contains(place)) =>
            {
                Attempt::QuotaExceeded
            }
            CommitOutcome::ConditionFailed(_) => Attempt::Stale,
        })
    }

    /// The write of the record, on condition that it is as it was read.
    fn record(&self, before: Option<&File>, after: &File) -> Write {
        let unchanged = match before {
            None => absent("file_id"),
            // Of an earlier version of this system.
            Some(before) if before.revision == 0 => {
                Condition::new("attribute_exists(file_id) AND attribute_not_exists(revision)")
            }
            Some(before) => Condition::new("revision = :revision")
                .with(":revision", number(before.revision.into())),
        };
        let due = after.due();
        let stored = Stored {
            file: after,
            due: due.map(|(job, _)| job.as_str()),
            due_at: due.map(|(_, at)| rfc3339_millis::text(at)),
            forget_at: after.forget_at().map(Timestamp::as_second),
        };
        self.files.table.put(&key(after.id), &stored, &unchanged)
    }

    /// The writes that count the file, each on condition that its quota is kept. `None` when a quota
    /// is too small for the file alone.
    fn usage(&self, before: Option<&File>, after: &File) -> Option<Vec<Write>> {
        let counted = |file: &File| file.counts().filter(|_| file.revision > 0);
        let (old, new) = (before.and_then(counted), counted(after));
        if old == new {
            return Some(Vec::new());
        }
        let bytes = i128::from(new.unwrap_or(0)) - i128::from(old.unwrap_or(0));
        let files = i64::from(new.is_some()) - i64::from(old.is_some());
        let mut writes = Vec::new();
        let account = after.uploader.map(|uploader| (uploader.to_string(), self.quotas.account));
        for (whose, quota) in account.into_iter().chain([("stack".to_owned(), self.quotas.stack)]) {
            let key = Key::new("file_id", format!("usage#{whose}"));
            let condition = kept(quota, bytes, files)?
                .with(":bytes", crate::table::big_number(bytes))
                .with(":files", number(files));
            writes.push(self.files.table.update(
                &key,
                "ADD used_bytes :bytes, used_files :files",
                &condition,
            ));
        }
        Some(writes)
    }

    /// The writes of the entries that come, change or go.
    fn entries(&self, before: Option<&File>, after: &File) -> Vec<Write> {
        let old = before.map(entries).unwrap_or_default();
        let new = entries(after);
        let key = |(audience, position): &(String, String)| {
            Key::new("audience", audience.clone()).and("position", position.clone())
        };
        let changed = new.iter().filter(|(place, entry)| old.get(*place) != Some(*entry));
        let puts = changed.map(|(place, entry)| self.shelf.put(&key(place), entry, &always()));
        let gone = old.keys().filter(|place| !new.contains_key(*place));
        puts.chain(gone.map(|place| self.shelf.delete(&key(place), &always()))).collect()
    }
}

fn request_key(request: &KeyedRequest) -> Key {
    Key::new("file_id", format!("request#{}", request.key.hex()))
}

/// The write that remembers by which request a file is created, on condition that no other one with
/// the same key has been in the last 24 hours.
fn remember(table: &Table, request: &KeyedRequest, file: FileId, now: Timestamp) -> Write {
    let forget_at = (now + KEY_LIFETIME).as_second();
    let known = Known { file, content: request.content, forget_at };
    let unknown = Condition::new("attribute_not_exists(file_id) OR forget_at <= :now")
        .with(":now", number(now.as_second()));
    table.put(&request_key(request), &known, &unknown)
}

/// That a quota is kept when these are added.
fn kept(quota: Quota, bytes: i128, files: i64) -> Option<Condition> {
    let mut conditions = Vec::new();
    let mut values = Vec::new();
    let grown = [
        (bytes > 0, "used_bytes", ":most_bytes", quota.bytes.map(|most| i128::from(most) - bytes)),
        (
            files > 0,
            "used_files",
            ":most_files",
            quota.files.map(|most| i128::from(most) - i128::from(files)),
        ),
    ];
    for (grows, name, place, most) in grown {
        if let Some(most) = most.filter(|_| grows) {
            if most < 0 {
                return None;
            }
            conditions.push(format!("(attribute_not_exists({name}) OR {name} <= {place})"));
            values.push((place, crate::table::big_number(most)));
        }
    }
    let condition = Condition::new(&conditions.join(" AND "));
    Some(values.into_iter().fold(condition, |condition, (place, most)| condition.with(place, most)))
}

/// The entries of a file, by audience and position.
fn entries(file: &File) -> BTreeMap<(String, String), Entry> {
    let places = file.places().into_iter().map(|(audience, at)| {
        let own = matches!(audience, share_model::Audience::Uploader(_));
        let position = format!("{}#{}", rfc3339_millis::text(at), file.id);
        let search_name = caseless(file.filename.as_str());
        let entry = Entry {
            name_key: format!("{search_name}#{}", file.id),
            search_name,
            file: file.record().filter(|_| !own),
            expires_at: file.expires_at.filter(|_| !own),
            forget_at: file.forget_at().map(Timestamp::as_second).filter(|_| own),
        };
        ((audience.key(), position), entry)
    });
    places.collect()
}
