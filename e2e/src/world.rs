//! A server of one's own, with a store and a clock of its own.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use share_local::{Server, Settings};
use tempfile::TempDir;

use crate::access_token::JWT_SECRET;
use crate::api::{Api, password_for};
use crate::dynamodb_port;
use crate::mail_server::MailServer;
use crate::store::{Snapshot, Store};

/// The host from which imports come when a test names none: a port at which nothing listens, so that
/// no test asks anybody on the Internet.
pub const NO_HOST: &str = "127.0.0.1:9";

/// One server with a store of its own, and a clock that only the test moves.
pub struct World {
    pub server: Server,
    pub store: Store,
    /// The server's data folder.
    pub data: TempDir,
    /// Where the embedded S3 behind it keeps its files.
    pub objects: PathBuf,
    api: Api,
    /// Milliseconds since 1970: a whole second at the start, and one more at every look.
    time: Arc<AtomicI64>,
}

impl World {
    /// A server with a fresh store.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// A server with a fresh store and some variables set.
    pub async fn start_with(variables: &[(&str, &str)]) -> Self {
        Self::start_on(TempDir::new().unwrap(), variables).await
    }

    /// A server with the store that a former one has left, and some variables set.
    pub async fn start_on(data: TempDir, variables: &[(&str, &str)]) -> Self {
        let time = Arc::new(AtomicI64::new(real_time().as_second() * 1000));
        let clock = Arc::clone(&time);
        let own = [("JWT_SECRET", JWT_SECRET), ("IMPORT_ALLOWED_HOSTS", NO_HOST)];
        let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut overrides = BTreeMap::from(own);
        overrides.extend(variables.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let settings = Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            data_dir: data.path().to_owned(),
            overrides,
            clock: Arc::new(move || moment(clock.fetch_add(1, Ordering::Relaxed))),
        };
        let server = Server::start(settings).await.unwrap();
        let store = Store::of(server.backend()).await;
        let api = Api::new(format!("http://{}", server.address));
        let objects = data.path().join("objects");
        Self { server, store, data, objects, api, time }
    }

    /// Stops the server and gives its data folder.
    pub async fn stop(self) -> TempDir {
        let Self { server, data, api, .. } = self;
        // The server waits for connections that its clients hold.
        drop(api);
        server.stop().await;
        data
    }

    /// The variables with which another server has this one's store, and so its DynamoDB at a port
    /// of its own.
    pub async fn variables_of_store(&self) -> BTreeMap<String, String> {
        let backend = self.server.backend();
        let dynamodb = dynamodb_port::open(backend.dynamodb().unwrap().clone()).await;
        let names = ["AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
        let shared = names.map(|name| (name.to_owned(), backend.variables[name].clone()));
        shared.into_iter().chain([("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), dynamodb)]).collect()
    }

    /// A server whose store others use, and which itself has no table of files. Its jobs are called,
    /// as its S3 tells it what happens there, and do nothing.
    pub async fn engines() -> Self {
        Self::start_with(&[("FILES_TABLE", "NoTable")]).await
    }

    /// A server over the store of `engines`, with these variables of that store replaced.
    pub async fn over(engines: &Self, variables: &[(&str, &str)]) -> Self {
        let mut own = engines.variables_of_store().await;
        own.extend(variables.iter().map(|(name, it)| ((*name).to_owned(), (*it).to_owned())));
        let own: Vec<_> = own.iter().map(|(name, it)| (&**name, &**it)).collect();
        let mut world = Self::start_with(&own).await;
        world.store = Store::of(engines.server.backend()).await;
        world.objects.clone_from(&engines.objects);
        world
    }

    /// Lets time pass, for the server only.
    pub fn pass(&self, seconds: i64) {
        self.time.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    /// Lets time pass, for the server only, until `second`, counted from 1970.
    pub fn pass_until(&self, second: i64) {
        self.pass(second - self.now().as_second());
        assert_eq!(self.now().as_second(), second);
    }

    /// Lets time pass until the next day begins, and with it the windows of all limits.
    pub fn begin_day(&self) {
        let day = 24 * 60 * 60;
        self.pass_until((self.now().as_second() / day + 1) * day);
    }

    /// The server's time.
    pub fn now(&self) -> Timestamp {
        moment(self.time.load(Ordering::Relaxed))
    }

    /// Signs somebody up and gives them an invitation, as if by `create_account`.
    pub async fn invitation(&self, name: &str) -> String {
        self.sign_up(name).await;
        let (user, end) = (self.store.user_named(name).await, self.now().as_second() + 60);
        self.store.hold_address(&format!("{name}@example.org"), &user, end).await;
        self.store.one_time_token("invitation", &user, end).await
    }

    /// Makes a Client of this name, and gives it a token of this kind, which was mailed elsewhere.
    pub async fn mailed_token(&self, kind: &str, name: &str) -> String {
        self.another_client(name).await;
        let user = self.store.user_named(name).await;
        let token = self.store.one_time_token(kind, &user, self.now().as_second() + 60).await;
        self.store.make_newest(kind, &user, &token, &format!("{name}@example.net")).await;
        token
    }

    /// Starts one that sends its mails to a mail server.
    pub async fn with_mails() -> (Self, MailServer) {
        let mail_server = MailServer::start().await;
        (Self::start_with(&mail_server.variables()).await, mail_server)
    }

    /// Signs somebody up, makes an admin of them, and gives an access token.
    pub async fn another_admin(&self, name: &str) -> String {
        self.another_client(name).await;
        let user = self.store.user_named(name).await;
        self.store.set_role(&user, "admin").await;
        let answer = self.login("ops", ("username", name), &password_for(name)).await;
        answer.is(200).field("access")
    }

    /// Everything that the server has stored.
    pub async fn stored(&self) -> Snapshot {
        self.store.snapshot().await
    }
}

impl Deref for World {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}

/// The time of the machine. Presigned URLs are checked by it.
#[expect(clippy::disallowed_methods, reason = "a test's clock starts at the real time")]
pub fn real_time() -> Timestamp {
    Timestamp::now()
}

fn moment(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap()
}
