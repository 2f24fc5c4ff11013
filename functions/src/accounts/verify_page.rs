//! `verification_show` and `verification_answer`: the page that the mailed link opens.
//!
//! Anybody can sign up with anybody's address, under a password of their own. So whoever opens the
//! link must know that password too, or the owner of the address would prove it for a stranger;
//! and can say that it was a stranger.

use http::Method;
use share_auth::Password;
use share_contract::{Decline, ErrorCode, Operation, VerificationDone, operations};
use share_http::{
    Answer, ApiError, Endpoint, Fields, HtmlPage, PasswordGuesses, Request, TokenField, TokenForm,
    TokenGuesses, TokenPage,
};
use share_model::{AuditAction, TokenKind, User};
use share_store::{Audit, OneTimeTokens, Platform, StartError, Users};

use crate::verified::verified;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct VerifyPage {
    users: Users,
    tokens: OneTimeTokens,
    token_guesses: TokenGuesses,
    password_guesses: PasswordGuesses,
    audit: Audit,
}

/// What the form says.
enum Reply {
    ItWasMe(Password),
    ItWasNotMe,
}

const DECLINED: &str = "The sign-up is deleted. Nothing else was done with your e-mail address.";

impl Endpoint for VerifyPage {
    const NAME: &'static str = "VerifyPage";
    const OPERATIONS: &'static [&'static Operation] =
        &[&operations::VERIFICATION_SHOW, &operations::VERIFICATION_ANSWER];
    type Json = VerificationDone;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            users: Users::connect(platform)?,
            tokens: OneTimeTokens::connect(platform)?,
            token_guesses: TokenGuesses::connect(platform)?,
            password_guesses: PasswordGuesses::connect(platform)?,
            audit: Audit::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<VerificationDone>, ApiError> {
        let secret = request.required_query("token")?; // 400
        let (kind, now) = (TokenKind::Verification, request.now());
        let found = self.tokens.find(kind, secret, now).await?; // 503
        let token = self.token_guesses.counted(found, request).await?; // 404, 410, 429, 503
        let user = self.users.by_id(token.user_id).await?; // 503
        let user = user.ok_or(ErrorCode::VerificationUnknown)?; // 404
        if request.method() != Method::POST {
            return Ok(Answer::page(page(&user, None)));
        }
        let reply = reply(request.json_or_form()?)?; // 400, 415, 422
        let message = match reply {
            Reply::ItWasMe(password) => {
                let again =
                    |error: ApiError| error.shown_on(|complaint| page(&user, Some(complaint)));
                let confirmed = self.password_guesses.confirm(&user, password, request).await;
                confirmed.map_err(again)?; // 403, 429, 503
                let now = (request.clock())();
                let line = self.audit.of_account(
                    user.id,
                    AuditAction::AddressProven,
                    request.actor(user.id),
                );
                self.users.prove_address(&user, &token, &self.tokens, now, line).await??; // 409, 410, 503
                verified(&user)
            }
            Reply::ItWasNotMe => {
                let now = (request.clock())();
                let line = self.audit.of_account(
                    user.id,
                    AuditAction::SignUpDeclined,
                    request.actor(user.id),
                );
                self.users.decline(&user, &token, &self.tokens, now, line).await??; // 404, 410, 503
                DECLINED
            }
        };
        Ok(if request.wants_page() {
            Answer::page(TokenPage { title: "Thank you", text: message, ..Default::default() })
        } else {
            Answer::ok(VerificationDone { message: message.to_owned() })
        })
    }
}

fn reply(mut fields: Fields) -> Result<Reply, ApiError> {
    let reply = if fields.has("decline") {
        fields.required("decline", Decline::parse).map(|Decline::Yes| Reply::ItWasNotMe)
    } else {
        fields.required("password", Password::present).map(Reply::ItWasMe)
    };
    fields.finish(reply)
}

/// The page. Looking at it spends nothing.
fn page(user: &User, complaint: Option<&str>) -> HtmlPage {
    let forms = [
        TokenForm {
            field: TokenField::Password(user.username.as_str().to_owned()),
            button: "Verify my e-mail address",
        },
        TokenForm { field: TokenField::Yes("decline"), button: "This was not me" },
    ];
    let signed_up = user.created_at.strftime("%-d %B %Y, %H:%M UTC").to_string();
    let page = TokenPage {
        title: "Verify your e-mail address",
        complaint,
        text: "Somebody signed up with your e-mail address. If it was you, enter the password that \
               you chose.",
        facts: vec![
            ("Account", user.username.as_str().to_owned()),
            ("E-mail", user.email.as_str().to_owned()),
            ("Signed up", signed_up),
        ],
        forms: &forms,
        note: "If it was not you, say so, and the sign-up is deleted. If you do nothing, it \
               expires.",
        ..Default::default()
    };
    page.into()
}
