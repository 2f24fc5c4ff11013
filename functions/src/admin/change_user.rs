//! `user_change`: another role, disabled or enabled, without its sessions, its password or its second
//! factor.

use share_auth::OpaqueSecret;
use share_contract::{
    ErrorCode, Operation, Reset, SessionsChange, UserChange, UserDetails, operations,
};
use share_http::{Answer, ApiError, Authenticator, Endpoint, Request, log_failure};
use share_mail::{Mail, SecondFactorChange};
use share_model::{AuditAction, Invalid, Role, TokenKind, User, UserId};
use share_store::{
    OneTimeTokens, Platform, StartError, TokenRecord, UserApplied, UserChanges, UserStep,
};

use crate::owner_mails::OwnerMails;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ChangeUser {
    authenticator: Authenticator,
    changes: UserChanges,
    tokens: OneTimeTokens,
    mails: OwnerMails,
}

impl Endpoint for ChangeUser {
    const NAME: &'static str = "ChangeUser";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::USER_CHANGE];
    type Json = UserDetails;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            changes: UserChanges::connect(platform)?,
            tokens: OneTimeTokens::connect(platform)?,
            mails: OwnerMails::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<UserDetails>, ApiError> {
        let admin = self.authenticator.caller(request).await?; // 401, 403
        let id = request.path_parameter("id", str::parse::<UserId>)?; // 400
        let change = input(request)?; // 400, 415, 422
        let id = id.ok_or(ErrorCode::UserUnknown)?;
        let base = self.mails.base(request)?; // 503
        let mut factor_removed = false;
        let step = |user: &User, _| {
            let step = step(user, &change, admin.id)?;
            let removed = AuditAction::SecondFactorRemoved.into();
            factor_removed = step.as_ref().is_some_and(|step| step.actions.contains(&removed));
            Ok(step)
        };
        let actor = request.actor(admin.id);
        let applied = self.changes.apply_keeping_an_admin(id, actor, step).await?; // 503
        match applied.ok_or(ErrorCode::LastAdmin)? {
            UserApplied::Changed(user) | UserApplied::Unchanged(user) => {
                if change.password == Some(Reset::Reset) {
                    self.mail_reset(&user, &base, request).await;
                }
                if factor_removed {
                    let change = SecondFactorChange::Removed;
                    self.mails.send_factor_change(&user, change, &base, request).await;
                }
                Ok(Answer::ok(user.into()))
            }
            UserApplied::Refused(error) => Err(error), // 422
            // A step has no writes of its own.
            UserApplied::Absent | UserApplied::WritesRefused(_) => {
                Err(ErrorCode::UserUnknown.into()) // 404
            }
        }
    }
}

impl ChangeUser {
    /// Mails a link with which the owner of an account sets a new password. After a failure the owner
    /// can ask for another one.
    async fn mail_reset(&self, user: &User, base: &str, request: &Request) {
        let secret = OpaqueSecret::generate();
        let end = request.now().as_second() + User::PASSWORD_RESET_SECONDS;
        let token = TokenRecord::new(&secret, TokenKind::PasswordReset, user.id, end);
        if let Err(failure) = self.tokens.put(&token).await {
            return log_failure(request.id(), &failure);
        }
        let mail = Mail::PasswordReset { base, token: &secret.reveal(), username: &user.username };
        self.mails.send(&user.email, &mail, request).await;
    }
}

/// What `change` by `admin` makes of `user`.
fn step(user: &User, change: &UserChange, admin: UserId) -> Result<Option<UserStep>, ApiError> {
    // With one's own account that takes the password or a code, which whoever has stolen a session
    // does not have.
    let resets = [("password", change.password), ("second_factor", change.second_factor)];
    if let Some((field, _)) = resets.iter().find(|(_, reset)| reset.is_some())
        && user.id == admin
    {
        let reason = Invalid::because("of one's own account is changed with its password or code");
        return Err(ApiError::field(field, reason));
    }
    let mut after = user.changed();
    let mut actions = Vec::new();
    if let Some(role) = change.role.filter(|role| *role != user.role) {
        after.role = role;
        let (from, to) = (user.role.as_str(), role.as_str());
        actions.push(AuditAction::RoleChanged.with(format_args!("{from} to {to}")));
    }
    if let Some(active) = change.active.filter(|active| *active != user.active) {
        after.active = active;
        let action = if active { AuditAction::UserEnabled } else { AuditAction::UserDisabled };
        actions.push(action.into());
    }
    if change.sessions == Some(SessionsChange::End) {
        actions.push(AuditAction::SessionsEnded.into());
    }
    if change.password == Some(Reset::Reset) {
        // The password of a sign-up is needed for its proof, and an invitation has none.
        if !user.verified {
            let reason = Invalid::because("can be reset once the address is proven");
            return Err(ApiError::field("password", reason));
        }
        after.password_hash = None;
        actions.push(AuditAction::PasswordResetForced.into());
    }
    if change.second_factor == Some(Reset::Reset) && user.second_factor.is_some() {
        after.second_factor = None;
        actions.push(AuditAction::SecondFactorRemoved.into());
    }
    // Nobody has a session of a disabled account.
    if actions.iter().any(|done| done.action != AuditAction::UserEnabled) {
        after.end_sessions();
    }
    Ok((!actions.is_empty()).then_some(UserStep { after, actions, writes: Vec::new() }))
}

fn input(request: &Request) -> Result<UserChange, ApiError> {
    let mut fields = request.json()?;
    let role = fields.optional("role", Role::parse);
    let active = fields.optional_flag("active");
    let sessions = fields.optional("sessions", SessionsChange::parse);
    let password = fields.optional("password", Reset::parse);
    let second_factor = fields.optional("second_factor", Reset::parse);
    let input = || {
        Some(UserChange {
            role: role?,
            active: active?,
            sessions: sessions?,
            password: password?,
            second_factor: second_factor?,
        })
    };
    fields.finish(input())
}
