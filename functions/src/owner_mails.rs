//! Mails to the owner of an account about what has become of it, for the functions that change it.

use share_http::{ApiError, PublicUrl, Request, log_failure};
use share_mail::{Mail, SecondFactorChange};
use share_model::{EmailAddress, User};
use share_store::{Mailer, Platform, StartError};

/// Tells the owner of an account what has happened.
pub(crate) struct OwnerMails {
    mailer: Mailer,
    public_url: PublicUrl,
}

impl OwnerMails {
    /// # Errors
    /// When a setting is missing or wrong.
    pub(crate) fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            mailer: Mailer::connect(platform)?,
            public_url: PublicUrl::read(platform.environment())?,
        })
    }

    /// The address of the API, which mails name. To be asked before the change.
    ///
    /// # Errors
    /// 503 when nothing says where the API is.
    pub(crate) fn base(&self, request: &Request) -> Result<String, ApiError> {
        self.public_url.of(request, "")
    }

    /// Sends a mail. The change has happened: a mail that fails is logged, and nothing else comes of
    /// it.
    pub(crate) async fn send(&self, to: &EmailAddress, mail: &Mail<'_>, request: &Request) {
        if let Err(failure) = self.mailer.send(to, mail).await {
            log_failure(request.id(), &failure);
        }
    }

    /// Sends the mail that says what has become of the second factor of `user`.
    pub(crate) async fn send_factor_change(
        &self,
        user: &User,
        change: SecondFactorChange,
        base: &str,
        request: &Request,
    ) {
        let (username, at) = (&user.username, request.now());
        let mail = Mail::SecondFactorChanged { base, username, change, at };
        self.send(&user.email, &mail, request).await;
    }
}
