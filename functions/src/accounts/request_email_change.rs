//! `email_change_request`: a mail to the address that an account is to have.
//!
//! Nobody learns who has an account: the mail goes out whether or not the address is somebody's, and
//! only who reads it can find out.

use http::StatusCode;
use share_auth::{OpaqueSecret, Password};
use share_contract::settings::ClientSignup;
use share_contract::{ErrorCode, MailSent, Operation, operations};
use share_http::{
    Answer, ApiError, Authenticator, Endpoint, Fields, PasswordGuesses, PublicUrl, Request, limit,
};
use share_mail::Mail;
use share_model::limits::{EMAIL_CHANGE_MAILS, EMAIL_CHANGES};
use share_model::{EmailAddress, Invalid, Role, TokenKind, User};
use share_store::{Limits, Mailer, OneTimeTokens, Platform, StartError, TokenRecord};

/// How long the mailed link can be used: a day.
const CHANGE_SECONDS: i64 = 24 * 60 * 60;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct RequestEmailChange {
    authenticator: Authenticator,
    guesses: PasswordGuesses,
    tokens: OneTimeTokens,
    mailer: Mailer,
    limits: Limits,
    public_url: PublicUrl,
    /// Who can become a Client, and so whose addresses a Client can have.
    clients: ClientSignup,
}

impl Endpoint for RequestEmailChange {
    const NAME: &'static str = "RequestEmailChange";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::EMAIL_CHANGE_REQUEST];
    type Json = MailSent;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            guesses: PasswordGuesses::connect(platform)?,
            tokens: OneTimeTokens::connect(platform)?,
            mailer: Mailer::connect(platform)?,
            limits: Limits::connect(platform)?,
            public_url: PublicUrl::read(platform.environment())?,
            clients: ClientSignup::read(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<MailSent>, ApiError> {
        let (user, session) = self.authenticator.session(request).await?; // 401, 403
        let (email, password) = read(request.json()?, &user)?; // 400, 415, 422
        if user.role == Role::Client && !self.clients.takes(&email) {
            return Err(ErrorCode::SignupClosed.into()); // 403
        }
        let base = &self.public_url.of(request, "")?; // 503
        self.guesses.confirm_in_session(&user, session, password, request).await?; // 403, 429, 503
        if !user.may_change_email(request.now()) {
            return Err(ErrorCode::EmailJustChanged.into()); // 409
        }
        let (secret, end) = (OpaqueSecret::generate(), request.now().as_second() + CHANGE_SECONDS);
        let token = TokenRecord::new(&secret, TokenKind::EmailChange, user.id, end);
        let generation = Some(user.generation);
        let token = TokenRecord { email: Some(email.clone()), generation, ..token };
        let mail = Mail::EmailChange { base, token: &secret.reveal(), username: &user.username };
        let account = user.id.to_string();
        let code = ErrorCode::TooManyMails;
        limit(&self.limits, &EMAIL_CHANGES, &account, code, request).await?; // 429, 503
        // Without a mail the link before stays good.
        let sending = async {
            self.tokens.put(&token).await?;
            self.mailer.send(&email, &mail).await
        };
        let now = request.now();
        self.limits.within(&EMAIL_CHANGE_MAILS, email.as_str(), now, sending).await?; // 503
        let message = "A mail was sent to the new address. Open the link in it within 24 hours; \
                       until then your account keeps the address that it has.";
        Ok(Answer::json(StatusCode::ACCEPTED, MailSent { message: message.to_owned() }))
    }
}

fn read(mut fields: Fields, user: &User) -> Result<(EmailAddress, Password), ApiError> {
    let email = fields.required("email", |text| {
        let email = EmailAddress::parse(text)?;
        if email == user.email {
            return Err(Invalid::because("is the address that the account has"));
        }
        Ok(email)
    });
    let password = fields.required("password", Password::given);
    fields.finish(email.zip(password))
}
