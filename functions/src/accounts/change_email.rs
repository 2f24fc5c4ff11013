//! `email_change_show` and `email_change_confirm`: gives an account the address to which the link
//! was mailed.
//!
//! Anybody with an account can ask for anybody's address. So whoever opens the link must know the
//! password of the account too, or the owner of the address would prove it for a stranger.

use http::Method;
use share_auth::{OpaqueSecret, Password};
use share_contract::{EmailSet, ErrorCode, Operation, operations};
use share_http::{
    Answer, ApiError, Endpoint, HtmlPage, PasswordGuesses, Request, TokenField, TokenForm,
    TokenGuesses, TokenPage,
};
use share_mail::Mail;
use share_model::{EmailAddress, TokenKind, User};
use share_store::{Platform, Recovery, StartError, TokenRecord};

use crate::owner_mails::OwnerMails;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ChangeEmail {
    recovery: Recovery,
    token_guesses: TokenGuesses,
    password_guesses: PasswordGuesses,
    mails: OwnerMails,
}

const DONE: &str = "Your account has this address now. Mails go here, and you can log in with it.";

impl Endpoint for ChangeEmail {
    const NAME: &'static str = "ChangeEmail";
    const OPERATIONS: &'static [&'static Operation] =
        &[&operations::EMAIL_CHANGE_SHOW, &operations::EMAIL_CHANGE_CONFIRM];
    type Json = EmailSet;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            recovery: Recovery::connect(platform)?,
            token_guesses: TokenGuesses::connect(platform)?,
            password_guesses: PasswordGuesses::connect(platform)?,
            mails: OwnerMails::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<EmailSet>, ApiError> {
        let secret = request.required_query("token")?; // 400
        let (kind, now) = (TokenKind::EmailChange, request.now());
        let found = self.recovery.tokens.find(kind, secret, now).await?; // 503
        let token = self.token_guesses.counted(found, request).await?; // 404, 410, 429, 503
        let users = &self.recovery.changes.users;
        let before = users.by_id(token.user_id).await?; // 503
        let (before, email) =
            before.zip(token.email.clone()).ok_or(ErrorCode::EmailChangeUnknown)?; // 404
        if request.method() != Method::POST {
            return Ok(Answer::page(page(&before, &email, None)));
        }
        let mut fields = request.json_or_form()?; // 400, 415
        let password = fields.required("password", Password::given);
        let password = fields.finish(password)?; // 422
        let again =
            |error: ApiError| error.shown_on(|complaint| page(&before, &email, Some(complaint)));
        self.password_guesses.confirm(&before, password, request).await.map_err(again)?; // 403, 429, 503
        let base = &self.mails.base(request)?; // 503
        // An account can have an address that it never proved. Whoever reads mail there gets nothing.
        let owner = users.by_email(&before.email).await?; // 503
        let proven = owner.is_some_and(|owner| owner.id == before.id);
        let (undo, end) =
            (OpaqueSecret::generate(), request.now().as_second() + User::EMAIL_UNDO_SECONDS);
        let undo_token = TokenRecord::new(&undo, TokenKind::EmailUndo, before.id, end);
        let undo_token = TokenRecord { email: Some(before.email.clone()), ..undo_token };
        let (undo_token, actor) = (proven.then_some(&undo_token), request.actor(before.id));
        self.recovery.change_email(&token, &email, undo_token, actor).await??; // 403, 409, 410, 503
        if proven {
            let (token, username, at) = (&undo.reveal(), &before.username, (request.clock())());
            let mail = Mail::EmailChanged { base, token, username, at };
            self.mails.send(&before.email, &mail, request).await;
        }
        Ok(if request.wants_page() {
            Answer::page(TokenPage { title: "Thank you", text: DONE, ..Default::default() })
        } else {
            Answer::ok(EmailSet { message: DONE.to_owned(), email })
        })
    }
}

/// The page. Looking at it spends nothing.
fn page(user: &User, email: &EmailAddress, complaint: Option<&str>) -> HtmlPage {
    let page = TokenPage {
        title: "Confirm your new e-mail address",
        complaint,
        text: "If this account is yours, and is to have this address, enter its password.",
        facts: vec![
            ("Account", user.username.as_str().to_owned()),
            ("New address", email.as_str().to_owned()),
        ],
        forms: &[TokenForm {
            field: TokenField::Password(user.username.as_str().to_owned()),
            button: "Confirm the address",
        }],
        note: "If you do not know of this, close the page: nothing is changed.",
        ..Default::default()
    };
    page.into()
}
