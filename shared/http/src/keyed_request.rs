//! The header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07), with which a client
//! repeats a request whose answer it has not got.

use http::HeaderName;
use serde::Serialize;
use share_contract::ErrorCode;
use share_model::{KeyedRequest, UserId};

use crate::{ApiError, Request};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// The most bytes that a key has.
const LONGEST: usize = 255;

/// The request as one that `account` may repeat, when it has a key. `input` is all that it says.
///
/// The digest of `input` is kept for a day, and may be compared by a later version: a field that is
/// added to it must be left out of its JSON when nothing is said of it.
///
/// A key is taken as it comes. The draft puts it between quotation marks, which are part of it here;
/// many clients leave them out.
///
/// # Errors
/// 400 when the header is there and holds no key.
pub fn keyed(
    request: &Request,
    account: UserId,
    input: &impl Serialize,
) -> Result<Option<KeyedRequest>, ApiError> {
    if !request.has_header(&HEADER) {
        return Ok(None);
    }
    let key = request.header(HEADER).unwrap_or_default();
    let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    if !visible || !(1..=LONGEST).contains(&key.len()) {
        let reason = "must be 1 to 255 visible characters of ASCII";
        let values = [("header", "Idempotency-Key"), ("reason", reason)];
        return Err(ApiError::with(ErrorCode::InvalidHeader, &values));
    }
    let content = serde_json::to_vec(&(request.operation().name, input));
    let content = content.map_err(|error| ApiError::unavailable(error.to_string()))?;
    Ok(Some(KeyedRequest::new(account, key, &content)))
}
