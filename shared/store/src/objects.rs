//! The bucket: the files' bytes, each under its file's id.

use std::error::Error;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumMode;
use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;
use share_contract::settings::FILES_BUCKET;
use share_model::{ByteRange, ContentDigest, FileRecord, attachment};

use crate::transaction::Backoff;
use crate::{Platform, StartError, StoreError};

/// The bucket.
pub struct Objects {
    client: Client,
    bucket: String,
}

impl Objects {
    /// How long a presigned URL can be used.
    pub const PRESIGNED_SECONDS: u64 = 60;

    /// # Errors
    /// When `FILES_BUCKET` is not set.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        let bucket = FILES_BUCKET.read(platform.environment())?;
        Ok(Self { client: platform.s3(), bucket })
    }

    /// Stores the bytes of a new file. S3 compares them with the digest before it says yes, and
    /// never puts them in the place of others.
    ///
    /// # Errors
    /// When S3 does not answer, received other bytes, or has others for this file.
    pub async fn put(&self, file: &FileRecord, bytes: Bytes) -> Result<(), StoreError> {
        let mut backoff = Backoff::new("store an object");
        loop {
            let request = self
                .client
                .put_object()
                .bucket(&self.bucket)
                .key(file.id.to_string())
                .content_type(&file.content_type)
                .content_disposition(attachment(&file.filename))
                .checksum_sha256(file.sha256.base64())
                .if_none_match("*")
                .body(bytes.clone().into());
            let Err(error) = request.send().await else { return Ok(()) };
            // The SDK repeats a request whose answer was lost. Then it meets the object that it has
            // put itself, or that it is still putting.
            match error.code() {
                Some("PreconditionFailed") => return self.expect_stored(file).await,
                Some("ConditionalRequestConflict") => backoff.wait().await?,
                _ => return Err(StoreError::during("store an object")(error)),
            }
        }
    }

    /// That S3 has just the bytes of this file.
    async fn expect_stored(&self, file: &FileRecord) -> Result<(), StoreError> {
        let head = self.client.head_object().bucket(&self.bucket).key(file.id.to_string());
        let head = head.checksum_mode(ChecksumMode::Enabled).send().await;
        let object = head.map_err(StoreError::during("look at an object"))?;
        if object.checksum_sha256 != Some(file.sha256.base64()) {
            return Err(StoreError::because(
                "store an object",
                "there is another one in its place",
            ));
        }
        Ok(())
    }

    /// Opens a file's bytes, or a part of them, to be read while they are sent; `None` when they
    /// are not there.
    ///
    /// # Errors
    /// When S3 does not answer, or has an object of another length.
    pub async fn open(
        &self,
        file: &FileRecord,
        part: Option<ByteRange>,
    ) -> Result<Option<impl Body<Data = Bytes, Error = StoreError> + Send + 'static>, StoreError>
    {
        let broken = |error: Box<dyn Error + Send + Sync>| {
            StoreError::because("read an object", error.to_string())
        };
        let object = self.get(file, part).await?;
        Ok(object.map(|object| object.into_inner().map_err(broken)))
    }

    async fn get(
        &self,
        file: &FileRecord,
        part: Option<ByteRange>,
    ) -> Result<Option<ByteStream>, StoreError> {
        let request = self.client.get_object().bucket(&self.bucket).key(file.id.to_string());
        let request = request.set_range(part.map(|part| format!("bytes={part}")));
        match request.send().await {
            Ok(object) => {
                let expected = part.map(|part| format!("bytes {part}/{}", file.size));
                if object.content_range != expected {
                    return Err(StoreError::because("open an object", "it gives another part"));
                }
                expect_length(part.map_or(file.size, ByteRange::length), object.content_length)?;
                Ok(Some(object.body))
            }
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                Ok(None)
            }
            Err(error) => Err(StoreError::during("open an object")(error)),
        }
    }

    /// All bytes of a file, which are those of its digest; `None` when they are not there. For files
    /// of which the memory holds one.
    ///
    /// # Errors
    /// When S3 does not answer, breaks off, or has other bytes.
    pub async fn read(&self, file: &FileRecord) -> Result<Option<Bytes>, StoreError> {
        let Some(mut body) = self.get(file, None).await? else { return Ok(None) };
        let mut bytes = BytesMut::with_capacity(usize::try_from(file.size).unwrap_or_default());
        while let Some(piece) = body.next().await {
            bytes.extend_from_slice(&piece.map_err(StoreError::during("read an object"))?);
        }
        if ContentDigest::of(&bytes) != file.sha256 {
            let other = "its digest is not that of the record";
            return Err(StoreError::because("read an object", other));
        }
        Ok(Some(bytes.freeze()))
    }

    /// A URL at which S3 gives the file's bytes to anyone, for a minute; `None` when they are not
    /// there. Bound to the file's type and to being saved, not shown.
    ///
    /// # Errors
    /// When S3 does not answer, or has an object of another length.
    pub async fn presign(&self, file: &FileRecord) -> Result<Option<String>, StoreError> {
        let head = self.client.head_object().bucket(&self.bucket).key(file.id.to_string());
        match head.send().await {
            Ok(object) => expect_length(file.size, object.content_length)?,
            Err(error) if error.as_service_error().is_some_and(HeadObjectError::is_not_found) => {
                return Ok(None);
            }
            Err(error) => return Err(StoreError::during("look at an object")(error)),
        }
        Ok(Some(self.sign(file).await?))
    }

    /// The scheme, host and port of the URL that [`Self::presign`] gives. Asks nobody.
    ///
    /// # Errors
    /// When there are no credentials.
    pub async fn origin(&self, file: &FileRecord) -> Result<String, StoreError> {
        let url = self.sign(file).await?;
        let end = url.match_indices('/').nth(2).map_or(url.len(), |(end, _)| end);
        Ok(url.get(..end).unwrap_or_default().to_owned())
    }

    async fn sign(&self, file: &FileRecord) -> Result<String, StoreError> {
        let lifetime = PresigningConfig::expires_in(Duration::from_secs(Self::PRESIGNED_SECONDS));
        let request = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(file.id.to_string())
            .response_content_disposition(attachment(&file.filename))
            .response_content_type(&file.content_type)
            // As every answer with a file's bytes. A browser that has it in its cache would ask S3
            // whether it has changed, and keep bytes that it should not.
            .response_cache_control("no-store")
            .presigned(lifetime.map_err(StoreError::during("presign an object"))?)
            .await
            .map_err(StoreError::during("presign an object"))?;
        Ok(request.uri().to_owned())
    }
}

fn expect_length(expected: u64, length: Option<i64>) -> Result<(), StoreError> {
    if length.and_then(|length| u64::try_from(length).ok()) == Some(expected) {
        return Ok(());
    }
    Err(StoreError::because("open an object", "its length is not that of the record"))
}
