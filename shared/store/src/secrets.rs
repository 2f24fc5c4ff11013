//! The keys that sign access tokens, cursors and delivery certificates, and those that encrypt the
//! seeds of second factors.

use share_auth::{CertificateKeys, SeedKeys, SigningKeys};
use share_contract::settings::{
    CERTIFICATE_SECRET, CERTIFICATE_SECRET_ARN, JWT_SECRET, JWT_SECRET_ARN, SECOND_FACTOR_SECRET,
    SECOND_FACTOR_SECRET_ARN, Setting,
};
use share_model::{Invalid, SettingError};

use crate::{Platform, StartError, StoreError};

/// The keys in `JWT_SECRET`, or else in the Secrets Manager secret that `JWT_SECRET_ARN` names.
/// Read once, at the start.
///
/// # Errors
/// When neither variable is set, the secret cannot be read, or it is too weak.
pub async fn signing_keys(platform: &Platform) -> Result<SigningKeys, StartError> {
    read(platform, &JWT_SECRET, &JWT_SECRET_ARN, SigningKeys::parse).await
}

/// The same of `CERTIFICATE_SECRET` and `CERTIFICATE_SECRET_ARN`.
///
/// # Errors
/// When neither variable is set, the secret cannot be read, or it is too weak.
pub async fn certificate_keys(platform: &Platform) -> Result<CertificateKeys, StartError> {
    read(platform, &CERTIFICATE_SECRET, &CERTIFICATE_SECRET_ARN, CertificateKeys::parse).await
}

/// The same of `SECOND_FACTOR_SECRET` and `SECOND_FACTOR_SECRET_ARN`.
///
/// # Errors
/// When neither variable is set, the secret cannot be read, or it is too weak.
pub async fn seed_keys(platform: &Platform) -> Result<SeedKeys, StartError> {
    read(platform, &SECOND_FACTOR_SECRET, &SECOND_FACTOR_SECRET_ARN, SeedKeys::parse).await
}

async fn read<T>(
    platform: &Platform,
    given: &Setting<String>,
    arn: &Setting<String>,
    parse: impl FnOnce(&str) -> Result<T, Invalid>,
) -> Result<T, StartError> {
    let environment = platform.environment();
    let (name, text) = if let Some(secret) = given.read_optional(environment)? {
        (given.about.name, secret)
    } else {
        let client = aws_sdk_secretsmanager::Client::new(platform.sdk());
        let request = client.get_secret_value().secret_id(arn.read(environment)?);
        let secret = request.send().await.map_err(StoreError::during("read a secret"))?;
        (arn.about.name, secret.secret_string.unwrap_or_default())
    };
    Ok(parse(&text).map_err(|reason| SettingError::Invalid { name, reason })?)
}
