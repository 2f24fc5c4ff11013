//! `file_list`: the files that are for the caller, page by page.

use share_contract::{FileSummary, Operation, operations};
use share_http::{
    Answer, ApiError, Authenticator, Endpoint, FileQuery, Paging, PublicUrl, Request,
};
use share_store::{Platform, Shelf, ShelfQuery, StartError};

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
        let client = self.authenticator.caller(request).await?; // 401, 403
        let files = FileQuery::read(request)?; // 400
        let path = files.of("/api/files/list");
        // What is for one Client is nobody else's list.
        let paging = Paging::read(request, path, Some(client.id), self.authenticator.keys())?; // 400
        let query = ShelfQuery {
            limit: paging.limit,
            cursor: paging.cursor.as_ref(),
            sort: files.sort,
            search: files.search.as_deref(),
        };
        let page = self.shelf.for_client(&client, &query, request.now()).await?; // 503
        paging.answer(page.map(FileSummary::for_client), &self.public_url, request)
    }
}
