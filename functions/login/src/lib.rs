//! `POST /api/client/login` and `POST /api/ops/login`: an access token for a password.

use serde::Serialize;
use share_api::{ApiError, Endpoint, Fields, Request, Response, ok};
use share_auth::{ACCESS_TOKEN_SECONDS, OpaqueSecret, Password, SigningKeys, matches};
use share_model::{EmailAddress, Invalid, Role, User, Username};
use share_store::{
    Platform, StartError, StoreError, TokenKind, TokenRecord, Tokens, Users, signing_keys,
};

/// How long a refresh token lives: 14 days.
const REFRESH_SECONDS: i64 = 14 * 24 * 60 * 60;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct Login {
    users: Users,
    tokens: Tokens,
    keys: SigningKeys,
}

/// By what somebody says who they are. What cannot be a name or an address is nobody's.
enum Identity {
    Username(Option<Username>),
    Email(Option<EmailAddress>),
}

#[derive(Serialize)]
struct Answer {
    access: String,
    refresh: String,
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
}

impl Endpoint for Login {
    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            users: Users::connect(platform)?,
            tokens: Tokens::connect(platform)?,
            keys: signing_keys(platform).await?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Response, ApiError> {
        let (identity, password) = read(request.json()?)?; // 400, 415, 422
        let user = self.find(&identity).await?; // 503
        let stored = user.as_ref().and_then(|user| user.password_hash.as_deref());
        let right = matches(stored, password).await;
        let user = user.filter(|user| right && may_enter(request.route(), user.role));
        let user = user.ok_or(ApiError::InvalidCredentials)?; // 401
        if !user.active {
            return Err(ApiError::AccountDisabled); // 403
        }
        if !user.verified {
            return Err(ApiError::EmailNotVerified); // 403
        }
        let refresh = OpaqueSecret::generate();
        let record = TokenRecord {
            token_hash: refresh.hash(),
            kind: TokenKind::Refresh,
            user_id: user.id,
            expires_at: request.now().as_second() + REFRESH_SECONDS,
        };
        self.tokens.issue(&record, vec![]).await?;
        Ok(ok(&Answer {
            access: self.keys.issue(user.id, user.role, request.now()),
            refresh: refresh.reveal(),
            token_type: "Bearer",
            expires_in: ACCESS_TOKEN_SECONDS,
        }))
    }
}

impl Login {
    async fn find(&self, identity: &Identity) -> Result<Option<User>, StoreError> {
        match identity {
            Identity::Username(Some(name)) => self.users.by_username(name).await,
            // An address says who somebody is only once it is proven. Before that, signing up
            // with an address and then logging in with it would tell whether it was known.
            Identity::Email(Some(email)) => {
                Ok(self.users.by_email(email).await?.filter(|user| user.verified))
            }
            Identity::Username(None) | Identity::Email(None) => Ok(None),
        }
    }
}

fn read(mut fields: Fields) -> Result<(Identity, Password), ApiError> {
    // A text that breaks the rules for names is a wrong name, not a malformed request.
    let identity = if fields.has("email") && !fields.has("username") {
        fields.required("email", |text| Ok(Identity::Email(EmailAddress::parse(text).ok())))
    } else {
        fields.required("username", |text| Ok(Identity::Username(Username::parse(text).ok())))
    };
    let password = fields.required("password", |text| {
        if text.is_empty() { Err(Invalid::because("is required")) } else { Password::present(text) }
    });
    let input = || Some((identity?, password?));
    fields.finish(input())
}

/// Clients enter by one door, those who run the installation by the other.
fn may_enter(route: &str, role: Role) -> bool {
    let ops_door = matches!(route, "/api/ops/login" | "/api/users/ops-login");
    match role {
        Role::Client => !ops_door,
        Role::Ops | Role::Admin => ops_door,
    }
}
