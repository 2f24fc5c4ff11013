//! `approval_list`: who waits to be let in, page by page.

use share_contract::{ApprovalSummary, Operation, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, Paging, PublicUrl, Request};
use share_model::WaitingFor;
use share_store::{Admissions, Platform, StartError};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ListApprovals {
    authenticator: Authenticator,
    admissions: Admissions,
    public_url: PublicUrl,
}

impl Endpoint for ListApprovals {
    const NAME: &'static str = "ListApprovals";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::APPROVAL_LIST];
    type Json = Vec<ApprovalSummary>;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            admissions: Admissions::connect(platform)?,
            public_url: PublicUrl::read(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<Vec<ApprovalSummary>>, ApiError> {
        self.authenticator.caller(request).await?; // 401, 403
        let path = "/api/approvals".to_owned();
        let paging = Paging::read(request, path, None, self.authenticator.keys())?; // 400
        let (limit, cursor, now) = (paging.limit, paging.cursor.as_ref(), request.now());
        let waiting = self.admissions.page(WaitingFor::Approval, limit, cursor, now);
        let page = waiting.await?.map(|waiting| ApprovalSummary::from(waiting.user)); // 503
        paging.answer(page, &self.public_url, request)
    }
}
