//! `account_verify`: proves an e-mail address, once.

use http::Method;
use share_contract::{ErrorCode, Operation, VerificationDone, operations};
use share_http::{Answer, ApiError, Endpoint, HtmlPage, Request};
use share_model::TokenKind;
use share_store::{OneTimeTokens, Platform, StartError, Users};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct VerifyEmail {
    users: Users,
    tokens: OneTimeTokens,
}

const VERIFIED: &str = "Your e-mail address is verified. You can log in now.";

impl Endpoint for VerifyEmail {
    const NAME: &'static str = "VerifyEmail";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::ACCOUNT_VERIFY];
    type Json = VerificationDone;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { users: Users::connect(platform)?, tokens: OneTimeTokens::connect(platform)? })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<VerificationDone>, ApiError> {
        let secret = request.required_query("token")?; // 400
        if request.wants_page() && request.method() == Method::GET {
            return Ok(Answer::page(button()));
        }
        request.refuse_prefetch()?; // 403
        let (kind, now) = (TokenKind::Verification, request.now());
        let token = self.tokens.find(kind, secret, now).await??; // 404, 410, 503
        let user = self.users.by_id(token.user_id).await?; // 503
        let user = user.ok_or(ErrorCode::VerificationUnknown)?; // 404
        let proof = self.users.prove_address(&user);
        self.tokens.spend(&token, (request.clock())(), proof).await??; // 410, 503
        Ok(if request.wants_page() {
            let content = format!("<p>{VERIFIED}</p>");
            Answer::page(HtmlPage { title: "Verified".to_owned(), content })
        } else {
            Answer::ok(VerificationDone { message: VERIFIED.to_owned() })
        })
    }
}

/// What a browser shows for the mailed link. Mail scanners open links but press no buttons, so
/// the token is spent by the form's POST only. The form goes back to the page's own address.
fn button() -> HtmlPage {
    let content = "<p>Press the button to prove that this mail reached you.</p>\n\
                   <form method=\"post\"><button>Verify my e-mail address</button></form>";
    HtmlPage { title: "Verify your e-mail address".to_owned(), content: content.to_owned() }
}
