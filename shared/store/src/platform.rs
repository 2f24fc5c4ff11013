//! Where the stores are: the environment's settings and the AWS clients.

use std::sync::OnceLock;
use std::time::Duration;

use aws_config::{ConfigLoader, SdkConfig};
use aws_sdk_s3::config::timeout::TimeoutConfig;
use share_model::Environment;

/// What every store is built from.
pub struct Platform {
    environment: Environment,
    sdk: SdkConfig,
    /// One for all tables, so that they share their connections.
    dynamodb: aws_sdk_dynamodb::Client,
    /// Likewise one for the bucket, made for the first that needs it.
    s3: OnceLock<aws_sdk_s3::Client>,
}

impl Platform {
    /// The platform that `environment` describes, with region and credentials as `loader` finds
    /// them.
    pub async fn load(environment: Environment, loader: ConfigLoader) -> Self {
        // No service may use up the 28 seconds that a function has: what is half done must still
        // be undone.
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(2))
            .operation_timeout(Duration::from_secs(8))
            .build();
        let sdk = loader.timeout_config(timeouts).load().await;
        let dynamodb = dynamodb(&environment, &sdk);
        Self { environment, sdk, dynamodb, s3: OnceLock::new() }
    }

    /// The settings.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    pub(crate) fn sdk(&self) -> &SdkConfig {
        &self.sdk
    }

    pub(crate) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        self.dynamodb.clone()
    }

    /// Its timeouts end with the head of an answer: a body takes as long as whoever reads it. Only
    /// when S3 itself gives nothing for too long does the SDK break off (its protection against
    /// stalled streams).
    pub(crate) fn s3(&self) -> aws_sdk_s3::Client {
        self.s3.get_or_init(|| self.new_s3()).clone()
    }

    fn new_s3(&self) -> aws_sdk_s3::Client {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(2))
            .read_timeout(Duration::from_secs(5))
            .operation_timeout(Duration::from_secs(12))
            .build();
        let mut config = aws_sdk_s3::config::Builder::from(&self.sdk).timeout_config(timeouts);
        let own = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"];
        if let Some(url) = own.iter().find_map(|name| self.environment.optional(name)) {
            // An S3 of one's own has no wildcard DNS, so the bucket goes into the path.
            config = config.endpoint_url(url).force_path_style(true);
        }
        aws_sdk_s3::Client::from_conf(config.build())
    }
}

fn dynamodb(environment: &Environment, sdk: &SdkConfig) -> aws_sdk_dynamodb::Client {
    // Short attempts, because a lost answer is repeated without harm.
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(8))
        .build();
    let mut config = aws_sdk_dynamodb::config::Builder::from(sdk).timeout_config(timeouts);
    if let Some(url) = environment.optional("AWS_ENDPOINT_URL_DYNAMODB") {
        config = config.endpoint_url(url);
    }
    aws_sdk_dynamodb::Client::from_conf(config.build())
}
