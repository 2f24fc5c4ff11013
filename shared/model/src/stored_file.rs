//! A file from its announcement to the end of its record.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    ContentDigest, DigestProgress, EmailAddress, FileId, FileName, FileRecord, GroupId, GroupName,
    Invalid, LinkNote, RETENTION, Rejection, TextCheck, User, UserId, Username, rfc3339_millis,
};

/// A file, as the Files table holds it. [`crate::file_protocol`] says how it changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct File {
    /// Identity, the key of its bytes in the bucket, and the id of its upload.
    pub id: FileId,
    /// Name given by the uploader.
    pub filename: FileName,
    /// Bytes. Not known of an import until its source says, or ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The digest that the uploader said the bytes would have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised_sha256: Option<ContentDigest>,
    /// The name that the uploader had then.
    pub uploaded_by: Username,
    /// Who that was; none in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uploader: Option<UserId>,
    /// Whom it is for.
    #[serde(default)]
    pub recipients: Recipients,
    /// Whether recipients whose address is known get a mail once it is available.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub notify_recipients: bool,
    /// Whether the uploader is told of the first complete download of each link.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub notify: bool,
    /// What the uploader wants to remember. Clients do not see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<LinkNote>,
    /// The first moment at which it is no longer available, when it has an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// What has become of it.
    #[serde(flatten)]
    pub state: FileState,
    /// How often the record has changed.
    #[serde(default)]
    pub revision: u32,
}

/// What has become of a file. Only one that is available is listed for Clients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum FileState {
    /// Its bytes are on their way to S3, in parts.
    Uploading(Upload),
    /// Its bytes are complete, and are digested and inspected.
    Checking(Check),
    /// It was checked.
    Available(Content),
    /// It was not taken.
    Rejected(Rejected),
    /// It was deleted, or its upload was given up.
    Deleted(Deleted),
}

/// An upload in parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    /// S3's own id of the upload.
    pub s3_upload: String,
    /// Bytes of each part but the last.
    pub part_size: u64,
    /// When it is given up.
    #[serde(with = "rfc3339_millis")]
    pub ends_at: Timestamp,
    /// Where the bytes come from, when the uploader does not send them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<Import>,
}

/// The source of a file that is imported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Import {
    /// The address.
    pub url: String,
    /// When it is continued, unless whoever is at it is done before.
    #[serde(with = "rfc3339_millis")]
    pub due_at: Timestamp,
    /// How often it broke off in a row without a new part.
    #[serde(default)]
    pub failures: u32,
    /// What the source calls this version of the file, so that it is not mixed with another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validator: Option<String>,
    /// Whether the file is still to get its name from the source.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unnamed: bool,
}

/// A check that is under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// S3's own id of the upload whose parts are to be assembled; none when the bytes came at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3_upload: Option<String>,
    /// When it is taken up, unless whoever is at it is done before.
    #[serde(with = "rfc3339_millis")]
    pub due_at: Timestamp,
    /// How far the bytes have been read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<CheckProgress>,
}

/// What is known of the bytes that a check has read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CheckProgress {
    /// Their digest, and how many they are.
    #[serde(flatten)]
    pub digest: DigestProgress,
    /// Whether they are text, of a file that is to be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<TextCheck>,
}

/// What the check found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// Media type, decided by extension and content, not by the uploader.
    pub content_type: String,
    /// Digest of the bytes.
    pub sha256: ContentDigest,
    /// When it became available.
    #[serde(with = "rfc3339_millis")]
    pub uploaded_at: Timestamp,
}

/// Why a file was not taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rejected {
    /// Why.
    pub reason: Rejection,
    /// Why, in more words than the reason has by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// When.
    #[serde(with = "rfc3339_millis")]
    pub rejected_at: Timestamp,
    /// What is still in S3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leftover: Option<Leftover>,
}

/// The end of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deleted {
    /// When.
    #[serde(with = "rfc3339_millis")]
    pub deleted_at: Timestamp,
    /// What is still in S3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leftover: Option<Leftover>,
}

/// What may still be in S3 of a file whose bytes nobody may have any more: the object, and the parts
/// of an upload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leftover {
    /// S3's own id of the upload, when there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3_upload: Option<String>,
    /// When it is removed, unless whoever is at it is done before.
    #[serde(with = "rfc3339_millis")]
    pub due_at: Timestamp,
}

/// Whom a file is for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipients {
    /// Every verified Client.
    #[default]
    Everyone,
    /// These, at most [`Recipients::MAX`].
    Only(Vec<Recipient>),
}

/// One whom a file is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// A Client's account.
    Client {
        /// Who.
        id: UserId,
        /// The name under which the uploader knows it.
        username: Username,
    },
    /// Whoever has proven this address.
    Address(EmailAddress),
    /// Whoever is in this group.
    Group {
        /// Which.
        id: GroupId,
        /// Its name.
        name: GroupName,
    },
}

/// A list in the Shelf table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// What is for every verified Client.
    Everyone,
    /// What is for this account.
    Client(UserId),
    /// What is for whoever has proven this address.
    Address(EmailAddress),
    /// What is for this group.
    Group(GroupId),
    /// What this account has uploaded, in every state but deleted.
    Uploader(UserId),
}

/// What a job is to do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Job {
    /// Check its bytes.
    Check,
    /// Continue its import.
    Import,
    /// End what nobody has completed, what is past its time, and bytes that are left over.
    Remove,
}

impl Recipients {
    /// How many a file can name: each one is a write of the transaction that makes it available, and
    /// one more when all of them change. DynamoDB takes 100.
    pub const MAX: usize = 40;

    /// # Errors
    /// When there are more than [`Self::MAX`].
    pub fn only(recipients: Vec<Recipient>) -> Result<Self, Invalid> {
        let mut unique: Vec<Recipient> = Vec::new();
        for recipient in recipients {
            if !unique.iter().any(|other| other.audience() == recipient.audience()) {
                unique.push(recipient);
            }
        }
        if unique.len() > Self::MAX {
            return Err(Invalid::because(format!("must be at most {} recipients", Self::MAX)));
        }
        Ok(Self::Only(unique))
    }

    /// Those that it names.
    #[must_use]
    pub fn named(&self) -> &[Recipient] {
        match self {
            Self::Everyone => &[],
            Self::Only(recipients) => recipients,
        }
    }

    /// Those that it names and `before` did not.
    #[must_use]
    pub fn added_to(&self, before: &Self) -> Vec<Recipient> {
        let known: Vec<_> = before.named().iter().map(Recipient::audience).collect();
        let added = self.named().iter().filter(|recipient| !known.contains(&recipient.audience()));
        added.cloned().collect()
    }

    /// The lists in which Clients see it.
    #[must_use]
    pub fn audiences(&self) -> Vec<Audience> {
        match self {
            Self::Everyone => vec![Audience::Everyone],
            Self::Only(recipients) => recipients.iter().map(Recipient::audience).collect(),
        }
    }

    /// Whether this Client is among them.
    #[must_use]
    pub fn include(&self, client: &User) -> bool {
        let own = Audience::of_client(client);
        self.audiences().iter().any(|audience| own.contains(audience))
    }
}

impl Recipient {
    fn audience(&self) -> Audience {
        match self {
            Self::Client { id, .. } => Audience::Client(*id),
            Self::Address(address) => Audience::Address(address.clone()),
            Self::Group { id, .. } => Audience::Group(*id),
        }
    }

    /// Whether this Client is meant.
    #[must_use]
    pub fn includes(&self, client: &User) -> bool {
        Audience::of_client(client).contains(&self.audience())
    }

    /// As the uploader names it.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Client { username, .. } => username.as_str().to_owned(),
            Self::Address(address) => address.as_str().to_owned(),
            Self::Group { name, .. } => format!("{}{}", GroupName::PREFIX, name.as_str()),
        }
    }
}

impl Audience {
    /// The lists that a Client sees. An address counts once it is proven.
    #[must_use]
    pub fn of_client(client: &User) -> Vec<Self> {
        let mut audiences = vec![Self::Everyone, Self::Client(client.id)];
        if client.verified {
            audiences.push(Self::Address(client.email.clone()));
        }
        audiences.extend(client.groups.iter().copied().map(Self::Group));
        audiences
    }

    /// Its key in the Shelf table.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Everyone => "everyone".to_owned(),
            Self::Client(id) => format!("client#{id}"),
            Self::Address(address) => format!("mail#{}", address.as_str()),
            Self::Group(id) => format!("group#{id}"),
            Self::Uploader(id) => format!("uploader#{id}"),
        }
    }
}

impl Job {
    /// Its name in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Import => "import",
            Self::Remove => "remove",
        }
    }
}

impl File {
    /// What Clients can have, when it is available and its time is not over.
    #[must_use]
    pub fn available(&self, now: Timestamp) -> Option<FileRecord> {
        let over = self.expires_at.is_some_and(|end| end <= now);
        self.record().filter(|_| !over)
    }

    /// As [`Self::available`], when it is for this Client.
    #[must_use]
    pub fn available_to(&self, client: &User, now: Timestamp) -> Option<FileRecord> {
        self.available(now).filter(|_| self.recipients.include(client))
    }

    /// What links need to know of it, when it is available.
    #[must_use]
    pub fn record(&self) -> Option<FileRecord> {
        let FileState::Available(content) = &self.state else { return None };
        Some(FileRecord {
            id: self.id,
            filename: self.filename.clone(),
            size: self.size?,
            content_type: content.content_type.clone(),
            sha256: content.sha256,
            uploaded_by: self.uploaded_by.clone(),
            uploader: self.uploader,
            uploaded_at: content.uploaded_at,
            notify: self.notify,
        })
    }

    /// The lists in which it stands, and its place there: by the time at which it became available,
    /// and in its uploader's own list by that at which it was announced.
    #[must_use]
    pub fn places(&self) -> Vec<(Audience, Timestamp)> {
        let mut places = Vec::new();
        if let FileState::Available(content) = &self.state {
            let audiences = self.recipients.audiences().into_iter();
            places.extend(audiences.map(|audience| (audience, content.uploaded_at)));
        }
        if let Some(uploader) = self.uploader
            && !matches!(self.state, FileState::Deleted(_))
        {
            places.push((Audience::Uploader(uploader), self.id.born_at()));
        }
        places
    }

    /// The bytes that count against the quotas of its uploader and of the stack. `None` when it does
    /// not count.
    #[must_use]
    pub fn counts(&self) -> Option<u64> {
        match self.state {
            FileState::Uploading(_) | FileState::Checking(_) | FileState::Available(_) => {
                Some(self.size.unwrap_or(0))
            }
            FileState::Rejected(_) | FileState::Deleted(_) => None,
        }
    }

    /// What a job is to do with it, and when.
    #[must_use]
    pub fn due(&self) -> Option<(Job, Timestamp)> {
        match &self.state {
            FileState::Uploading(upload) => Some(match &upload.import {
                Some(import) => (Job::Import, import.due_at),
                None => (Job::Remove, upload.ends_at),
            }),
            FileState::Checking(check) => Some((Job::Check, check.due_at)),
            FileState::Available(_) => self.expires_at.map(|end| (Job::Remove, end)),
            FileState::Rejected(Rejected { leftover, .. })
            | FileState::Deleted(Deleted { leftover, .. }) => {
                leftover.as_ref().map(|leftover| (Job::Remove, leftover.due_at))
            }
        }
    }

    /// When its record may be forgotten. Receipts of its links are kept for a year after the link's
    /// end, which is at most a week after that of the file.
    #[must_use]
    pub fn forget_at(&self) -> Option<Timestamp> {
        let end = match &self.state {
            FileState::Uploading(_) | FileState::Checking(_) | FileState::Available(_) => {
                return None;
            }
            FileState::Rejected(rejected) => rejected.rejected_at,
            FileState::Deleted(deleted) => deleted.deleted_at,
        };
        Some(end + RETENTION + SignedDuration::from_hours(8 * 24))
    }
}

#[cfg(test)]
mod tests;
