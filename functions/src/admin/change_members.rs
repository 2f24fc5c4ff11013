//! `group_join` and `group_leave`: who is in a group of Clients.

use http::Method;
use share_contract::{ErrorCode, Operation, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, NoJson, Request};
use share_model::{GroupName, UserId};
use share_store::{Groups, MembershipRefusal, Platform, StartError};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ChangeMembers {
    authenticator: Authenticator,
    groups: Groups,
}

impl Endpoint for ChangeMembers {
    const NAME: &'static str = "ChangeMembers";
    const OPERATIONS: &'static [&'static Operation] =
        &[&operations::GROUP_JOIN, &operations::GROUP_LEAVE];
    type Json = NoJson;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            groups: Groups::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<NoJson>, ApiError> {
        let admin = self.authenticator.caller(request).await?; // 401, 403
        let name = request.path_parameter("name", str::parse::<GroupName>)?; // 400
        let user = request.path_parameter("user_id", str::parse::<UserId>)?; // 400
        let name = name.ok_or(ErrorCode::GroupUnknown)?;
        let user = user.ok_or(ErrorCode::UserUnknown)?;
        let actor = request.actor(admin.id);
        let changed = if request.method() == Method::PUT {
            self.groups.join(&name, user, actor).await? // 503
        } else {
            self.groups.leave(&name, user, actor).await? // 503
        };
        changed.map_err(|refusal| match refusal {
            MembershipRefusal::GroupUnknown => ErrorCode::GroupUnknown, // 404
            MembershipRefusal::UserUnknown => ErrorCode::UserUnknown,   // 404
            MembershipRefusal::Full => ErrorCode::GroupFull,            // 409
        })?;
        Ok(Answer::no_content())
    }
}
