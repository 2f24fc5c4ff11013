//! `password_change`: another password, for who knows the one before.

use share_auth::Password;
use share_contract::{Operation, operations};
use share_http::{
    Answer, ApiError, Authenticator, Endpoint, Fields, NoJson, PasswordGuesses, Request,
};
use share_mail::Mail;
use share_model::User;
use share_store::{Platform, Recovery, Sessions, StartError};

use crate::owner_mails::OwnerMails;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ChangePassword {
    authenticator: Authenticator,
    guesses: PasswordGuesses,
    recovery: Recovery,
    sessions: Sessions,
    mails: OwnerMails,
}

struct Input {
    current: Password,
    new: Password,
}

impl Endpoint for ChangePassword {
    const NAME: &'static str = "ChangePassword";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::PASSWORD_CHANGE];
    type Json = NoJson;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            guesses: PasswordGuesses::connect(platform)?,
            recovery: Recovery::connect(platform)?,
            sessions: Sessions::connect(platform)?,
            mails: OwnerMails::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<NoJson>, ApiError> {
        let (user, session) = self.authenticator.session(request).await?; // 401, 403
        let Input { current, new } = Input::read(request.json()?, &user)?; // 400, 415, 422
        let base = &self.mails.base(request)?; // 503
        self.guesses.confirm_in_session(&user, session, current, request).await?; // 403, 429, 503
        let (hash, actor) = (new.hash().await, request.actor(user.id));
        let changed =
            self.recovery.change_password(&user, session, &hash, &self.sessions, actor).await?; // 503
        let user = changed?; // 401, 403
        let (username, at) = (&user.username, (request.clock())());
        let mail = Mail::PasswordChanged { base, username, at };
        self.mails.send(&user.email, &mail, request).await;
        Ok(Answer::no_content())
    }
}

impl Input {
    fn read(mut fields: Fields, user: &User) -> Result<Self, ApiError> {
        let current = fields.required("current", Password::given);
        let new =
            fields.required("new", |text| Password::choose(text, &user.username, &user.email));
        let input = || Some(Self { current: current?, new: new? });
        fields.finish(input())
    }
}
