//! `invitation_withdraw`: ends an invitation before it is accepted.

use share_contract::{ErrorCode, Operation, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, NoJson, Request};
use share_model::UserId;
use share_store::{Admissions, Platform, StartError};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct WithdrawInvitation {
    authenticator: Authenticator,
    admissions: Admissions,
}

impl Endpoint for WithdrawInvitation {
    const NAME: &'static str = "WithdrawInvitation";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::INVITATION_WITHDRAW];
    type Json = NoJson;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            admissions: Admissions::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<NoJson>, ApiError> {
        let admin = self.authenticator.caller(request).await?; // 401, 403
        let id = request.path_parameter("id", str::parse::<UserId>)?; // 400
        let id = id.ok_or(ErrorCode::InvitationUnknown)?; // 404
        let withdrawn = self.admissions.withdraw_invitation(id, request.actor(admin.id)).await?; // 503
        withdrawn.ok_or(ErrorCode::InvitationUnknown)?; // 404
        Ok(Answer::no_content())
    }
}
