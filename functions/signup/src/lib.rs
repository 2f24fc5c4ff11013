//! `POST /api/users/signup`: a new account, and a mail that asks its owner to prove the address.

use serde::Serialize;
use share_api::{ApiError, Endpoint, Fields, PublicUrl, Request, Response, created};
use share_auth::{OpaqueSecret, Password, random_bytes};
use share_model::{EmailAddress, Invalid, Role, User, UserId, Username};
use share_store::{
    Mail, Mailer, Platform, Registration, StartError, TokenKind, TokenRecord, Tokens, Users,
};

/// How long the mailed link can be used: a day.
const VERIFICATION_SECONDS: i64 = 24 * 60 * 60;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct Signup {
    users: Users,
    tokens: Tokens,
    mailer: Mailer,
    public_url: PublicUrl,
    /// Whether anybody may become Ops. Off unless `OPS_SIGNUP` is `open`.
    ops_may_sign_up: bool,
}

struct Input {
    username: Username,
    email: EmailAddress,
    password: Password,
    role: Role,
}

#[derive(Serialize)]
struct Answer {
    message: &'static str,
    username: String,
    role: Role,
    /// Only where mail goes to the log, so that the whole story can be tried without a mailbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    verification_url: Option<String>,
}

impl Endpoint for Signup {
    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        let environment = platform.environment();
        Ok(Self {
            users: Users::connect(platform)?,
            tokens: Tokens::connect(platform)?,
            mailer: Mailer::connect(platform)?,
            public_url: PublicUrl::from_environment(environment)?,
            ops_may_sign_up: environment.parsed("OPS_SIGNUP", "closed", open_or_closed)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Response, ApiError> {
        let input = Input::read(request.json()?)?; // 400, 415, 422
        if input.role == Role::Ops && !self.ops_may_sign_up {
            return Err(ApiError::OpsByInvitation); // 403
        }
        let user = input.into_user(request).await;
        let token = OpaqueSecret::generate();
        let record = TokenRecord {
            token_hash: token.hash(),
            kind: TokenKind::Verification,
            user_id: user.id,
            expires_at: request.now().as_second() + VERIFICATION_SECONDS,
        };
        let path = format!("/api/users/verify-email?token={}", token.reveal());
        let url = self.public_url.of(request, &path)?;
        let issuing = self.tokens.issuing(&record)?;
        let lapses = record.expires_at;
        let registration = self.users.register(&user, lapses, vec![issuing]).await?; // 503
        let mail = match registration {
            Registration::Done => verification_mail(&url),
            Registration::EmailKnown => already_known_mail(),
            Registration::UsernameTaken => return Err(ApiError::UsernameTaken), // 409
        };
        let mail = Mail { to: &user.email, subject: mail.0, text: &mail.1 };
        if let Err(failure) = self.mailer.send(&mail).await {
            let removal = self.tokens.removal(&record.token_hash)?;
            self.users.withdraw(&user, registration, removal).await?;
            return Err(failure.into()); // 503
        }
        Ok(created(&Answer {
            message: "Account created. Open the link that was mailed to you to verify the address.",
            username: user.username.as_str().to_owned(),
            role: user.role,
            verification_url: self.mailer.logs().then_some(url),
        }))
    }
}

impl Input {
    fn read(mut fields: Fields) -> Result<Self, ApiError> {
        let username = fields.required("username", Username::parse);
        let email = fields.required("email", EmailAddress::parse);
        let password = fields.required("password", |text| match (&username, &email) {
            (Some(username), Some(email)) => Password::choose(text, username, email),
            // The length is worth telling even when the rest cannot be judged yet.
            _ => Password::present(text),
        });
        let role = fields.optional("role", |text| match text {
            "client" => Ok(Role::Client),
            "ops" => Ok(Role::Ops),
            _ => Err(Invalid::because("must be client or ops")),
        });
        let input = || {
            let role = role?.unwrap_or(Role::Client);
            Some(Self { username: username?, email: email?, password: password?, role })
        };
        fields.finish(input())
    }

    async fn into_user(self, request: &Request) -> User {
        User {
            id: UserId::new(request.now(), random_bytes()),
            username: self.username,
            email: self.email,
            role: self.role,
            password_hash: Some(self.password.hash().await),
            verified: false,
            active: true,
            created_at: request.now(),
        }
    }
}

fn open_or_closed(text: &str) -> Result<bool, Invalid> {
    match text {
        "open" => Ok(true),
        "closed" => Ok(false),
        _ => Err(Invalid::because("must be open or closed")),
    }
}

fn verification_mail(url: &str) -> (&'static str, String) {
    let text = format!(
        "Welcome to Secure File Share.\n\nOpen this link within 24 hours to verify your e-mail \
         address:\n\n{url}\n\nIf you did not sign up, ignore this mail.\n"
    );
    ("Verify your e-mail address", text)
}

fn already_known_mail() -> (&'static str, String) {
    let text = "Somebody, perhaps you, signed up at Secure File Share with this e-mail address. \
                There is an account with it already, or a sign-up that waits to be confirmed, so \
                nothing was changed. If you have an account, log in. If not, sign up again after \
                24 hours.\n\nIf it was not you, ignore this mail.\n";
    ("Your sign-up at Secure File Share", text.to_owned())
}
