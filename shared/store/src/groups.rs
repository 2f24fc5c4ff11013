//! Groups of Clients, in the Users table.
//!
//! `group#<name>` is a group and names its members; each of their accounts names the group. Both
//! change in one transaction, so that a request needs only the account to know the groups.

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;
use serde::Serialize;
use share_auth::PageCursor;
use share_model::{AuditAction, Group, GroupName, Subject, User, UserId};

use crate::table::{Condition, Key, List, absent, number, text};
use crate::transaction::{CommitOutcome, Write};
use crate::user_list::BY_NAME;
use crate::{
    Actor, Page, Platform, StartError, StoreError, UserApplied, UserChanges, UserStep, Users,
};

/// What the attribute `listed` of every group is.
const LISTED: &str = "group";

/// How many members of a group that is deleted leave at the same time.
const AT_ONCE: usize = 8;

/// How many groups are looked through in one step.
const GROUPS_A_PAGE: usize = 100;

/// The groups, and the accounts that are in them.
#[derive(Clone)]
pub struct Groups {
    changes: UserChanges,
}

/// Why an account did not join a group, or leave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MembershipRefusal {
    /// There is no such group, or it is being deleted.
    GroupUnknown,
    /// There is no such account.
    UserUnknown,
    /// The account is in as many groups as it can be, or the group has as many members.
    Full,
}

/// A group, as the table holds it: the index of accounts by name has it, too.
#[derive(Serialize)]
struct ListedGroup<'a> {
    #[serde(flatten)]
    group: &'a Group,
    #[serde(rename = "listed")]
    index: &'static str,
    name_key: &'a str,
}

impl Users {
    /// The group of this name.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn group(&self, name: &GroupName) -> Result<Option<Group>, StoreError> {
        Ok(self.table.get::<Group>(&key(name)).await?.filter(|group| !group.ending))
    }

    /// A page of the groups, by name.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn groups(
        &self,
        limit: usize,
        cursor: Option<&PageCursor>,
    ) -> Result<Page<Group>, StoreError> {
        let page = self.all_groups(limit, cursor).await?;
        let records = page.records.into_iter().filter(|group| !group.ending).collect();
        Ok(Page { records, next: page.next })
    }

    /// The same, with those that are being deleted.
    async fn all_groups(
        &self,
        limit: usize,
        cursor: Option<&PageCursor>,
    ) -> Result<Page<Group>, StoreError> {
        let list = List {
            index: Some(BY_NAME),
            key: &["pk", "listed", "name_key"],
            condition: Condition::new("listed = :listed").with(":listed", text(LISTED)),
            filter: None,
            newest_first: false,
        };
        self.table.page(list, limit, cursor).await
    }

    /// The writes that take an account out of its groups, for a transaction that deletes it. `None`
    /// while the index does not have one of them yet.
    pub(crate) async fn leave_groups(&self, user: &User) -> Result<Option<Vec<Write>>, StoreError> {
        let (mut writes, mut cursor) = (Vec::new(), None);
        while writes.len() < user.groups.len() {
            let page = self.all_groups(GROUPS_A_PAGE, cursor.as_ref()).await?;
            let own = page.records.iter().filter(|group| user.groups.contains(&group.id));
            writes.extend(own.map(|group| self.remove_member(group, user.id)));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        Ok((writes.len() == user.groups.len()).then_some(writes))
    }

    fn remove_member(&self, group: &Group, user: UserId) -> Write {
        let same = of(group, "id = :id").with(":user", one(user));
        self.table.update(&key(&group.name), "DELETE members :user", &same)
    }
}

impl Groups {
    /// # Errors
    /// When a table's name is missing.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { changes: UserChanges::connect(platform)? })
    }

    /// Makes a group. Answers `false` when there is one of this name.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn create(&self, group: &Group, actor: Actor<'_>) -> Result<bool, StoreError> {
        let name_key = group.name.as_str();
        let listed = ListedGroup { group, index: LISTED, name_key };
        let put = self.changes.users.table.put(&key(&group.name), &listed, &absent("pk"));
        let created = AuditAction::GroupCreated.with(name_key);
        let audited = self.changes.audit.by(actor, Subject::Group(group.id), created);
        let writes = [put].into_iter().chain(audited).collect();
        let outcome = self.changes.users.table.commit("create a group", writes).await?;
        Ok(outcome == CommitOutcome::Committed)
    }

    /// Puts an account into a group. Nothing changes when it is there.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn join(
        &self,
        name: &GroupName,
        user: UserId,
        actor: Actor<'_>,
    ) -> Result<Result<(), MembershipRefusal>, StoreError> {
        let Some(group) = self.changes.users.group(name).await? else {
            return Ok(Err(MembershipRefusal::GroupUnknown));
        };
        let full = group.members.len() >= Group::MAX_MEMBERS;
        let open = "id = :id AND attribute_not_exists(ending) AND \
                    (attribute_not_exists(members) OR size(members) < :max)";
        let max = i64::try_from(Group::MAX_MEMBERS).unwrap_or(i64::MAX);
        let open = of(&group, open).with(":max", number(max)).with(":user", one(user));
        let step = |before: &User, _| {
            if before.groups.contains(&group.id) {
                return Ok(None);
            }
            if full || before.groups.len() >= User::MAX_GROUPS {
                return Err(MembershipRefusal::Full);
            }
            let mut after = before.changed();
            after.groups.push(group.id);
            let write = self.changes.users.table.update(&key(name), "ADD members :user", &open);
            Ok(Some(UserStep {
                after,
                actions: vec![AuditAction::GroupJoined.with(name.as_str())],
                writes: vec![write],
            }))
        };
        Ok(match self.changes.apply(user, actor, step).await? {
            UserApplied::Changed(_) | UserApplied::Unchanged(_) => Ok(()),
            UserApplied::Refused(refusal) => Err(refusal),
            UserApplied::WritesRefused(_) => Err(MembershipRefusal::GroupUnknown),
            UserApplied::Absent => Err(MembershipRefusal::UserUnknown),
        })
    }

    /// Takes an account out of a group. Nothing changes when it is not there.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn leave(
        &self,
        name: &GroupName,
        user: UserId,
        actor: Actor<'_>,
    ) -> Result<Result<(), MembershipRefusal>, StoreError> {
        let Some(group) = self.changes.users.group(name).await? else {
            return Ok(Err(MembershipRefusal::GroupUnknown));
        };
        self.take_out(&group, user, actor).await.map(Ok)
    }

    async fn take_out(
        &self,
        group: &Group,
        user: UserId,
        actor: Actor<'_>,
    ) -> Result<(), StoreError> {
        let remove = || self.changes.users.remove_member(group, user);
        let step = |before: &User, _| {
            if !before.groups.contains(&group.id) {
                return Err(());
            }
            let mut after = before.changed();
            after.groups.retain(|id| *id != group.id);
            let actions = vec![AuditAction::GroupLeft.with(group.name.as_str())];
            Ok(Some(UserStep { after, actions, writes: vec![remove()] }))
        };
        match self.changes.apply(user, actor, step).await? {
            // An account that was deleted, perhaps: the group still names it.
            UserApplied::Absent | UserApplied::Refused(()) if group.members.contains(&user) => {
                self.changes.users.table.commit("leave a group", vec![remove()]).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Deletes a group: nobody joins any more, then its members leave, then it is gone. Whoever calls
    /// this again after a failure goes on where it was. Answers `false` when there is no such group.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn delete(&self, name: &GroupName, actor: Actor<'_>) -> Result<bool, StoreError> {
        let table = &self.changes.users.table;
        let Some(group) = table.get::<Group>(&key(name)).await? else { return Ok(false) };
        if !group.ending {
            let same = of(&group, "id = :id AND attribute_not_exists(ending)")
                .with(":yes", AttributeValue::Bool(true));
            let mark = table.update(&key(name), "SET ending = :yes", &same);
            let deleted = AuditAction::GroupDeleted.with(name.as_str());
            let audited = self.changes.audit.by(actor, Subject::Group(group.id), deleted);
            let writes = [mark].into_iter().chain(audited).collect();
            // When it was marked meanwhile, its members leave all the same.
            table.commit("delete a group", writes).await?;
        }
        // Nobody has joined since.
        let Some(group) = table.get::<Group>(&key(name)).await? else { return Ok(true) };
        for members in group.members.chunks(AT_ONCE) {
            let leaving = members.iter().map(|user| self.take_out(&group, *user, actor));
            try_join_all(leaving.collect::<Vec<_>>()).await?;
        }
        let empty = of(&group, "id = :id AND ending = :yes AND attribute_not_exists(members)")
            .with(":yes", AttributeValue::Bool(true));
        // When it is gone, somebody else was faster.
        table.commit("delete a group", vec![table.delete(&key(name), &empty)]).await?;
        Ok(true)
    }
}

/// That `expression` holds, in which `:id` is this group.
fn of(group: &Group, expression: &str) -> Condition {
    Condition::new(expression).with(":id", text(group.id.to_string()))
}

/// The set of this one member.
fn one(user: UserId) -> AttributeValue {
    AttributeValue::Ss(vec![user.to_string()])
}

fn key(name: &GroupName) -> Key {
    Key::new("pk", format!("group#{}", name.as_str()))
}
