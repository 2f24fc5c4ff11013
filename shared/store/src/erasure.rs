//! Deleting an account, and with it what names its owner.
//!
//! One transaction closes the account: nobody can use it, and its name and address are free. The same
//! transaction writes down that the rest is to be erased, under `erasure#<id>` in the Users table,
//! with the address, which decides what is the owner's. That record goes last. So whatever breaks off
//! in between is done by the next run of a job.
//!
//! Indexes are a moment late. So the record stays for a minute, and then the job looks once more for
//! sessions and links that no index had yet. It has no name and no address by then.

use std::convert::Infallible;
use std::time::Instant;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use share_contract::FileSort;
use share_model::{
    Audience, AuditAction, EmailAddress, File, FileId, Recipient, Recipients, TokenKind, User,
    UserId, Username, rfc3339_millis,
};

use crate::table::{Condition, Key, List, absent, always, text};
use crate::transaction::Backoff;
use crate::users::user_key;
use crate::{
    Actor, FileChanges, FileStep, Groups, Links, OneTimeTokens, Page, Platform, Sessions, Shelf,
    ShelfQuery, StartError, StoreError, UserApplied, UserStep,
};

/// The index of accounts by name, in which what is to be erased has a list of its own.
const BY_NAME: &str = "users_by_name";

/// What the attribute `listed` of what is to be erased is.
const LISTED: &str = "erasure";

/// Records that are read, or deleted, in one step.
const PAGE: usize = 50;

/// Seconds after which every index has what was written before the account was closed.
const INDEX_SECONDS: i64 = 60;

/// The stores of what names a person.
pub struct Erasure {
    sessions: Sessions,
    links: Links,
    files: FileChanges,
    shelf: Shelf,
    tokens: OneTimeTokens,
    groups: Groups,
}

/// A closed account of which something may be left.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Leftover {
    user_id: UserId,
    /// The address that it had proven, until everything with it is erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<EmailAddress>,
    #[serde(with = "rfc3339_millis")]
    closed_at: Timestamp,
    listed: String,
    name_key: String,
}

/// What became of the wish to delete an account.
pub enum Closed {
    /// It is closed, and this is to be erased.
    Closed(Leftover),
    /// There is no such account.
    Absent,
    /// Nobody else could run the installation.
    LastAdmin,
}

impl Erasure {
    /// # Errors
    /// When a setting is missing or wrong.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            sessions: Sessions::connect(platform)?,
            links: Links::connect(platform)?,
            files: FileChanges::connect(platform)?,
            shelf: Shelf::connect(platform)?,
            tokens: OneTimeTokens::connect(platform)?,
            groups: Groups::connect(platform)?,
        })
    }

    /// Closes an account. From then on nobody can use it, and its name and address are free.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn close(&self, id: UserId, actor: Actor<'_>) -> Result<Closed, StoreError> {
        let changes = &self.sessions.changes;
        let mut backoff = Backoff::new("close an account");
        loop {
            if let Some(leftover) = changes.users.table.get(&key(id)).await? {
                return Ok(Closed::Closed(leftover));
            }
            let Some(user) = changes.users.by_id(id).await? else { return Ok(Closed::Absent) };
            let (mut writes, proven) = changes.users.releases(&user).await?;
            let leftover = Leftover {
                user_id: id,
                address: proven.then(|| user.email.clone()),
                closed_at: (actor.context.clock)(),
                listed: LISTED.to_owned(),
                name_key: id.to_string(),
            };
            writes.push(changes.users.table.put(&key(id), &leftover, &absent("pk")));
            let step = |before: &User, _| {
                // Its reservations may be others by now.
                if before.revision != user.revision {
                    return Err(());
                }
                let mut after = before.changed();
                after.active = false;
                after.password_hash = None;
                after.waiting_for = None;
                after.second_factor = None;
                after.end_sessions();
                let (actions, writes) = (vec![AuditAction::UserDeleted.into()], writes.clone());
                Ok(Some(UserStep { after, actions, writes }))
            };
            match changes.apply_keeping_an_admin(id, actor, step).await? {
                None => return Ok(Closed::LastAdmin),
                Some(UserApplied::Changed(_)) => return Ok(Closed::Closed(leftover)),
                Some(UserApplied::Absent) => return Ok(Closed::Absent),
                // Somebody else was faster.
                Some(_) => backoff.wait().await?,
            }
        }
    }

    /// Up to `limit` closed accounts of which something may be left.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn due(&self, limit: usize) -> Result<Vec<Leftover>, StoreError> {
        let list = List {
            index: Some(BY_NAME),
            key: &["pk", "listed", "name_key"],
            condition: Condition::new("listed = :listed").with(":listed", text(LISTED)),
            filter: None,
            newest_first: false,
        };
        Ok(self.sessions.changes.users.table.page(list, limit, None).await?.records)
    }

    /// Erases what is left of a closed account, until `end`. The same again does what is left to do.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn erase(
        &self,
        leftover: &Leftover,
        actor: Actor<'_>,
        end: Instant,
    ) -> Result<(), StoreError> {
        let id = leftover.user_id;
        if !self.end_links(id, actor, end).await? || !self.forget_sessions(id, end).await? {
            return Ok(());
        }
        self.leave_groups(id, actor).await?;
        // Two of them name an address: the one that the account was to get, and the one before.
        for kind in TokenKind::OF_ACCOUNTS {
            self.tokens.remove_newest(kind, id).await?;
        }
        let users = &self.sessions.changes.users.table;
        let address = leftover.address.clone().map(Audience::Address);
        for audience in [Audience::Client(id)].into_iter().chain(address) {
            let is_it = |recipient: &Recipient| match (&audience, recipient) {
                (Audience::Address(address), Recipient::Address(other)) => address == other,
                (_, Recipient::Client { id: other, .. }) => *other == id,
                _ => false,
            };
            let step = |file: &File| {
                let Recipients::Only(recipients) = &file.recipients else { return None };
                let rest: Vec<_> = recipients.iter().filter(|it| !is_it(it)).cloned().collect();
                let revision = file.revision + 1;
                (rest.len() < recipients.len()).then(|| File {
                    recipients: Recipients::Only(rest),
                    revision,
                    ..file.clone()
                })
            };
            if !self.change_files(&audience, actor, end, step).await? {
                return Ok(());
            }
        }
        let nobody = Username::of_nobody();
        let step = |file: &File| {
            let (uploaded_by, revision) = (nobody.clone(), file.revision + 1);
            (file.uploaded_by != nobody).then(|| File { uploaded_by, revision, ..file.clone() })
        };
        if !self.change_files(&Audience::Uploader(id), actor, end, step).await? {
            return Ok(());
        }
        let settled = (actor.context.clock)().as_second() - leftover.closed_at.as_second();
        let rest = if settled >= INDEX_SECONDS {
            users.delete(&key(id), &always())
        } else {
            users.update(&key(id), "REMOVE address", &Condition::new("attribute_exists(pk)"))
        };
        let writes = vec![users.delete(&user_key(id), &always()), rest];
        // It fails when another run has erased everything meanwhile.
        users.commit("erase an account", writes).await.map(drop)
    }

    /// Revokes the links of an account, and erases who made them. Answers whether all are done.
    async fn end_links(
        &self,
        id: UserId,
        actor: Actor<'_>,
        end: Instant,
    ) -> Result<bool, StoreError> {
        let mut cursor = None;
        loop {
            let page = self.links.page(id, PAGE, cursor.as_ref()).await?;
            for link in &page.records {
                if Instant::now() >= end {
                    return Ok(false);
                }
                self.links.revoke(&link.id, id, actor.context).await?;
                self.links.erase_maker(&link.id, actor.context).await?;
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(true);
            }
        }
    }

    /// Takes an account out of its groups.
    async fn leave_groups(&self, id: UserId, actor: Actor<'_>) -> Result<(), StoreError> {
        let mut cursor = None;
        loop {
            let page = self.sessions.changes.users.groups(PAGE, cursor.as_ref()).await?;
            for group in page.records.iter().filter(|group| group.members.contains(&id)) {
                // When the group is gone meanwhile, the account is not in it either.
                let _ = self.groups.leave(&group.name, id, actor).await?;
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    /// Deletes the sessions of an account. Answers whether all are done.
    async fn forget_sessions(&self, id: UserId, end: Instant) -> Result<bool, StoreError> {
        let mut cursor = None;
        loop {
            let page = self.sessions.page(id, PAGE, cursor.as_ref()).await?;
            let sessions: Vec<_> = page.records.into_iter().map(|session| session.id).collect();
            self.sessions.forget(&sessions).await?;
            cursor = page.next;
            if cursor.is_none() || Instant::now() >= end {
                return Ok(cursor.is_none());
            }
        }
    }

    /// Makes of every file in a list what `step` says. Answers whether all are done.
    async fn change_files(
        &self,
        audience: &Audience,
        actor: Actor<'_>,
        end: Instant,
        step: impl Fn(&File) -> Option<File>,
    ) -> Result<bool, StoreError> {
        let mut cursor = None;
        loop {
            let (sort, after) = (FileSort::Oldest, cursor.as_ref());
            let query = ShelfQuery { limit: PAGE, cursor: after, sort, search: None };
            let page: Page<FileId> = self.shelf.ids(audience, &query).await?;
            for file in page.records {
                if Instant::now() >= end {
                    return Ok(false);
                }
                let change = |file: &File, _| {
                    let after = step(file);
                    Ok::<_, Infallible>(after.map(|after| FileStep { after, action: None }))
                };
                self.files.apply(file, actor, change).await?;
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(true);
            }
        }
    }
}

fn key(id: UserId) -> Key {
    Key::new("pk", format!("erasure#{id}"))
}
