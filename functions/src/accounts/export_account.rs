//! `account_export` and `user_export`: all that is held about an account and its owner.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;
use share_auth::PageCursor;
use share_contract::{
    AccountExport, AuditEntry, ErrorCode, FileDetails, FileSort, LinkSummary, Operation,
    PendingToken, ReceiptEntry, SessionSummary, operations,
};
use share_http::{Answer, ApiError, Authenticator, Endpoint, Request};
use share_model::{Link, Subject, TokenKind, User, UserId};
use share_store::{
    Audit, EventQuery, Files, Links, OneTimeTokens, Page, Platform, Sessions, Shelf, ShelfQuery,
    StartError, StoreError, TokenRecord, Users,
};

/// Bytes of JSON of all lists, at most. Lambda's answers are limited to about 4.5 MB.
const ROOM: usize = 4_000_000;

/// How long further records are read. A request is answered within 28 seconds.
const PATIENCE: Duration = Duration::from_secs(18);

/// Records that are read in one step.
const PAGE: usize = 100;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ExportAccount {
    authenticator: Authenticator,
    users: Users,
    sessions: Sessions,
    shelf: Shelf,
    files: Files,
    links: Links,
    audit: Audit,
    tokens: OneTimeTokens,
}

/// What still fits into the answer.
struct Room {
    bytes: usize,
    begun: Instant,
    cut: Vec<String>,
}

impl Endpoint for ExportAccount {
    const NAME: &'static str = "ExportAccount";
    const OPERATIONS: &'static [&'static Operation] =
        &[&operations::ACCOUNT_EXPORT, &operations::USER_EXPORT];
    type Json = AccountExport;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            users: Users::connect(platform)?,
            sessions: Sessions::connect(platform)?,
            shelf: Shelf::connect(platform)?,
            files: Files::connect(platform)?,
            links: Links::connect(platform)?,
            audit: Audit::connect(platform)?,
            tokens: OneTimeTokens::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<AccountExport>, ApiError> {
        let (caller, current) = self.authenticator.session(request).await?; // 401, 403
        let user = match request.path_parameter("id", str::parse::<UserId>)? {
            Some(id) => self.users.by_id(id).await?.ok_or(ErrorCode::UserUnknown)?, // 404, 503
            None => caller,
        };
        let (id, now) = (user.id, request.now());
        let (groups, tokens) = (self.groups_of(&user).await?, self.tokens_of(id, now).await?);
        let mut room = Room { bytes: ROOM, begun: Instant::now(), cut: Vec::new() };
        let sessions = room
            .fill("sessions", |cursor| async move {
                let page = self.sessions.page(id, PAGE, cursor.as_ref()).await?;
                Ok(page.map(|session| SessionSummary::new(session, current)))
            })
            .await?;
        let files = room.fill("files", |cursor| self.files_of(id, cursor)).await?;
        let made = |cursor: Option<PageCursor>| async move {
            self.links.page(id, PAGE, cursor.as_ref()).await
        };
        let links = room.fill("links", made).await?;
        let receipts = self.receipts_of(&links, &mut room).await?;
        let about = EventQuery { subject: Some(Subject::User(id)), ..EventQuery::default() };
        let audit = room.fill("audit", |cursor| self.events(&about, cursor)).await?;
        let by = EventQuery { actor: Some(id), ..EventQuery::default() };
        let actions = room.fill("actions", |cursor| self.events(&by, cursor)).await?;
        Ok(Answer::ok(AccountExport {
            account: user.into(),
            groups,
            tokens,
            sessions,
            files,
            links: links.into_iter().map(|link| LinkSummary::new(link, now)).collect(),
            receipts,
            audit,
            actions,
            cut: room.cut,
        }))
    }
}

impl ExportAccount {
    async fn groups_of(&self, user: &User) -> Result<Vec<String>, StoreError> {
        let (mut names, mut cursor) = (Vec::new(), None);
        while names.len() < user.groups.len() {
            let page = self.users.groups(PAGE, cursor.as_ref()).await?;
            let its = page.records.into_iter().filter(|group| user.groups.contains(&group.id));
            names.extend(its.map(|group| group.name.as_str().to_owned()));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        Ok(names)
    }

    async fn tokens_of(&self, id: UserId, now: Timestamp) -> Result<Vec<PendingToken>, StoreError> {
        let newest = TokenKind::OF_ACCOUNTS.map(|kind| self.tokens.newest(kind, id, now));
        let found = futures_util::future::try_join_all(newest).await?;
        let pending = |token: TokenRecord| {
            let expires_at = Timestamp::from_second(token.expires_at).ok()?;
            Some(PendingToken { kind: token.kind, expires_at })
        };
        Ok(found.into_iter().flatten().filter_map(pending).collect())
    }

    async fn files_of(
        &self,
        id: UserId,
        cursor: Option<PageCursor>,
    ) -> Result<Page<FileDetails>, StoreError> {
        let sort = FileSort::default();
        let query = ShelfQuery { limit: PAGE, cursor: cursor.as_ref(), sort, search: None };
        let page = self.shelf.of_uploader(id, &query).await?;
        let files = self.files.find_all(&page.records).await?;
        let counts = files.iter().map(|file| self.links.count(file.id));
        let counts = futures_util::future::try_join_all(counts).await?;
        let records = files.into_iter().zip(counts);
        let records = records.map(|(file, it)| FileDetails::new(file, it.links, it.downloads));
        Ok(Page { records: records.collect(), next: page.next })
    }

    async fn receipts_of(
        &self,
        links: &[Link],
        room: &mut Room,
    ) -> Result<Vec<ReceiptEntry>, StoreError> {
        let mut receipts = Vec::new();
        for link in links {
            for sealed in self.audit.receipts_of(link).await? {
                let receipt = ReceiptEntry::from(sealed);
                if !room.takes(&receipt) {
                    room.cut.push("receipts".to_owned());
                    return Ok(receipts);
                }
                receipts.push(receipt);
            }
        }
        Ok(receipts)
    }

    async fn events(
        &self,
        query: &EventQuery,
        cursor: Option<PageCursor>,
    ) -> Result<Page<AuditEntry>, StoreError> {
        Ok(self.audit.events(query, PAGE, cursor.as_ref()).await?.map(crate::audit_entry::entry))
    }
}

impl Room {
    /// Every record that `read` gives page by page, or those that fit.
    async fn fill<T: Serialize, F: Future<Output = Result<Page<T>, StoreError>>>(
        &mut self,
        name: &str,
        mut read: impl FnMut(Option<PageCursor>) -> F,
    ) -> Result<Vec<T>, StoreError> {
        let mut records = Vec::new();
        let mut cursor = None;
        loop {
            let page = read(cursor).await?;
            for record in page.records {
                if !self.takes(&record) {
                    self.cut.push(name.to_owned());
                    return Ok(records);
                }
                records.push(record);
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(records);
            }
        }
    }

    /// Whether a record still fits. When one does not, nothing after it does.
    fn takes<T: Serialize>(&mut self, record: &T) -> bool {
        let size = serde_json::to_vec(record).map_or(usize::MAX, |json| json.len() + 1);
        let fits = size <= self.bytes && self.begun.elapsed() < PATIENCE;
        self.bytes = if fits { self.bytes - size } else { 0 };
        fits
    }
}
