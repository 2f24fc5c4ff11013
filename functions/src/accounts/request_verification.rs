//! `verification_request`: the link of a sign-up once more.
//!
//! Nobody learns who has an account: a mail goes out in any case, after as many reads and writes.

use http::StatusCode;
use share_auth::{OpaqueSecret, random_bytes};
use share_contract::{ErrorCode, MailSent, Operation, operations};
use share_http::{Answer, ApiError, Endpoint, PublicUrl, Request, limit_source};
use share_mail::Mail;
use share_model::limits::{MAILS_FROM_SOURCE, VERIFICATION_MAILS};
use share_model::{EmailAddress, TokenKind, User, UserId};
use share_store::{Limits, Mailer, OneTimeTokens, Platform, StartError, TokenRecord, Users};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct RequestVerification {
    users: Users,
    tokens: OneTimeTokens,
    mailer: Mailer,
    limits: Limits,
    public_url: PublicUrl,
}

impl Endpoint for RequestVerification {
    const NAME: &'static str = "RequestVerification";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::VERIFICATION_REQUEST];
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
        let owner = self.users.by_email(&email).await?; // 503
        let owner = owner.filter(|user| user.verified && user.active);
        let waiting = self.users.waiting(&email, request.now()).await?; // 503
        let nobody = UserId::new(request.now(), random_bytes());
        // Where the address is somebody's, a sign-up with it can never be proven.
        let provable = waiting.as_ref().filter(|_| owner.is_none());
        let user_id = provable.map_or(nobody, |user| user.id);
        let secret = OpaqueSecret::generate();
        let end = request.now().as_second() + User::SIGN_UP_SECONDS;
        let token = TokenRecord::new(&secret, TokenKind::Verification, user_id, end);
        let secret = secret.reveal();
        let mail = match (&owner, &waiting) {
            (Some(owner), _) => Mail::AlreadyVerified { base, username: &owner.username },
            (None, Some(user)) => {
                Mail::Verification { base, token: &secret, username: &user.username }
            }
            (None, None) => Mail::NoAccount { base },
        };
        // Without a mail the link before stays good.
        let sending = async {
            self.users.renew_sign_up(waiting.as_ref(), &email, &token, &self.tokens).await?;
            self.mailer.send(&email, &mail).await
        };
        self.limits.within(&VERIFICATION_MAILS, email.as_str(), request.now(), sending).await?; // 503
        let message = "A mail was sent to this address. If somebody has signed up with it, the \
                       mail has a link with which the address can be verified within 24 hours.";
        Ok(Answer::json(StatusCode::ACCEPTED, MailSent { message: message.to_owned() }))
    }
}
