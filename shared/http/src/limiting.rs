//! Refuses what is done too often.

use share_contract::ErrorCode;
use share_model::limits::Limit;
use share_store::{Limits, Taken};

use crate::{ApiError, Request};

/// Counts what `whom` does with this request, as [`Limits::take`] does.
///
/// # Errors
/// 429 of this code when it is too often, 503.
pub async fn limit(
    limits: &Limits,
    limit: &Limit,
    whom: &str,
    code: ErrorCode,
    request: &Request,
) -> Result<Taken, ApiError> {
    limits.take(limit, whom, request.now()).await?.map_err(ApiError::limited(code))
}

/// The same for the source of the request. What comes from this machine has none, and is not counted.
///
/// # Errors
/// 429 of this code when it is too often, 503.
pub async fn limit_source(
    limits: &Limits,
    of_source: &Limit,
    code: ErrorCode,
    request: &Request,
) -> Result<(), ApiError> {
    let Some(source) = request.source() else { return Ok(()) };
    limit(limits, of_source, source.as_str(), code, request).await.map(drop)
}
