//! Mail: through SES, or to the log.

use aws_sdk_ses::error::ProvideErrorMetadata;
use aws_sdk_ses::types::{self, Body, Content, Destination};
use share_contract::settings::{MailSettings, Sender};
use share_mail::{Mail, Message};
use share_model::EmailAddress;

use crate::{Platform, StartError, StoreError};

/// Where mail goes.
#[derive(Clone)]
pub enum Mailer {
    /// To its addressee, through SES.
    Ses {
        /// The SES client.
        client: aws_sdk_ses::Client,
        /// The sender, an identity that SES has verified.
        from: Sender,
    },
    /// To the log, links included, because that is the only way to read it there. For development.
    Log,
}

impl Mailer {
    /// The mailer that `MAIL_MODE` names.
    ///
    /// # Errors
    /// When a variable is missing or wrong.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(match MailSettings::read(platform.environment())? {
            MailSettings::Log => Self::Log,
            MailSettings::Ses { from } => {
                let mut config = aws_sdk_ses::config::Builder::from(platform.sdk());
                if let Some(url) = platform.environment().optional("AWS_ENDPOINT_URL_SES") {
                    config = config.endpoint_url(url);
                }
                Self::Ses { client: aws_sdk_ses::Client::from_conf(config.build()), from }
            }
        })
    }

    /// Whether mail only goes to the log, so that an answer may repeat what the mail says.
    #[must_use]
    pub fn logs(&self) -> bool {
        matches!(self, Self::Log)
    }

    /// Sends a mail. In log mode this is an event with the target `mail`, without the HTML part.
    ///
    /// # Errors
    /// When SES does not take it.
    pub async fn send(&self, to: &EmailAddress, mail: &Mail<'_>) -> Result<(), StoreError> {
        let message = mail.message();
        match self {
            Self::Ses { client, from } => send_through_ses(client, from, to, &message).await,
            Self::Log => {
                let Message { subject, text, .. } = message;
                tracing::info!(target: "mail", to = to.as_str(), subject, text);
                Ok(())
            }
        }
    }
}

async fn send_through_ses(
    client: &aws_sdk_ses::Client,
    from: &Sender,
    to: &EmailAddress,
    message: &Message,
) -> Result<(), StoreError> {
    let failed = "send a mail";
    let utf8 = |text: &str| {
        let content = Content::builder().charset("UTF-8").data(text).build();
        content.map_err(StoreError::during(failed))
    };
    let body = Body::builder().text(utf8(&message.text)?).html(utf8(&message.html)?).build();
    let message = types::Message::builder().subject(utf8(&message.subject)?).body(body).build();
    let request = client
        .send_email()
        .source(from.to_string())
        .destination(Destination::builder().to_addresses(to.as_str()).build())
        .message(message);
    // SES names the address in its message; its code is enough.
    // Boxed, because the SDK's futures are large, and others are made around this one.
    Box::pin(request.send())
        .await
        .map(|_| ())
        .map_err(|error| StoreError::because(failed, error.code().unwrap_or("SES does not answer")))
}
