//! `password_reset_show`, `password_reset_answer` and `password_reset_confirm`: sets a new password,
//! for who has the mailed link.

use http::Method;
use share_auth::Password;
use share_contract::{ErrorCode, Operation, PasswordSet, operations};
use share_http::{
    Answer, ApiError, Endpoint, HtmlPage, Request, TokenField, TokenForm, TokenGuesses, TokenPage,
};
use share_mail::Mail;
use share_model::{TokenKind, User};
use share_store::{Platform, Recovery, StartError, TokenRecord};

use crate::owner_mails::OwnerMails;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ResetPassword {
    recovery: Recovery,
    guesses: TokenGuesses,
    mails: OwnerMails,
}

const DONE: &str = "Your new password is set, and all sessions have ended. Log in with it.";

impl Endpoint for ResetPassword {
    const NAME: &'static str = "ResetPassword";
    const OPERATIONS: &'static [&'static Operation] = &[
        &operations::PASSWORD_RESET_SHOW,
        &operations::PASSWORD_RESET_ANSWER,
        &operations::PASSWORD_RESET_CONFIRM,
    ];
    type Json = PasswordSet;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            recovery: Recovery::connect(platform)?,
            guesses: TokenGuesses::connect(platform)?,
            mails: OwnerMails::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<PasswordSet>, ApiError> {
        if request.operation().name == operations::PASSWORD_RESET_CONFIRM.name {
            return self.confirm(request).await;
        }
        let secret = request.required_query("token")?; // 400
        let (token, user) = self.find(secret, request).await?; // 404, 410, 503
        if request.method() != Method::POST {
            return Ok(Answer::page(page(&user, None)));
        }
        let mut fields = request.json_or_form()?; // 400, 415
        let password =
            fields.required("password", |text| Password::choose(text, &user.username, &user.email));
        let again = |error: ApiError| error.shown_on(|complaint| page(&user, Some(complaint)));
        let password = fields.finish(password).map_err(again)?; // 422
        let answer = self.reset(&token, password, request).await?; // 403, 410, 503
        Ok(if request.wants_page() {
            Answer::page(TokenPage { title: "Thank you", text: DONE, ..Default::default() })
        } else {
            Answer::ok(answer)
        })
    }
}

impl ResetPassword {
    /// For programs, which send the token with the password.
    async fn confirm(&self, request: &Request) -> Result<Answer<PasswordSet>, ApiError> {
        let mut fields = request.json()?; // 400, 415
        let found = match fields.required("token", |text| Ok(text.to_owned())) {
            Some(secret) => Some(self.find(&secret, request).await?), // 404, 410, 503
            None => None,
        };
        let password = fields.required("password", |text| match &found {
            Some((_, user)) => Password::choose(text, &user.username, &user.email),
            // The length is worth telling even when the rest cannot be judged yet.
            None => Password::present(text),
        });
        let ((token, _), password) = fields.finish(found.zip(password))?; // 422
        Ok(Answer::ok(self.reset(&token, password, request).await?)) // 403, 410, 503
    }

    /// The token that is presented, and its account.
    async fn find(&self, secret: &str, request: &Request) -> Result<(TokenRecord, User), ApiError> {
        let (kind, now) = (TokenKind::PasswordReset, request.now());
        let found = self.recovery.tokens.find(kind, secret, now).await?;
        let token = self.guesses.counted(found, request).await?;
        let user = self.recovery.changes.users.by_id(token.user_id).await?;
        Ok((token, user.ok_or(ErrorCode::PasswordResetUnknown)?))
    }

    async fn reset(
        &self,
        token: &TokenRecord,
        password: Password,
        request: &Request,
    ) -> Result<PasswordSet, ApiError> {
        let base = &self.mails.base(request)?;
        let (hash, actor) = (password.hash().await, request.actor(token.user_id));
        let user = self.recovery.reset_password(token, &hash, actor).await??;
        let (username, at) = (&user.username, (request.clock())());
        let mail = Mail::PasswordChanged { base, username, at };
        self.mails.send(&user.email, &mail, request).await;
        Ok(PasswordSet { message: DONE.to_owned(), username: user.username })
    }
}

/// The page that the mailed link opens. Looking at it spends nothing.
fn page(user: &User, complaint: Option<&str>) -> HtmlPage {
    let form = TokenForm {
        field: TokenField::NewPassword(user.username.as_str().to_owned()),
        button: "Set my new password",
    };
    let page = TokenPage {
        title: "Set a new password",
        complaint,
        text: "Choose a new password for your account. All of its sessions will end.",
        facts: vec![("Account", user.username.as_str().to_owned())],
        forms: &[form],
        note: "If you have not asked for this, close the page: nothing is changed.",
        ..Default::default()
    };
    page.into()
}
