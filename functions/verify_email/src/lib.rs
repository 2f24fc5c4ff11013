//! `GET` and `POST /api/users/verify-email?token=`: proves an e-mail address, once.

use http::{Method, StatusCode};
use serde::Serialize;
use share_api::{ApiError, Endpoint, HtmlPage, Request, Response, ok};
use share_auth::OpaqueSecret;
use share_store::{Platform, StartError, TokenKind, Tokens, Users};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct VerifyEmail {
    users: Users,
    tokens: Tokens,
}

#[derive(Serialize)]
struct Answer {
    message: &'static str,
}

const VERIFIED: &str = "Your e-mail address is verified. You can log in now.";

impl Endpoint for VerifyEmail {
    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { users: Users::connect(platform)?, tokens: Tokens::connect(platform)? })
    }

    async fn handle(&self, request: &Request) -> Result<Response, ApiError> {
        let token = request.required_query("token")?; // 400
        if request.wants_page() && request.method() == Method::GET {
            return Ok(button());
        }
        request.refuse_prefetch()?; // 403
        let token = OpaqueSecret::parse(token).map_err(|_| ApiError::VerificationUnknown)?; // 404
        let found = self.tokens.find(&token.hash(), TokenKind::Verification, request.now()).await?; // 503
        let token = found.live(
            ApiError::VerificationExpired, // 410
            ApiError::VerificationUsed,    // 410
            ApiError::VerificationUnknown, // 404
        )?;
        let user = self.users.by_id(token.user_id).await?.ok_or(ApiError::VerificationUnknown)?; // 404
        let verification = self.users.verification(&user)?;
        if !self.tokens.spend(&token, request.now(), verification).await? {
            return Err(ApiError::VerificationUsed); // 410
        }
        Ok(if request.wants_page() { done() } else { ok(&Answer { message: VERIFIED }) })
    }
}

/// What a browser shows for the mailed link. Mail scanners open links but press no buttons, so
/// the token is spent by the form's POST only. The form goes back to the page's own address.
fn button() -> Response {
    let content = "<p>Press the button to prove that this mail reached you.</p>\n\
                   <form method=\"post\"><button>Verify my e-mail address</button></form>";
    HtmlPage { title: "Verify your e-mail address".to_owned(), content: content.to_owned() }
        .respond(StatusCode::OK)
}

fn done() -> Response {
    HtmlPage { title: "Verified".to_owned(), content: format!("<p>{VERIFIED}</p>") }
        .respond(StatusCode::OK)
}
