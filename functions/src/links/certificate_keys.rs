//! `key_list`: the public keys of delivery certificates.

use share_contract::{Key, KeySet, Operation, operations};
use share_http::{Answer, ApiError, Endpoint, Request};
use share_store::{Platform, StartError, certificate_keys};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct CertificateKeys {
    keys: KeySet,
}

impl Endpoint for CertificateKeys {
    const NAME: &'static str = "CertificateKeys";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::KEY_LIST];
    const READS_USERS: bool = false;
    type Json = KeySet;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        let public = certificate_keys(platform).await?.public();
        let keys = public.iter().map(|key| Key::new(key.id.clone(), key.x.clone()));
        Ok(Self { keys: KeySet { keys: keys.collect() } })
    }

    async fn handle(&self, _: &Request) -> Result<Answer<KeySet>, ApiError> {
        Ok(Answer::ok(self.keys.clone()))
    }
}
