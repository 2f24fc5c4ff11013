//! `password_reset_request`: a mail with a link to set a new password.
//!
//! Nobody learns who has an account: a mail goes out in any case, and a token is put in any case,
//! which is nobody's when no account has the address.

use http::StatusCode;
use share_auth::{OpaqueSecret, random_bytes};
use share_contract::{ErrorCode, MailSent, Operation, operations};
use share_http::{Answer, ApiError, Endpoint, PublicUrl, Request, limit_source};
use share_mail::Mail;
use share_model::limits::{MAILS_FROM_SOURCE, RESET_MAILS};
use share_model::{EmailAddress, TokenKind, User, UserId};
use share_store::{Limits, Mailer, OneTimeTokens, Platform, StartError, TokenRecord, Users};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct RequestPasswordReset {
    users: Users,
    tokens: OneTimeTokens,
    mailer: Mailer,
    limits: Limits,
    public_url: PublicUrl,
}

impl Endpoint for RequestPasswordReset {
    const NAME: &'static str = "RequestPasswordReset";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::PASSWORD_RESET_REQUEST];
    type Json = MailSent;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            users: Users::connect(platform)?,
            tokens: OneTimeTokens::connect(platform)?,
            mailer: Mailer::connect(platform)?,
            limits: Limits::connect(platform)?,
            public_url: PublicUrl::read(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<MailSent>, ApiError> {
        let mut fields = request.json()?; // 400, 415
        let email = fields.required("email", EmailAddress::parse);
        let email = fields.finish(email)?; // 422
        let code = ErrorCode::TooManyMails;
        limit_source(&self.limits, &MAILS_FROM_SOURCE, code, request).await?; // 429, 503
        let base = &self.public_url.of(request, "")?; // 503
        let account = self.users.by_email(&email).await?; // 503
        let account = account.filter(|user| user.verified && user.active);
        let nobody = UserId::new(request.now(), random_bytes());
        let owner = account.as_ref().map_or(nobody, |user| user.id);
        let (secret, end) =
            (OpaqueSecret::generate(), request.now().as_second() + User::PASSWORD_RESET_SECONDS);
        let token = TokenRecord::new(&secret, TokenKind::PasswordReset, owner, end);
        let secret = secret.reveal();
        let mail = match &account {
            Some(user) => Mail::PasswordReset { base, token: &secret, username: &user.username },
            None => Mail::NoAccount { base },
        };
        // Without a mail the link before stays good.
        let sending = async {
            self.tokens.put(&token).await?;
            self.mailer.send(&email, &mail).await
        };
        self.limits.within(&RESET_MAILS, email.as_str(), request.now(), sending).await?; // 503
        let message = "A mail was sent to this address. If an account has it, the mail has a link \
                       with which you can set a new password within an hour.";
        Ok(Answer::json(StatusCode::ACCEPTED, MailSent { message: message.to_owned() }))
    }
}
