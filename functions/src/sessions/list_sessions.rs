//! `session_list` and `user_sessions`: the sessions of the caller, or of another account for an admin,
//! newest first, page by page.

use share_contract::settings::SESSION_IDLE;
use share_contract::{ErrorCode, Operation, SessionSummary, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, Paging, PublicUrl, Request};
use share_model::UserId;
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
    const OPERATIONS: &'static [&'static Operation] =
        &[&operations::SESSION_LIST, &operations::USER_SESSIONS];
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
        let (caller, current) = self.authenticator.session(request).await?; // 401, 403
        let (user, path) = match request.path_parameter("id", str::parse::<UserId>)? {
            Some(id) => {
                let user = self.sessions.changes.users.by_id(id).await?; // 503
                let user = user.ok_or(ErrorCode::UserUnknown)?; // 404
                (user, format!("/api/admin/users/{id}/sessions"))
            }
            None => (caller, "/api/sessions".to_owned()),
        };
        let paging = Paging::read(request, path, Some(user.id), self.authenticator.keys())?; // 400
        let page = self.sessions.page(user.id, paging.limit, paging.cursor.as_ref()).await?; // 503
        let live = page.records.into_iter().filter(|session| {
            session.is_live(user.generation, self.idle_seconds, request.now())
                && user.has_session(session.id, session.generation)
        });
        let records = live.map(|session| SessionSummary::new(session, current)).collect();
        paging.answer(Page { records, next: page.next }, &self.public_url, request)
    }
}
