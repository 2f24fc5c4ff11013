//! `client_login` and `ops_login`: an access token for a password.

use http::header;
use share_auth::{OpaqueSecret, Password, SigningKeys, Verified, random_bytes, verify};
use share_contract::{Caller, ErrorCode, LoggedIn, Operation, operations};
use share_http::{Answer, ApiError, Endpoint, Fields, PasswordGuesses, Request};
use share_model::{EmailAddress, Invalid, Role, Session, SessionId, User, Username};
use share_store::{Platform, Sessions, StartError, StoreError, signing_keys};

use crate::access::grant;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct Login {
    sessions: Sessions,
    guesses: PasswordGuesses,
    keys: SigningKeys,
}

/// The name or address that comes with a password. `None` when it cannot be one.
enum Identity {
    Username(Option<Username>),
    Email(Option<EmailAddress>),
}

/// What somebody logs in with.
struct Input {
    identity: Identity,
    password: Password,
    /// Whether the refresh token is to be a cookie.
    as_cookie: bool,
}

impl Endpoint for Login {
    const NAME: &'static str = "Login";
    const OPERATIONS: &'static [&'static Operation] =
        &[&operations::CLIENT_LOGIN, &operations::OPS_LOGIN];
    type Json = LoggedIn;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            sessions: Sessions::connect(platform)?,
            guesses: PasswordGuesses::connect(platform)?,
            keys: signing_keys(platform).await?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<LoggedIn>, ApiError> {
        let Input { identity, password, as_cookie } = read(request.json()?)?; // 400, 415, 422
        let guess = self.guesses.begin(&identity.text(), request).await?; // 429, 503
        let user = self.find(&identity).await?; // 503
        let stored = user.as_ref().and_then(|user| user.password_hash.as_deref());
        let verified = verify(stored, password).await;
        let may = |user: &User| verified.is_right() && may_log_in(request.operation(), user.role);
        let user = user.filter(may);
        let user = user.ok_or(ErrorCode::InvalidCredentials)?; // 401
        self.guesses.right(guess).await?; // 503
        if !user.active {
            return Err(ErrorCode::AccountDisabled.into()); // 403
        }
        if !user.verified {
            return Err(ErrorCode::EmailNotVerified.into()); // 403
        }
        if let Verified::Outdated(password) = verified {
            let hash = password.hash().await;
            self.sessions.changes.users.replace_password_hash(&user, hash).await?; // 503
        }
        let refresh = OpaqueSecret::generate();
        let id = SessionId::new(request.now(), random_bytes());
        let device = request.header(header::USER_AGENT).unwrap_or_default();
        let (owner, address) = ((user.id, user.generation), request.source_address());
        let session = Session::new(id, owner, device, address, request.now());
        let (hash, context) = (refresh.hash(), request.context());
        if !self.sessions.begin(&user, &session, &hash, context).await? {
            return Err(ErrorCode::InvalidCredentials.into()); // 401
        }
        Ok(grant(&self.keys, (&user, &session), &refresh, as_cookie, request))
    }
}

impl Identity {
    /// The form in which guesses for it are counted. What can be no name counts as one.
    fn text(&self) -> String {
        match self {
            Self::Username(name) => name.as_ref().map(Username::canonical).unwrap_or_default(),
            Self::Email(email) => {
                email.as_ref().map(|it| it.as_str().to_owned()).unwrap_or_default()
            }
        }
    }
}

impl Login {
    async fn find(&self, identity: &Identity) -> Result<Option<User>, StoreError> {
        let users = &self.sessions.changes.users;
        match identity {
            Identity::Username(Some(name)) => users.by_username(name).await,
            // An address stands for its account only once it is proven. Before that, signing up
            // with an address and then logging in with it would tell whether it was known.
            Identity::Email(Some(email)) => {
                Ok(users.by_email(email).await?.filter(|user| user.verified))
            }
            Identity::Username(None) | Identity::Email(None) => Ok(None),
        }
    }
}

fn read(mut fields: Fields) -> Result<Input, ApiError> {
    // A text that breaks the rules for names is a wrong name, not a malformed request.
    let identity = if fields.has("email") && !fields.has("username") {
        fields.required("email", |text| Ok(Identity::Email(EmailAddress::parse(text).ok())))
    } else {
        fields.required("username", |text| Ok(Identity::Username(Username::parse(text).ok())))
    };
    let password = fields.required("password", |text| {
        if text.is_empty() { Err(Invalid::because("is required")) } else { Password::present(text) }
    });
    let cookie = fields.optional_flag("cookie");
    let input = || {
        let as_cookie = cookie?.unwrap_or_default();
        Some(Input { identity: identity?, password: password?, as_cookie })
    };
    fields.finish(input())
}

fn may_log_in(operation: &Operation, role: Role) -> bool {
    matches!(operation.caller, Caller::Password(roles) if roles.contains(&role))
}
