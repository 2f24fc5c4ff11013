//! An account by invitation. No route leads here: whoever may invoke the function may invite.
//!
//! `sam remote invoke CreateAccount --event '{"username": …, "email": …, "role": "ops"}'`

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use share_api::{DirectFunction, DirectFunctionError, Fields};
use share_auth::{OpaqueSecret, random_bytes};
use share_model::{EmailAddress, Role, User, UserId, Username};
use share_store::{
    Mail, Mailer, Platform, Registration, StartError, TokenKind, TokenRecord, Tokens, Users,
};

/// How long an invitation can be accepted: 7 days.
const INVITATION_SECONDS: i64 = 7 * 24 * 60 * 60;

/// What this function touches; its IAM policy in `template.yaml` says the same.
pub struct CreateAccount {
    users: Users,
    tokens: Tokens,
    mailer: Mailer,
    public_base_url: String,
}

impl DirectFunction for CreateAccount {
    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        let public_base_url = platform.environment().required("PUBLIC_BASE_URL")?;
        Ok(Self {
            users: Users::connect(platform)?,
            tokens: Tokens::connect(platform)?,
            mailer: Mailer::connect(platform)?,
            public_base_url: public_base_url.trim_end_matches('/').to_owned(),
        })
    }

    async fn run(
        &self,
        input: Map<String, Value>,
        now: Timestamp,
    ) -> Result<Value, DirectFunctionError> {
        let user = read(Fields::new(input), now)?;
        let token = OpaqueSecret::generate();
        let record = TokenRecord {
            token_hash: token.hash(),
            kind: TokenKind::Invitation,
            user_id: user.id,
            expires_at: now.as_second() + INVITATION_SECONDS,
        };
        let issuing = self.tokens.issuing(&record)?;
        match self.users.create(&user, record.expires_at, vec![issuing]).await? {
            Registration::Done => {}
            Registration::UsernameTaken => {
                return Err(DirectFunctionError::refused("the username is taken"));
            }
            Registration::EmailKnown => {
                return Err(DirectFunctionError::refused("the e-mail address has an account"));
            }
        }
        let text = invitation(&user, &self.public_base_url, &token);
        let mail = Mail { to: &user.email, subject: "You are invited", text: &text };
        if let Err(failure) = self.mailer.send(&mail).await {
            let removal = self.tokens.removal(&record.token_hash)?;
            self.users.withdraw(&user, Registration::Done, removal).await?;
            return Err(failure.into());
        }
        Ok(json!({
            "message": "Account created. An invitation to set the password was mailed.",
            "username": user.username.as_str(),
            "role": user.role.as_str(),
        }))
    }
}

fn read(mut fields: Fields, now: Timestamp) -> Result<User, DirectFunctionError> {
    let username = fields.required("username", Username::parse);
    let email = fields.required("email", EmailAddress::parse);
    let role = fields.required("role", Role::parse);
    let user = || {
        Some(User {
            id: UserId::new(now, random_bytes()),
            username: username?,
            email: email?,
            role: role?,
            password_hash: None,
            verified: false,
            active: true,
            created_at: now,
        })
    };
    Ok(fields.finish(user())?)
}

fn invitation(user: &User, base: &str, token: &OpaqueSecret) -> String {
    format!(
        "You have an account at Secure File Share.\n\nName: {}\nRole: {}\n\nOpen this link within \
         7 days to set your password:\n\n{base}/api/users/set-password?token={}\n",
        user.username.as_str(),
        user.role.as_str(),
        token.reveal(),
    )
}
