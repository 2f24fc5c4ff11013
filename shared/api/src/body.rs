//! The bytes of an answer, whole or streamed.

use std::error::Error;

use bytes::Bytes;
use http_body::Body as HttpBody;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};

/// Why a streamed body broke off.
pub type BodyError = Box<dyn Error + Send + Sync>;

/// An answer's body. One type for all endpoints, so that each can be buffered or streamed.
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

/// A body of these bytes.
pub(crate) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A body that is read while it is sent.
pub(crate) fn streamed<B>(body: B) -> Body
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BodyError>,
{
    body.map_err(Into::into).boxed_unsync()
}
