//! What an uploader says of a file beside its name and bytes.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;
use share_auth::random_bytes;
use share_contract::settings::{DEFAULT_AUDIENCE, FILE_RETENTION_DAYS};
use share_model::file_protocol::NewFile;
use share_model::{
    ContentDigest, EmailAddress, FileId, FileName, GroupName, Invalid, LinkNote, Recipient,
    Recipients, User, Username,
};
use share_store::{Platform, StartError, Users};

use crate::{ApiError, Fields, Request};

/// The longest time for which a file can be kept on request: ten years, in seconds.
const LONGEST: i64 = 315_360_000;

/// Reads the fields that every new file has. Reads the Users table, for the names of recipients.
pub struct FileTermsReader {
    users: Users,
    default_recipients: Recipients,
    retention: Option<SignedDuration>,
}

/// The fields as they were given.
#[derive(Serialize)]
pub struct FileTerms {
    recipients: Option<NamedRecipients>,
    notify_recipients: bool,
    expires_in: Option<SignedDuration>,
    note: Option<LinkNote>,
    notify: bool,
}

/// Recipients as an uploader names them. Whether there are such Clients is not known yet.
#[derive(Serialize)]
pub enum NamedRecipients {
    /// Every verified Client.
    Everyone,
    /// These.
    Only(Vec<NamedRecipient>),
}

/// One recipient.
#[derive(Serialize)]
pub enum NamedRecipient {
    /// The Client of this name.
    Username(Username),
    /// Whoever has proven this address.
    Address(EmailAddress),
    /// Whoever is in the group of this name.
    Group(GroupName),
}

impl FileTermsReader {
    /// # Errors
    /// When a setting is missing or wrong.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            users: Users::connect(platform)?,
            default_recipients: DEFAULT_AUDIENCE.read(platform.environment())?,
            retention: FILE_RETENTION_DAYS.read(platform.environment())?,
        })
    }

    /// A file of this name, on these terms.
    ///
    /// # Errors
    /// 422 when a name is that of no Client.
    pub async fn new_file(
        &self,
        filename: FileName,
        promised_sha256: Option<ContentDigest>,
        terms: FileTerms,
        request: &Request,
    ) -> Result<NewFile, ApiError> {
        let recipients = match terms.recipients {
            Some(named) => self.find(named).await?,
            None => self.default_recipients.clone(),
        };
        Ok(NewFile {
            id: FileId::new(request.now(), random_bytes()),
            filename,
            promised_sha256,
            recipients,
            notify_recipients: terms.notify_recipients,
            notify: terms.notify,
            note: terms.note,
            expires_at: terms.expires_in.or(self.retention).map(|life| request.now() + life),
        })
    }

    /// The recipients, with the accounts and groups that go by their names now.
    ///
    /// # Errors
    /// 422 when a name is that of no Client, or of no group.
    pub async fn find(&self, named: NamedRecipients) -> Result<Recipients, ApiError> {
        let NamedRecipients::Only(named) = named else { return Ok(Recipients::Everyone) };
        let refusal = |reason: String| ApiError::field("recipients", Invalid::because(reason));
        let mut recipients = Vec::with_capacity(named.len());
        for named in named {
            recipients.push(match named {
                NamedRecipient::Address(address) => Recipient::Address(address),
                NamedRecipient::Group(name) => {
                    let group = self.users.group(&name).await?;
                    let group = group.ok_or_else(|| {
                        refusal(format!("has {}, which is no group", name.as_str()))
                    })?;
                    Recipient::Group { id: group.id, name: group.name }
                }
                NamedRecipient::Username(username) => {
                    let user = self.users.by_username(&username).await?;
                    let client = user.filter(User::is_active_client);
                    let client = client.ok_or_else(|| {
                        refusal(format!("has {}, who is no verified Client", username.as_str()))
                    })?;
                    Recipient::Client { id: client.id, username: client.username }
                }
            });
        }
        Recipients::only(recipients).map_err(|reason| ApiError::field("recipients", reason))
    }
}

impl FileTerms {
    /// The fields `recipients`, `notify_recipients`, `expires_in`, `note` and `notify`. `None` when
    /// one is wrong, which has been noted as an error.
    pub fn read(fields: &mut Fields) -> Option<Self> {
        let recipients = fields.optional_value("recipients", NamedRecipients::parse);
        let notify_recipients = fields.optional_flag("notify_recipients");
        let expires_in = fields.optional_number("expires_in", |seconds| match seconds {
            60..=LONGEST => Ok(SignedDuration::from_secs(seconds)),
            _ => Err(Invalid::because(format!("must be a number of seconds from 60 to {LONGEST}"))),
        });
        let note = fields.optional("note", LinkNote::parse);
        let notify = fields.optional_flag("notify");
        Some(Self {
            recipients: recipients?,
            notify_recipients: notify_recipients?.unwrap_or(false),
            expires_in: expires_in?,
            note: note?,
            notify: notify?.unwrap_or(false),
        })
    }
}

/// The end of a file that is to be kept for this long from `now` on; none for 0 seconds.
///
/// # Errors
/// When it is not from 60 seconds to ten years.
pub fn end_of_file(seconds: i64, now: Timestamp) -> Result<Option<Timestamp>, Invalid> {
    match seconds {
        0 => Ok(None),
        60..=LONGEST => Ok(Some(now + SignedDuration::from_secs(seconds))),
        _ => Err(Invalid::because(format!("must be 0, or from 60 to {LONGEST} seconds"))),
    }
}

impl NamedRecipients {
    /// `everyone`, or a list of names, addresses and groups.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(value: Value) -> Result<Self, Invalid> {
        let refusal = || {
            let what = "must be everyone, or a list of usernames, e-mail addresses and groups";
            Invalid::because(what)
        };
        match value {
            Value::String(word) if word == "everyone" => Ok(Self::Everyone),
            Value::Array(names) if names.len() > Recipients::MAX => {
                Err(Invalid::because(format!("must be at most {} recipients", Recipients::MAX)))
            }
            Value::Array(names) => {
                let names = names.iter().map(|name| {
                    let name = name.as_str().ok_or_else(refusal)?;
                    if let Some(group) = name.strip_prefix(GroupName::PREFIX) {
                        group.parse().map(NamedRecipient::Group)
                    } else if name.contains('@') {
                        EmailAddress::parse(name).map(NamedRecipient::Address)
                    } else {
                        Username::parse(name).map(NamedRecipient::Username)
                    }
                });
                names.collect::<Result<_, _>>().map(Self::Only).map_err(|_| refusal())
            }
            _ => Err(refusal()),
        }
    }
}
