//! The bucket: the files' bytes, each under its file's id.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart, Part,
    Tag, Tagging,
};
use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;
use share_contract::settings::FILES_BUCKET;
use share_model::{ByteRange, ContentDigest, FileId, FileRecord, attachment};

use crate::transaction::Backoff;
use crate::{Platform, StartError, StoreError};

/// The tag of an object that has not become a file yet, as in the bucket's lifecycle rule.
const UNFINISHED: &str = "unfinished=yes";

/// A part of an upload, as S3 has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadedPart {
    /// Its number, from 1.
    pub number: u32,
    /// Its bytes.
    pub size: u64,
    /// Their digest.
    pub sha256: ContentDigest,
    e_tag: String,
}

/// The request that brings a part, and no other bytes.
#[derive(Debug, Clone)]
pub struct SignedPart {
    /// Where to PUT it.
    pub url: String,
    /// The headers that the request must have besides `Content-Length`.
    pub headers: BTreeMap<String, String>,
}

/// The bucket.
#[derive(Clone)]
pub struct Objects {
    client: Client,
    bucket: String,
    /// For what takes S3 longer than usual.
    slow: aws_sdk_s3::config::Builder,
}

impl Objects {
    /// How long a presigned URL can be used.
    pub const PRESIGNED_SECONDS: u64 = 60;

    /// # Errors
    /// When `FILES_BUCKET` is not set.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        let bucket = FILES_BUCKET.read(platform.environment())?;
        // S3 can take minutes to assemble many parts, and keeps at it when nobody waits any more.
        let timeouts = TimeoutConfig::builder()
            .read_timeout(Duration::from_secs(20))
            .operation_timeout(Duration::from_secs(20))
            .build();
        let slow = aws_sdk_s3::Config::builder().timeout_config(timeouts);
        Ok(Self { client: platform.s3(), bucket, slow })
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
                .tagging(UNFINISHED)
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
    /// there. Bound to the file's type, to being saved and not shown, and to the id of the request
    /// that gets it.
    ///
    /// # Errors
    /// When S3 does not answer, or has an object of another length.
    pub async fn presign(
        &self,
        file: &FileRecord,
        request_id: &str,
    ) -> Result<Option<String>, StoreError> {
        let head = self.client.head_object().bucket(&self.bucket).key(file.id.to_string());
        match head.send().await {
            Ok(object) => expect_length(file.size, object.content_length)?,
            Err(error) if error.as_service_error().is_some_and(HeadObjectError::is_not_found) => {
                return Ok(None);
            }
            Err(error) => return Err(StoreError::during("look at an object")(error)),
        }
        Ok(Some(self.sign(file, request_id).await?))
    }

    /// The scheme, host and port of the URLs that [`Self::presign`] and [`Self::sign_part`] give. Asks
    /// nobody.
    ///
    /// # Errors
    /// When there are no credentials.
    pub async fn origin(&self) -> Result<String, StoreError> {
        let failed = "sign a request";
        let lifetime = PresigningConfig::expires_in(Duration::from_secs(Self::PRESIGNED_SECONDS));
        let request = self.client.get_object().bucket(&self.bucket).key("any");
        let request = request
            .presigned(lifetime.map_err(StoreError::during(failed))?)
            .await
            .map_err(StoreError::during(failed))?;
        let url = request.uri();
        let end = url.match_indices('/').nth(2).map_or(url.len(), |(end, _)| end);
        Ok(url.get(..end).unwrap_or_default().to_owned())
    }

    async fn sign(&self, file: &FileRecord, request_id: &str) -> Result<String, StoreError> {
        let request_id = request_id.to_owned();
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
            .customize()
            // S3 ignores a parameter that begins with x-, and its access log shows it. So what S3
            // has sent can be found for each receipt, which has the same id.
            .map_request(move |mut request| {
                let uri = format!("{}&x-request-id={request_id}", request.uri());
                request.set_uri(uri).map(|()| request)
            })
            .presigned(lifetime.map_err(StoreError::during("presign an object"))?)
            .await
            .map_err(StoreError::during("presign an object"))?;
        Ok(request.uri().to_owned())
    }
}

impl Objects {
    /// How long the address of a part can be used: 15 minutes. It ends with the credentials that
    /// signed it, too.
    pub const PART_SECONDS: u64 = 900;

    /// Begins an upload in parts, each of which S3 compares with its SHA-256, and gives S3's id of
    /// it.
    ///
    /// # Errors
    /// When S3 does not answer.
    pub async fn begin_upload(&self, file: FileId) -> Result<String, StoreError> {
        let failed = "begin an upload";
        let request = self.client.create_multipart_upload().bucket(&self.bucket);
        let answer = request
            .key(file.to_string())
            .content_type("application/octet-stream")
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .checksum_type(ChecksumType::Composite)
            .tagging(UNFINISHED)
            .send()
            .await
            .map_err(StoreError::during(failed))?;
        answer.upload_id.ok_or_else(|| StoreError::because(failed, "S3 gives it no id"))
    }

    /// The request with which anyone can bring this part: bound to its number, length and SHA-256.
    /// Asks nobody.
    ///
    /// # Errors
    /// When there are no credentials.
    pub async fn sign_part(
        &self,
        file: FileId,
        s3_upload: &str,
        number: u32,
        length: u64,
        sha256: ContentDigest,
    ) -> Result<SignedPart, StoreError> {
        let failed = "sign a part";
        let lifetime = PresigningConfig::expires_in(Duration::from_secs(Self::PART_SECONDS));
        let request = self
            .client
            .upload_part()
            .bucket(&self.bucket)
            .key(file.to_string())
            .upload_id(s3_upload)
            .part_number(i32::try_from(number).map_err(StoreError::during(failed))?)
            .content_length(i64::try_from(length).map_err(StoreError::during(failed))?)
            .checksum_sha256(sha256.base64())
            .presigned(lifetime.map_err(StoreError::during(failed))?)
            .await
            .map_err(StoreError::during(failed))?;
        let headers = request.headers().filter(|(name, _)| *name != "content-length");
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(SignedPart { url: request.uri().to_owned(), headers })
    }

    /// Sends a part.
    ///
    /// # Errors
    /// When S3 does not answer, or received other bytes.
    pub async fn send_part(
        &self,
        file: FileId,
        s3_upload: &str,
        number: u32,
        bytes: Bytes,
    ) -> Result<(), StoreError> {
        let failed = "send a part";
        let sha256 = ContentDigest::of(&bytes);
        let request = self
            .client
            .upload_part()
            .bucket(&self.bucket)
            .key(file.to_string())
            .upload_id(s3_upload)
            .part_number(i32::try_from(number).map_err(StoreError::during(failed))?)
            .checksum_sha256(sha256.base64())
            .body(bytes.into())
            .customize()
            .config_override(self.slow.clone());
        request.send().await.map(drop).map_err(StoreError::during(failed))
    }

    /// The parts that S3 has, by number; `None` when there is no such upload any more.
    ///
    /// # Errors
    /// When S3 does not answer.
    pub async fn parts(
        &self,
        file: FileId,
        s3_upload: &str,
    ) -> Result<Option<Vec<UploadedPart>>, StoreError> {
        let failed = "list parts";
        let request = self.client.list_parts().bucket(&self.bucket).key(file.to_string());
        let mut pages = request.upload_id(s3_upload).into_paginator().send();
        let mut parts = Vec::new();
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => parts.extend(page.parts.unwrap_or_default()),
                Err(error) if error.code() == Some("NoSuchUpload") => return Ok(None),
                Err(error) => return Err(StoreError::during(failed)(error)),
            }
        }
        let part = |part: Part| {
            Some(UploadedPart {
                number: part.part_number?.try_into().ok()?,
                size: part.size?.try_into().ok()?,
                sha256: ContentDigest::parse_base64(part.checksum_sha256.as_deref()?).ok()?,
                e_tag: part.e_tag?,
            })
        };
        let parts = parts.into_iter().map(part).collect::<Option<Vec<_>>>();
        parts.map(Some).ok_or_else(|| StoreError::because(failed, "a part has no checksum"))
    }

    /// Makes the object of the parts that S3 has, unless it is there already. Answers whether it is
    /// there afterwards; it is not when the upload has been aborted.
    ///
    /// # Errors
    /// When S3 does not answer, or takes too long. The same again finds out what became of it.
    pub async fn assemble(&self, file: FileId, s3_upload: &str) -> Result<bool, StoreError> {
        let mut backoff = Backoff::new("complete an upload");
        loop {
            let Some(parts) = self.parts(file, s3_upload).await? else {
                return Ok(self.length(file).await?.is_some());
            };
            let completed = parts.iter().map(|part| {
                CompletedPart::builder()
                    .part_number(i32::try_from(part.number).unwrap_or(i32::MAX))
                    .e_tag(&part.e_tag)
                    .checksum_sha256(part.sha256.base64())
                    .build()
            });
            let completed = completed.collect();
            let request = self
                .client
                .complete_multipart_upload()
                .bucket(&self.bucket)
                .key(file.to_string())
                .upload_id(s3_upload)
                .if_none_match("*")
                .multipart_upload(
                    CompletedMultipartUpload::builder().set_parts(Some(completed)).build(),
                )
                .customize()
                .config_override(self.slow.clone());
            let Err(error) = request.send().await else { return Ok(true) };
            match error.code() {
                // Completed before, its answer lost; or a part has been sent once more meanwhile.
                Some("NoSuchUpload" | "InvalidPart" | "ConditionalRequestConflict") => {
                    backoff.wait().await?;
                }
                Some("PreconditionFailed") => return Ok(true),
                _ => return Err(StoreError::during("complete an upload")(error)),
            }
        }
    }

    /// Bytes of the file's object; `None` when there is none.
    ///
    /// # Errors
    /// When S3 does not answer.
    pub async fn length(&self, file: FileId) -> Result<Option<u64>, StoreError> {
        let head = self.client.head_object().bucket(&self.bucket).key(file.to_string());
        match head.send().await {
            Ok(object) => {
                let length = object.content_length.and_then(|length| u64::try_from(length).ok());
                let nameless = || StoreError::because("look at an object", "it has no length");
                length.map(Some).ok_or_else(nameless)
            }
            Err(error) if error.as_service_error().is_some_and(HeadObjectError::is_not_found) => {
                Ok(None)
            }
            Err(error) => Err(StoreError::during("look at an object")(error)),
        }
    }

    /// Opens the bytes of a file that is not available yet, from this one on.
    ///
    /// # Errors
    /// When S3 does not answer, or has no such bytes.
    pub async fn open_from(&self, file: FileId, first: u64) -> Result<ByteStream, StoreError> {
        let request = self.client.get_object().bucket(&self.bucket).key(file.to_string());
        let object = request.range(format!("bytes={first}-")).send().await;
        Ok(object.map_err(StoreError::during("open an object"))?.body)
    }

    /// These bytes of a file that is not available yet.
    ///
    /// # Errors
    /// When S3 does not answer, or has no such bytes.
    pub async fn read_part(&self, file: FileId, part: ByteRange) -> Result<Bytes, StoreError> {
        let request = self.client.get_object().bucket(&self.bucket).key(file.to_string());
        let object = request.range(format!("bytes={part}")).send().await;
        let body = object.map_err(StoreError::during("open an object"))?.body;
        let bytes =
            body.collect().await.map_err(StoreError::during("read an object"))?.into_bytes();
        expect_length(part.length(), i64::try_from(bytes.len()).ok())?;
        Ok(bytes)
    }

    /// Takes the tag off that lets the object expire: it becomes a file. Others stay.
    ///
    /// # Errors
    /// When S3 does not answer.
    pub async fn keep(&self, file: FileId) -> Result<(), StoreError> {
        let tags = self.tags(file).await?;
        let others = tags.into_iter().filter(|tag| tag.key != "unfinished").collect::<Vec<_>>();
        let failed = "keep an object";
        let tagging = Tagging::builder().set_tag_set(Some(others)).build();
        let request = self.client.put_object_tagging().bucket(&self.bucket).key(file.to_string());
        let request = request.tagging(tagging.map_err(StoreError::during(failed))?);
        request.send().await.map(drop).map_err(StoreError::during(failed))
    }

    /// What the malware scan found, when it is done: S3's tag `GuardDutyMalwareScanStatus`.
    ///
    /// # Errors
    /// When S3 does not answer.
    pub async fn scan_status(&self, file: FileId) -> Result<Option<String>, StoreError> {
        let mut tags = self.tags(file).await?.into_iter();
        Ok(tags.find(|tag| tag.key == "GuardDutyMalwareScanStatus").map(|tag| tag.value))
    }

    async fn tags(&self, file: FileId) -> Result<Vec<Tag>, StoreError> {
        let request = self.client.get_object_tagging().bucket(&self.bucket).key(file.to_string());
        let tags = request.send().await;
        Ok(tags.map_err(StoreError::during("read an object's tags"))?.tag_set)
    }

    /// Aborts an upload, with the parts that there are. It may be gone already.
    ///
    /// # Errors
    /// When S3 does not do it.
    pub async fn abort_upload(&self, file: FileId, s3_upload: &str) -> Result<(), StoreError> {
        let request = self.client.abort_multipart_upload().bucket(&self.bucket);
        match request.key(file.to_string()).upload_id(s3_upload).send().await {
            Err(error) if error.code() != Some("NoSuchUpload") => {
                Err(StoreError::during("abort an upload")(error))
            }
            _ => Ok(()),
        }
    }

    /// Removes the object, and the upload if there is one.
    ///
    /// # Errors
    /// When S3 does not answer. The same again removes what is left.
    pub async fn remove(&self, file: FileId, s3_upload: Option<&str>) -> Result<(), StoreError> {
        // First the upload: what is being assembled from it cannot appear afterwards.
        if let Some(upload) = s3_upload {
            self.abort_upload(file, upload).await?;
        }
        let request = self.client.delete_object().bucket(&self.bucket).key(file.to_string());
        request.send().await.map(drop).map_err(StoreError::during("delete an object"))
    }
}

fn expect_length(expected: u64, length: Option<i64>) -> Result<(), StoreError> {
    if length.and_then(|length| u64::try_from(length).ok()) == Some(expected) {
        return Ok(());
    }
    Err(StoreError::because("open an object", "its length is not that of the record"))
}
