//! What is done when no more bytes of a transfer go out.

use share_http::log_failure;
use share_mail::Mail;
use share_model::limits::DOWNLOAD_MAILS;
use share_model::link_protocol::Sent;
use share_model::{FileRecord, LeaseTerms, TransferOutcome, User};
use share_store::{Clock, Limits, Mailer, RequestContext, StoreError, Transfer, Transfers, Users};

/// A transfer, and what its end needs.
pub(super) struct Finish {
    pub(super) transfers: Transfers,
    pub(super) users: Users,
    pub(super) mailer: Mailer,
    pub(super) limits: Limits,
    pub(super) terms: LeaseTerms,
    pub(super) transfer: Transfer,
    /// The maker of the link.
    pub(super) client: User,
    pub(super) file: FileRecord,
    pub(super) request_id: String,
    pub(super) clock: Clock,
}

impl Finish {
    /// Writes the receipt, and sends the uploader a mail. The client has its bytes whatever happens
    /// here.
    pub(super) async fn run(self, sent: Sent) {
        if let Err(error) = self.try_run(sent).await {
            log_failure(&self.request_id, &error);
        }
    }

    async fn try_run(&self, sent: Sent) -> Result<(), StoreError> {
        let context = RequestContext { clock: &self.clock, request_id: &self.request_id };
        let end = self
            .transfers
            .finish_transfer(&self.transfer, sent, &self.file, self.terms, context)
            .await?;
        if !end.notify {
            return Ok(());
        }
        // By id: somebody else may have the name by now.
        let Some(id) = self.file.uploader else { return Ok(()) };
        let uploader = self.users.by_id(id).await?.filter(|uploader| uploader.active);
        let Some(uploader) = uploader else { return Ok(()) };
        let (filename, file) = (&self.file.filename, self.file.id);
        let (client, at) = (&self.client.username, (self.clock)());
        let mail = match end.outcome {
            TransferOutcome::Redirected => Mail::DownloadStarted { filename, file, client, at },
            _ => Mail::Downloaded { filename, file, client, at },
        };
        let (to, now) = (uploader.email.as_str(), (self.clock)());
        let sending = self.mailer.send(&uploader.email, &mail);
        self.limits.within(&DOWNLOAD_MAILS, to, now, sending).await.map(drop)
    }
}
