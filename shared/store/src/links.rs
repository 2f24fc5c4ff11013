//! The links in the Links table.
//!
//! A link is two records. `token#<hash>` is what can be spent: it is deleted with the last download
//! that the link permits, on condition that it is there. `link#<id>` is what is remembered: the
//! link, how often it was redeemed, and the end of its chain of receipts.
//!
//! Whatever happens to a link is one transaction that writes a receipt, puts the remembered record
//! on condition that the chain still ends where it ended when the record was read, and changes what
//! goes with it. So everything that happens to one link happens one after the other, and nothing
//! without a receipt; links do not wait for each other.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use share_auth::{PageCursor, SecretHash};
use share_contract::settings::LINKS_TABLE;
use share_model::link_protocol::{self, LinkStep, TokenStep};
use share_model::{
    ContentDigest, FileId, Lease, Link, LinkId, LinkToken, SealedReceipt, TokenKind, UserId,
};

use crate::audit::forget_at;
use crate::table::{Condition, Key, List, Readable, Table, absent, number, text};
use crate::transaction::{Backoff, CommitOutcome, Write};
use crate::{Audit, OneTimeTokens, Page, Platform, StartError, StoreError, TokenRecord};

/// The index that lists a user's links by time of creation. Only their records have both keys.
const BY_USER: &str = "links_by_user";

/// The index that has a file's links, with how often each was redeemed.
const BY_FILE: &str = "links_by_file";

/// How many links a file has, of those that are remembered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinkCount {
    /// The links.
    pub links: u64,
    /// How often all of them have been redeemed.
    pub downloads: u64,
}

/// What time it is, whenever it is asked. A link may end while a request waits for others.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The request in which something happens to a link.
#[derive(Clone, Copy)]
pub struct RequestContext<'a> {
    /// The clock, which each attempt at a change asks anew.
    pub clock: &'a Clock,
    /// The request's id, as receipts name it.
    pub request_id: &'a str,
}

/// The links.
#[derive(Clone)]
pub struct Links {
    pub(crate) table: Table,
    tokens: OneTimeTokens,
    audit: Audit,
}

/// The key of a record that the index has.
#[derive(Deserialize)]
struct Indexed {
    pk: String,
}

impl Links {
    /// # Errors
    /// When `LINKS_TABLE` or `AUDIT_TABLE` is not set.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            table: Table::connect(platform, &LINKS_TABLE)?,
            tokens: OneTimeTokens::connect(platform)?,
            audit: Audit::connect(platform)?,
        })
    }

    /// Puts a new link, which `create` makes, and gives it.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn create(&self, create: &LinkStep, request_id: &str) -> Result<Link, StoreError> {
        let created = self.change(create, None, request_id).await?;
        created.ok_or_else(|| StoreError::because("create a link", "there is one of this id"))
    }

    /// The link with this identity, as it is now.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn find(&self, id: &LinkId) -> Result<Option<Link>, StoreError> {
        self.table.get(&link_key(id)).await
    }

    /// The newest `limit` links of `user`, or those after `cursor`.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn page(
        &self,
        user: UserId,
        limit: usize,
        cursor: Option<&PageCursor>,
    ) -> Result<Page<Link>, StoreError> {
        let list = List {
            index: Some(BY_USER),
            key: &["pk", "user_id", "created_at"],
            condition: Condition::new("user_id = :user").with(":user", text(user.to_string())),
            filter: None,
            newest_first: true,
        };
        let page = self.table.page::<Indexed>(list, limit, cursor).await?;
        // The index has only keys, so that it need not be written when a link is used, and the
        // links are as they are now.
        let keys: Vec<_> = page.records.into_iter().map(|it| Key::new("pk", it.pk)).collect();
        Ok(Page { records: self.table.get_all(&keys).await?, next: page.next })
    }

    /// How many links to `file` there are, and how often they have been redeemed. A moment late, as
    /// every index.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn count(&self, file: FileId) -> Result<LinkCount, StoreError> {
        #[derive(Deserialize)]
        struct Counted {
            downloads: u64,
        }
        let mut count = LinkCount::default();
        let mut cursor = None;
        loop {
            let list = List {
                index: Some(BY_FILE),
                key: &["pk", "file_id", "created_at"],
                condition: Condition::new("file_id = :file").with(":file", text(file.to_string())),
                filter: None,
                newest_first: false,
            };
            let page = self.table.page::<Counted>(list, 1000, cursor.as_ref()).await?;
            count.links += page.records.len() as u64;
            count.downloads += page.records.iter().map(|link| link.downloads).sum::<u64>();
            cursor = page.next;
            if cursor.is_none() {
                return Ok(count);
            }
        }
    }

    /// The record of the link with this id.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(crate) async fn stored(&self, id: &LinkId) -> Result<Option<Readable<Link>>, StoreError> {
        self.table.get(&link_key(id)).await
    }

    /// The id and the record of every link to `file`. Reads the whole table.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(crate) async fn all_to(
        &self,
        file: FileId,
    ) -> Result<Vec<(String, Readable<Link>)>, StoreError> {
        let condition = Condition::new("begins_with(pk, :link) AND file_id = :file")
            .with(":link", text(LINK))
            .with(":file", text(file.to_string()));
        self.all(&condition).await
    }

    /// Every lease that is stored, and the id of its link. Reads the whole table.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(crate) async fn all_leases(&self) -> Result<Vec<(String, Readable<Lease>)>, StoreError> {
        let condition = Condition::new("begins_with(pk, :lease)").with(":lease", text("lease#"));
        self.all(&condition).await
    }

    /// The records for which `condition` holds, each with the id of its link.
    async fn all<T: DeserializeOwned>(
        &self,
        condition: &Condition,
    ) -> Result<Vec<(String, Readable<T>)>, StoreError> {
        #[derive(Deserialize)]
        struct Stored<T> {
            pk: String,
            #[serde(flatten)]
            record: Readable<T>,
        }
        let stored: Vec<Stored<T>> = self.table.scan(condition).await?;
        let link = |key: &str| key.split('#').nth(1).unwrap_or_default().to_owned();
        Ok(stored.into_iter().map(|it| (link(&it.pk), it.record)).collect())
    }

    /// What is stored of what can be spent of a link, whether or not it still can.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(crate) async fn token(
        &self,
        id: &LinkId,
    ) -> Result<Option<Readable<LinkToken>>, StoreError> {
        let stored = self.tokens.stored(&SecretHash::of_link(id)).await?;
        Ok(stored.map(|stored| match stored {
            Readable::Yes(TokenRecord { kind, user_id, expires_at, .. }) => {
                Readable::Yes(LinkToken { kind, user_id, expires_at })
            }
            Readable::No {} => Readable::No {},
        }))
    }

    /// Revokes a link of `user`: from now on nobody can redeem it or resume a download of it.
    /// Answers `false` when the user has no such link.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn revoke(
        &self,
        id: &LinkId,
        user: UserId,
        context: RequestContext<'_>,
    ) -> Result<bool, StoreError> {
        let mut backoff = Backoff::new("revoke a link");
        loop {
            let found = self.find(id).await?.filter(|link| link.user_id == user);
            let Some(before) = found else { return Ok(false) };
            let Some(step) = link_protocol::revoke(&before, user, (context.clock)()) else {
                return Ok(true);
            };
            if self.change(&step, None, context.request_id).await?.is_some() {
                return Ok(true);
            }
            backoff.wait().await?;
        }
    }

    /// Erases what a link, which nobody can redeem any more, and its receipts say of its maker but for
    /// the id.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub(crate) async fn erase_maker(
        &self,
        id: &LinkId,
        context: RequestContext<'_>,
    ) -> Result<(), StoreError> {
        let mut backoff = Backoff::new("erase the maker of a link");
        loop {
            let Some(before) = self.find(id).await? else { return Ok(()) };
            let first = self.audit.first_receipt(&before).await?;
            // One that has another text was erased before, or changed by somebody: that must show.
            let first = first.filter(|it| ContentDigest::of(it.text.as_bytes()) == it.hash);
            let without = first.as_ref().and_then(SealedReceipt::without_names);
            // There may be nothing to erase: somebody can be called so.
            let Some(without) = without.filter(|it| Some(it) != first.as_ref()) else {
                return Ok(());
            };
            let digest = ContentDigest::of(without.text.as_bytes());
            let Some(step) = link_protocol::erase(&before, digest, (context.clock)()) else {
                return Ok(());
            };
            let replaced = self.audit.replace_first(&before, &without);
            if self.change(&step, Some(replaced), context.request_id).await?.is_some() {
                return Ok(());
            }
            backoff.wait().await?;
        }
    }

    /// The one way in which a link changes: carries out `step` in one transaction, with one
    /// more write, such as that of its lease, and gives the link afterwards. `None` when the link is no longer as it was
    /// read, or the token not as `step` needs it; then nothing has happened.
    pub(crate) async fn change(
        &self,
        step: &LinkStep,
        more: Option<Write>,
        request_id: &str,
    ) -> Result<Option<Link>, StoreError> {
        let (receipt, after) = step.seal(request_id);
        let unchanged = match step.link.chain.receipts {
            0 => absent("pk"),
            receipts => Condition::new("receipts = :before AND last_receipt = :last")
                .with(":before", number(receipts.into()))
                .with(":last", text(step.link.chain.hash.map(|it| it.hex()).unwrap_or_default())),
        };
        let key = link_key(&after.id);
        let put = self.table.put_until(&key, &after, forget_at(&after), &unchanged);
        let receipts = after.chain.receipts;
        let mut writes = vec![put, self.audit.receipt(&after, receipts, &receipt)];
        let token = token(&after);
        writes.extend(match step.token {
            TokenStep::Issue => self.tokens.issue(&token),
            TokenStep::Check => vec![self.tokens.check_spendable(&token, step.at)],
            TokenStep::Delete => vec![self.tokens.delete_spendable(&token, step.at)],
            TokenStep::Leave => Vec::new(),
        });
        writes.extend(more);
        if self.table.commit("change a link", writes).await? != CommitOutcome::Committed {
            return Ok(None);
        }
        // A second place that says what the chain was, out of reach of a writer of the tables.
        let (link, hash) = (after.id.as_str(), receipt.hash.hex());
        tracing::info!(request_id, link, receipt = receipts, hash);
        Ok(Some(after))
    }
}

/// What can be spent of a link.
fn token(link: &Link) -> TokenRecord {
    TokenRecord {
        hash: SecretHash::of_link(&link.id),
        kind: TokenKind::Download,
        user_id: link.user_id,
        expires_at: link.expires_at.as_second(),
        email: None,
        generation: None,
    }
}

/// What the keys of links begin with.
const LINK: &str = "link#";

fn link_key(id: &LinkId) -> Key {
    Key::new("pk", format!("{LINK}{id}"))
}
