//! The one way in which an account changes after it was proven: its record, what goes with it, and
//! the lines in the audit.

use jiff::Timestamp;
use share_model::{AuditedAction, Subject, User, UserId};

use crate::table::{Condition, number};
use crate::transaction::{Backoff, CommitOutcome, Write};
use crate::users::user_key;
use crate::{Actor, Audit, Platform, StartError, StoreError, Users};

/// The stores that change together with an account.
#[derive(Clone)]
pub struct UserChanges {
    /// The accounts.
    pub users: Users,
    pub(crate) audit: Audit,
}

/// What is to become of an account.
pub struct UserStep {
    /// The record afterwards, made with [`User::changed`].
    pub after: User,
    /// What the audit says of it.
    pub actions: Vec<AuditedAction>,
    /// What is written with it, each on a condition of its own.
    pub writes: Vec<Write>,
}

/// What became of a step.
pub enum UserApplied<E> {
    /// The account is as it says now.
    Changed(User),
    /// There was nothing to do.
    Unchanged(User),
    /// The step does not go with what the account is.
    Refused(E),
    /// The conditions of these of the step's writes did not hold. Nothing was written.
    WritesRefused(Vec<usize>),
    /// There is no such account.
    Absent,
}

impl UserChanges {
    /// # Errors
    /// When a table's name is missing.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { users: Users::connect(platform)?, audit: Audit::connect(platform)? })
    }

    /// Takes a step: asks `step` what is to become of the account as it is now, `None` for nothing,
    /// and writes that, if it is still so; otherwise asks again.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn apply<E>(
        &self,
        id: UserId,
        actor: Actor<'_>,
        mut step: impl FnMut(&User, Timestamp) -> Result<Option<UserStep>, E>,
    ) -> Result<UserApplied<E>, StoreError> {
        let mut backoff = Backoff::new("change a user");
        loop {
            let Some(before) = self.users.by_id(id).await? else { return Ok(UserApplied::Absent) };
            let UserStep { after, actions, writes } = match step(&before, (actor.context.clock)()) {
                Ok(Some(step)) => step,
                Ok(None) => return Ok(UserApplied::Unchanged(before)),
                Err(refusal) => return Ok(UserApplied::Refused(refusal)),
            };
            let others = 1..=writes.len();
            let key = user_key(id);
            let record = self.users.table.change(&key, (&before, &after), &unchanged(&before));
            let mut all = vec![record];
            all.extend(writes);
            all.extend(self.entries(id, actions, actor));
            match self.users.table.commit("change a user", all).await? {
                CommitOutcome::Committed => return Ok(UserApplied::Changed(after)),
                CommitOutcome::ConditionFailed(places) if places.contains(&0) => {
                    backoff.wait().await?;
                }
                CommitOutcome::ConditionFailed(places) => {
                    let refused = places.into_iter().filter(|place| others.contains(place));
                    return Ok(UserApplied::WritesRefused(refused.map(|it| it - 1).collect()));
                }
            }
        }
    }

    /// As [`UserChanges::apply`], for steps that may leave the installation without an admin.
    /// `None` when nobody else could run it; then nothing was written.
    ///
    /// A step that takes the rights of an admin away is written together with the condition that
    /// another one has them. So of two admins who take each other's rights at the same time, one
    /// keeps them.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn apply_keeping_an_admin<E>(
        &self,
        id: UserId,
        actor: Actor<'_>,
        mut step: impl FnMut(&User, Timestamp) -> Result<Option<UserStep>, E>,
    ) -> Result<Option<UserApplied<E>>, StoreError> {
        /// Why a step is not taken.
        enum Refusal<E> {
            OfTheStep(E),
            NeedsAnotherAdmin,
        }
        // Those who cannot be the other admin, or no longer.
        let mut ruled_out = vec![id];
        let mut other: Option<UserId> = None;
        loop {
            let mut place_of_other = None;
            let guarded = |before: &User, now| {
                let step = step(before, now).map_err(Refusal::OfTheStep)?;
                let Some(mut step) = step else { return Ok(None) };
                place_of_other = None;
                if before.is_active_admin() && !step.after.is_active_admin() {
                    let other = other.ok_or(Refusal::NeedsAnotherAdmin)?;
                    place_of_other = Some(step.writes.len());
                    step.writes.push(self.users.is_active_admin(other));
                }
                Ok(Some(step))
            };
            let applied = match self.apply(id, actor, guarded).await? {
                UserApplied::Changed(user) => UserApplied::Changed(user),
                UserApplied::Unchanged(user) => UserApplied::Unchanged(user),
                UserApplied::Absent => UserApplied::Absent,
                UserApplied::Refused(Refusal::OfTheStep(error)) => UserApplied::Refused(error),
                UserApplied::Refused(Refusal::NeedsAnotherAdmin) => {
                    let now = (actor.context.clock)();
                    other = self.users.another_admin(&ruled_out, now).await?;
                    if other.is_none() {
                        return Ok(None);
                    }
                    continue;
                }
                UserApplied::WritesRefused(places)
                    if place_of_other.is_some_and(|place| places.contains(&place)) =>
                {
                    ruled_out.extend(other.take());
                    continue;
                }
                UserApplied::WritesRefused(places) => UserApplied::WritesRefused(places),
            };
            return Ok(Some(applied));
        }
    }

    /// The writes that record that `actor` did this to the account.
    pub(crate) fn entries(
        &self,
        id: UserId,
        actions: Vec<AuditedAction>,
        actor: Actor<'_>,
    ) -> Vec<Write> {
        let by = |action| self.audit.by(actor, Subject::User(id), action);
        actions.into_iter().filter_map(by).collect()
    }
}

/// That the record is as it was read. One of an earlier version of this system has no revision.
pub(crate) fn unchanged(before: &User) -> Condition {
    let expression = if before.revision == 0 {
        "attribute_exists(pk) AND (attribute_not_exists(revision) OR revision = :revision)"
    } else {
        "revision = :revision"
    };
    Condition::new(expression).with(":revision", number(before.revision.into()))
}
