//! `invitation_show` and `invitation_accept`: accepts an invitation.

use http::Method;
use share_auth::Password;
use share_contract::{ErrorCode, Operation, PasswordSet, operations};
use share_http::{
    Answer, ApiError, Endpoint, HtmlPage, Request, TokenField, TokenForm, TokenGuesses, TokenPage,
};
use share_model::{AuditAction, TokenKind, User};
use share_store::{Audit, OneTimeTokens, Platform, StartError, Users};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct SetPassword {
    users: Users,
    tokens: OneTimeTokens,
    guesses: TokenGuesses,
    audit: Audit,
}

const DONE: &str = "Your password is set. You can log in now.";

impl Endpoint for SetPassword {
    const NAME: &'static str = "SetPassword";
    const OPERATIONS: &'static [&'static Operation] =
        &[&operations::INVITATION_SHOW, &operations::INVITATION_ACCEPT];
    type Json = PasswordSet;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            users: Users::connect(platform)?,
            tokens: OneTimeTokens::connect(platform)?,
            guesses: TokenGuesses::connect(platform)?,
            audit: Audit::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<PasswordSet>, ApiError> {
        let secret = request.required_query("token")?; // 400
        let (kind, now) = (TokenKind::Invitation, request.now());
        let found = self.tokens.find(kind, secret, now).await?; // 503
        let token = self.guesses.counted(found, request).await?; // 404, 410, 429, 503
        let user = self.users.by_id(token.user_id).await?; // 503
        let user = user.ok_or(ErrorCode::InvitationUnknown)?; // 404
        if request.method() != Method::POST {
            return Ok(Answer::page(page(&user, None)));
        }
        let mut fields = request.json_or_form()?; // 400, 415
        let password =
            fields.required("password", |text| Password::choose(text, &user.username, &user.email));
        let again = |error: ApiError| error.shown_on(|complaint| page(&user, Some(complaint)));
        let hash = fields.finish(password).map_err(again)?.hash().await; // 422
        let now = (request.clock())();
        let line =
            self.audit.of_account(user.id, AuditAction::InvitationAccepted, request.actor(user.id));
        let accepted = self.users.accept_invitation(&user, hash, &token, &self.tokens, now, line);
        accepted.await??; // 409, 410, 503
        Ok(if request.wants_page() {
            Answer::page(TokenPage { title: "Welcome", text: DONE, ..Default::default() })
        } else {
            Answer::ok(PasswordSet { message: DONE.to_owned(), username: user.username })
        })
    }
}

/// The page that the mailed link opens. Looking at it spends nothing.
fn page(user: &User, complaint: Option<&str>) -> HtmlPage {
    let form = TokenForm {
        field: TokenField::NewPassword(user.username.as_str().to_owned()),
        button: "Set my password",
    };
    let page = TokenPage {
        title: "Welcome to Secure File Share",
        complaint,
        text: "Choose a password for your account.",
        facts: vec![("Account", user.username.as_str().to_owned())],
        forms: &[form],
        ..Default::default()
    };
    page.into()
}
