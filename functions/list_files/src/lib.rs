//! `GET /api/files/list`: what is on the shelf, newest first, page by page.

use http::{HeaderValue, header};
use share_api::{ApiError, Callers, Endpoint, PublicUrl, Request, Response, ok};
use share_auth::PageCursor;
use share_model::{Invalid, Role};
use share_store::{Files, Platform, StartError};

/// Files on a page when the caller does not say.
const DEFAULT_LIMIT: usize = 50;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ListFiles {
    callers: Callers,
    files: Files,
    public_url: PublicUrl,
}

impl Endpoint for ListFiles {
    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            callers: Callers::connect(platform).await?,
            files: Files::connect(platform)?,
            public_url: PublicUrl::from_environment(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Response, ApiError> {
        self.callers.require(Role::Client, request).await?; // 401, 403
        let keys = self.callers.keys();
        let limit = request.query_parameter("limit", limit)?.unwrap_or(DEFAULT_LIMIT); // 400
        let cursor = request.query_parameter("cursor", |text| PageCursor::open(text, keys))?; // 400
        let page = self.files.page(limit, cursor.as_ref()).await?; // 503
        let mut response = ok(&page.files);
        if let Some(next) = page.next {
            let path = format!("/api/files/list?limit={limit}&cursor={}", next.seal(keys));
            let link = format!("<{}>; rel=\"next\"", self.public_url.of(request, &path)?);
            if let Ok(link) = HeaderValue::try_from(link) {
                response.headers_mut().insert(header::LINK, link); // RFC 8288
            }
        }
        Ok(response)
    }
}

fn limit(text: &str) -> Result<usize, Invalid> {
    match text.parse() {
        Ok(limit @ 1..=100) => Ok(limit),
        _ => Err(Invalid::because("must be a number from 1 to 100")),
    }
}
