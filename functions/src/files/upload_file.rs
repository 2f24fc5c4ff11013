//! `file_upload`: a file of at most 4 MiB, checked before it is stored.

use std::io::Cursor;

use share_contract::settings::ALLOWED_FILE_TYPES;
use share_contract::{ErrorCode, FileSummary, Operation, operations};
use share_http::{
    Answer, ApiError, Authenticator, Endpoint, FileTerms, FileTermsReader, PublicUrl, Request,
};
use share_model::{
    AllowedFileTypes, AuditAction, Content, ContentDigest, File, FileName, InspectionError,
    Invalid, MAX_UPLOAD_BYTES, Rejection, file_protocol,
};
use share_store::{Applied, FileChanges, FileStep, Objects, Platform, StartError};

use crate::recipient_mails::RecipientMails;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct UploadFile {
    authenticator: Authenticator,
    terms: FileTermsReader,
    changes: FileChanges,
    objects: Objects,
    mails: RecipientMails,
    public_url: PublicUrl,
    allowed: AllowedFileTypes,
}

impl Endpoint for UploadFile {
    const NAME: &'static str = "UploadFile";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::FILE_UPLOAD];
    type Json = FileSummary;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            terms: FileTermsReader::connect(platform)?,
            changes: FileChanges::connect(platform)?,
            objects: Objects::connect(platform)?,
            mails: RecipientMails::connect(platform)?,
            public_url: PublicUrl::read(platform.environment())?,
            allowed: ALLOWED_FILE_TYPES.read(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<FileSummary>, ApiError> {
        let ops = self.authenticator.caller(request).await?; // 401, 403
        let mut upload = request.upload_form().await?; // 400, 415, 422
        let terms = FileTerms::read(&mut upload.fields);
        let terms = upload.fields.finish(terms)?; // 422
        let (filename, media_type) = self.inspect(&upload.filename, &upload.content)?; // 413, 415, 422
        let size = upload.content.len() as u64;
        let sha256 = ContentDigest::of(&upload.content);
        let new = self.terms.new_file(filename, None, terms, request).await?; // 422
        let base = self.public_url.of(request, "")?; // 503
        let actor = request.actor(ops.id);
        // The record first, so that no bytes are there without one; a job removes what a crash
        // leaves.
        let file = file_protocol::receive(new, size, &ops, request.now());
        if !self.changes.create(&file, actor).await? {
            return Err(ErrorCode::QuotaExceeded.into()); // 409
        }
        let content =
            Content { content_type: media_type.to_owned(), sha256, uploaded_at: request.now() };
        let checked = file_protocol::accept(&file, content.clone()).and_then(|file| file.record());
        self.objects.put(&checked.ok_or(ErrorCode::FileGone)?, upload.content).await?; // 503
        self.objects.keep(file.id).await?; // 503
        let accept = |file: &File, _| {
            let after = file_protocol::accept(file, content.clone());
            let action = Some(AuditAction::FileUploaded);
            Ok::<_, ErrorCode>(after.map(|after| FileStep { after, action }))
        };
        let file = match self.changes.apply(file.id, actor, accept).await? {
            Applied::Changed(file) => {
                self.mails.send(&file, file.recipients.named(), &base, actor.context).await;
                file.record()
            }
            Applied::Unchanged(file) => file.record(),
            Applied::Refused(code) => return Err(code.into()),
            Applied::Absent | Applied::QuotaExceeded => None,
        };
        Ok(Answer::created(FileSummary::for_uploader(file.ok_or(ErrorCode::FileGone)?)))
    }
}

impl UploadFile {
    /// The file's name and media type.
    fn inspect(&self, name: &str, content: &[u8]) -> Result<(FileName, &'static str), ApiError> {
        let filename = FileName::parse(name).map_err(|reason| ApiError::field("file", reason))?;
        if content.len() > MAX_UPLOAD_BYTES {
            return Err(ErrorCode::FileTooLarge.into());
        }
        if content.is_empty() {
            return Err(ApiError::field("file", Invalid::because("must not be empty")));
        }
        let length = content.len() as u64;
        let media_type = self.allowed.inspect(&filename, Cursor::new(content), length);
        let media_type = media_type.map_err(|error| self.refusal(&error))?;
        Ok((filename, media_type))
    }

    fn refusal(&self, error: &InspectionError) -> ApiError {
        match error {
            InspectionError::Rejected(Rejection::NotAllowed) => {
                let extensions = self.allowed.names();
                let values = [("extensions", extensions.as_str())];
                ApiError::with(ErrorCode::FileTypeNotAllowed, &values)
            }
            InspectionError::Rejected(Rejection::ContentMismatch) => {
                ErrorCode::ContentMismatch.into()
            }
            InspectionError::Rejected(rejection) => {
                ApiError::with(ErrorCode::FileRejected, &[("reason", rejection.reason())])
            }
            // It is in memory, so this cannot be.
            InspectionError::Unreadable(_) => ErrorCode::DependencyUnavailable.into(),
        }
    }
}
