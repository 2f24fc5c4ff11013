//! Accounts that wait for somebody: sign-ups for an approval, invitations for their owners.

use std::convert::Infallible;

use jiff::Timestamp;
use serde::Deserialize;
use share_auth::PageCursor;
use share_model::{AuditAction, User, UserId, WaitingFor};

use crate::one_time_tokens::{OneTimeTokens, TokenRecord};
use crate::table::{Condition, List, text};
use crate::transaction::{Backoff, CommitOutcome};
use crate::user_changes::{UserApplied, UserChanges, UserStep};
use crate::{Actor, Page, Platform, StartError, StoreError};

/// The index of accounts that wait, by their creation. No others have `waiting_for`.
const WAITING: &str = "users_waiting";

/// The accounts that wait, and what ends it. Each is ended once: by whoever is first, its owner or
/// somebody who decides.
#[derive(Clone)]
pub struct Admissions {
    changes: UserChanges,
}

/// An account that waits.
#[derive(Deserialize)]
pub struct WaitingUser {
    /// The account.
    #[serde(flatten)]
    pub user: User,
    /// The second in which it lapses, counted from 1970, if it does.
    pub forget_at: Option<i64>,
}

impl Admissions {
    /// # Errors
    /// When a table's name is missing.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { changes: UserChanges::connect(platform)? })
    }

    /// `limit` accounts that wait for this, the oldest first, or those after `cursor`. Those that
    /// have lapsed at `now` or are disabled are left out, so a page can be short and still have a next one.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn page(
        &self,
        waiting_for: WaitingFor,
        limit: usize,
        cursor: Option<&PageCursor>,
        now: Timestamp,
    ) -> Result<Page<WaitingUser>, StoreError> {
        let list = List {
            index: Some(WAITING),
            key: &["pk", "waiting_for", "created_at"],
            condition: Condition::new("waiting_for = :waiting")
                .with(":waiting", text(waiting_for.as_str())),
            filter: None,
            newest_first: false,
        };
        let page = self.changes.users.table.page::<WaitingUser>(list, limit, cursor).await?;
        let lives = |it: &WaitingUser| {
            it.user.active && it.forget_at.is_none_or(|end| end > now.as_second())
        };
        Ok(Page { records: page.records.into_iter().filter(lives).collect(), next: page.next })
    }

    /// Lets somebody in who waits for it. `None` when no such account does.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn approve(&self, id: UserId, actor: Actor<'_>) -> Result<Option<User>, StoreError> {
        let applied = self.changes.apply(id, actor, |user, _| {
            if !(user.waits_for_approval() && user.active) {
                return Ok::<_, Infallible>(None);
            }
            let after = User { waiting_for: None, ..user.changed() };
            let actions = vec![AuditAction::UserApproved.into()];
            Ok(Some(UserStep { after, actions, writes: Vec::new() }))
        });
        Ok(match applied.await? {
            UserApplied::Changed(user) => Some(user),
            _ => None,
        })
    }

    /// Deletes an account that waits for an approval. `None` when no such account does.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn refuse(&self, id: UserId, actor: Actor<'_>) -> Result<Option<User>, StoreError> {
        self.delete(id, WaitingFor::Approval, AuditAction::UserRefused, actor).await
    }

    /// Deletes an account that waits for its owner, and so ends the invitation. `None` when no such
    /// account does.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn withdraw_invitation(
        &self,
        id: UserId,
        actor: Actor<'_>,
    ) -> Result<Option<User>, StoreError> {
        // Its token is for nobody from now on.
        let action = AuditAction::InvitationWithdrawn;
        self.delete(id, WaitingFor::Invitation, action, actor).await
    }

    async fn delete(
        &self,
        id: UserId,
        waiting_for: WaitingFor,
        action: AuditAction,
        actor: Actor<'_>,
    ) -> Result<Option<User>, StoreError> {
        let users = &self.changes.users;
        let mut backoff = Backoff::new("delete a waiting account");
        loop {
            let user = users.by_id(id).await?;
            let waits = |user: &User| user.active && user.waiting_for == Some(waiting_for);
            let Some(user) = user.filter(waits) else { return Ok(None) };
            // Its groups would name it for ever.
            if let Some(leave) = users.leave_groups(&user).await? {
                let mut writes = users.delete(&user).await?;
                writes.extend(leave);
                let done = action.with(user.role.as_str());
                writes.extend(self.changes.entries(id, vec![done], actor));
                let outcome = users.table.commit("delete a waiting account", writes).await?;
                if outcome == CommitOutcome::Committed {
                    return Ok(Some(user));
                }
            }
            // It was changed meanwhile, or the index does not have a group yet.
            backoff.wait().await?;
        }
    }

    /// The account with this identity, when it waits for its owner.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn invited(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let user = self.changes.users.by_id(id).await?;
        Ok(user.filter(|user| user.active && user.waiting_for == Some(WaitingFor::Invitation)))
    }

    /// Gives an invitation another token, and ends the older one. `false` when it was accepted,
    /// withdrawn or sent by somebody else meanwhile; then nothing is changed.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn renew_invitation(
        &self,
        user: &User,
        token: &TokenRecord,
        tokens: &OneTimeTokens,
        actor: Actor<'_>,
    ) -> Result<bool, StoreError> {
        let writes = self.changes.users.renew_invitation(user, token, tokens).await?;
        let Some(mut writes) = writes else { return Ok(false) };
        let actions = vec![AuditAction::InvitationRenewed.with(user.role.as_str())];
        writes.extend(self.changes.entries(user.id, actions, actor));
        let outcome = self.changes.users.table.commit("renew an invitation", writes).await?;
        Ok(outcome == CommitOutcome::Committed)
    }
}
