//! Mails to the owner of an account about its second factor, for the functions that change it.

use share_http::{ApiError, PublicUrl, Request, log_failure};
use share_mail::{Mail, SecondFactorChange};
use share_model::User;
use share_store::{Mailer, Platform, StartError};

/// Tells the owner of an account what has become of the second factor.
pub(crate) struct SecondFactorMails {
    mailer: Mailer,
    public_url: PublicUrl,
}

impl SecondFactorMails {
    /// # Errors
    /// When a setting is missing or wrong.
    pub(crate) fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            mailer: Mailer::connect(platform)?,
            public_url: PublicUrl::read(platform.environment())?,
        })
    }

    /// The address of the API, for [`SecondFactorMails::send`]. To be asked before the change.
    ///
    /// # Errors
    /// 503 when nothing says where the API is.
    pub(crate) fn base(&self, request: &Request) -> Result<String, ApiError> {
        self.public_url.of(request, "")
    }

    /// Sends the mail. The change has happened: a mail that fails is logged, and nothing else comes
    /// of it.
    pub(crate) async fn send(
        &self,
        user: &User,
        change: SecondFactorChange,
        base: &str,
        request: &Request,
    ) {
        let (username, at) = (&user.username, request.now());
        let mail = Mail::SecondFactorChanged { base, username, change, at };
        if let Err(failure) = self.mailer.send(&user.email, &mail).await {
            log_failure(request.id(), &failure);
        }
    }
}
