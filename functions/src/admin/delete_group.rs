//! `group_delete`: a group of Clients is no more.

use share_contract::{ErrorCode, Operation, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, NoJson, Request};
use share_model::GroupName;
use share_store::{Groups, Platform, StartError};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct DeleteGroup {
    authenticator: Authenticator,
    groups: Groups,
}

impl Endpoint for DeleteGroup {
    const NAME: &'static str = "DeleteGroup";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::GROUP_DELETE];
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
        let name = name.ok_or(ErrorCode::GroupUnknown)?;
        if !self.groups.delete(&name, request.actor(admin.id)).await? {
            return Err(ErrorCode::GroupUnknown.into()); // 404
        }
        Ok(Answer::no_content())
    }
}
