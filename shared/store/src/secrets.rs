//! The keys that sign access tokens and cursors.

use share_auth::SigningKeys;
use share_contract::settings::{JWT_SECRET, JWT_SECRET_ARN};
use share_model::SettingError;

use crate::{Platform, StartError, StoreError};

/// The keys in `JWT_SECRET`, or else in the Secrets Manager secret that `JWT_SECRET_ARN` names.
/// Read once, at the start.
///
/// # Errors
/// When neither variable is set, the secret cannot be read, or it is too weak.
pub async fn signing_keys(platform: &Platform) -> Result<SigningKeys, StartError> {
    let environment = platform.environment();
    let (name, text) = if let Some(secret) = JWT_SECRET.read_optional(environment)? {
        (JWT_SECRET.about.name, secret)
    } else {
        let client = aws_sdk_secretsmanager::Client::new(platform.sdk());
        let request = client.get_secret_value().secret_id(JWT_SECRET_ARN.read(environment)?);
        let secret = request.send().await.map_err(StoreError::during("read the JWT secret"))?;
        (JWT_SECRET_ARN.about.name, secret.secret_string.unwrap_or_default())
    };
    let keys = SigningKeys::parse(&text);
    Ok(keys.map_err(|reason| SettingError::Invalid { name, reason })?)
}
