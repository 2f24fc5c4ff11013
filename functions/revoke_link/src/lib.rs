//! `DELETE /api/links/{id}`: takes a link back at once.

use http::StatusCode;
use share_api::{ApiError, Authenticator, Endpoint, Request, Response, empty};
use share_model::{LinkId, Role};
use share_store::{Links, Platform, StartError};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct RevokeLink {
    authenticator: Authenticator,
    links: Links,
}

impl Endpoint for RevokeLink {
    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            links: Links::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Response, ApiError> {
        let client = self.authenticator.require(Role::Client, request).await?; // 401, 403
        let id = request.path_parameter("id", LinkId::parse)?.ok_or(ApiError::LinkUnknown)?; // 400
        if !self.links.revoke(&id, client.id, request.context()).await? {
            return Err(ApiError::LinkUnknown); // 404
        }
        Ok(empty(StatusCode::NO_CONTENT))
    }
}
