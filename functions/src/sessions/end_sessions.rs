//! `session_end` and `session_end_all`: logging out, here or everywhere.

use share_contract::{ErrorCode, Operation, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, NoJson, RefreshCookie, Request};
use share_model::{AuditAction, Invalid, SessionId};
use share_store::{Platform, Sessions, StartError, UserApplied};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct EndSessions {
    authenticator: Authenticator,
    sessions: Sessions,
}

/// Which session a request names.
enum Named {
    Current,
    One(SessionId),
}

impl Endpoint for EndSessions {
    const NAME: &'static str = "EndSessions";
    const OPERATIONS: &'static [&'static Operation] =
        &[&operations::SESSION_END, &operations::SESSION_END_ALL];
    type Json = NoJson;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            sessions: Sessions::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<NoJson>, ApiError> {
        let (user, current) = self.authenticator.session(request).await?; // 401, 403
        let named = request.path_parameter("id", Named::parse)?; // 400
        let actor = request.actor(user.id);
        let mut answer = Answer::no_content();
        if let Some(named) = named {
            let id = match named {
                Named::Current => current,
                Named::One(id) => id,
            };
            let action = AuditAction::SessionEnded;
            let ended = self.sessions.end(id, user.id, action, actor).await?; // 503
            if matches!(ended, UserApplied::WritesRefused(_)) {
                return Err(ErrorCode::SessionUnknown.into()); // 404
            }
            if id == current {
                RefreshCookie::clear(request, answer.headers_mut());
            }
        } else {
            self.sessions.end_all(user.id, actor).await?; // 503
            RefreshCookie::clear(request, answer.headers_mut());
        }
        Ok(answer)
    }
}

impl Named {
    fn parse(text: &str) -> Result<Self, Invalid> {
        if text == "current" {
            return Ok(Self::Current);
        }
        text.parse()
            .map(Self::One)
            .map_err(|_| Invalid::because("must be a session id, or current"))
    }
}
