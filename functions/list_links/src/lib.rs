//! `GET /api/links`: the Client's own links, newest first, page by page.

use jiff::Timestamp;
use serde::Serialize;
use share_api::{ApiError, Authenticator, Endpoint, Paging, PublicUrl, Request, Response};
use share_model::{
    FileId, FileName, Link, LinkId, LinkNote, LinkState, MaxDownloads, Role, rfc3339_millis,
};
use share_store::{Links, Platform, StartError};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ListLinks {
    authenticator: Authenticator,
    links: Links,
    public_url: PublicUrl,
}

#[derive(Serialize)]
struct Answer<'a> {
    id: &'a LinkId,
    file_id: FileId,
    filename: &'a FileName,
    state: LinkState,
    #[serde(with = "rfc3339_millis")]
    created_at: Timestamp,
    #[serde(with = "rfc3339_millis")]
    expires_at: Timestamp,
    max_downloads: MaxDownloads,
    downloads: u32,
    bind: bool,
    note: Option<&'a LinkNote>,
}

impl Endpoint for ListLinks {
    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            links: Links::connect(platform)?,
            public_url: PublicUrl::from_environment(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Response, ApiError> {
        let client = self.authenticator.require(Role::Client, request).await?; // 401, 403
        let path = "/api/links".to_owned();
        let paging = Paging::read(request, path, Some(client.id), self.authenticator.keys())?; // 400
        let page = self.links.page(client.id, paging.limit, paging.cursor.as_ref()).await?; // 503
        let links: Vec<_> = page.records.iter().map(|link| describe(link, request.now())).collect();
        paging.answer(&links, page.next.as_ref(), (&self.public_url, request))
    }
}

fn describe(link: &Link, now: Timestamp) -> Answer<'_> {
    Answer {
        id: &link.id,
        file_id: link.file_id,
        filename: &link.filename,
        state: link.state(now),
        created_at: link.created_at,
        expires_at: link.expires_at,
        max_downloads: link.max_downloads,
        downloads: link.downloads,
        bind: link.bind,
        note: link.note.as_ref(),
    }
}
