//! An account by invitation. No route leads here: IAM says who may invoke the function, and so who
//! may invite.
//!
//! `sam remote invoke CreateAccount --event '{"username": …, "email": …, "role": "ops"}'`

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use share_auth::{OpaqueSecret, random_bytes};
use share_contract::settings::PUBLIC_BASE_URL;
use share_http::Fields;
use share_model::{EmailAddress, Role, TokenKind, User, UserId, Username};
use share_runtime::{DirectFunction, NotDone};
use share_store::{
    Clock, Mail, Mailer, OneTimeTokens, Platform, Registration, StartError, TokenRecord, Users,
};

/// How long an invitation can be accepted: 7 days.
const INVITATION_SECONDS: i64 = 7 * 24 * 60 * 60;

/// What this function touches; its IAM policy in `template.yaml` says the same.
pub struct CreateAccount {
    users: Users,
    tokens: OneTimeTokens,
    mailer: Mailer,
    public_base_url: String,
}

impl DirectFunction for CreateAccount {
    const NAME: &'static str = "CreateAccount";

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            users: Users::connect(platform)?,
            tokens: OneTimeTokens::connect(platform)?,
            mailer: Mailer::connect(platform)?,
            // Required here: no request says where the API is.
            public_base_url: PUBLIC_BASE_URL.read(platform.environment())?,
        })
    }

    async fn invoke(&self, input: Map<String, Value>, clock: &Clock) -> Result<Value, NotDone> {
        let now = clock();
        let user = read(Fields::new(input), now)?;
        let secret = OpaqueSecret::generate();
        let token = TokenRecord {
            hash: secret.hash(),
            kind: TokenKind::Invitation,
            user_id: user.id,
            expires_at: now.as_second() + INVITATION_SECONDS,
        };
        match self.users.invite(&user, &token, &self.tokens).await? {
            Registration::Done => {}
            Registration::UsernameTaken => return Err(NotDone::because("the username is taken")),
            Registration::EmailKnown => {
                return Err(NotDone::because("the e-mail address has an account"));
            }
        }
        let text = invitation(&user, &self.public_base_url, &secret);
        let mail = Mail { to: &user.email, subject: "You are invited", text: &text };
        if let Err(failure) = self.mailer.send(&mail).await {
            self.users.withdraw_invitation(&user, &token, &self.tokens).await?;
            return Err(failure.into());
        }
        Ok(json!({
            "message": "Account created. An invitation to set the password was mailed.",
            "username": user.username.as_str(),
            "role": user.role.as_str(),
        }))
    }
}

fn read(mut fields: Fields, now: Timestamp) -> Result<User, NotDone> {
    let username = fields.required("username", Username::parse);
    let email = fields.required("email", EmailAddress::parse);
    let role = fields.required("role", Role::parse);
    let id = UserId::new(now, random_bytes());
    let user = || Some(User::new(id, username?, email?, role?, now));
    Ok(fields.finish(user())?)
}

fn invitation(user: &User, base: &str, secret: &OpaqueSecret) -> String {
    format!(
        "You have an account at Secure File Share.\n\nName: {}\nRole: {}\n\nOpen this link within \
         7 days to set your password:\n\n{base}/set-password?token={}\n",
        user.username.as_str(),
        user.role.as_str(),
        secret.reveal(),
    )
}
