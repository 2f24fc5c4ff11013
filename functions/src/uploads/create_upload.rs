//! `upload_create`: the beginning of an upload in parts.

use serde::Serialize;
use share_contract::settings::{ALLOWED_FILE_TYPES, MAX_FILE_BYTES};
use share_contract::{ErrorCode, Operation, UploadCreated, operations};
use share_http::{
    Answer, ApiError, Authenticator, Endpoint, FileTerms, FileTermsReader, Request, keyed, limit,
    log_failure,
};
use share_model::limits::UPLOADS;
use share_model::{
    AllowedFileTypes, ContentDigest, File, FileName, Invalid, Upload, file_protocol,
};
use share_store::{Created, FileChanges, Limits, Objects, Platform, StartError};

use crate::created_file::{CreatedFile, earlier};

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
#[derive(Serialize)]
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
        let input = self.input(request)?; // 400, 415, 422
        let keyed = keyed(request, ops.id, &input)?; // 400
        let Input { filename, size, sha256, terms } = input;
        if !self.allowed.allow(&filename) {
            let extensions = self.allowed.names();
            let values = [("extensions", extensions.as_str())];
            return Err(ApiError::with(ErrorCode::FileTypeNotAllowed, &values)); // 415
        }
        let earlier = earlier(&self.changes, keyed.as_ref(), request).await?; // 410, 422, 503
        if let Some(file) = earlier {
            return Ok(Answer::created(created(&file, size)));
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
        let (id, s3_upload) = (new.id, upload.s3_upload.clone());
        let file = file_protocol::announce(new, Some(size), upload, &ops);
        let actor = request.actor(ops.id);
        let new = self.changes.create(&file, keyed.as_ref(), actor).await?; // 503
        if !matches!(new, Created::Now)
            && let Err(error) = self.objects.abort_upload(id, &s3_upload).await
        {
            log_failure(request.id(), &error);
        }
        let (CreatedFile::New(file) | CreatedFile::Earlier(file)) = CreatedFile::of(new, file)?; // 409, 410, 422
        Ok(Answer::created(created(&file, size)))
    }
}

/// The upload as it began, whatever has become of it since.
fn created(file: &File, size: u64) -> UploadCreated {
    let part_size = file_protocol::part_size(size);
    UploadCreated {
        upload_id: file.id,
        part_size,
        parts: file_protocol::parts(size, part_size),
        expires_at: file.id.born_at() + file_protocol::UPLOAD_LIFETIME,
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
