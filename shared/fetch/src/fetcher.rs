//! Requests, redirects and answers.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_RANGE, HOST, IF_RANGE, LOCATION,
    RANGE, TRANSFER_ENCODING, USER_AGENT,
};
use http::{HeaderMap, Request, StatusCode, Version};
use http_body::Body as _;
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::{Host, Position, Url};

use crate::{
    AllowedHosts, Body, FetchError, Limits, Source, Validator, file_name, google, is_public,
};

/// How many redirects are followed.
pub const MAX_REDIRECTS: usize = 5;

/// How large the status line and the headers of an answer may be together: 64 KiB, which one more
/// read from the connection may exceed. It is also the size of the buffer into which bodies are
/// read.
pub const MAX_HEADER_BYTES: usize = 64 * 1024;

/// Of a name with many addresses, how many are tried.
const MAX_ADDRESSES_TRIED: usize = 4;

/// The same for everyone, so that a host learns nothing about the user or the installation.
const AGENT: &str = "secure-file-share";

type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;
type Resolver = dyn Fn(String) -> Resolving + Send + Sync;

/// Fetches files. It sends no cookies and no `Referer`, and knows no proxies.
#[derive(Clone)]
pub struct Fetcher {
    allowed: AllowedHosts,
    limits: Limits,
    resolver: Arc<Resolver>,
    tls: TlsConnector,
}

/// The operating system has no root certificates, so no host can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system has no root certificates")]
pub struct NoRootCertificates;

/// A file whose bytes are about to arrive.
#[derive(Debug)]
pub struct Fetched {
    /// The name that the file has at the host, exactly as sent: it may be a path, and hold any
    /// character. For a Google document it ends in the export's extension.
    pub file_name: Option<String>,
    /// The size of the whole file in bytes, when the host said so.
    pub length: Option<u64>,
    /// With what [`Fetcher::fetch_from`] can continue. `None` when the host cannot be relied on
    /// to tell a changed file from the same one.
    pub validator: Option<Validator>,
    /// The offset in the file of the body's first byte: 0, or that which was asked for when the
    /// host continued.
    pub starts_at: u64,
    /// The bytes from there on.
    pub body: Body,
}

/// Where to continue.
#[derive(Clone, Copy)]
struct Rest<'a> {
    offset: u64,
    validator: &'a Validator,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    incoming: Incoming,
    connection: JoinSet<()>,
}

impl Fetcher {
    /// A fetcher with the system's resolver and root certificates.
    ///
    /// # Errors
    /// When the system has no root certificates.
    pub fn new(allowed: AllowedHosts, limits: Limits) -> Result<Self, NoRootCertificates> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(NoRootCertificates);
        }
        Ok(Self::with_roots(allowed, limits, roots))
    }

    /// A fetcher that trusts these root certificates, and no others.
    #[must_use]
    pub fn with_roots(allowed: AllowedHosts, limits: Limits, roots: RootCertStore) -> Self {
        let tls = TlsConnector::from(Arc::new(tls_config(roots)));
        Self { allowed, limits, resolver: Arc::new(|name| Box::pin(resolve(name))), tls }
    }

    /// The same with another resolver, which gives all addresses of a name.
    #[must_use]
    pub fn with_resolver<R, F>(mut self, resolver: R) -> Self
    where
        R: Fn(String) -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<Vec<IpAddr>>> + Send + 'static,
    {
        self.resolver = Arc::new(move |name| Box::pin(resolver(name)));
        self
    }

    /// Fetches a file from its beginning.
    ///
    /// # Errors
    /// Every [`FetchError`] but those of [`Source::parse`]'s reading and of a body.
    pub async fn fetch(&self, source: &Source) -> Result<Fetched, FetchError> {
        let (url, answer) = self.follow(source, None).await?;
        if answer.status != StatusCode::OK {
            return Err(FetchError::Status(answer.status.as_u16()));
        }
        let length = answer.incoming.size_hint().exact();
        self.accept(source, &url, answer, 0, length)
    }

    /// Continues at `offset` if the file is still that of the validator and the host can, and
    /// begins anew otherwise. [`Fetched::starts_at`] says which.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub async fn fetch_from(
        &self,
        source: &Source,
        offset: u64,
        validator: &Validator,
    ) -> Result<Fetched, FetchError> {
        let (url, answer) = self.follow(source, Some(Rest { offset, validator })).await?;
        match answer.status {
            StatusCode::OK => {
                let length = answer.incoming.size_hint().exact();
                self.accept(source, &url, answer, 0, length)
            }
            StatusCode::PARTIAL_CONTENT => match length_if_rest(&answer, offset, validator) {
                Some(length) => self.accept(source, &url, answer, offset, Some(length)),
                None => self.fetch(source).await,
            },
            StatusCode::RANGE_NOT_SATISFIABLE => self.fetch(source).await,
            status => Err(FetchError::Status(status.as_u16())),
        }
    }

    /// Sends the request, and again wherever it is redirected.
    async fn follow(
        &self,
        source: &Source,
        rest: Option<Rest<'_>>,
    ) -> Result<(Url, Answer), FetchError> {
        let mut url = source.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            self.allowed.permit(&url)?;
            let answer = self.request(&url, rest).await?;
            let Some(next) = redirect(&url, &answer)? else { return Ok((url, answer)) };
            if google::is_log_in(&next) {
                return Err(FetchError::NotShared);
            }
            url = next;
        }
        Err(FetchError::TooManyRedirects)
    }

    /// Sends one request, over a connection of its own, to an address that was checked.
    async fn request(&self, url: &Url, rest: Option<Rest<'_>>) -> Result<Answer, FetchError> {
        let request = request(url, rest).map_err(|_| FetchError::NotAUrl)?;
        let addresses = self.addresses(url).await?;
        let port = url.port_or_known_default().ok_or(FetchError::NotAUrl)?;
        let stream = self.connect(&addresses, port).await?;
        if url.scheme() == "http" {
            return self.send(request, stream).await;
        }
        let stream = timeout(self.limits.connect, self.tls.connect(server_name(url)?, stream))
            .await
            .map_err(|_| FetchError::NoAnswer)?
            .map_err(|error| tls_error(&error))?;
        self.send(request, stream).await
    }

    /// The addresses to which a connection may go.
    async fn addresses(&self, url: &Url) -> Result<Vec<IpAddr>, FetchError> {
        let name = match url.host().ok_or(FetchError::NotAUrl)? {
            // An operator listed this very address, or else `permit` had refused it.
            Host::Ipv4(address) => return Ok(vec![address.into()]),
            Host::Ipv6(address) => return Ok(vec![address.into()]),
            // Likewise. No resolver decides what it means (RFC 6761, section 6.3).
            Host::Domain("localhost") => {
                return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
            }
            Host::Domain(name) => name.to_owned(),
        };
        let addresses = timeout(self.limits.connect, (self.resolver)(name))
            .await
            .map_err(|_| FetchError::HostNotFound)?
            .map_err(|_| FetchError::HostNotFound)?;
        if addresses.is_empty() {
            return Err(FetchError::HostNotFound);
        }
        if addresses.iter().all(|address| is_public(*address)) {
            Ok(addresses)
        } else {
            Err(FetchError::AddressNotPublic)
        }
    }

    /// To the first address that answers.
    async fn connect(&self, addresses: &[IpAddr], port: u16) -> Result<TcpStream, FetchError> {
        for address in addresses.iter().take(MAX_ADDRESSES_TRIED) {
            let connecting = TcpStream::connect((*address, port));
            if let Ok(Ok(stream)) = timeout(self.limits.connect, connecting).await {
                return Ok(stream);
            }
        }
        Err(FetchError::NoAnswer)
    }

    async fn send<S>(&self, request: Request<Empty<Bytes>>, stream: S) -> Result<Answer, FetchError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let exchange = async {
            let (mut sender, driver) = http1::Builder::new()
                .max_buf_size(MAX_HEADER_BYTES)
                .handshake(TokioIo::new(stream))
                .await?;
            let mut connection = JoinSet::new();
            connection.spawn(async move {
                // Its errors reach the answer and the body.
                driver.await.ok();
            });
            Ok((sender.send_request(request).await?, connection))
        };
        let (response, connection) = timeout(self.limits.headers, exchange)
            .await
            .map_err(|_| FetchError::NoAnswer)?
            .map_err(|error: hyper::Error| {
                if error.is_parse() { FetchError::InvalidAnswer } else { FetchError::NoAnswer }
            })?;
        let (parts, incoming) = response.into_parts();
        Ok(Answer { status: parts.status, headers: parts.headers, incoming, connection })
    }

    /// Checks the headers of the answer that brings the file.
    fn accept(
        &self,
        source: &Source,
        url: &Url,
        answer: Answer,
        starts_at: u64,
        length: Option<u64>,
    ) -> Result<Fetched, FetchError> {
        let Answer { headers, incoming, connection, .. } = answer;
        if google::is_page(url, &headers) {
            return Err(FetchError::NotShared);
        }
        if is_compressed(&headers) {
            return Err(FetchError::Compressed);
        }
        if length.is_some_and(|length| length > self.limits.max_bytes) {
            return Err(FetchError::TooLarge(self.limits.max_bytes));
        }
        Ok(Fetched {
            file_name: file_name::propose(&headers, url, source.export_name),
            length,
            validator: Validator::of(&headers),
            starts_at,
            body: Body::new(incoming, connection, self.limits, starts_at, length),
        })
    }
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Fetcher")
            .field("allowed", &self.allowed)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[expect(clippy::expect_used, reason = "AWS-LC has the suites of TLS 1.2 and 1.3")]
fn tls_config(roots: RootCertStore) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("AWS-LC can do TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

async fn resolve(name: String) -> io::Result<Vec<IpAddr>> {
    // The port plays no part in resolving.
    Ok(lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
}

fn server_name(url: &Url) -> Result<ServerName<'static>, FetchError> {
    match url.host().ok_or(FetchError::NotAUrl)? {
        Host::Domain(name) => {
            ServerName::try_from(name.to_owned()).map_err(|_| FetchError::NotAUrl)
        }
        Host::Ipv4(address) => Ok(IpAddr::from(address).into()),
        Host::Ipv6(address) => Ok(IpAddr::from(address).into()),
    }
}

/// The TLS library says what it refused within the error of the operating system's kind.
fn tls_error(error: &io::Error) -> FetchError {
    let refused = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    if refused.is_some() { FetchError::NotTrusted } else { FetchError::NoAnswer }
}

fn request(url: &Url, rest: Option<Rest<'_>>) -> http::Result<Request<Empty<Bytes>>> {
    let mut request = Request::get(&url[Position::BeforePath..Position::AfterQuery])
        .version(Version::HTTP_11)
        .header(HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(USER_AGENT, AGENT)
        .header(ACCEPT, "*/*")
        .header(ACCEPT_ENCODING, "identity")
        .header(CONNECTION, "close");
    if let Some(Rest { offset, validator }) = rest {
        request =
            request.header(RANGE, format!("bytes={offset}-")).header(IF_RANGE, validator.as_str());
    }
    request.body(Empty::new())
}

/// Where the answer redirects to.
fn redirect(url: &Url, answer: &Answer) -> Result<Option<Url>, FetchError> {
    if !matches!(answer.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = answer.headers.get(LOCATION) else { return Ok(None) };
    let location = std::str::from_utf8(location.as_bytes()).map_err(|_| FetchError::NotAUrl)?;
    url.join(location).map(Some).map_err(|_| FetchError::NotAUrl)
}

/// The size of the whole file, when a 206 brings exactly the rest of the file that the validator
/// names (RFC 9110, section 14.4).
fn length_if_rest(answer: &Answer, offset: u64, validator: &Validator) -> Option<u64> {
    if validator.is_contradicted_by(&answer.headers) {
        return None;
    }
    let range = answer.headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let (positions, length) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = positions.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    let length: u64 = length.parse().ok()?;
    let sent = answer.incoming.size_hint().exact();
    let rest = length.checked_sub(offset)?;
    let fits = first == offset
        && last.checked_add(1) == Some(length)
        && rest > 0
        && sent.is_none_or(|sent| sent == rest);
    fits.then_some(length)
}

/// `Transfer-Encoding: gzip, chunked` compresses as well.
fn is_compressed(headers: &HeaderMap) -> bool {
    let other_than = |name, plain: &str| {
        headers
            .get_all(name)
            .iter()
            .any(|value| !value.as_bytes().trim_ascii().eq_ignore_ascii_case(plain.as_bytes()))
    };
    other_than(CONTENT_ENCODING, "identity") || other_than(TRANSFER_ENCODING, "chunked")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// What is made of an answer with these headers when it comes from this address of Google,
    /// whose hosts cannot be on loopback.
    async fn accepted(url: &str, headers: &str, share_link: &str) -> Result<Fetched, FetchError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let host = listener.local_addr().unwrap();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n{headers}\r\n\r\nfile");
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_u8().await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.read_to_end(&mut Vec::new()).await.ok();
        });
        let limits = Limits { headers: Duration::from_secs(20), ..Limits::new(1_000) };
        let allowed = AllowedHosts::default();
        let source = Source::parse(share_link, &allowed).unwrap();
        let fetcher = Fetcher::with_roots(allowed, limits, RootCertStore::empty());
        let answer = fetcher.request(&format!("http://{host}/").parse().unwrap(), None).await?;
        let accepted = fetcher.accept(&source, &url.parse().unwrap(), answer, 0, Some(4));
        serving.abort();
        accepted
    }

    const SHARED: &str = "https://docs.google.com/document/d/1a-B_c/edit";
    const SENT_FROM: &str = "https://doc-0-docs.googleusercontent.com/export/1a-B_c";

    #[tokio::test]
    async fn a_page_instead_of_a_document_is_not_shared() {
        let answer = accepted(SENT_FROM, "Content-Type: text/html; charset=utf-8", SHARED).await;
        assert_eq!(answer.map(drop), Err(FetchError::NotShared));
    }

    #[tokio::test]
    async fn an_exported_document_has_the_name_of_an_export() {
        let fetched = accepted(SENT_FROM, "Content-Type: application/x", SHARED).await.unwrap();
        assert_eq!(fetched.file_name.as_deref(), Some("document.docx"));
        let named = "Content-Disposition: attachment; filename=\"Plan\"";
        let fetched = accepted(SENT_FROM, named, SHARED).await.unwrap();
        assert_eq!(fetched.file_name.as_deref(), Some("Plan.docx"));
    }
}
