//! `approval_grant` and `approval_refuse`: lets somebody in who has signed up, or does not.

use http::Method;
use share_contract::{ErrorCode, Operation, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, NoJson, Request};
use share_mail::Mail;
use share_model::UserId;
use share_store::{Admissions, Platform, StartError};

use crate::owner_mails::OwnerMails;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct DecideApproval {
    authenticator: Authenticator,
    admissions: Admissions,
    mails: OwnerMails,
}

impl Endpoint for DecideApproval {
    const NAME: &'static str = "DecideApproval";
    const OPERATIONS: &'static [&'static Operation] =
        &[&operations::APPROVAL_GRANT, &operations::APPROVAL_REFUSE];
    type Json = NoJson;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            admissions: Admissions::connect(platform)?,
            mails: OwnerMails::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<NoJson>, ApiError> {
        let caller = self.authenticator.caller(request).await?; // 401, 403
        let id = request.path_parameter("id", str::parse::<UserId>)?; // 400
        let id = id.ok_or(ErrorCode::ApprovalUnknown)?; // 404
        let base = &self.mails.base(request)?; // 503
        let actor = request.actor(caller.id);
        let approves = request.method() == Method::POST;
        let decided = if approves {
            self.admissions.approve(id, actor).await?
        } else {
            self.admissions.refuse(id, actor).await?
        }; // 503
        let user = decided.ok_or(ErrorCode::ApprovalUnknown)?; // 404
        let mail = if approves {
            Mail::Approved { base, username: &user.username }
        } else {
            Mail::Refused { base }
        };
        self.mails.send(&user.email, &mail, request).await;
        Ok(Answer::no_content())
    }
}
