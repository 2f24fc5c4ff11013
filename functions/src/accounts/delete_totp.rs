//! `totp_delete`: the end of a second factor.

use share_auth::Password;
use share_contract::settings::REQUIRE_SECOND_FACTOR;
use share_contract::{ErrorCode, Operation, operations};
use share_http::{
    Answer, ApiError, Authenticator, Endpoint, NoJson, PasswordGuesses, Request, SecondFactors,
    changed_user, read_code,
};
use share_mail::SecondFactorChange;
use share_model::{AuditAction, Role, User};
use share_store::{Platform, StartError, UserChanges, UserStep};

use crate::owner_mails::OwnerMails;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct DeleteTotp {
    authenticator: Authenticator,
    changes: UserChanges,
    guesses: PasswordGuesses,
    factors: SecondFactors,
    /// The roles that cannot do without.
    required: Vec<Role>,
    mails: OwnerMails,
}

impl Endpoint for DeleteTotp {
    const NAME: &'static str = "DeleteTotp";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::TOTP_DELETE];
    type Json = NoJson;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        let required = REQUIRE_SECOND_FACTOR.read_optional(platform.environment())?;
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            changes: UserChanges::connect(platform)?,
            guesses: PasswordGuesses::connect(platform)?,
            factors: SecondFactors::connect(platform).await?,
            required: required.unwrap_or_default(),
            mails: OwnerMails::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<NoJson>, ApiError> {
        let (user, session) = self.authenticator.session(request).await?; // 401, 403
        let (password, code) = read(request)?; // 400, 415, 422
        if self.required.contains(&user.role) {
            return Err(ErrorCode::SecondFactorDemanded.into()); // 403
        }
        if user.confirmed_factor().is_none() {
            return Err(ErrorCode::SecondFactorMissing.into()); // 409
        }
        self.guesses.confirm_in_session(&user, session, password, request).await?; // 403, 429, 503
        let base = self.mails.base(request)?; // 503
        let delete = |user: &User, now| {
            self.factors.show(user, &code, now).ok_or(ErrorCode::WrongCode)?;
            let after = User { second_factor: None, ..user.changed() };
            let actions = vec![AuditAction::SecondFactorRemoved.into()];
            Ok::<_, ErrorCode>(Some(UserStep { after, actions, writes: Vec::new() }))
        };
        let change = async {
            changed_user(self.changes.apply(user.id, request.actor(user.id), delete).await?)
        };
        let user = self.factors.guess(&user, &code, request, change).await?; // 403, 429, 503
        self.mails.send_factor_change(&user, SecondFactorChange::Removed, &base, request).await;
        Ok(Answer::no_content())
    }
}

fn read(request: &Request) -> Result<(Password, String), ApiError> {
    let mut fields = request.json()?;
    let password = fields.required("password", Password::given);
    let code = fields.required("code", read_code);
    let input = || Some((password?, code?));
    fields.finish(input())
}
