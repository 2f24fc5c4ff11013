//! `link_revoke`: from now on nobody can redeem the link or resume a download of it.

use share_contract::{ErrorCode, Operation, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, NoJson, Request};
use share_model::LinkId;
use share_store::{Links, Platform, StartError};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct RevokeLink {
    authenticator: Authenticator,
    links: Links,
}

impl Endpoint for RevokeLink {
    const NAME: &'static str = "RevokeLink";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::LINK_REVOKE];
    type Json = NoJson;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            links: Links::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<NoJson>, ApiError> {
        let client = self.authenticator.caller(request).await?; // 401, 403
        let id = request.path_parameter("id", LinkId::parse)?.ok_or(ErrorCode::LinkUnknown)?; // 400
        if !self.links.revoke(&id, client.id, request.context()).await? {
            return Err(ErrorCode::LinkUnknown.into()); // 404
        }
        Ok(Answer::no_content())
    }
}
