//! `GET` and `POST /api/users/set-password?token=`: accepts an invitation.

use http::{Method, StatusCode};
use serde::Serialize;
use share_api::{ApiError, Endpoint, HtmlPage, Request, Response, escape, ok};
use share_auth::{OpaqueSecret, Password};
use share_model::User;
use share_store::{Platform, StartError, TokenKind, TokenRecord, Tokens, Users};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct SetPassword {
    users: Users,
    tokens: Tokens,
}

#[derive(Serialize)]
struct Answer {
    message: &'static str,
    username: String,
}

const DONE: &str = "Your password is set. You can log in now.";

impl Endpoint for SetPassword {
    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { users: Users::connect(platform)?, tokens: Tokens::connect(platform)? })
    }

    async fn handle(&self, request: &Request) -> Result<Response, ApiError> {
        let token = self.token(request).await?; // 400, 404, 410
        let user = self.users.by_id(token.user_id).await?.ok_or(ApiError::InvitationUnknown)?; // 404
        if request.method() == Method::GET {
            return Ok(form(&user));
        }
        let mut fields = request.json_or_form()?; // 400, 415
        let password =
            fields.required("password", |text| Password::choose(text, &user.username, &user.email));
        let hash = fields.finish(password)?.hash().await; // 422
        let first_password = self.users.first_password(&user, hash)?;
        if !self.tokens.spend(&token, request.now(), first_password).await? {
            return Err(ApiError::InvitationUsed); // 410
        }
        Ok(if request.wants_page() {
            let title = "Welcome".to_owned();
            HtmlPage { title, content: format!("<p>{DONE}</p>") }.respond(StatusCode::OK)
        } else {
            ok(&Answer { message: DONE, username: user.username.as_str().to_owned() })
        })
    }
}

impl SetPassword {
    async fn token(&self, request: &Request) -> Result<TokenRecord, ApiError> {
        let token = OpaqueSecret::parse(request.required_query("token")?);
        let token = token.map_err(|_| ApiError::InvitationUnknown)?;
        let found = self.tokens.find(&token.hash(), TokenKind::Invitation, request.now()).await?;
        found.live(
            ApiError::InvitationExpired,
            ApiError::InvitationUsed,
            ApiError::InvitationUnknown,
        )
    }
}

/// The page that the mailed link opens. Looking at it spends nothing.
fn form(user: &User) -> Response {
    let content = format!(
        "<p>Choose a password for the account <b>{}</b>.</p>\n\
         <form method=\"post\">\n\
         <p><input type=\"password\" name=\"password\" aria-label=\"New password\" \
         autocomplete=\"new-password\" minlength=\"8\" maxlength=\"256\" required autofocus></p>\n\
         <button>Set my password</button>\n</form>",
        escape(user.username.as_str())
    );
    HtmlPage { title: "Welcome to Secure File Share".to_owned(), content }.respond(StatusCode::OK)
}
