//! `totp_confirm`: from now on logging in asks for a code of the app.

use share_auth::{OpaqueSecret, RecoveryCodes, SeedKeys};
use share_contract::{ErrorCode, Operation, RecoveryCodesIssued, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, Request, changed_user, read_code};
use share_mail::SecondFactorChange;
use share_model::{AuditAction, User};
use share_store::{Platform, Sessions, StartError, UserStep, seed_keys};

use crate::access::{new_session, set_cookies, tokens};
use crate::owner_mails::OwnerMails;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ConfirmTotp {
    authenticator: Authenticator,
    sessions: Sessions,
    keys: SeedKeys,
    mails: OwnerMails,
}

/// What a request asks for.
struct Input {
    code: String,
    /// Whether the refresh token is to be a cookie.
    as_cookie: bool,
}

impl Endpoint for ConfirmTotp {
    const NAME: &'static str = "ConfirmTotp";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::TOTP_CONFIRM];
    type Json = RecoveryCodesIssued;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            sessions: Sessions::connect(platform)?,
            keys: seed_keys(platform).await?,
            mails: OwnerMails::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<RecoveryCodesIssued>, ApiError> {
        let owner = self.authenticator.owner(request).await?; // 401, 403
        let enrols = owner.session.is_none();
        let Input { code, as_cookie } = read(request)?; // 400, 415, 422
        let base = self.mails.base(request)?; // 503
        let codes = RecoveryCodes::generate();
        let (session, refresh) = (new_session(&owner.user, request), OpaqueSecret::generate());
        let confirm = |user: &User, now| {
            let pending = user.second_factor.clone().ok_or(ErrorCode::SecondFactorMissing)?;
            if pending.is_confirmed() {
                return Err(ErrorCode::SecondFactorPresent);
            }
            let seed = self.keys.open(&pending.seed, user.id);
            let step =
                seed.and_then(|seed| seed.step_of(&code, now)).ok_or(ErrorCode::WrongCode)?;
            let second_factor = Some(pending.confirmed(step, codes.hashes(), now));
            let mut after = User { second_factor, ..user.changed() };
            let (mut actions, mut writes) =
                (vec![AuditAction::SecondFactorAdded.into()], Vec::new());
            if enrols {
                // Of the account as it is now, which may have changed meanwhile.
                if user.generation != session.generation || !user.active {
                    return Err(ErrorCode::InvalidToken);
                }
                after.last_seen_at = Some(now);
                let begun = format_args!("{} by password and code", session.id).to_string();
                actions.push(AuditAction::SessionBegun.with(begun));
                writes = self.sessions.first_writes(&session, &refresh.hash());
            }
            Ok(Some(UserStep { after, actions, writes }))
        };
        let actor = request.actor(owner.user.id);
        let changed = self.sessions.changes.apply(owner.user.id, actor, confirm).await?; // 503
        let user = changed_user(changed)?; // 401, 403, 409
        self.mails.send_factor_change(&user, SecondFactorChange::Added, &base, request).await;
        let keys = self.authenticator.keys();
        let granted = enrols.then(|| tokens(keys, (&user, &session), &refresh, as_cookie, request));
        let as_cookie = as_cookie && granted.is_some();
        let issued = RecoveryCodesIssued { recovery_codes: codes.reveal(), session: granted };
        let mut answer = Answer::ok(issued);
        if as_cookie {
            set_cookies(answer.headers_mut(), keys, &session, &refresh, request);
        }
        Ok(answer)
    }
}

fn read(request: &Request) -> Result<Input, ApiError> {
    let mut fields = request.json()?;
    let code = fields.required("code", read_code);
    let cookie = fields.optional_flag("cookie");
    let input = || Some(Input { code: code?, as_cookie: cookie?.unwrap_or_default() });
    fields.finish(input())
}
