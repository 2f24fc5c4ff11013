//! `file_change`: another name, note, end, or other recipients.

use share_contract::{ErrorCode, FileDetails, Operation, operations};
use share_http::{
    Answer, ApiError, Authenticator, Endpoint, FileTermsReader, NamedRecipients, PublicUrl,
    Request, end_of_file,
};
use share_model::file_protocol::{self, FileEdit};
use share_model::{AuditAction, File, FileId, FileName, Invalid, LinkNote};
use share_store::{Applied, FileChanges, FileStep, Links, Platform, StartError};

use super::managed_by;
use crate::recipient_mails::RecipientMails;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ChangeFile {
    authenticator: Authenticator,
    terms: FileTermsReader,
    changes: FileChanges,
    links: Links,
    mails: RecipientMails,
    public_url: PublicUrl,
}

impl Endpoint for ChangeFile {
    const NAME: &'static str = "ChangeFile";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::FILE_CHANGE];
    type Json = FileDetails;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            terms: FileTermsReader::connect(platform)?,
            changes: FileChanges::connect(platform)?,
            links: Links::connect(platform)?,
            mails: RecipientMails::connect(platform)?,
            public_url: PublicUrl::read(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<FileDetails>, ApiError> {
        let user = self.authenticator.caller(request).await?; // 401, 403
        let id = request.path_parameter("file_id", str::parse::<FileId>)?; // 400
        let (mut edit, recipients) = input(request)?; // 400, 415, 422
        let id = id.ok_or(ErrorCode::FileUnknown)?;
        managed_by(&user, self.changes.files.find(id).await?)?; // 404, 503
        if let Some(recipients) = recipients {
            edit.recipients = Some(self.terms.find(recipients).await?); // 422
        }
        let base = self.public_url.of(request, "")?; // 503
        let actor = request.actor(user.id);
        let mut added = Vec::new();
        let change = |file: &File, _| {
            // Of the file as it is now: an import may have been given another name meanwhile.
            let renamed = edit.filename.as_ref().map(FileName::extension);
            if renamed.is_some_and(|extension| extension != file.filename.extension()) {
                let reason =
                    Invalid::because("must keep the extension, which the content was checked for");
                return Err(ApiError::field("filename", reason));
            }
            let after = file_protocol::edit(file, edit.clone()).ok_or(ErrorCode::FileGone)?;
            added = after.recipients.added_to(&file.recipients);
            let action = Some(AuditAction::FileChanged.with(named(&edit)));
            Ok(Some(FileStep { after, action }))
        };
        let file = match self.changes.apply(id, actor, change).await? {
            Applied::Changed(file) | Applied::Unchanged(file) => file,
            Applied::Refused(error) => return Err(error), // 410, 422
            Applied::Absent | Applied::QuotaExceeded => return Err(ErrorCode::FileUnknown.into()),
        };
        self.mails.send(&file, &added, &base, actor.context).await;
        let count = self.links.count(file.id).await?; // 503
        Ok(Answer::ok(FileDetails::new(file, count.links, count.downloads)))
    }
}

/// The fields that `edit` sets.
fn named(edit: &FileEdit) -> String {
    let fields = [
        ("filename", edit.filename.is_some()),
        ("note", edit.note.is_some()),
        ("expires_in", edit.expires_at.is_some()),
        ("recipients", edit.recipients.is_some()),
        ("notify_recipients", edit.notify_recipients.is_some()),
    ];
    fields.into_iter().filter(|(_, set)| *set).map(|(name, _)| name).collect::<Vec<_>>().join(", ")
}

fn input(request: &Request) -> Result<(FileEdit, Option<NamedRecipients>), ApiError> {
    let mut fields = request.json()?;
    let filename = fields.optional("filename", FileName::parse);
    let note = fields.optional("note", |text| match text {
        "" => Ok(None),
        text => LinkNote::parse(text).map(Some),
    });
    let now = request.now();
    let expires_at = fields.optional_number("expires_in", |seconds| end_of_file(seconds, now));
    let recipients = fields.optional_value("recipients", NamedRecipients::parse);
    let notify_recipients = fields.optional_flag("notify_recipients");
    let input = || {
        let edit = FileEdit {
            filename: filename?,
            note: note?,
            expires_at: expires_at?,
            recipients: None,
            notify_recipients: notify_recipients?,
        };
        Some((edit, recipients?))
    };
    fields.finish(input())
}
