//! Lists that come page by page.

use http::header;
use share_auth::{PageCursor, SigningKeys};
use share_model::{Invalid, UserId};
use share_store::Page;

use crate::{Answer, ApiError, PublicUrl, Request};

/// Records on a page when the caller does not say.
const DEFAULT_LIMIT: usize = 50;

/// Which page a request asks for.
pub struct Paging<'a> {
    path: String,
    list: String,
    keys: &'a SigningKeys,
    /// Records on the page, at most.
    pub limit: usize,
    /// Where the page begins.
    pub cursor: Option<PageCursor>,
}

impl<'a> Paging<'a> {
    /// Reads `limit` and `cursor` from the query of a request for the list at `path`. A cursor is
    /// good for that list only, and for that of `owner` where each caller has one.
    ///
    /// # Errors
    /// 400 when one of them is not as it must be.
    pub fn read(
        request: &Request,
        path: String,
        owner: Option<UserId>,
        keys: &'a SigningKeys,
    ) -> Result<Self, ApiError> {
        let list = owner.map_or(path.clone(), |owner| format!("{path} of {owner}"));
        let open = |text: &str| PageCursor::open(text, &list, keys);
        let limit = request.query_parameter("limit", limit)?.unwrap_or(DEFAULT_LIMIT);
        let cursor = request.query_parameter("cursor", open)?;
        Ok(Self { path, list, keys, limit, cursor })
    }

    /// The page, with the address of the next one in a `Link` header (RFC 8288).
    ///
    /// # Errors
    /// 503 when nothing says where the API is.
    pub fn answer<T>(
        &self,
        page: Page<T>,
        public_url: &PublicUrl,
        request: &Request,
    ) -> Result<Answer<Vec<T>>, ApiError> {
        let answer = Answer::ok(page.records);
        let Some(next) = page.next else { return Ok(answer) };
        let cursor = next.seal(&self.list, self.keys);
        let path = format!("{}?limit={}&cursor={cursor}", self.path, self.limit);
        let link = format!("<{}>; rel=\"next\"", public_url.of(request, &path)?);
        Ok(answer.with(header::LINK, link))
    }
}

fn limit(text: &str) -> Result<usize, Invalid> {
    match text.parse() {
        Ok(limit @ 1..=100) => Ok(limit),
        _ => Err(Invalid::because("must be a number from 1 to 100")),
    }
}
