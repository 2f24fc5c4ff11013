//! Mails to the recipients of a file, for the functions that make it available to them.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream;
use jiff::Timestamp;
use share_http::log_failure;
use share_mail::Mail;
use share_model::limits::{FILE_MAILS, INVITATION_MAILS};
use share_model::{File, FileRecord, Recipient, Role, User, UserId};
use share_store::{Actor, Limits, Mailer, Platform, RequestContext, StartError, StoreError, Users};

use crate::invitations::Invitations;

/// How many mails are on their way at once. SES limits how many it takes in a second.
const AT_ONCE: usize = 4;

/// How long further mails are begun. Each of them may take eight seconds more, and a request is
/// answered within 28.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why no further mail is begun.
const TOO_LATE: &str = "others have taken too long";

/// Tells recipients of a file that it is there.
pub(crate) struct RecipientMails {
    users: Users,
    mailer: Mailer,
    limits: Limits,
    invitations: Invitations,
}

/// What the mails about one file have in common.
struct Occasion<'a> {
    file: &'a File,
    record: FileRecord,
    /// The address of the API.
    base: &'a str,
    context: RequestContext<'a>,
    /// When the mails were begun.
    begun: Instant,
}

impl RecipientMails {
    /// # Errors
    /// When a setting is missing or wrong.
    pub(crate) fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            users: Users::connect(platform)?,
            mailer: Mailer::connect(platform)?,
            limits: Limits::connect(platform)?,
            invitations: Invitations::connect(platform)?,
        })
    }

    /// Sends mails to those `recipients` of an available file that are to get one: an invitation to
    /// an address of which no account is known, and a notice to everybody else, when the file's
    /// uploader wishes it. Of a file that is not available nobody is told.
    ///
    /// A mail that fails is logged. Nothing else comes of it, and nothing that happens here is told
    /// to the uploader, who must not learn which addresses have accounts.
    pub(crate) async fn send(
        &self,
        file: &File,
        recipients: &[Recipient],
        base: &str,
        context: RequestContext<'_>,
    ) {
        let Some(record) = file.available((context.clock)()) else { return };
        let occasion = &Occasion { file, record, base, context, begun: Instant::now() };
        let mails = stream::iter(recipients.to_vec()).for_each_concurrent(AT_ONCE, |recipient| {
            Box::pin(async move {
                let sent = if occasion.begun.elapsed() < PATIENCE {
                    self.tell(&recipient, occasion).await
                } else {
                    Err(StoreError::because("mail a recipient", TOO_LATE))
                };
                if let Err(error) = sent {
                    log_failure(context.request_id, &error);
                }
            })
        });
        mails.await;
    }

    async fn tell(&self, recipient: &Recipient, occasion: &Occasion<'_>) -> Result<(), StoreError> {
        match recipient {
            Recipient::Client { id, .. } => match self.users.by_id(*id).await? {
                Some(client) => self.notify(&client, occasion).await,
                None => Ok(()),
            },
            Recipient::Group { id, name } => {
                let group = self.users.group(name).await?.filter(|group| group.id == *id);
                for member in group.into_iter().flat_map(|group| group.members) {
                    if occasion.begun.elapsed() >= PATIENCE {
                        return Err(StoreError::because("mail a group", TOO_LATE));
                    }
                    if let Some(client) = self.users.by_id(member).await?
                        && occasion.tells_through(recipient, &client)
                    {
                        self.notify(&client, occasion).await?;
                    }
                }
                Ok(())
            }
            Recipient::Address(address) => match self.users.by_email(address).await? {
                Some(owner) if owner.verified && occasion.names(owner.id) => Ok(()),
                Some(owner) if owner.verified => self.notify(&owner, occasion).await,
                // Somebody may have been invited there.
                _ => {
                    let (to, now) = (address.as_str(), occasion.now());
                    let (role, file) = (Role::Client, Some(&occasion.record));
                    let actor = Actor { user: occasion.file.uploader, context: occasion.context };
                    let base = occasion.base;
                    let invited = self.invitations.invite_address(address, role, base, file, actor);
                    let inviting = Box::pin(invited);
                    self.limits.within(&INVITATION_MAILS, to, now, inviting).await.map(drop)
                }
            },
        }
    }

    /// Tells the owner of an account that the file is there.
    async fn notify(&self, client: &User, occasion: &Occasion<'_>) -> Result<(), StoreError> {
        if !occasion.file.notify_recipients || !client.is_active_client() {
            return Ok(());
        }
        let mail = Mail::FileForYou {
            base: occasion.base,
            username: &client.username,
            file: &occasion.record,
        };
        let (to, now) = (client.email.as_str(), occasion.now());
        let sending = self.mailer.send(&client.email, &mail);
        self.limits.within(&FILE_MAILS, to, now, sending).await.map(drop)
    }
}

impl Occasion<'_> {
    /// Whether `group`, and no other recipient of the file, is why this member of it is told.
    fn tells_through(&self, group: &Recipient, member: &User) -> bool {
        let (groups, others): (Vec<_>, Vec<_>) = self
            .file
            .recipients
            .named()
            .iter()
            .filter(|it| it.includes(member))
            .partition(|it| matches!(it, Recipient::Group { .. }));
        others.is_empty() && groups.first() == Some(&group)
    }

    /// Whether the file is for this account by its name.
    fn names(&self, account: UserId) -> bool {
        let mut named = self.file.recipients.named().iter();
        named.any(|it| matches!(it, Recipient::Client { id, .. } if *id == account))
    }

    fn now(&self) -> Timestamp {
        (self.context.clock)()
    }
}
