//! Requests to the API, by the operations of the contract.

use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderName, LINK, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use share_contract::{Operation, SessionRefresh, operations};
use tokio::sync::Mutex;
use url::Url;

use crate::failure::{Failure, Status, unexpected};
use crate::profile::login_of;
use crate::secrets::{Kept, Secrets};

/// An access token is not used in its last seconds: the request may take as long.
const MARGIN: i64 = 30;

/// How long a server may take to begin its answer. The gateway cuts after 29 s; local servers and
/// proxies may be slower.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long a refresh may take, each of two times: both must be over before the 30 seconds are, for
/// which the service gives the same answer again.
const REFRESH: Duration = Duration::from_secs(12);

/// The longest answer of the API that is read, in bytes. A certificate is the longest that there is.
const LONGEST: usize = 16 * 1024 * 1024;

/// The longest time that a service may ask for in `Retry-After`, in seconds: a day.
const LONGEST_WAIT: u64 = 24 * 60 * 60;

/// The header of a request that may be repeated (draft-ietf-httpapi-idempotency-key-header).
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Held while a refresh token is used and the next one is not stored yet.
static REFRESHING: Mutex<()> = Mutex::const_new(());

/// Waits until no refresh is under way: a command that is ended in the middle of one has lost its session.
pub(crate) async fn refreshed() {
    drop(REFRESHING.lock().await);
}

/// The API of one service, and who asks.
pub(crate) struct Api {
    base: Url,
    http: Client,
    caller: Caller,
}

/// Who asks.
#[expect(clippy::large_enum_variant, reason = "a process has one or two")]
pub(crate) enum Caller {
    /// Nobody: at the login, and with the link of somebody else.
    Nobody,
    /// Whoever has this access token, from `SHARE_TOKEN`.
    Token(String),
    /// Whoever has logged in.
    Session(Kept, Mutex<Secrets>),
}

/// A request that is being made.
pub(crate) struct Request<'a> {
    api: &'a Api,
    operation: &'static Operation,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Option<Body>,
    headers: Vec<(HeaderName, String)>,
}

enum Body {
    Json(serde_json::Value),
    Form(reqwest::multipart::Form),
}

/// The client that all requests use, those to S3 as well.
fn http_client(base: &Url) -> Result<Client, Failure> {
    let mut builder = Client::builder()
        .user_agent(concat!("share/", env!("CARGO_PKG_VERSION")))
        // An address of S3 comes as JSON. Whatever else leads elsewhere is no business of ours.
        .redirect(redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(PATIENCE)
        // A connection on which nothing happens may have died while the machine slept.
        .pool_idle_timeout(Duration::from_secs(20));
    if base.scheme() == "http" {
        // Without encryption nothing may leave this machine, and so nothing goes to a proxy.
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| unexpected("TLS cannot be set up", error))
}

impl Api {
    pub(crate) fn new(base: Url, caller: Caller) -> Result<Self, Failure> {
        Ok(Self { http: http_client(&base)?, base, caller })
    }

    /// Where the service is.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// For requests that do not go to the API: to S3.
    pub(crate) fn http(&self) -> &Client {
        &self.http
    }

    /// A request of `operation`, by the first of its routes.
    pub(crate) fn request(&self, operation: &'static Operation) -> Request<'_> {
        let path = operation.routes.first().map(|route| route.path.to_owned());
        let path = path.unwrap_or_default();
        Request { api: self, operation, path, query: vec![], body: None, headers: vec![] }
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.base.as_str().trim_end_matches('/'))
    }

    /// An access token that is good for a while, or nothing for nobody.
    pub(crate) async fn access(&self) -> Result<Option<String>, Failure> {
        match &self.caller {
            Caller::Nobody => Ok(None),
            Caller::Token(token) => Ok(Some(token.clone())),
            Caller::Session(kept, known) => {
                let mut known = known.lock().await;
                if known.access_ends - MARGIN <= now() {
                    *known = self.refresh(kept, &known.access).await?;
                }
                Ok(Some(known.access.clone()))
            }
        }
    }

    /// Continues the session. A refresh token is good once, so of several commands at the same time
    /// one refreshes, and the others read what it has stored in place of the access token that has
    /// `ended`.
    async fn refresh(&self, kept: &Kept, ended: &str) -> Result<Secrets, Failure> {
        let lock = kept.lock().await?;
        let stored = kept.read()?.ok_or_else(|| nobody(kept.profile()))?;
        if stored.access != ended && stored.access_ends - MARGIN > now() {
            return Ok(stored);
        }
        // What cannot be kept must not be asked for: the token would be used up.
        kept.write(&stored)?;
        let _refreshing = REFRESHING.lock().await;
        let secrets = self.continued(stored).await?;
        kept.write(&secrets)?;
        drop(lock);
        Ok(secrets)
    }

    /// The next secrets of the session, whose refresh token is used up.
    async fn continued(&self, before: Secrets) -> Result<Secrets, Failure> {
        let Secrets { service, username, refresh, .. } = before;
        let body = SessionRefresh { refresh: Some(refresh) };
        let request = self.request(&operations::SESSION_REFRESH).json(&body)?;
        // Asked twice within 30 seconds, the service gives the same answer: so a lost one is no loss.
        let answer = match request.send_without_access().await {
            Err(failure) if failure.problem.is_none() => {
                let request = self.request(&operations::SESSION_REFRESH).json(&body)?;
                request.send_without_access().await?
            }
            other => other?,
        };
        Secrets::new(service, username, json(answer).await?)
    }

    /// Ends the session of these secrets, which nobody keeps any more.
    pub(crate) async fn end(secrets: Secrets) -> Result<(), Failure> {
        let anybody = Self::new(secrets.service.clone(), Caller::Nobody)?;
        let access = if secrets.access_ends - MARGIN > now() {
            secrets.access
        } else {
            anybody.continued(secrets).await?.access
        };
        let with_session = Self { caller: Caller::Token(access), ..anybody };
        let request = with_session.request(&operations::SESSION_END).path("id", "current");
        request.done().await
    }
}

/// Nobody is logged in with this profile.
pub(crate) fn nobody(profile: &str) -> Failure {
    Failure::new(Status::NotAllowed, "Nobody is logged in").advise(log_in_with(profile))
}

fn log_in_with(profile: &str) -> String {
    format!("Log in with: {}", login_of(profile))
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the one clock of this program")]
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

impl Request<'_> {
    /// Puts `value` in the path, where the route has `{name}`.
    pub(crate) fn path(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        let value = value.to_string();
        let escaped = url::form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>();
        self.path = self.path.replace(&format!("{{{name}}}"), &escaped.replace('+', "%20"));
        self
    }

    /// Adds to the query, when there is a value.
    pub(crate) fn query(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// The body.
    pub(crate) fn json(mut self, body: &impl Serialize) -> Result<Self, Failure> {
        let body = serde_json::to_value(body).map_err(|error| unexpected("JSON", error))?;
        self.body = Some(Body::Json(body));
        Ok(self)
    }

    /// The body, as a form with files.
    pub(crate) fn form(mut self, form: reqwest::multipart::Form) -> Self {
        self.body = Some(Body::Form(form));
        self
    }

    /// A header.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The answer, which is JSON.
    pub(crate) async fn send<T: DeserializeOwned>(self) -> Result<T, Failure> {
        json(self.answer().await?).await
    }

    /// The answer, which says nothing but that all is well.
    pub(crate) async fn done(self) -> Result<(), Failure> {
        self.answer().await.map(drop)
    }

    /// The answer as a text.
    pub(crate) async fn text(self) -> Result<String, Failure> {
        let text = body(self.answer().await?).await?;
        String::from_utf8(text).map_err(|error| unexpected("The answer is no text", error))
    }

    /// All pages of a list, or as many as have `most` entries.
    pub(crate) async fn list<T: DeserializeOwned>(
        mut self,
        most: usize,
    ) -> Result<Vec<T>, Failure> {
        self.query.push(("limit", most.min(100).to_string()));
        let api = self.api;
        let mut answer = self.answer().await?;
        let mut entries = vec![];
        loop {
            let next = next_page(&answer);
            entries.extend(json::<Vec<T>>(answer).await?);
            let Some(next) = next.filter(|_| entries.len() < most) else { break };
            let request = api.http.get(api.same_service(&next)?);
            answer = api.send(request).await?;
        }
        entries.truncate(most);
        Ok(entries)
    }

    /// The answer, when all is well.
    pub(crate) async fn answer(self) -> Result<Response, Failure> {
        let api = self.api;
        api.send(self.build()).await
    }

    async fn send_without_access(self) -> Result<Response, Failure> {
        checked(self.build().timeout(REFRESH).send().await).await
    }

    fn build(self) -> RequestBuilder {
        let Self { api, operation, path, query, body, headers } = self;
        let method = operation.routes.first().map(|route| route.method.clone());
        let mut request =
            api.http.request(method.unwrap_or_default(), api.address(&path)).query(&query);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        match body {
            None => request,
            Some(Body::Json(body)) => request.json(&body),
            Some(Body::Form(form)) => request.multipart(form),
        }
    }
}

impl Api {
    /// Sends a request to the API, and says what to do when a login is needed.
    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        self.send_with_access(request).await.map_err(|failure| match &self.caller {
            Caller::Session(kept, _) if failure.needs_login() => {
                failure.advise(log_in_with(kept.profile()))
            }
            Caller::Token(_) if failure.needs_login() => failure.advise("Set SHARE_TOKEN anew."),
            _ => failure,
        })
    }

    /// An access token that has ended too early is renewed once.
    async fn send_with_access(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let Some(access) = self.access().await? else { return checked(request.send().await).await };
        let again = request.try_clone();
        let bearer = |token: &str| format!("Bearer {token}");
        let answer = checked(request.header(AUTHORIZATION, bearer(&access)).send().await).await;
        let (Err(failure), Caller::Session(_, known)) = (&answer, &self.caller) else {
            return answer;
        };
        // This machine's clock is late, or a login has replaced the session.
        if !matches!(failure.code(), Some("token_expired" | "session_revoked")) {
            return answer;
        }
        let mut known = known.lock().await;
        if known.access == access {
            known.access_ends = 0;
        }
        drop(known);
        let Some(access) = self.access().await? else { return answer };
        let Some(again) = again else {
            // A form cannot be sent twice: whoever has made it makes it anew.
            return answer.map_err(|it| Failure { status: Status::Unavailable, ..it });
        };
        checked(again.header(AUTHORIZATION, bearer(&access)).send().await).await
    }

    /// An address of S3 that the service has given. It is encrypted, but for a server on this machine.
    pub(crate) fn elsewhere(&self, address: &str) -> Result<Url, Failure> {
        let url = Url::parse(address).ok();
        let allowed = |url: &Url| url.scheme() == "https" || url.scheme() == self.base.scheme();
        url.filter(allowed).ok_or_else(|| {
            Failure::new(Status::Failed, "The service names an address that is not encrypted")
        })
    }

    /// An address that the service has given, with which a token of ours may travel: one of the same
    /// service.
    fn same_service(&self, address: &str) -> Result<Url, Failure> {
        let strange =
            || Failure::new(Status::Failed, "The service names a page at another address");
        let named = Url::parse(address).map_err(|_| strange())?;
        // The service may name itself as others see it (PUBLIC_BASE_URL): the address given counts.
        let base = self.base.path().trim_end_matches('/');
        let rest = named.path().find("/api/").and_then(|at| named.path().get(at..));
        let mut url = self.base.clone();
        url.set_path(&format!("{base}{}", rest.ok_or_else(strange)?));
        url.set_query(named.query());
        Ok(url)
    }
}

/// The answer when all is well, or else the problem that it holds.
pub(crate) async fn checked(answer: reqwest::Result<Response>) -> Result<Response, Failure> {
    let answer = answer.map_err(Failure::unreachable)?;
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let wait = answer.headers().get(RETRY_AFTER).and_then(|it| it.to_str().ok());
    let wait = wait.and_then(|it| it.parse::<u64>().ok()).map(|it| it.min(LONGEST_WAIT));
    let body = body(answer).await.unwrap_or_default();
    let failure = Failure::answered(status, &body);
    let (Status::Unavailable, Some(seconds)) = (failure.status, wait) else { return Err(failure) };
    let failure = Failure { retry_after: Some(Duration::from_secs(seconds)), ..failure };
    Err(failure.advise(format!("Try again in {seconds} seconds.")))
}

/// The body of an answer. One that does not end is cut: nothing that the API says is as long.
async fn body(mut answer: Response) -> Result<Vec<u8>, Failure> {
    let mut body = vec![];
    while let Some(bytes) = answer.chunk().await.map_err(Failure::unreachable)? {
        body.extend_from_slice(&bytes);
        if body.len() > LONGEST {
            return Err(Failure::new(
                Status::Failed,
                "The service gave an answer that is too long",
            ));
        }
    }
    Ok(body)
}

/// The answer, read as JSON.
pub(crate) async fn json<T: DeserializeOwned>(answer: Response) -> Result<T, Failure> {
    let body = body(answer).await?;
    serde_json::from_slice(&body).map_err(|error| {
        unexpected("The service gave an answer that this version does not understand", error)
            .advise("Is the address that of a Secure File Share? Otherwise update share.")
    })
}

/// The address of the next page (RFC 8288).
fn next_page(answer: &Response) -> Option<String> {
    let link = answer.headers().get(LINK)?.to_str().ok()?;
    let (address, parameters) = link.strip_prefix('<')?.split_once('>')?;
    parameters.contains("rel=\"next\"").then(|| address.to_owned())
}
