//! What is to be imported: the fields of a request, and the record.

use jiff::Timestamp;
use serde::Serialize;
use share_contract::ErrorCode;
use share_contract::settings::{ALLOWED_FILE_TYPES, IMPORT_MAX_BYTES};
use share_fetch::{AllowedHosts, Source};
use share_http::{ApiError, FileTerms, FileTermsReader, Request, keyed, limit};
use share_model::limits::UPLOADS;
use share_model::{
    AllowedFileTypes, ContentDigest, FileName, Import, Invalid, Upload, User, file_protocol,
};
use share_store::{FileChanges, Limits, Objects, Platform, StartError};

use super::allowed_hosts;
use crate::created_file::{CreatedFile, earlier};

/// Takes on what is to be imported. Fetches nothing.
pub struct NewImports {
    terms: FileTermsReader,
    changes: FileChanges,
    objects: Objects,
    limits: Limits,
    allowed_types: AllowedFileTypes,
    allowed_hosts: AllowedHosts,
    max_bytes: u64,
}

/// What the caller says of the file.
#[derive(Serialize)]
pub struct NewImport {
    url: String,
    /// The name that the address gives it.
    address_name: Option<String>,
    filename: Option<FileName>,
    sha256: Option<ContentDigest>,
    terms: FileTerms,
}

impl NewImports {
    /// # Errors
    /// When a setting is missing or wrong.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            terms: FileTermsReader::connect(platform)?,
            changes: FileChanges::connect(platform)?,
            objects: Objects::connect(platform)?,
            limits: Limits::connect(platform)?,
            allowed_types: ALLOWED_FILE_TYPES.read(platform.environment())?,
            allowed_hosts: allowed_hosts(platform)?,
            max_bytes: IMPORT_MAX_BYTES.read(platform.environment())?,
        })
    }

    /// The fields of a JSON body, in which the address is called `url_field`.
    ///
    /// # Errors
    /// 400 and 415 when it is not JSON, 415 when the name has an extension that is not allowed, 422
    /// when a field is wrong, or the address not one from which files may come.
    pub fn read(&self, request: &Request, url_field: &'static str) -> Result<NewImport, ApiError> {
        let mut fields = request.json()?;
        let address = fields.required(url_field, |url| {
            let source = Source::parse(url, &self.allowed_hosts);
            let source = source.map_err(|refusal| Invalid::because(refusal.to_string()))?;
            Ok((url.to_owned(), source.file_name()))
        });
        let filename = fields.optional("filename", FileName::parse);
        let sha256 = fields.optional("sha256", ContentDigest::parse);
        let terms = FileTerms::read(&mut fields);
        let input = || {
            let (url, address_name) = address?;
            let (filename, sha256, terms) = (filename?, sha256?, terms?);
            Some(NewImport { url, address_name, filename, sha256, terms })
        };
        let input = fields.finish(input())?;
        if input.filename.as_ref().is_some_and(|name| !self.allowed_types.allow(name)) {
            let extensions = self.allowed_types.names();
            let values = [("extensions", extensions.as_str())];
            return Err(ApiError::with(ErrorCode::FileTypeNotAllowed, &values));
        }
        Ok(input)
    }

    /// The record of the file, whose import is due for a job at `due_at`; that of an earlier request
    /// when this one repeats it.
    ///
    /// # Errors
    /// 400 when the key of the request is none, 409 when it passes a quota, 410 when the file of an
    /// earlier request is deleted, 422 when a recipient is unknown or the key is that of another
    /// request, 429 after too many uploads, 503.
    pub(crate) async fn create(
        &self,
        input: NewImport,
        due_at: Timestamp,
        ops: &User,
        request: &Request,
    ) -> Result<CreatedFile, ApiError> {
        let keyed = keyed(request, ops.id, &input)?; // 400
        let earlier = earlier(&self.changes, keyed.as_ref(), request).await?; // 410, 422, 503
        if let Some(file) = earlier {
            return Ok(CreatedFile::Earlier(file));
        }
        let NewImport { url, address_name, filename, sha256, terms } = input;
        let unnamed = filename.is_none();
        let nearest = || FileName::nearest(&address_name?);
        let filename = match filename.or_else(nearest) {
            Some(filename) => filename,
            None => FileName::parse("import").map_err(|reason| ApiError::field("url", reason))?,
        };
        let new = self.terms.new_file(filename, sha256, terms, request).await?; // 422
        let (account, code) = (ops.id.to_string(), ErrorCode::TooManyUploads);
        limit(&self.limits, &UPLOADS, &account, code, request).await?; // 429, 503
        // An upload in S3 without a record has no parts, and the bucket's rule aborts it.
        let upload = Upload {
            s3_upload: self.objects.begin_upload(new.id).await?, // 503
            part_size: file_protocol::part_size(self.max_bytes),
            ends_at: request.now() + file_protocol::UPLOAD_LIFETIME,
            import: Some(Import { url, due_at, failures: 0, validator: None, unnamed }),
        };
        let file = file_protocol::announce(new, None, upload, ops);
        let actor = request.actor(ops.id);
        let created = self.changes.create(&file, keyed.as_ref(), actor).await?; // 503
        CreatedFile::of(created, file) // 409, 410, 422
    }
}
