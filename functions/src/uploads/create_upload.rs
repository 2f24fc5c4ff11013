//! `upload_create`: the beginning of an upload in parts.

use share_contract::settings::{ALLOWED_FILE_TYPES, MAX_FILE_BYTES};
use share_contract::{ErrorCode, Operation, UploadCreated, operations};
use share_http::{
    Answer, ApiError, Authenticator, Endpoint, FileTerms, FileTermsReader, Request, limit,
    log_failure,
};
use share_model::limits::UPLOADS;
use share_model::{AllowedFileTypes, ContentDigest, FileName, Invalid, Upload, file_protocol};
use share_store::{FileChanges, Limits, Objects, Platform, StartError};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct CreateUpload {
    authenticator: Authenticator,
    terms: FileTermsReader,
    changes: FileChanges,
    objects: Objects,
    limits: Limits,
    allowed: AllowedFileTypes,
    max_bytes: u64,
}

/// What the caller says of the file.
struct Input {
    filename: FileName,
    size: u64,
    sha256: Option<ContentDigest>,
    terms: FileTerms,
}

impl Endpoint for CreateUpload {
    const NAME: &'static str = "CreateUpload";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::UPLOAD_CREATE];
    type Json = UploadCreated;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            terms: FileTermsReader::connect(platform)?,
            changes: FileChanges::connect(platform)?,
            objects: Objects::connect(platform)?,
            limits: Limits::connect(platform)?,
            allowed: ALLOWED_FILE_TYPES.read(platform.environment())?,
            max_bytes: MAX_FILE_BYTES.read(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<UploadCreated>, ApiError> {
        let ops = self.authenticator.caller(request).await?; // 401, 403
        let Input { filename, size, sha256, terms } = self.input(request)?; // 400, 415, 422
        if !self.allowed.allow(&filename) {
            let extensions = self.allowed.names();
            let values = [("extensions", extensions.as_str())];
            return Err(ApiError::with(ErrorCode::FileTypeNotAllowed, &values)); // 415
        }
        let new = self.terms.new_file(filename, sha256, terms, request).await?; // 422
        let (account, code) = (ops.id.to_string(), ErrorCode::TooManyUploads);
        limit(&self.limits, &UPLOADS, &account, code, request).await?; // 429, 503
        // An upload in S3 without a record has no parts, and the bucket's rule aborts it.
        let upload = Upload {
            s3_upload: self.objects.begin_upload(new.id).await?, // 503
            part_size: file_protocol::part_size(size),
            ends_at: request.now() + file_protocol::UPLOAD_LIFETIME,
            import: None,
        };
        let created = UploadCreated {
            upload_id: new.id,
            part_size: upload.part_size,
            parts: file_protocol::parts(size, upload.part_size),
            expires_at: upload.ends_at,
        };
        let s3_upload = upload.s3_upload.clone();
        let file = file_protocol::announce(new, Some(size), upload, &ops);
        if !self.changes.create(&file, request.actor(ops.id)).await? {
            if let Err(error) = self.objects.abort_upload(file.id, &s3_upload).await {
                log_failure(request.id(), &error);
            }
            return Err(ErrorCode::QuotaExceeded.into()); // 409
        }
        Ok(Answer::created(created))
    }
}

impl CreateUpload {
    fn input(&self, request: &Request) -> Result<Input, ApiError> {
        let mut fields = request.json()?;
        let filename = fields.required("filename", FileName::parse);
        let size = fields.required_number("size", |size| match u64::try_from(size) {
            Ok(size) if (1..=self.max_bytes).contains(&size) => Ok(size),
            _ => Err(Invalid::because(format!(
                "must be a number of bytes from 1 to {}",
                self.max_bytes
            ))),
        });
        let sha256 = fields.optional("sha256", ContentDigest::parse);
        let terms = FileTerms::read(&mut fields);
        let input =
            || Some(Input { filename: filename?, size: size?, sha256: sha256?, terms: terms? });
        fields.finish(input())
    }
}
