//! Accounts by invitation, for the functions that invite.

use jiff::Timestamp;
use share_auth::{OpaqueSecret, random_bytes};
use share_mail::Mail;
use share_model::{AuditAction, EmailAddress, FileRecord, Role, TokenKind, User, UserId, Username};
use share_store::{
    Actor, Admissions, Audit, Mailer, OneTimeTokens, Platform, Registration, StartError,
    StoreError, TokenRecord, Users,
};

/// How long an invitation can be accepted: 7 days.
pub(crate) const INVITATION_SECONDS: i64 = 7 * 24 * 60 * 60;

/// How often another name is tried for somebody who is invited without one. Even a second time is
/// rare.
const ATTEMPTS: usize = 8;

/// Invites people.
pub(crate) struct Invitations {
    users: Users,
    tokens: OneTimeTokens,
    mailer: Mailer,
    audit: Audit,
}

impl Invitations {
    /// # Errors
    /// When a setting is missing or wrong.
    pub(crate) fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            users: Users::connect(platform)?,
            tokens: OneTimeTokens::connect(platform)?,
            mailer: Mailer::connect(platform)?,
            audit: Audit::connect(platform)?,
        })
    }

    /// Creates the account, and mails its owner the link with which the password is set. The mail
    /// says for which `file` it is made, if it is for one; `base` is the address of the API.
    ///
    /// # Errors
    /// When the tables or SES do not do what is asked. Then there is no account.
    pub(crate) async fn invite(
        &self,
        user: &User,
        base: &str,
        file: Option<&FileRecord>,
        actor: Actor<'_>,
    ) -> Result<Registration, StoreError> {
        let (secret, token) = issue(user.id, user.created_at);
        let role = user.role.as_str();
        let created = AuditAction::AccountCreated.with(format_args!("{role} by invitation"));
        let line = self.audit.of_account(user.id, created, actor);
        let registration = self.users.invite(user, &token, &self.tokens, line).await?;
        if registration != Registration::Done {
            return Ok(registration);
        }
        let mail = Mail::Invitation {
            base,
            token: &secret.reveal(),
            username: &user.username,
            role: user.role,
            file,
        };
        if let Err(failure) = self.mailer.send(&user.email, &mail).await {
            let withdrawn = AuditAction::InvitationWithdrawn.with("its mail could not be sent");
            let line = self.audit.of_account(user.id, withdrawn, actor);
            self.users.withdraw_invitation(user, &token, &self.tokens, line).await?;
            return Err(failure);
        }
        Ok(Registration::Done)
    }

    /// Invites whoever has this address, under a name made of it. `None` when the address has an
    /// account, or somebody is invited there.
    ///
    /// # Errors
    /// When the tables or SES do not do what is asked. Then there is no account.
    pub(crate) async fn invite_address(
        &self,
        address: &EmailAddress,
        role: Role,
        base: &str,
        file: Option<&FileRecord>,
        actor: Actor<'_>,
    ) -> Result<Option<User>, StoreError> {
        let now = (actor.context.clock)();
        for _ in 0..ATTEMPTS {
            let id = UserId::new(now, random_bytes());
            let username = Username::for_address(address, random_bytes());
            let user = User::new(id, username, address.clone(), role, now);
            match self.invite(&user, base, file, actor).await? {
                Registration::Done => return Ok(Some(user)),
                Registration::EmailKnown => return Ok(None),
                Registration::UsernameTaken => {}
            }
        }
        Err(StoreError::because("invite somebody", "every name is taken"))
    }

    /// Mails an invitation once more, with another token; the older one ends. `false` when it was
    /// accepted or withdrawn meanwhile.
    ///
    /// # Errors
    /// When the tables or SES do not do what is asked. Then it may have to be sent again.
    pub(crate) async fn resend(
        &self,
        admissions: &Admissions,
        user: &User,
        base: &str,
        actor: Actor<'_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (secret, token) = issue(user.id, now);
        if !admissions.renew_invitation(user, &token, &self.tokens, actor).await? {
            return Ok(false);
        }
        let mail = Mail::Invitation {
            base,
            token: &secret.reveal(),
            username: &user.username,
            role: user.role,
            file: None,
        };
        self.mailer.send(&user.email, &mail).await?;
        Ok(true)
    }
}

/// A new token of an invitation that is sent at `now`, and its record.
fn issue(user: UserId, now: Timestamp) -> (OpaqueSecret, TokenRecord) {
    let secret = OpaqueSecret::generate();
    let end = now.as_second() + INVITATION_SECONDS;
    let token = TokenRecord::new(&secret, TokenKind::Invitation, user, end);
    (secret, token)
}
