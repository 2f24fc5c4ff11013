//! `group_create`: a group of Clients, for whom files can be.

use share_auth::random_bytes;
use share_contract::{ErrorCode, GroupDetails, Operation, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, Request};
use share_model::{Group, GroupId, GroupName};
use share_store::{Groups, Platform, StartError};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct CreateGroup {
    authenticator: Authenticator,
    groups: Groups,
}

impl Endpoint for CreateGroup {
    const NAME: &'static str = "CreateGroup";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::GROUP_CREATE];
    type Json = GroupDetails;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            groups: Groups::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<GroupDetails>, ApiError> {
        let admin = self.authenticator.caller(request).await?; // 401, 403
        let mut fields = request.json()?; // 400, 415
        let name = fields.required("name", str::parse::<GroupName>);
        let name = fields.finish(name)?; // 422
        let now = request.now();
        let group = Group::new(GroupId::new(now, random_bytes()), name, now);
        if !self.groups.create(&group, request.actor(admin.id)).await? {
            return Err(ErrorCode::GroupExists.into()); // 409
        }
        Ok(Answer::created(group.into()))
    }
}
