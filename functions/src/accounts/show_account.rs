//! `account_show`: the account that asks.

use share_contract::{AccountDetails, Operation, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, Request};
use share_store::{Platform, StartError};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ShowAccount {
    authenticator: Authenticator,
}

impl Endpoint for ShowAccount {
    const NAME: &'static str = "ShowAccount";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::ACCOUNT_SHOW];
    type Json = AccountDetails;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { authenticator: Authenticator::connect(platform).await? })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<AccountDetails>, ApiError> {
        let user = self.authenticator.caller(request).await?; // 401, 403
        Ok(Answer::ok(user.into()))
    }
}
