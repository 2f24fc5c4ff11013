//! `email_undo_show` and `email_undo_confirm`: gives an account the address back that it had, when
//! its owner has not changed it.
//!
//! Whoever changed it knew the password, so the account has none afterwards, and a link to set one
//! goes to the address.

use http::Method;
use share_auth::OpaqueSecret;
use share_contract::{EmailSet, ErrorCode, Operation, operations};
use share_http::{
    Answer, ApiError, Endpoint, Request, TokenField, TokenForm, TokenGuesses, TokenPage,
};
use share_mail::Mail;
use share_model::{TokenKind, User};
use share_store::{Platform, Recovery, StartError, TokenRecord};

use crate::owner_mails::OwnerMails;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct UndoEmail {
    recovery: Recovery,
    guesses: TokenGuesses,
    mails: OwnerMails,
}

const DONE: &str = "Your account has its address back, all sessions have ended, and its password is \
                    void. A link to set a new one was mailed to the address.";

impl Endpoint for UndoEmail {
    const NAME: &'static str = "UndoEmail";
    const OPERATIONS: &'static [&'static Operation] =
        &[&operations::EMAIL_UNDO_SHOW, &operations::EMAIL_UNDO_CONFIRM];
    type Json = EmailSet;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            recovery: Recovery::connect(platform)?,
            guesses: TokenGuesses::connect(platform)?,
            mails: OwnerMails::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<EmailSet>, ApiError> {
        let secret = request.required_query("token")?; // 400
        let (kind, now) = (TokenKind::EmailUndo, request.now());
        let found = self.recovery.tokens.find(kind, secret, now).await?; // 503
        let token = self.guesses.counted(found, request).await?; // 404, 410, 429, 503
        let user = self.recovery.changes.users.by_id(token.user_id).await?; // 503
        let (user, email) = user.zip(token.email.clone()).ok_or(ErrorCode::EmailUndoUnknown)?; // 404
        if request.method() != Method::POST {
            let facts = vec![
                ("Account", user.username.as_str().to_owned()),
                ("Address before", email.as_str().to_owned()),
            ];
            return Ok(Answer::page(TokenPage {
                title: "Undo the change of your e-mail address",
                text: "The account gets the address back that it had. All of its sessions end, and \
                       its password is void: a link to set a new one is mailed to the address.",
                facts,
                forms: &[TokenForm { field: TokenField::Nothing, button: "Undo the change" }],
                note: "If it was you who changed the address, close the page.",
                ..Default::default()
            }));
        }
        let base = &self.mails.base(request)?; // 503
        let (reset, end) =
            (OpaqueSecret::generate(), request.now().as_second() + User::PASSWORD_RESET_SECONDS);
        let reset_token = TokenRecord::new(&reset, TokenKind::PasswordReset, user.id, end);
        let actor = request.actor(user.id);
        let user = self.recovery.undo_email(&token, &email, &reset_token, actor).await??; // 409, 410, 503
        let mail = Mail::PasswordReset { base, token: &reset.reveal(), username: &user.username };
        self.mails.send(&email, &mail, request).await;
        Ok(if request.wants_page() {
            Answer::page(TokenPage { title: "Thank you", text: DONE, ..Default::default() })
        } else {
            Answer::ok(EmailSet { message: DONE.to_owned(), email })
        })
    }
}
