//! `recovery_codes_create`: ten new recovery codes in place of those that are left.

use share_auth::RecoveryCodes;
use share_contract::{ErrorCode, Operation, RecoveryCodesIssued, operations};
use share_http::{
    Answer, ApiError, Authenticator, Endpoint, Request, SecondFactors, changed_user, read_code,
};
use share_mail::SecondFactorChange;
use share_model::{AuditAction, User};
use share_store::{Platform, StartError, UserChanges, UserStep};

use crate::owner_mails::OwnerMails;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct CreateRecoveryCodes {
    authenticator: Authenticator,
    changes: UserChanges,
    factors: SecondFactors,
    mails: OwnerMails,
}

impl Endpoint for CreateRecoveryCodes {
    const NAME: &'static str = "CreateRecoveryCodes";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::RECOVERY_CODES_CREATE];
    type Json = RecoveryCodesIssued;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            changes: UserChanges::connect(platform)?,
            factors: SecondFactors::connect(platform).await?,
            mails: OwnerMails::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<RecoveryCodesIssued>, ApiError> {
        let user = self.authenticator.caller(request).await?; // 401, 403
        let mut fields = request.json()?; // 400, 415
        let code = fields.required("code", read_code);
        let code = fields.finish(code)?; // 422
        if user.confirmed_factor().is_none() {
            return Err(ErrorCode::SecondFactorMissing.into()); // 409
        }
        let base = self.mails.base(request)?; // 503
        let codes = RecoveryCodes::generate();
        let replace = |user: &User, now| {
            let shown = self.factors.show(user, &code, now).ok_or(ErrorCode::WrongCode)?;
            let second_factor = Some(shown.left.with_recovery_hashes(codes.hashes()));
            let after = User { second_factor, ..user.changed() };
            let actions = vec![AuditAction::RecoveryCodesReplaced.into()];
            Ok::<_, ErrorCode>(Some(UserStep { after, actions, writes: Vec::new() }))
        };
        let change = async {
            changed_user(self.changes.apply(user.id, request.actor(user.id), replace).await?)
        };
        let user = self.factors.guess(&user, &code, request, change).await?; // 403, 429, 503
        self.mails
            .send_factor_change(&user, SecondFactorChange::RecoveryCodesReplaced, &base, request)
            .await;
        Ok(Answer::created(RecoveryCodesIssued { recovery_codes: codes.reveal(), session: None }))
    }
}
