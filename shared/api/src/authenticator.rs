//! Who is calling.

use share_auth::{AccessRefusal, SigningKeys};
use share_model::{Role, User};
use share_store::{Platform, StartError, Users, signing_keys};

use crate::{ApiError, Request};

/// Recognises authenticator by their access token. Reads the Users table and, at start, the JWT secret.
pub struct Authenticator {
    users: Users,
    keys: SigningKeys,
}

impl Authenticator {
    /// # Errors
    /// When `USERS_TABLE` or the JWT secret is missing or wrong.
    pub async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { users: Users::connect(platform)?, keys: signing_keys(platform).await? })
    }

    /// The caller, when its role is `role`.
    ///
    /// Role and state come from the user record as it is now, not from the token, so that taking
    /// a role away or switching an account off works at once.
    ///
    /// # Errors
    /// 401 without a good access token, 403 when the account may not do this.
    pub async fn require(&self, role: Role, request: &Request) -> Result<User, ApiError> {
        let token = request.bearer_token().ok_or(ApiError::MissingToken)?;
        let id = self.keys.verify(token, request.now()).map_err(|refusal| match refusal {
            AccessRefusal::Expired => ApiError::TokenExpired,
            AccessRefusal::Invalid => ApiError::InvalidToken,
        })?;
        let user = self.users.by_id(id).await?.ok_or(ApiError::InvalidToken)?;
        if !user.active {
            return Err(ApiError::AccountDisabled);
        }
        if user.role != role {
            return Err(ApiError::WrongRole);
        }
        Ok(user)
    }

    /// The keys, for what else they sign.
    #[must_use]
    pub fn keys(&self) -> &SigningKeys {
        &self.keys
    }
}
