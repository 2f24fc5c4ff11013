//! Accounts by invitation, for the functions that invite.

use share_auth::OpaqueSecret;
use share_mail::Mail;
use share_model::{FileRecord, TokenKind, User};
use share_store::{
    Mailer, OneTimeTokens, Platform, Registration, StartError, StoreError, TokenRecord, Users,
};

/// How long an invitation can be accepted: 7 days.
const INVITATION_SECONDS: i64 = 7 * 24 * 60 * 60;

/// Invites people.
pub(crate) struct Invitations {
    users: Users,
    tokens: OneTimeTokens,
    mailer: Mailer,
}

impl Invitations {
    /// # Errors
    /// When a setting is missing or wrong.
    pub(crate) fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            users: Users::connect(platform)?,
            tokens: OneTimeTokens::connect(platform)?,
            mailer: Mailer::connect(platform)?,
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
    ) -> Result<Registration, StoreError> {
        let secret = OpaqueSecret::generate();
        let end = user.created_at.as_second() + INVITATION_SECONDS;
        let token = TokenRecord::new(&secret, TokenKind::Invitation, user.id, end);
        let registration = self.users.invite(user, &token, &self.tokens).await?;
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
            self.users.withdraw_invitation(user, &token, &self.tokens).await?;
            return Err(failure);
        }
        Ok(Registration::Done)
    }
}
