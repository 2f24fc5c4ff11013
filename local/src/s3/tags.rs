//! Tags of objects.

use std::collections::BTreeSet;

use s3s::dto::Tag;
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

use super::bad_request;

/// An object's tags: names and values.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Tags(Vec<(String, String)>);

impl Tags {
    /// The tags of a request's body.
    pub(super) fn of_set(set: Vec<Tag>) -> S3Result<Self> {
        let pairs = set.into_iter().map(|Tag { key, value }| Some((key?, value?)));
        let pairs: Option<Vec<_>> = pairs.collect();
        Self::checked(pairs.ok_or_else(|| s3_error!(MalformedXML))?)
    }

    /// The tags of the header `x-amz-tagging`.
    pub(super) fn of_header(header: Option<&str>) -> S3Result<Self> {
        let pairs = serde_urlencoded::from_str(header.unwrap_or_default());
        Self::checked(pairs.map_err(|_| {
            s3_error!(
                InvalidArgument,
                "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query \
                 parameters without tag name duplicates."
            )
        })?)
    }

    /// The limits of the user guide, "Categorizing your objects using tags".
    fn checked(pairs: Vec<(String, String)>) -> S3Result<Self> {
        let length = |text: &str| text.encode_utf16().count();
        if pairs.len() > 10 {
            return Err(bad_request("BadRequest", "Object tags cannot be greater than 10"));
        }
        for (name, value) in &pairs {
            if !(1..=128).contains(&length(name)) {
                return Err(s3_error!(InvalidTag, "The TagKey you have provided is invalid"));
            }
            if length(value) > 256 {
                return Err(s3_error!(InvalidTag, "The TagValue you have provided is invalid"));
            }
        }
        if pairs.iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len() < pairs.len() {
            return Err(s3_error!(InvalidTag, "Cannot provide multiple Tags with the same key"));
        }
        Ok(Self(pairs))
    }

    /// These, with a tag more, or another value of it.
    pub(super) fn with(&self, name: &str, value: &str) -> S3Result<Self> {
        let others = self.0.iter().filter(|(it, _)| it != name).cloned();
        Self::checked(others.chain([(name.to_owned(), value.to_owned())]).collect())
    }

    /// For an answer that shows them.
    pub(super) fn set(self) -> Vec<Tag> {
        let tag = |(key, value)| Tag { key: Some(key), value: Some(value) };
        self.0.into_iter().map(tag).collect()
    }

    /// For an answer that counts them, when there are any.
    pub(super) fn count(&self) -> Option<i32> {
        i32::try_from(self.0.len()).ok().filter(|count| *count > 0)
    }
}
