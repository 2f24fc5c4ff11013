//! `file_list`: what is on the shelf, newest first, page by page.

use share_contract::{FileSummary, Operation, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, Paging, PublicUrl, Request};
use share_store::{Platform, Shelf, StartError};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ListFiles {
    authenticator: Authenticator,
    shelf: Shelf,
    public_url: PublicUrl,
}

impl Endpoint for ListFiles {
    const NAME: &'static str = "ListFiles";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::FILE_LIST];
    type Json = Vec<FileSummary>;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            shelf: Shelf::connect(platform)?,
            public_url: PublicUrl::read(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<Vec<FileSummary>>, ApiError> {
        self.authenticator.caller(request).await?; // 401, 403
        let path = "/api/files/list".to_owned();
        let paging = Paging::read(request, path, None, self.authenticator.keys())?; // 400
        let page = self.shelf.page(paging.limit, paging.cursor.as_ref()).await?; // 503
        paging.answer(page.map(FileSummary::for_client), &self.public_url, request)
    }
}
