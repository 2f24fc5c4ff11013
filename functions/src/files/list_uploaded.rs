//! `file_list_uploaded`: what the caller has uploaded, page by page.

use share_contract::{FileDetails, Operation, operations};
use share_http::{
    Answer, ApiError, Authenticator, Endpoint, FileQuery, Paging, PublicUrl, Request,
};
use share_store::{Files, Links, Page, Platform, Shelf, ShelfQuery, StartError};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ListUploaded {
    authenticator: Authenticator,
    shelf: Shelf,
    files: Files,
    links: Links,
    public_url: PublicUrl,
}

impl Endpoint for ListUploaded {
    const NAME: &'static str = "ListUploaded";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::FILE_LIST_UPLOADED];
    type Json = Vec<FileDetails>;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            shelf: Shelf::connect(platform)?,
            files: Files::connect(platform)?,
            links: Links::connect(platform)?,
            public_url: PublicUrl::read(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<Vec<FileDetails>>, ApiError> {
        let ops = self.authenticator.caller(request).await?; // 401, 403
        let files = FileQuery::read(request)?; // 400
        let path = files.of("/api/files/uploaded");
        let paging = Paging::read(request, path, Some(ops.id), self.authenticator.keys())?; // 400
        let query = ShelfQuery {
            limit: paging.limit,
            cursor: paging.cursor.as_ref(),
            sort: files.sort,
            search: files.search.as_deref(),
        };
        let page = self.shelf.of_uploader(ops.id, &query).await?; // 503
        let files = self.files.find_all(&page.records).await?; // 503
        let counts = files.iter().map(|file| self.links.count(file.id));
        let counts = futures_util::future::try_join_all(counts).await?; // 503
        let details = files.into_iter().zip(counts);
        let records =
            details.map(|(file, count)| FileDetails::new(file, count.links, count.downloads));
        let page = Page { records: records.collect(), next: page.next };
        paging.answer(page, &self.public_url, request)
    }
}
