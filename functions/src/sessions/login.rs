//! `client_login` and `ops_login`: an access token for a password.

use share_auth::{
    ACCESS_TOKEN_SECONDS, OpaqueSecret, Password, SigningKeys, Verified, random_bytes, verify,
};
use share_contract::{Caller, ErrorCode, LoggedIn, Operation, operations};
use share_http::{Answer, ApiError, Endpoint, Fields, Request};
use share_model::{EmailAddress, Invalid, Role, Session, SessionId, User, Username};
use share_store::{Platform, Sessions, StartError, StoreError, Users, signing_keys};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct Login {
    users: Users,
    sessions: Sessions,
    keys: SigningKeys,
}

/// The name or address that comes with a password. `None` when it cannot be one.
enum Identity {
    Username(Option<Username>),
    Email(Option<EmailAddress>),
}

impl Endpoint for Login {
    const NAME: &'static str = "Login";
    const OPERATIONS: &'static [&'static Operation] =
        &[&operations::CLIENT_LOGIN, &operations::OPS_LOGIN];
    type Json = LoggedIn;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            users: Users::connect(platform)?,
            sessions: Sessions::connect(platform)?,
            keys: signing_keys(platform).await?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<LoggedIn>, ApiError> {
        let (identity, password) = read(request.json()?)?; // 400, 415, 422
        let user = self.find(&identity).await?; // 503
        let stored = user.as_ref().and_then(|user| user.password_hash.as_deref());
        let verified = verify(stored, password).await;
        let may = |user: &User| verified.is_right() && may_log_in(request.operation(), user.role);
        let user = user.filter(may);
        let user = user.ok_or(ErrorCode::InvalidCredentials)?; // 401
        if !user.active {
            return Err(ErrorCode::AccountDisabled.into()); // 403
        }
        if !user.verified {
            return Err(ErrorCode::EmailNotVerified.into()); // 403
        }
        if let Verified::Outdated(password) = verified {
            self.users.replace_password_hash(&user, password.hash().await).await?; // 503
        }
        let refresh = OpaqueSecret::generate();
        let id = SessionId::new(request.now(), random_bytes());
        let hash = refresh.hash().as_str().to_owned();
        let session = Session::new(id, user.id, hash, request.now());
        self.sessions.create(&session).await?; // 503
        Ok(Answer::ok(LoggedIn {
            access: self.keys.issue(user.id, user.role, request.now()),
            refresh: refresh.reveal(),
            token_type: "Bearer".to_owned(),
            expires_in: ACCESS_TOKEN_SECONDS,
        }))
    }
}

impl Login {
    async fn find(&self, identity: &Identity) -> Result<Option<User>, StoreError> {
        match identity {
            Identity::Username(Some(name)) => self.users.by_username(name).await,
            // An address stands for its account only once it is proven. Before that, signing up
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

fn may_log_in(operation: &Operation, role: Role) -> bool {
    matches!(operation.caller, Caller::Password(roles) if roles.contains(&role))
}
