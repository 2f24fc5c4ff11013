//! `link_list`: the Client's own links, newest first, page by page.

use share_contract::{LinkSummary, Operation, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, Paging, PublicUrl, Request};
use share_store::{Links, Platform, StartError};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ListLinks {
    authenticator: Authenticator,
    links: Links,
    public_url: PublicUrl,
}

impl Endpoint for ListLinks {
    const NAME: &'static str = "ListLinks";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::LINK_LIST];
    type Json = Vec<LinkSummary>;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            links: Links::connect(platform)?,
            public_url: PublicUrl::read(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<Vec<LinkSummary>>, ApiError> {
        let client = self.authenticator.caller(request).await?; // 401, 403
        let (path, owner) = ("/api/links".to_owned(), Some(client.id));
        let paging = Paging::read(request, path, owner, self.authenticator.keys())?; // 400
        let page = self.links.page(client.id, paging.limit, paging.cursor.as_ref()).await?; // 503
        let page = page.map(|link| LinkSummary::new(link, request.now()));
        paging.answer(page, &self.public_url, request)
    }
}
