//! `account_verify`: proves an e-mail address, once. For programs: mails lead to `verify_page.rs`.

use http::Method;
use share_contract::{ErrorCode, Operation, VerificationDone, operations};
use share_http::{
    Answer, ApiError, Endpoint, Request, TokenField, TokenForm, TokenGuesses, TokenPage,
};
use share_model::{AuditAction, TokenKind};
use share_store::{Audit, OneTimeTokens, Platform, StartError, Users};

use crate::verified::verified;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct VerifyEmail {
    users: Users,
    tokens: OneTimeTokens,
    guesses: TokenGuesses,
    audit: Audit,
}

impl Endpoint for VerifyEmail {
    const NAME: &'static str = "VerifyEmail";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::ACCOUNT_VERIFY];
    type Json = VerificationDone;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            users: Users::connect(platform)?,
            tokens: OneTimeTokens::connect(platform)?,
            guesses: TokenGuesses::connect(platform)?,
            audit: Audit::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<VerificationDone>, ApiError> {
        let secret = request.required_query("token")?; // 400
        if request.wants_page() && request.method() == Method::GET {
            let form = TokenForm { field: TokenField::Nothing, button: "Verify my e-mail address" };
            return Ok(Answer::page(TokenPage {
                title: "Verify your e-mail address",
                text: "Press the button to prove that this mail reached you.",
                forms: &[form],
                ..Default::default()
            }));
        }
        request.refuse_prefetch()?; // 403
        let (kind, now) = (TokenKind::Verification, request.now());
        let found = self.tokens.find(kind, secret, now).await?; // 503
        let token = self.guesses.counted(found, request).await?; // 404, 410, 429, 503
        let user = self.users.by_id(token.user_id).await?; // 503
        let user = user.ok_or(ErrorCode::VerificationUnknown)?; // 404
        let now = (request.clock())();
        let line =
            self.audit.of_account(user.id, AuditAction::AddressProven, request.actor(user.id));
        self.users.prove_address(&user, &token, &self.tokens, now, line).await??; // 409, 410, 503
        let text = verified(&user);
        Ok(if request.wants_page() {
            Answer::page(TokenPage { title: "Verified", text, ..Default::default() })
        } else {
            Answer::ok(VerificationDone { message: text.to_owned() })
        })
    }
}
