//! Which account a request comes from.

use share_auth::{AccessRefusal, Challenge, ChallengePurpose, SigningKeys};
use share_contract::{Caller, ErrorCode};
use share_model::{Role, SessionId, User};
use share_store::{Platform, StartError, Users, signing_keys};

use crate::{ApiError, Request};

/// Authenticates requests by their access token. Reads the Users table and, at start, the JWT
/// secret.
pub struct Authenticator {
    users: Users,
    keys: SigningKeys,
}

/// The owner of an account, who may set up a second factor for it.
pub struct Owner {
    /// The account.
    pub user: User,
    /// The session. Without one the bearer is an enrolment challenge: the password was right just now,
    /// and is not enough to log in.
    pub session: Option<SessionId>,
}

impl Authenticator {
    /// # Errors
    /// When `USERS_TABLE` or the JWT secret is missing or wrong.
    pub async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { users: Users::connect(platform)?, keys: signing_keys(platform).await? })
    }

    /// The account that calls, when the operation is for its role.
    ///
    /// # Errors
    /// 401 without a good access token, 403 when the account may not do this.
    pub async fn caller(&self, request: &Request) -> Result<User, ApiError> {
        self.session(request).await.map(|(user, _)| user)
    }

    /// The account that calls, when the operation is for its role, and its session.
    ///
    /// # Errors
    /// 401 without a good access token, 403 when the account may not do this.
    pub async fn session(&self, request: &Request) -> Result<(User, SessionId), ApiError> {
        match request.operation().caller {
            Caller::AccessToken(roles) => self.require(roles, request).await,
            // An operation that names no role is not open to all of them.
            Caller::Anyone | Caller::TokenHolder | Caller::Password(_) => {
                Err(ErrorCode::WrongRole.into())
            }
        }
    }

    /// The account that calls with an access token, or with an enrolment challenge.
    ///
    /// # Errors
    /// 401 without either, 403 when the account may not do this.
    pub async fn owner(&self, request: &Request) -> Result<Owner, ApiError> {
        let token = request.bearer_token().ok_or(ErrorCode::MissingToken)?;
        let (now, purpose) = (request.now(), ChallengePurpose::Enrolment);
        let challenge = match Challenge::verify(token, purpose, now, &self.keys) {
            Ok(challenge) => challenge,
            Err(AccessRefusal::Expired) => return Err(ErrorCode::TokenExpired.into()),
            Err(AccessRefusal::Invalid) => {
                let (user, session) = self.session(request).await?;
                return Ok(Owner { user, session: Some(session) });
            }
        };
        let user = self.users.by_id(challenge.user).await?;
        let user = user.filter(|user| user.generation == challenge.generation);
        let user = user.ok_or(ErrorCode::InvalidToken)?;
        if !user.active {
            return Err(ErrorCode::AccountDisabled.into());
        }
        if user.waits_for_approval() {
            return Err(ErrorCode::ApprovalPending.into());
        }
        Ok(Owner { user, session: None })
    }

    /// The account that calls, when it has one of these roles, and its session.
    ///
    /// Role and state come from the user record as it is now, not from the token, so that a change
    /// of role, disabling an account and ending a session work at once.
    ///
    /// # Errors
    /// 401 without a good access token, 403 when the account may not do this.
    pub async fn require(
        &self,
        roles: &[Role],
        request: &Request,
    ) -> Result<(User, SessionId), ApiError> {
        let token = request.bearer_token().ok_or(ErrorCode::MissingToken)?;
        let token = self.keys.verify(token, request.now()).map_err(|refusal| match refusal {
            AccessRefusal::Expired => ErrorCode::TokenExpired,
            AccessRefusal::Invalid => ErrorCode::InvalidToken,
        })?;
        let user = self.users.by_id(token.user).await?.ok_or(ErrorCode::InvalidToken)?;
        let refusal = if !user.active {
            ErrorCode::AccountDisabled
        } else if user.waits_for_approval() {
            ErrorCode::ApprovalPending
        } else if !user.has_session(token.session, token.generation) {
            ErrorCode::SessionRevoked
        } else if !roles.contains(&user.role) {
            ErrorCode::WrongRole
        } else {
            return Ok((user, token.session));
        };
        Err(ApiError::from(refusal).of_user(user.id))
    }

    /// The keys, for what else they sign.
    #[must_use]
    pub fn keys(&self) -> &SigningKeys {
        &self.keys
    }
}
