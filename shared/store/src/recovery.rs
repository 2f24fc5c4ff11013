//! What the owner of an account does about its password and its address, with a password or with
//! mailed links.

use share_model::{AuditAction, EmailAddress, SessionId, TokenKind, TokenRefusal, User};

use crate::user_changes::{UserApplied, UserStep};
use crate::{
    Actor, OneTimeTokens, Platform, RefusedToken, Sessions, StartError, StoreError, TokenRecord,
    UserChanges,
};

/// Changes of passwords and addresses.
#[derive(Clone)]
pub struct Recovery {
    /// The accounts.
    pub changes: UserChanges,
    /// What is mailed.
    pub tokens: OneTimeTokens,
}

/// Why nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryRefusal {
    /// The token cannot be spent.
    Token(RefusedToken),
    /// Another account has proven the address.
    EmailTaken,
    /// The address was changed only just.
    EmailJustChanged,
    /// The account is disabled.
    Disabled,
    /// The account has another password than the one that was checked.
    WrongPassword,
    /// The session has ended.
    SessionEnded,
}

impl Recovery {
    /// # Errors
    /// When a table's name is missing.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            changes: UserChanges::connect(platform)?,
            tokens: OneTimeTokens::connect(platform)?,
        })
    }

    /// Gives the account of `token` another password, of which this is the hash, and ends all of its
    /// sessions. Exactly one of any number of callers does this.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn reset_password(
        &self,
        token: &TokenRecord,
        hash: &str,
        actor: Actor<'_>,
    ) -> Result<Result<User, RecoveryRefusal>, StoreError> {
        let applied = self.changes.apply(token.user_id, actor, |before, now| {
            if !before.active {
                return Err(RecoveryRefusal::Disabled);
            }
            let mut after = before.changed().with_password(hash.to_owned());
            after.end_sessions();
            let writes = self.tokens.spend(token, now);
            let actions =
                vec![AuditAction::PasswordReset.into(), AuditAction::SessionsEnded.into()];
            Ok(Some(UserStep { after, actions, writes }))
        });
        Ok(outcome(applied.await?, |_| used(token)))
    }

    /// Gives `user`, whose password was checked, another one, of which this is the hash, and ends
    /// all sessions but `kept`.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn change_password(
        &self,
        user: &User,
        kept: SessionId,
        hash: &str,
        sessions: &Sessions,
        actor: Actor<'_>,
    ) -> Result<Result<User, RecoveryRefusal>, StoreError> {
        let applied = self.changes.apply(user.id, actor, |before, _| {
            if before.password_hash != user.password_hash {
                return Err(RecoveryRefusal::WrongPassword);
            }
            let mut after = before.changed().with_password(hash.to_owned());
            after.end_other_sessions(kept);
            let writes = vec![
                sessions.keep(kept, before.id, after.generation),
                self.tokens.void(TokenKind::PasswordReset, before.id),
            ];
            let others = AuditAction::SessionsEnded.with(format_args!("all but {kept}"));
            let actions = vec![AuditAction::PasswordChanged.into(), others];
            Ok(Some(UserStep { after, actions, writes }))
        });
        Ok(outcome(applied.await?, |_| RecoveryRefusal::SessionEnded))
    }

    /// Gives the account of `token` the address `email`, which the token proves. `undo` is a new
    /// token with which the owner of the address before can have it back. There is none when the
    /// account never proved that one.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn change_email(
        &self,
        token: &TokenRecord,
        email: &EmailAddress,
        undo: Option<&TokenRecord>,
        actor: Actor<'_>,
    ) -> Result<Result<User, RecoveryRefusal>, StoreError> {
        let users = &self.changes.users;
        let applied = self.changes.apply(token.user_id, actor, |before, now| {
            if !before.active {
                return Err(RecoveryRefusal::Disabled);
            }
            // Somebody else was faster with this token, or whoever asked for it is shut out since.
            if before.email == *email || token.generation != Some(before.generation) {
                return Err(used(token));
            }
            if !before.may_change_email(now) {
                return Err(RecoveryRefusal::EmailJustChanged);
            }
            let mut after = User { email: email.clone(), ..before.changed() };
            after.email_changed_at = undo.map(|_| now);
            let mut writes = vec![users.take_address(before.id, email)];
            writes.extend(self.tokens.spend(token, now));
            writes.push(self.tokens.void(TokenKind::PasswordReset, before.id));
            if let Some(undo) = undo {
                writes.push(users.release_address(before.id, &before.email));
                writes.extend(self.tokens.issue(undo));
            }
            Ok(Some(UserStep { after, actions: vec![AuditAction::EmailChanged.into()], writes }))
        });
        Ok(outcome(applied.await?, |refused| taken_or_used(refused, token)))
    }

    /// Gives the account of `token` the address `email` back, and ends all of its sessions. The
    /// account has no password then; `reset` is a new token with which its owner sets one.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn undo_email(
        &self,
        token: &TokenRecord,
        email: &EmailAddress,
        reset: &TokenRecord,
        actor: Actor<'_>,
    ) -> Result<Result<User, RecoveryRefusal>, StoreError> {
        let users = &self.changes.users;
        let applied = self.changes.apply(token.user_id, actor, |before, now| {
            // Somebody else was faster with this token.
            if before.email == *email {
                return Err(used(token));
            }
            let mut after = User { email: email.clone(), ..before.changed() };
            let mut actions =
                vec![AuditAction::EmailRestored.into(), AuditAction::SessionsEnded.into()];
            if before.has_factor_of_email_change() {
                after.second_factor = None;
                actions.push(AuditAction::SecondFactorRemoved.into());
            }
            (after.password_hash, after.email_changed_at) = (None, None);
            after.end_sessions();
            let mut writes = vec![users.take_address(before.id, email)];
            writes.extend(self.tokens.spend(token, now));
            writes.push(users.release_address(before.id, &before.email));
            writes.extend(self.tokens.issue(reset));
            Ok(Some(UserStep { after, actions, writes }))
        });
        Ok(outcome(applied.await?, |refused| taken_or_used(refused, token)))
    }
}

/// The account after a step, or why the step was not taken.
fn outcome(
    applied: UserApplied<RecoveryRefusal>,
    refused: impl Fn(&[usize]) -> RecoveryRefusal,
) -> Result<User, RecoveryRefusal> {
    match applied {
        UserApplied::Changed(user) | UserApplied::Unchanged(user) => Ok(user),
        UserApplied::Refused(refusal) => Err(refusal),
        UserApplied::WritesRefused(places) => Err(refused(&places)),
        UserApplied::Absent => Err(RecoveryRefusal::Disabled),
    }
}

/// Why a step was refused whose first write takes an address and whose second one spends `token`.
fn taken_or_used(refused: &[usize], token: &TokenRecord) -> RecoveryRefusal {
    if refused == [0] { RecoveryRefusal::EmailTaken } else { used(token) }
}

fn used(token: &TokenRecord) -> RecoveryRefusal {
    RecoveryRefusal::Token(RefusedToken { kind: token.kind, refusal: TokenRefusal::Used })
}
