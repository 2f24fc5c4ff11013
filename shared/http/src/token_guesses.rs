//! Limits how many wrong tokens a source may present.

use share_contract::ErrorCode;
use share_model::limits::TOKENS_FROM_SOURCE;
use share_store::{Limits, Platform, StartError};

use crate::{ApiError, Request};

/// Counts the tokens that are unknown. Writes to the Limits table, and only then.
pub struct TokenGuesses {
    limits: Limits,
}

impl TokenGuesses {
    /// # Errors
    /// When `LIMITS_TABLE` is not set.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { limits: Limits::connect(platform)? })
    }

    /// What was found of a token, once it is counted when there is no such token. A token that is
    /// known is never refused for those that were not.
    ///
    /// # Errors
    /// Why the token is refused; 429 in place of 404 after too many unknown ones, 503.
    pub async fn counted<T>(
        &self,
        found: Result<T, impl Into<ApiError>>,
        request: &Request,
    ) -> Result<T, ApiError> {
        let error = match found {
            Ok(found) => return Ok(found),
            Err(error) => error.into(),
        };
        if let (404, Some(source)) = (error.code().status(), request.source()) {
            let taken =
                self.limits.take(&TOKENS_FROM_SOURCE, source.as_str(), request.now()).await?;
            taken.map_err(ApiError::limited(ErrorCode::TooManyGuesses))?;
        }
        Err(error)
    }
}
