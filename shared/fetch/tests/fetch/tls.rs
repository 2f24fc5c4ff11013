//! Which certificates are trusted.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{RootCertStore, ServerConfig};
use share_fetch::FetchError::{self, HostNotAllowed, NoAnswer, NotTrusted, SchemeNotAllowed};
use share_fetch::{AllowedHosts, Fetcher, Limits};
use tokio_rustls::TlsAcceptor;

use crate::server::{Cases, FILE, LIMITS, Server, Step, fetch, redirect, send};

struct Authority(Issuer<'static, KeyPair>, CertificateDer<'static>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self(Issuer::new(params, key), certificate)
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.1.clone()).unwrap();
        roots
    }

    fn certify(&self, name: &str, years: (i32, i32)) -> TlsAcceptor {
        let mut params = params(name);
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        acceptor(certificate.der(), &key)
    }
}

fn params(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).unwrap()
}

fn acceptor(certificate: &CertificateDer<'static>, key: &KeyPair) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

const VALID: (i32, i32) = (2000, 3000);

fn fetcher(list: &str, limits: Limits, authority: &Authority) -> Fetcher {
    Fetcher::with_roots(AllowedHosts::parse(list).unwrap(), limits, authority.roots())
}

async fn outcome(authority: &Authority, server: &Server, host: &str) -> Result<String, FetchError> {
    let host = format!("{host}:{}", server.address.port());
    fetch(&fetcher(&host, LIMITS, authority), &format!("https://{host}/")).await
}

#[tokio::test]
async fn a_trusted_certificate_for_the_host_is_accepted() {
    let authority = Authority::new("trusted");
    for name in ["127.0.0.1", "localhost"] {
        let server = Server::start_tls(authority.certify(name, VALID)).await;
        assert_eq!(outcome(&authority, &server, name).await, Ok("file".to_owned()), "{name}");
    }
}

#[tokio::test]
async fn certificates_that_are_refused() {
    let authority = Authority::new("trusted");
    let other = Authority::new("trusted");
    let own_key = KeyPair::generate().unwrap();
    let own = params("localhost").self_signed(&own_key).unwrap();
    let mut cases = Cases::default();
    for (case, acceptor) in [
        ("another name", authority.certify("example.com", VALID)),
        ("the address instead of the name", authority.certify("127.0.0.1", VALID)),
        ("a subdomain", authority.certify("*.localhost", VALID)),
        ("expired", authority.certify("localhost", (2000, 2001))),
        ("not yet valid", authority.certify("localhost", (2900, 3000))),
        ("another authority of the same name", other.certify("localhost", VALID)),
        ("self-signed", acceptor(own.der(), &own_key)),
    ] {
        let server = Server::start_tls(acceptor).await;
        cases.expect(case, outcome(&authority, &server, "localhost").await, Err(NotTrusted));
        cases.expect(case, server.requests().len(), 0);
    }
}

#[tokio::test]
async fn a_host_without_tls_is_not_trusted() {
    let authority = Authority::new("trusted");
    // It answers as soon as anything that looks like a request's end arrives, hence at once.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let host = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(FILE.as_bytes()).await.unwrap();
        stream
    });
    let fetcher = fetcher(&address.to_string(), LIMITS, &authority);
    assert_eq!(fetch(&fetcher, &format!("https://{address}/")).await, Err(NotTrusted));
    host.await.unwrap();
}

#[tokio::test]
async fn silence_instead_of_a_handshake_is_no_answer() {
    let authority = Authority::new("trusted");
    let server = Server::answering(vec![Step::Wait]).await;
    let limits = Limits { connect: Duration::from_millis(100), ..LIMITS };
    let fetcher = fetcher(&server.address.to_string(), limits, &authority);
    let url = format!("https://{}/", server.address);
    assert_eq!(fetch(&fetcher, &url).await, Err(NoAnswer));
}

#[tokio::test]
async fn https_redirects_to_http_only_where_a_port_is_listed() {
    let authority = Authority::new("trusted");
    let plain = Server::answering(vec![send(FILE)]).await;
    let mut cases = Cases::default();
    for (case, location, also, want) in [
        ("listed with its port", plain.url("/"), plain.address.to_string(), Ok("file".to_owned())),
        ("not listed", plain.url("/"), "docs.google.com".to_owned(), Err(HostNotAllowed)),
        (
            "listed without a port",
            "http://docs.google.com/".to_owned(),
            "docs.google.com".to_owned(),
            Err(SchemeNotAllowed),
        ),
    ] {
        let secure = Server::listen(
            move |_| redirect(&location),
            Some(authority.certify("127.0.0.1", VALID)),
        )
        .await;
        let list = format!("{},{also}", secure.address);
        let got = fetch(&fetcher(&list, LIMITS, &authority), &secure.url("/")).await;
        cases.expect(case, got, want);
    }
}

#[tokio::test]
async fn a_connection_cut_without_its_last_message_breaks_a_body_without_a_length_off() {
    let authority = Authority::new("trusted");
    let acceptor = authority.certify("127.0.0.1", VALID);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let host = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = acceptor.accept(stream).await.unwrap();
        let mut head = [0; 1_024];
        let length = stream.read(&mut head).await.unwrap();
        assert!(head[..length].ends_with(b"\r\n\r\n"));
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhalf a fi").await.unwrap();
        stream.flush().await.unwrap();
        // Dropped without `shutdown`, which would send TLS's close_notify.
    });
    let fetcher = fetcher(&address.to_string(), LIMITS, &authority);
    let got = fetch(&fetcher, &format!("https://{address}/")).await;
    assert_eq!(got, Err(FetchError::BrokeOff));
    host.await.unwrap();
}

#[test]
fn the_system_has_root_certificates() {
    Fetcher::new(AllowedHosts::default(), LIMITS).unwrap();
}
