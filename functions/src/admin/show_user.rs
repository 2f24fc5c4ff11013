//! `user_show`: an account.

use share_contract::{ErrorCode, Operation, UserDetails, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, Request};
use share_model::UserId;
use share_store::{Platform, StartError, Users};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ShowUser {
    authenticator: Authenticator,
    users: Users,
}

impl Endpoint for ShowUser {
    const NAME: &'static str = "ShowUser";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::USER_SHOW];
    type Json = UserDetails;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            users: Users::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<UserDetails>, ApiError> {
        self.authenticator.caller(request).await?; // 401, 403
        let id = request.path_parameter("id", str::parse::<UserId>)?; // 400
        let id = id.ok_or(ErrorCode::UserUnknown)?;
        let user = self.users.by_id(id).await?.ok_or(ErrorCode::UserUnknown)?; // 404, 503
        Ok(Answer::ok(user.into()))
    }
}
