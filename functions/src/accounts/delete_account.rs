//! `account_delete` and `user_delete`: closes an account, and erases what names its owner.

use std::time::{Duration, Instant};

use share_auth::Password;
use share_contract::{ErrorCode, Operation, operations};
use share_http::{
    Answer, ApiError, Authenticator, Endpoint, NoJson, PasswordGuesses, RefreshCookie, Request,
    log_failure,
};
use share_model::UserId;
use share_store::{Closed, Erasure, Platform, StartError};

/// How long is spent on erasing. A job does what is left. A request is answered within 28 seconds.
const PATIENCE: Duration = Duration::from_secs(15);

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct DeleteAccount {
    authenticator: Authenticator,
    guesses: PasswordGuesses,
    erasure: Erasure,
}

impl Endpoint for DeleteAccount {
    const NAME: &'static str = "DeleteAccount";
    const OPERATIONS: &'static [&'static Operation] =
        &[&operations::ACCOUNT_DELETE, &operations::USER_DELETE];
    type Json = NoJson;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            guesses: PasswordGuesses::connect(platform)?,
            erasure: Erasure::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<NoJson>, ApiError> {
        let (caller, session) = self.authenticator.session(request).await?; // 401, 403
        let named = request.path_parameter("id", str::parse::<UserId>)?; // 400
        if named.is_none() {
            let mut fields = request.json()?; // 400, 415
            let password = fields.required("password", Password::given);
            let password = fields.finish(password)?; // 422
            self.guesses.confirm_in_session(&caller, session, password, request).await?; // 403, 429, 503
        }
        let (id, actor) = (named.unwrap_or(caller.id), request.actor(caller.id));
        let leftover = match self.erasure.close(id, actor).await? {
            // 503
            Closed::Closed(leftover) => leftover,
            Closed::Absent => return Err(ErrorCode::UserUnknown.into()), // 404
            Closed::LastAdmin => return Err(ErrorCode::LastAdmin.into()), // 409
        };
        // The account is closed, whatever becomes of the rest now.
        let erased = self.erasure.erase(&leftover, actor, Instant::now() + PATIENCE).await;
        if let Err(failure) = erased {
            log_failure(request.id(), &failure);
        }
        let mut answer = Answer::no_content();
        if id == caller.id {
            RefreshCookie::clear(request, answer.headers_mut());
        }
        Ok(answer)
    }
}
