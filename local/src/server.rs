//! Starting and stopping the local server.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::serve::ListenerExt;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use share_auth::{CertificateKeys, PublicKeys};
use share_contract::settings::{MALWARE_SCAN, MalwareScan};
use share_functions::Served;
use share_functions::admin::CreateAccount;
use share_http::Response;
use share_model::{Certificate, Environment, FileId};
use share_runtime::DirectFunction;
use share_store::{ChainReport, Clock, Platform, ReceiptVerifier};
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{broadcast, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::accounts;
use crate::console;
use crate::data_folder::DataFolder;
use crate::dynamodb::DynamoDb;
use crate::embedded::{self, BUCKET, Credentials};
use crate::event_bus::{EventBus, Published};
use crate::functions::{self, Functions};
use crate::gateway::Gateway;
use crate::hosts;
use crate::in_process::{DYNAMODB_URL, Engines, InProcess};
use crate::jobs::{DirectFunctions, Jobs, Runner};
use crate::s3::{Cors, MalwareScanner};
use crate::template::Template;

/// How to run the server.
pub struct Settings {
    /// Where to listen; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The folder for all data.
    pub data_dir: PathBuf,
    /// Variables that replace the server's own.
    pub overrides: BTreeMap<String, String>,
    /// The time. A parameter, so that tests can let a day pass.
    pub clock: Clock,
}

/// What is behind the functions: their variables, and the engines that these name.
pub struct Backend {
    /// All variables of all functions, with this machine's values.
    pub variables: BTreeMap<String, String>,
    engines: Arc<Engines>,
    events: EventBus,
    /// When the variables ask for it, and S3 is embedded.
    malware_scanner: Option<MalwareScanner>,
}

/// A running server.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    backend: Backend,
    gateway: Arc<Gateway>,
    /// The functions that no route leads to.
    direct: DirectFunctions,
    jobs: Jobs,
    stop: oneshot::Sender<()>,
    stopped: JoinHandle<std::io::Result<()>>,
    /// Held until the server has stopped, so that no second one uses it.
    _folder: DataFolder,
}

impl Server {
    /// Starts a server.
    ///
    /// # Errors
    /// When the address or the data folder cannot be used, or a setting is wrong.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        let folder = DataFolder::open(&settings.data_dir)?;
        let listener = TcpListener::bind(settings.listen)
            .await
            .with_context(|| format!("cannot listen on {}", settings.listen))?;
        let address = listener.local_addr()?;
        let template = Template::read()?;
        let (backend, published) = Backend::open(&settings, &folder, address, &template).await?;
        let now = (settings.clock)();
        accounts::create(&folder.accounts_mark(), address, &backend.platform().await, now).await?;
        let (mut functions, mut direct) = (Functions::new(), DirectFunctions::new());
        for (id, names) in &template.variables {
            let platform = backend.platform_with(names.iter().chain(&given_by_platform())).await;
            match functions::start(id, &platform).await? {
                Served::Endpoint(endpoint) if !template.is_called(id) => {
                    functions.insert(id.clone(), endpoint);
                }
                Served::Direct(function) if !template.has_route(id) => {
                    direct.insert(id.clone(), function);
                }
                _ => anyhow::bail!("template.yaml gives {id} an event that it does not take"),
            }
        }
        let public_url = backend.variables.get("PUBLIC_BASE_URL").and_then(|url| url.parse().ok());
        let runner = Runner {
            functions: direct.clone(),
            rules: template.rules.clone(),
            malware_scanner: backend.malware_scanner.clone(),
            events: backend.events.clone(),
            clock: Arc::clone(&settings.clock),
            // What only this machine can reach, only this machine asks for.
            origin: if address.ip().is_loopback() && !hosts::is_elsewhere(public_url.as_ref()) {
                console::Origin::ThisMachine
            } else {
                console::Origin::Elsewhere
            },
        };
        let jobs = Jobs::start(runner, &template.schedules, published);
        let gateway = Arc::new(Gateway {
            template,
            functions,
            schedules: jobs.schedules().clone(),
            clock: settings.clock,
            public_url,
            on_loopback: address.ip().is_loopback(),
        });
        let front = Arc::clone(&gateway);
        let app = Router::new().fallback(
            move |ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request| {
                let front = Arc::clone(&front);
                async move { front.answer(request, peer).await }
            },
        );
        let listener = listener.tap_io(|socket| {
            // A head and its body are separate writes; waiting to join them costs 40 ms.
            let _ = socket.set_nodelay(true);
        });
        let (stop, stopping) = oneshot::channel();
        let serving =
            axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
                .with_graceful_shutdown(async { stopping.await.unwrap_or_default() });
        let stopped = tokio::spawn(serving.into_future());
        Ok(Self { address, backend, gateway, direct, jobs, stop, stopped, _folder: folder })
    }

    /// Whether the links that it gives out have the host of another machine, as behind a proxy.
    pub(crate) fn is_elsewhere(&self) -> bool {
        hosts::is_elsewhere(self.gateway.public_url.as_ref())
    }

    /// What is behind its functions.
    #[must_use]
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// Invokes a function, by its logical id, with the text of a REST proxy event, as
    /// `sam local invoke` does.
    ///
    /// # Errors
    /// When there is no such function, or the text is not such an event.
    pub async fn invoke(&self, function: &str, event: &str) -> anyhow::Result<Response> {
        let request = lambda_http::request::from_str(event).context("not a proxy event")?;
        let function = self.gateway.functions.get(function).context("no such function")?;
        Ok(function.respond(request, &self.gateway.clock).await)
    }

    /// Invokes a function that no route leads to, by its logical id, with an event.
    ///
    /// # Errors
    /// When there is no such function, or it could not do its work.
    pub async fn invoke_job(
        &self,
        function: &str,
        event: Map<String, Value>,
    ) -> anyhow::Result<Value> {
        let function = self.direct.get(function).context("no such function")?;
        Ok(function.invoke(event, &self.gateway.clock).await?)
    }

    /// Returns when all events have been delivered, and the scheduled functions have run for all
    /// requests that were answered.
    pub async fn jobs_idle(&self) {
        self.jobs.until_idle().await;
    }

    /// Takes no more requests, and returns when those under way are answered, and the functions that
    /// events and schedules have called are done, or after ten seconds. Then nothing goes on.
    pub async fn stop(self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        // Fails only when the server has stopped already.
        let _ = self.stop.send(());
        let _ = tokio::time::timeout_at(deadline, self.stopped).await;
        self.jobs.stop(deadline).await;
    }
}

/// Creates an account by invitation, as the function of that name does; mails appear on the
/// console. No server may be using the folder.
pub(crate) async fn create_account(
    settings: &Settings,
    input: Map<String, Value>,
) -> anyhow::Result<Value> {
    let folder = DataFolder::open(&settings.data_dir)?;
    let (backend, _) =
        Backend::open(settings, &folder, settings.listen, &Template::read()?).await?;
    let function = CreateAccount::connect(&backend.platform().await).await?;
    let invoked = function.invoke(input, &settings.clock);
    Ok(console::Origin::ThisMachine.of(invoked).await?)
}

/// Looks at the receipts of a file's links. No server may be using the folder.
pub(crate) async fn verify_receipts(
    settings: &Settings,
    file: FileId,
) -> anyhow::Result<Vec<ChainReport>> {
    let folder = DataFolder::open(&settings.data_dir)?;
    let (backend, _) =
        Backend::open(settings, &folder, settings.listen, &Template::read()?).await?;
    let receipts = ReceiptVerifier::connect(&backend.platform().await)?;
    Ok(receipts.verify_receipts(file, (settings.clock)()).await?)
}

/// What a certificate says, when it is one that the keys in a JWK Set have signed, or else, without
/// one, the keys of the data folder.
pub(crate) fn verify_certificate(
    data_dir: &Path,
    certificate: &Path,
    keys: Option<&Path>,
) -> anyhow::Result<Certificate> {
    let read = |path: &Path| {
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let keys = if let Some(path) = keys {
        let keys = PublicKeys::parse(&read(path)?);
        keys.map_err(|reason| anyhow::anyhow!("{} {reason}", path.display()))?
    } else {
        let path = data_dir.join("certificate-secret");
        let keys = CertificateKeys::parse(&read(&path)?);
        keys.map_err(|reason| anyhow::anyhow!("{} {reason}", path.display()))?.public()
    };
    let read = keys.open(read(certificate)?.trim());
    read.with_context(|| format!("the certificate {} is not good", certificate.display()))
}

impl Backend {
    /// Opens what is behind the functions; also gives the events that come from there.
    async fn open(
        settings: &Settings,
        folder: &DataFolder,
        address: SocketAddr,
        template: &Template,
    ) -> anyhow::Result<(Self, UnboundedReceiver<Published>)> {
        let credentials = Credentials { id: "local", secret: random_text::<32>() };
        let mut variables = BTreeMap::from(
            [
                ("USERS_TABLE", "UsersTable"),
                ("SESSIONS_TABLE", "SessionsTable"),
                ("FILES_TABLE", "FilesTable"),
                ("SHELF_TABLE", "ShelfTable"),
                ("LINKS_TABLE", "LinksTable"),
                ("AUDIT_TABLE", "AuditTable"),
                ("LIMITS_TABLE", "LimitsTable"),
                ("FILES_BUCKET", BUCKET),
                ("MAIL_MODE", "log"),
                ("CLIENT_SIGNUP", "open"),
                ("AWS_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", credentials.id),
                ("AWS_SECRET_ACCESS_KEY", &credentials.secret),
                // There is no Lambda here that would end a long stream.
                ("STREAM_LIMIT_BYTES", "18446744073709551615"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        variables.insert("PUBLIC_BASE_URL".to_owned(), format!("http://{address}"));
        for (name, path) in [
            ("JWT_SECRET", folder.jwt_secret()),
            ("CERTIFICATE_SECRET", folder.certificate_secret()),
            ("SECOND_FACTOR_SECRET", folder.second_factor_secret()),
        ] {
            variables.insert(name.to_owned(), secret(&path)?);
        }
        for (name, value) in &settings.overrides {
            variables.insert(name.clone(), value.clone());
        }
        let region = variables.get("AWS_REGION").cloned().unwrap_or_default();
        let (events, published) = EventBus::new(Arc::clone(&settings.clock), region);
        let environment = variables.clone().into_iter().collect::<Environment>();
        let scans = MALWARE_SCAN.read(&environment)? == MalwareScan::GuardDuty;
        let mut malware_scanner = None;
        // With a DynamoDB or S3 of another process, the embedded one is not started.
        let mut engines = Engines::default();
        if !variables.contains_key("AWS_ENDPOINT_URL_DYNAMODB") {
            engines.dynamodb = Some(DynamoDb::open(&folder.database(), template)?);
            variables.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), DYNAMODB_URL.to_owned());
        }
        if !variables.contains_key("AWS_ENDPOINT_URL_S3") {
            let told = template.bucket_events.then(|| events.clone());
            let (service, scanner) = embedded::s3(&folder.objects(), &credentials, told)?;
            malware_scanner = Some(scanner).filter(|_| scans);
            let cors = Cors::new(&template.cors, &variables)?;
            let url = embedded::listen(service.clone(), cors).await?;
            engines.s3 = Some((url.clone(), service));
            variables.insert("AWS_ENDPOINT_URL_S3".to_owned(), url);
        }
        let backend = Self { variables, engines: Arc::new(engines), events, malware_scanner };
        Ok((backend, published))
    }

    /// All events from now on, as EventBridge delivers them: those of the embedded S3, and of who
    /// looks for malware in it.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Map<String, Value>> {
        self.events.watch()
    }

    /// The embedded DynamoDB, if the variables do not name another one.
    #[must_use]
    pub fn dynamodb(&self) -> Option<&DynamoDb> {
        self.engines.dynamodb.as_ref()
    }

    /// The configuration of an SDK client that reaches DynamoDB and S3, at the addresses that the
    /// variables name.
    pub async fn sdk(&self) -> SdkConfig {
        self.loader().load().await
    }

    /// The stores, with all variables.
    pub async fn platform(&self) -> Platform {
        self.platform_with(self.variables.keys()).await
    }

    async fn platform_with(&self, names: impl Iterator<Item = &String>) -> Platform {
        let given =
            names.filter_map(|name| Some((name.clone(), self.variables.get(name)?.clone())));
        Platform::load(given.collect::<Environment>(), self.loader()).await
    }

    fn loader(&self) -> ConfigLoader {
        let value = |name: &str| self.variables.get(name).cloned().unwrap_or_default();
        let credentials = aws_credential_types::Credentials::from_keys(
            value("AWS_ACCESS_KEY_ID"),
            value("AWS_SECRET_ACCESS_KEY"),
            None,
        );
        aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(value("AWS_REGION")))
            .credentials_provider(credentials)
            .http_client(InProcess(Arc::clone(&self.engines)))
    }
}

/// What a function has here beside the variables that the template gives it. Everything else it
/// must be given there, or it does not start, as in AWS.
fn given_by_platform() -> Vec<String> {
    let names = [
        "AWS_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "JWT_SECRET",
        "CERTIFICATE_SECRET",
        "SECOND_FACTOR_SECRET",
        "AWS_ENDPOINT_URL_DYNAMODB",
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL_SES",
        "STREAM_LIMIT_BYTES",
        "CHECK_SLICE_BYTES",
    ];
    names.map(str::to_owned).to_vec()
}

/// A secret that is made at the first start, and kept for the next ones.
fn secret(path: &Path) -> anyhow::Result<String> {
    if let Ok(secret) = fs::read_to_string(path) {
        return Ok(secret);
    }
    let secret = random_text::<48>();
    fs::write(path, &secret).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(secret)
}

fn random_text<const N: usize>() -> String {
    URL_SAFE_NO_PAD.encode(share_auth::random_bytes::<N>())
}
