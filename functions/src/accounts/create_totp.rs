//! `totp_create`: the secret of an authenticator app, which counts once a code of it was shown.

use share_auth::{Password, SeedKeys, TotpSeed};
use share_contract::{ErrorCode, Operation, TotpCreated, operations};
use share_http::{
    Answer, ApiError, Authenticator, Endpoint, Fields, PasswordGuesses, Request, changed_user,
};
use share_model::{Invalid, SecondFactor, User};
use share_store::{Platform, StartError, UserChanges, UserStep, seed_keys};

/// What an authenticator app calls the service.
const ISSUER: &str = "Secure File Share";

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct CreateTotp {
    authenticator: Authenticator,
    changes: UserChanges,
    guesses: PasswordGuesses,
    keys: SeedKeys,
}

impl Endpoint for CreateTotp {
    const NAME: &'static str = "CreateTotp";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::TOTP_CREATE];
    type Json = TotpCreated;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            changes: UserChanges::connect(platform)?,
            guesses: PasswordGuesses::connect(platform)?,
            keys: seed_keys(platform).await?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<TotpCreated>, ApiError> {
        let owner = self.authenticator.owner(request).await?; // 401, 403
        let password = password(request)?; // 400, 415, 422
        // An enrolment challenge was given for the password, minutes ago.
        if let Some(session) = owner.session {
            let reason = || ApiError::field("password", Invalid::because("is required"));
            let password = password.ok_or_else(reason)?; // 422
            self.guesses.confirm_in_session(&owner.user, session, password, request).await?; // 403, 429, 503
        }
        let seed = TotpSeed::generate();
        let sealed = self.keys.seal(&seed, owner.user.id);
        let create = |user: &User, _| {
            if user.confirmed_factor().is_some() {
                return Err(ErrorCode::SecondFactorPresent);
            }
            let second_factor = Some(SecondFactor::pending(sealed.clone()));
            let after = User { second_factor, ..user.changed() };
            Ok(Some(UserStep { after, actions: Vec::new(), writes: Vec::new() }))
        };
        let actor = request.actor(owner.user.id);
        let user = changed_user(self.changes.apply(owner.user.id, actor, create).await?)?; // 409, 503
        let uri = seed.uri(ISSUER, &user.username);
        Ok(Answer::created(TotpCreated { secret: seed.base32(), uri }))
    }
}

fn password(request: &Request) -> Result<Option<Password>, ApiError> {
    let mut fields = if request.is_empty() { Fields::default() } else { request.json()? };
    let password = fields.optional("password", Password::given);
    fields.finish(password)
}
