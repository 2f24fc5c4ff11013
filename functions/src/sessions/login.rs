//! `session_create`, `client_login` and `ops_login`: an access token for a password, and for a code where
//! the account has a second factor.

use futures_util::future::try_join;
use share_auth::{
    Challenge, ChallengePurpose, DeviceToken, OpaqueSecret, Password, SigningKeys, Verified, verify,
};
use share_contract::settings::REQUIRE_SECOND_FACTOR;
use share_contract::{Caller, ErrorCode, LoggedIn, Operation, operations};
use share_http::{
    Answer, ApiError, DeviceCookie, Endpoint, Fields, PasswordGuess, PasswordGuesses, Request,
    SecondFactors, changed_user, read_code,
};
use share_mail::SecondFactorChange;
use share_model::{AuditAction, EmailAddress, Invalid, Role, User, Username};
use share_store::{Platform, Sessions, StartError, StoreError, UserStep, signing_keys};

use crate::access::{grant, new_session};
use crate::owner_mails::OwnerMails;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct Login {
    sessions: Sessions,
    guesses: PasswordGuesses,
    factors: SecondFactors,
    /// The roles that need a second factor.
    required: Vec<Role>,
    mails: OwnerMails,
    keys: SigningKeys,
}

/// The name or address that comes with a password. `None` when it cannot be one.
enum Identity {
    Username(Option<Username>),
    Email(Option<EmailAddress>),
}

/// What somebody logs in with.
enum Proof {
    /// A password.
    Password(Identity, Password),
    /// A code, after a password that was right and not enough.
    Code { challenge: String, code: String },
}

/// What a request says.
struct Input {
    proof: Proof,
    /// Whether the refresh token is to be a cookie.
    as_cookie: bool,
}

impl Endpoint for Login {
    const NAME: &'static str = "Login";
    const OPERATIONS: &'static [&'static Operation] =
        &[&operations::SESSION_CREATE, &operations::CLIENT_LOGIN, &operations::OPS_LOGIN];
    type Json = LoggedIn;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        let required = REQUIRE_SECOND_FACTOR.read_optional(platform.environment())?;
        // Two secrets, read at the same time: a cold start waits for both.
        let (factors, keys) =
            try_join(SecondFactors::connect(platform), signing_keys(platform)).await?;
        Ok(Self {
            sessions: Sessions::connect(platform)?,
            guesses: PasswordGuesses::connect(platform)?,
            factors,
            required: required.unwrap_or_default(),
            mails: OwnerMails::connect(platform)?,
            keys,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<LoggedIn>, ApiError> {
        let Input { proof, as_cookie } = read(request.json()?)?; // 400, 415, 422
        match proof {
            Proof::Password(identity, password) => {
                self.by_password(&identity, password, as_cookie, request).await
            }
            Proof::Code { challenge, code } => {
                self.by_code(&challenge, &code, as_cookie, request).await
            }
        }
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
    async fn by_password(
        &self,
        identity: &Identity,
        password: Password,
        as_cookie: bool,
        request: &Request,
    ) -> Result<Answer<LoggedIn>, ApiError> {
        // Found before it is known whether there may be another guess: so a device that is not of
        // this account costs the same as none.
        let user = self.find(identity).await?; // 503
        let whose = user.as_ref().map(|user| user.id);
        let granted = self.try_password(identity, user, password, as_cookie, request).await;
        granted.map_err(|error| match whose {
            Some(user) => error.of_user(user),
            None => error,
        })
    }

    async fn try_password(
        &self,
        identity: &Identity,
        user: Option<User>,
        password: Password,
        as_cookie: bool,
        request: &Request,
    ) -> Result<Answer<LoggedIn>, ApiError> {
        let guess = self.guess(identity, user.as_ref(), request).await?; // 429, 503
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
        if user.waits_for_approval() {
            return Err(ErrorCode::ApprovalPending.into()); // 403
        }
        if let Verified::Outdated(password) = verified {
            let hash = password.hash().await;
            self.sessions.changes.users.replace_password_hash(&user, hash).await?; // 503
        }
        if user.confirmed_factor().is_some() || self.required.contains(&user.role) {
            return Err(self.challenge(&user, request)); // 401
        }
        let (session, refresh) = (new_session(&user, request), OpaqueSecret::generate());
        let (hash, context) = (refresh.hash(), request.context());
        if !self.sessions.begin(&user, &session, &hash, context).await? {
            return Err(ErrorCode::InvalidCredentials.into()); // 401
        }
        Ok(grant(&self.keys, (&user, &session), &refresh, as_cookie, request))
    }

    /// Counts a password for `identity`, which is the name or address of `user`, before it is
    /// compared: on its own when the browser has logged in to this account before.
    async fn guess(
        &self,
        identity: &Identity,
        user: Option<&User>,
        request: &Request,
    ) -> Result<PasswordGuess, ApiError> {
        let device = DeviceCookie::read(request, &self.mails.base(request)?, &self.keys);
        let same = |user: &User, device: &DeviceToken| {
            (user.id, user.generation) == (device.user, device.generation)
        };
        match device.filter(|device| user.is_some_and(|user| same(user, device))) {
            Some(device) => self.guesses.begin_on_device(device.session, request).await,
            None => self.guesses.begin(&identity.text(), request).await,
        }
    }

    /// The 401 that says what is still needed of `user`, whose password was right.
    fn challenge(&self, user: &User, request: &Request) -> ApiError {
        let (code, purpose) = if user.confirmed_factor().is_some() {
            (ErrorCode::SecondFactorRequired, ChallengePurpose::Login)
        } else {
            (ErrorCode::SecondFactorEnrolmentRequired, ChallengePurpose::Enrolment)
        };
        let challenge = Challenge { user: user.id, generation: user.generation };
        ApiError::challenge(code, challenge.issue(purpose, request.now(), &self.keys))
    }

    async fn by_code(
        &self,
        challenge: &str,
        code: &str,
        as_cookie: bool,
        request: &Request,
    ) -> Result<Answer<LoggedIn>, ApiError> {
        let (now, purpose) = (request.now(), ChallengePurpose::Login);
        let challenge = Challenge::verify(challenge, purpose, now, &self.keys);
        let challenge = challenge.map_err(|_| ErrorCode::InvalidChallenge)?; // 401
        let user = self.sessions.changes.users.by_id(challenge.user).await?; // 503
        let may = |user: &User| {
            user.generation == challenge.generation && may_log_in(request.operation(), user.role)
        };
        let user = user.filter(may).ok_or(ErrorCode::InvalidChallenge)?; // 401
        let of_user = |error: ApiError| error.of_user(challenge.user);
        if !user.active {
            return Err(of_user(ErrorCode::AccountDisabled.into())); // 403
        }
        let base = self.mails.base(request)?; // 503
        let (session, refresh) = (new_session(&user, request), OpaqueSecret::generate());
        let mut codes_left = None;
        let begin = |user: &User, now| {
            // Of the account as it is now, which may have changed meanwhile.
            if !(may(user) && user.active) {
                return Err(ErrorCode::InvalidChallenge);
            }
            let shown = self.factors.show(user, code, now).ok_or(ErrorCode::InvalidCode)?;
            codes_left = shown.by_recovery_code.then_some(shown.left.recovery_hashes.len());
            let factor = if shown.by_recovery_code { "recovery code" } else { "code" };
            let begun = format_args!("{} by password and {factor}", session.id).to_string();
            let mut actions = vec![AuditAction::SessionBegun.with(begun)];
            let spent = |left| AuditAction::RecoveryCodeUsed.with(format_args!("{left} left"));
            actions.extend(codes_left.map(spent));
            let (last_seen_at, second_factor) = (Some(now), Some(shown.left));
            let after = User { last_seen_at, second_factor, ..user.changed() };
            let writes = self.sessions.first_writes(&session, &refresh.hash());
            Ok(Some(UserStep { after, actions, writes }))
        };
        let actor = request.actor(user.id);
        let change =
            async { changed_user(self.sessions.changes.apply(user.id, actor, begin).await?) };
        let user = self.factors.guess(&user, code, request, change).await.map_err(of_user)?; // 401, 429, 503
        if let Some(left) = codes_left {
            let change = SecondFactorChange::RecoveryCodeUsed { left };
            self.mails.send_factor_change(&user, change, &base, request).await;
        }
        Ok(grant(&self.keys, (&user, &session), &refresh, as_cookie, request))
    }

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
    let cookie = fields.optional_flag("cookie");
    let proof = if fields.has("challenge") {
        let challenge = fields.required("challenge", read_challenge);
        let code = fields.required("code", read_code);
        challenge.zip(code).map(|(challenge, code)| Proof::Code { challenge, code })
    } else {
        read_password(&mut fields)
    };
    let input = || Some(Input { proof: proof?, as_cookie: cookie?.unwrap_or_default() });
    fields.finish(input())
}

fn read_challenge(text: &str) -> Result<String, Invalid> {
    if text.len() <= 512 {
        Ok(text.to_owned())
    } else {
        Err(Invalid::because("must have at most 512 characters"))
    }
}

/// A name or an address, and a password.
fn read_password(fields: &mut Fields) -> Option<Proof> {
    // A text that breaks the rules for names is a wrong name, not a malformed request.
    let identity = if fields.has("email") && !fields.has("username") {
        fields.required("email", |text| Ok(Identity::Email(EmailAddress::parse(text).ok())))
    } else {
        fields.required("username", |text| Ok(Identity::Username(Username::parse(text).ok())))
    };
    let password = fields.required("password", Password::given);
    Some(Proof::Password(identity?, password?))
}

fn may_log_in(operation: &Operation, role: Role) -> bool {
    matches!(operation.caller, Caller::Password(roles) if roles.contains(&role))
}
