//! `GET /api/files/list`: what is on the shelf, newest first, page by page.

use share_api::{ApiError, Authenticator, Endpoint, Paging, PublicUrl, Request, Response};
use share_model::Role;
use share_store::{Files, Platform, StartError};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ListFiles {
    authenticator: Authenticator,
    files: Files,
    public_url: PublicUrl,
}

impl Endpoint for ListFiles {
    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            files: Files::connect(platform)?,
            public_url: PublicUrl::from_environment(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Response, ApiError> {
        self.authenticator.require(Role::Client, request).await?; // 401, 403
        let path = "/api/files/list".to_owned();
        let paging = Paging::read(request, path, None, self.authenticator.keys())?; // 400
        let mut page = self.files.page(paging.limit, paging.cursor.as_ref()).await?; // 503
        for file in &mut page.records {
            file.notify = false; // between the uploader and us
        }
        paging.answer(&page.records, page.next.as_ref(), (&self.public_url, request))
    }
}
