//! `session_list`: the caller's sessions, newest first, page by page.

use share_contract::settings::SESSION_IDLE;
use share_contract::{Operation, SessionSummary, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, Paging, PublicUrl, Request};
use share_store::{Page, Platform, Sessions, StartError};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ListSessions {
    authenticator: Authenticator,
    sessions: Sessions,
    idle_seconds: i64,
    public_url: PublicUrl,
}

impl Endpoint for ListSessions {
    const NAME: &'static str = "ListSessions";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::SESSION_LIST];
    type Json = Vec<SessionSummary>;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            sessions: Sessions::connect(platform)?,
            idle_seconds: SESSION_IDLE.read(platform.environment())?,
            public_url: PublicUrl::read(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<Vec<SessionSummary>>, ApiError> {
        let (user, current) = self.authenticator.session(request).await?; // 401, 403
        let (path, owner) = ("/api/sessions".to_owned(), Some(user.id));
        let paging = Paging::read(request, path, owner, self.authenticator.keys())?; // 400
        let page = self.sessions.page(user.id, paging.limit, paging.cursor.as_ref()).await?; // 503
        let live = page.records.into_iter().filter(|session| {
            session.is_live(user.generation, self.idle_seconds, request.now())
                && user.has_session(session.id, session.generation)
        });
        let records = live.map(|session| SessionSummary::new(session, current)).collect();
        paging.answer(Page { records, next: page.next }, &self.public_url, request)
    }
}
