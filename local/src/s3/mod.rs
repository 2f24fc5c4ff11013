//! S3 on a folder, for `cargo run` and the tests.
//!
//! `s3s` speaks S3's protocol and checks signatures. `s3s-fs` keeps objects as files, but takes
//! wrong bytes, wrong entity tags and wrong part lists where S3 refuses them. So this module
//! answers everything that this system asks of S3 by itself, as the S3 API reference has it, and
//! leaves the listing of a bucket to `s3s-fs`. What nothing here uses is refused with
//! `NotImplemented`.
//!
//! When an object was created or deleted, that is told as S3 tells EventBridge. Such an event is
//! lost when the process is killed before it was delivered; schedules find what is left to do.

mod body;
mod checksum;
mod cors;
mod folder;
mod malware_scan;
mod notifications;
mod tags;
mod uploads;

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use http::StatusCode;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumMode,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, DeleteObjectInput, DeleteObjectOutput, DeleteObjectTaggingInput,
    DeleteObjectTaggingOutput, ETag, ETagCondition, GetObjectInput, GetObjectOutput,
    GetObjectTaggingInput, GetObjectTaggingOutput, HeadBucketInput, HeadBucketOutput,
    HeadObjectInput, HeadObjectOutput, ListObjectsV2Input, ListObjectsV2Output, ListPartsInput,
    ListPartsOutput, PutObjectInput, PutObjectOutput, PutObjectTaggingInput,
    PutObjectTaggingOutput, StreamingBlob, Timestamp, UploadPartInput, UploadPartOutput,
};
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;

use crate::event_bus::EventBus;

use self::body::{Incoming, pieces};
use self::checksum::{Algorithm, claim, put_checksum, take_checksums};
pub(crate) use self::cors::{Cors, CorsRule};
use self::folder::{About, Folder, Headers, Object};
pub(crate) use self::malware_scan::MalwareScanner;
use self::notifications::Reason;
use self::tags::Tags;

/// The objects of all buckets in a folder.
pub(crate) struct Objects {
    folder: Arc<Folder>,
    listing: FileSystem,
}

impl Objects {
    /// Opens a folder, which has a folder for each bucket. Changes of objects are told to `events`.
    pub(crate) fn open(root: &Path, events: Option<EventBus>) -> anyhow::Result<Self> {
        let folder = Folder::open(root, events);
        let folder = folder.with_context(|| format!("cannot use {}", root.display()))?;
        let listing = FileSystem::new(root).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        Ok(Self { folder: Arc::new(folder), listing })
    }

    /// Who looks for malware in the objects.
    pub(crate) fn malware_scanner(&self) -> MalwareScanner {
        MalwareScanner::new(Arc::clone(&self.folder))
    }
}

#[async_trait]
impl S3 for Objects {
    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.listing.head_bucket(request).await
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.listing.list_objects_v2(request).await
    }

    async fn put_object(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let mut input = request.input;
        refuse(&[
            ("If-Match", input.if_match.is_some()),
            ("Expires", input.expires.is_some()),
            ("x-amz-website-redirect-location", input.website_redirect_location.is_some()),
            ("x-amz-write-offset-bytes", input.write_offset_bytes.is_some()),
        ])?;
        let only_new = only_new(input.if_none_match.as_ref())?;
        self.folder.path(&input.bucket, &input.key)?;
        let tags = Tags::of_header(input.tagging.as_deref())?;
        let incoming = Incoming {
            claim: claim(take_checksums!(input), &request.headers)?,
            body: input.body,
            length: input.content_length,
            md5: input.content_md5,
            otherwise: Some(Algorithm::Crc64Nvme),
            trailers: request.trailing_headers,
        };
        let received = incoming.receive(&self.folder.unfinished()).await?;
        let about = About {
            e_tag: hex(&received.md5),
            checksum: received.checksum,
            headers: Headers {
                cache_control: input.cache_control,
                content_disposition: input.content_disposition,
                content_encoding: input.content_encoding,
                content_language: input.content_language,
                content_type: input.content_type,
                metadata: input.metadata,
            },
            tags,
            parts: None,
        };
        let place = (input.bucket.as_str(), input.key.as_str());
        let change = self.folder.change();
        change.publish(received.file, &about, place, only_new, Reason::PutObject)?;
        drop(change);
        let mut output = PutObjectOutput {
            checksum_type: about.checksum_type(),
            e_tag: Some(ETag::Strong(about.e_tag)),
            ..PutObjectOutput::default()
        };
        put_checksum!(output, about.checksum);
        Ok(S3Response::new(output))
    }

    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        refuse(&[
            ("If-None-Match", input.if_none_match.is_some()),
            ("If-Modified-Since", input.if_modified_since.is_some()),
            ("If-Unmodified-Since", input.if_unmodified_since.is_some()),
            ("partNumber", input.part_number.is_some()),
            ("versionId", input.version_id.is_some()),
            ("response-expires", input.response_expires.is_some()),
        ])?;
        let object = self.folder.find(&input.bucket, &input.key)?;
        let Object { file, size, modified, about } = object;
        about.check_match(input.if_match.as_ref())?;
        let part = input.range.map(|range| range.check(size)).transpose()?;
        let whole = part.is_none();
        let content_range =
            part.as_ref().map(|part| format!("bytes {}-{}/{size}", part.start, part.end - 1));
        let part = part.unwrap_or(0..size);
        let length = part.end - part.start;
        let checksum_type = about.checksum_type();
        let Headers { metadata, .. } = about.headers;
        let mut output = GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            body: Some(StreamingBlob::wrap(pieces(file, part.start, length))),
            cache_control: input.response_cache_control.or(about.headers.cache_control),
            content_disposition: input
                .response_content_disposition
                .or(about.headers.content_disposition),
            content_encoding: input.response_content_encoding.or(about.headers.content_encoding),
            content_language: input.response_content_language.or(about.headers.content_language),
            content_length: i64::try_from(length).ok(),
            content_range,
            content_type: input.response_content_type.or(about.headers.content_type),
            e_tag: Some(ETag::Strong(about.e_tag)),
            last_modified: modified.map(Timestamp::from),
            metadata,
            tag_count: about.tags.count(),
            ..GetObjectOutput::default()
        };
        // It is the checksum of the whole.
        if whole && is_enabled(input.checksum_mode.as_ref()) {
            output.checksum_type = checksum_type;
            put_checksum!(output, about.checksum);
        }
        Ok(S3Response::new(output))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        refuse(&[
            ("If-None-Match", input.if_none_match.is_some()),
            ("If-Modified-Since", input.if_modified_since.is_some()),
            ("If-Unmodified-Since", input.if_unmodified_since.is_some()),
            ("partNumber", input.part_number.is_some()),
            ("Range", input.range.is_some()),
            ("versionId", input.version_id.is_some()),
        ])?;
        let Object { size, modified, about, .. } = self.folder.find(&input.bucket, &input.key)?;
        about.check_match(input.if_match.as_ref())?;
        let checksum_type = about.checksum_type();
        let mut output = HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: about.headers.cache_control,
            content_disposition: about.headers.content_disposition,
            content_encoding: about.headers.content_encoding,
            content_language: about.headers.content_language,
            content_length: i64::try_from(size).ok(),
            content_type: about.headers.content_type,
            e_tag: Some(ETag::Strong(about.e_tag)),
            last_modified: modified.map(Timestamp::from),
            metadata: about.headers.metadata,
            ..HeadObjectOutput::default()
        };
        if is_enabled(input.checksum_mode.as_ref()) {
            output.checksum_type = checksum_type;
            put_checksum!(output, about.checksum);
        }
        Ok(S3Response::new(output))
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = request.input;
        refuse(&[
            ("If-Match", input.if_match.is_some()),
            ("versionId", input.version_id.is_some()),
        ])?;
        self.folder.change().delete(&input.bucket, &input.key)?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn put_object_tagging(
        &self,
        request: S3Request<PutObjectTaggingInput>,
    ) -> S3Result<S3Response<PutObjectTaggingOutput>> {
        let input = request.input;
        let tags = Tags::of_set(input.tagging.tag_set)?;
        self.folder.change().tag(&input.bucket, &input.key, |_| Ok(tags))?;
        Ok(S3Response::new(PutObjectTaggingOutput::default()))
    }

    async fn get_object_tagging(
        &self,
        request: S3Request<GetObjectTaggingInput>,
    ) -> S3Result<S3Response<GetObjectTaggingOutput>> {
        let object = self.folder.find(&request.input.bucket, &request.input.key)?;
        let tag_set = object.about.tags.set();
        Ok(S3Response::new(GetObjectTaggingOutput { tag_set, version_id: None }))
    }

    async fn delete_object_tagging(
        &self,
        request: S3Request<DeleteObjectTaggingInput>,
    ) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
        let input = request.input;
        self.folder.change().tag(&input.bucket, &input.key, |_| Ok(Tags::default()))?;
        Ok(S3Response::new(DeleteObjectTaggingOutput::default()))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        uploads::create(&self.folder, request).map(S3Response::new)
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        uploads::put_part(&self.folder, request).await.map(S3Response::new)
    }

    async fn list_parts(
        &self,
        request: S3Request<ListPartsInput>,
    ) -> S3Result<S3Response<ListPartsOutput>> {
        uploads::list_parts(&self.folder, request.input).map(S3Response::new)
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        uploads::complete(&self.folder, request).map(S3Response::new)
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        uploads::abort(&self.folder, &request.input)?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}

impl About {
    /// The kind of the checksum. Only that of parts' checksums has a hyphen.
    fn checksum_type(&self) -> Option<s3s::dto::ChecksumType> {
        self.checksum.as_ref().map(|checksum| uploads::kind_of(!checksum.value.contains('-')))
    }

    /// `If-Match` of a request that reads.
    fn check_match(&self, condition: Option<&ETagCondition>) -> S3Result<()> {
        match condition.and_then(ETagCondition::as_etag) {
            Some(wanted) if wanted.as_strong() != Some(&self.e_tag) => {
                Err(s3_error!(PreconditionFailed))
            }
            _ => Ok(()),
        }
    }
}

fn is_enabled(mode: Option<&ChecksumMode>) -> bool {
    mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED)
}

/// `If-None-Match` of a request that writes. S3 knows only the star.
fn only_new(condition: Option<&ETagCondition>) -> S3Result<bool> {
    match condition {
        None => Ok(false),
        Some(ETagCondition::Any) => Ok(true),
        Some(ETagCondition::ETag(_)) => Err(s3_error!(
            NotImplemented,
            "A header you provided implies functionality that is not implemented."
        )),
    }
}

/// Refuses what would otherwise be overlooked.
fn refuse(given: &[(&str, bool)]) -> S3Result<()> {
    match given.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((name, _)) => Err(s3_error!(NotImplemented, "{name} is not implemented here.")),
    }
}

/// An error that s3s has no name for.
fn bad_request(code: &'static str, text: &'static str) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), text);
    error.set_status_code(StatusCode::BAD_REQUEST);
    error
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
