//! `invitation_list`: invitations that can still be accepted, page by page.

use jiff::Timestamp;
use share_contract::{InvitationSummary, Operation, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, Paging, PublicUrl, Request};
use share_model::WaitingFor;
use share_store::{Admissions, Page, Platform, StartError};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ListInvitations {
    authenticator: Authenticator,
    admissions: Admissions,
    public_url: PublicUrl,
}

impl Endpoint for ListInvitations {
    const NAME: &'static str = "ListInvitations";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::INVITATION_LIST];
    type Json = Vec<InvitationSummary>;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            admissions: Admissions::connect(platform)?,
            public_url: PublicUrl::read(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<Vec<InvitationSummary>>, ApiError> {
        self.authenticator.caller(request).await?; // 401, 403
        let path = "/api/admin/invitations".to_owned();
        let paging = Paging::read(request, path, None, self.authenticator.keys())?; // 400
        let (limit, cursor, now) = (paging.limit, paging.cursor.as_ref(), request.now());
        let page = self.admissions.page(WaitingFor::Invitation, limit, cursor, now).await?; // 503
        let records = page.records.into_iter().filter_map(|waiting| {
            let end = Timestamp::from_second(waiting.forget_at?).ok()?;
            Some(InvitationSummary::new(waiting.user, end))
        });
        let page = Page { records: records.collect(), next: page.next };
        paging.answer(page, &self.public_url, request)
    }
}
