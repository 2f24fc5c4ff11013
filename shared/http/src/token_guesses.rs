//! Limits how many wrong tokens a source may present.

use share_contract::ErrorCode;
use share_model::limits::TOKENS_FROM_SOURCE;
use share_store::{Limits, Platform, StartError};

use crate::{ApiError, Request, limit_source};

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
        if error.code().status() == 404 {
            let code = ErrorCode::TooManyGuesses;
            limit_source(&self.limits, &TOKENS_FROM_SOURCE, code, request).await?;
        }
        Err(error)
    }
}
