//! The AWS SDK's HTTP client: requests to the embedded engines stay in this process.

use std::fmt;
use std::sync::{Arc, OnceLock};

use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderValue, Uri};
use http_body::Body;
use s3s::service::S3Service;

use crate::dynamodb::DynamoDb;

/// Where the SDK is told that the embedded DynamoDB is. Nobody can connect to it: RFC 2606 keeps
/// `.invalid` free of addresses.
pub(crate) const DYNAMODB_URL: &str = "http://dynamodb.invalid";

/// The engines that are embedded, and the way to others.
#[derive(Default)]
pub(crate) struct Engines {
    /// The embedded DynamoDB.
    pub(crate) dynamodb: Option<DynamoDb>,
    /// The embedded S3, and the address of its port.
    pub(crate) s3: Option<(String, S3Service)>,
    /// Made when it is needed first, because it reads the machine's certificates.
    elsewhere: OnceLock<SharedHttpClient>,
}

/// The SDK's HTTP client.
#[derive(Clone)]
pub(crate) struct InProcess(pub(crate) Arc<Engines>);

impl fmt::Debug for InProcess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("InProcess")
    }
}

impl HttpClient for InProcess {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            engines: Arc::clone(&self.0),
            settings: settings.clone(),
            components: components.clone(),
        })
    }
}

#[derive(Debug)]
struct Connector {
    engines: Arc<Engines>,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl fmt::Debug for Engines {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Engines")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let is_at = |url: &str| {
            let rest = request.uri().strip_prefix(url);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        };
        if let Some(dynamodb) = self.engines.dynamodb.as_ref().filter(|_| is_at(DYNAMODB_URL)) {
            return HttpConnectorFuture::ready(ask_dynamodb(dynamodb, &request));
        }
        if let Some((_, service)) = self.engines.s3.as_ref().filter(|(url, _)| is_at(url)) {
            return HttpConnectorFuture::new(ask_s3(service.clone(), request));
        }
        let elsewhere = self.engines.elsewhere.get_or_init(|| {
            Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https()
        });
        elsewhere.http_connector(&self.settings, &self.components).call(request)
    }
}

fn ask_dynamodb(
    dynamodb: &DynamoDb,
    request: &HttpRequest,
) -> Result<HttpResponse, ConnectorError> {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    let body = request.body().bytes().unwrap_or_default();
    let response = dynamodb.answer(target, body).map(SdkBody::from);
    response.try_into().map_err(other)
}

/// What the HTTP client and server between the SDK and S3 would do is done here: the header `Host`,
/// which is signed, and the length.
async fn ask_s3(service: S3Service, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let mut request = request.try_into_http1x().map_err(other)?;
    let uri = request.uri().clone();
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let host = HeaderValue::from_str(host).map_err(other)?;
    request.headers_mut().insert(HOST, host);
    if let Some(length) = request.body().size_hint().exact().filter(|length| *length > 0) {
        request.headers_mut().entry(CONTENT_LENGTH).or_insert(length.into());
    }
    let path = uri.into_parts().path_and_query.map(Uri::from);
    *request.uri_mut() = path.unwrap_or_default();
    let response = service.call(request.map(s3s::Body::http_body)).await;
    let response = response.map_err(|error| other(format!("{error:?}")))?;
    response.map(SdkBody::from_body_1_x).try_into().map_err(other)
}

fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ConnectorError {
    ConnectorError::other(error.into(), None)
}
