//! The keys that sign delivery certificates: Ed25519 (RFC 8037), one signs, former ones are known.
//!
//! A certificate is a JSON Web Token (RFC 7519) of a type of its own, so that it passes for no
//! access token. Whoever has the public keys can check it without the service.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::signature::Ed25519KeyPair;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use share_model::{Certificate, CertificateFault, Invalid};

use crate::access_token::header;
use crate::stored_secrets::StoredSecrets;

/// The type of a delivery certificate.
const TYPE: &str = "delivery-certificate+jwt";

/// What a signing key is derived for; `info` of HKDF (RFC 5869).
const PURPOSE: &[u8] = b"secure-file-share delivery certificate Ed25519";

/// The secret keys: the one that signs, and former ones, of which certificates are still about.
pub struct CertificateKeys {
    current: SigningKey,
    previous: Vec<SigningKey>,
}

struct SigningKey {
    secret: EncodingKey,
    public: PublicKey,
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// Its thumbprint (RFC 7638).
    pub id: String,
    /// Its 32 bytes, in base64url.
    pub x: String,
}

/// The public keys with which certificates are checked.
pub struct PublicKeys(Vec<PublicKey>);

/// Why a certificate is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateRefusal {
    /// It is anything else.
    #[error("it is not a delivery certificate")]
    Form,
    /// Its key is not among those known.
    #[error("it is signed with the key {0}, which is not among the public keys given")]
    UnknownKey(String),
    /// It has been changed since it was signed, or was never signed with this key.
    #[error("its signature is wrong")]
    Signature,
    /// It is signed, and contradicts itself.
    #[error("it contradicts itself: {0}")]
    Content(CertificateFault),
}

impl CertificateKeys {
    /// Reads `{"current": "…", "previous": ["…"]}`, or one bare secret.
    ///
    /// # Errors
    /// When a secret is shorter than 32 bytes.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let stored = StoredSecrets::parse(text)?;
        Ok(Self {
            current: SigningKey::derive(&stored.current)?,
            previous: stored
                .previous
                .iter()
                .map(|it| SigningKey::derive(it))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The certificate, signed: header, content and signature in base64url, with dots between them.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a struct of texts and numbers, and a key of our own")]
    pub fn sign(&self, certificate: &Certificate) -> String {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(self.current.public.id.clone());
        encode(&header, certificate, &self.current.secret).expect("a certificate can be signed")
    }

    /// The public keys, the one that belongs to the signing key first.
    #[must_use]
    pub fn public(&self) -> PublicKeys {
        let all = std::iter::once(&self.current).chain(&self.previous);
        PublicKeys(all.map(|key| key.public.clone()).collect())
    }
}

impl SigningKey {
    /// The key whose seed is HKDF-SHA256 of the secret. Any 32 bytes are a seed (RFC 8032), and
    /// CloudFormation can make a random text but no key.
    #[expect(clippy::expect_used, reason = "a seed of 32 bytes is a key")]
    fn derive(secret: &str) -> Result<Self, Invalid> {
        if secret.len() < 32 {
            return Err(Invalid::because("must hold secrets of at least 32 bytes"));
        }
        let seed = seed(secret.as_bytes()).expect("HKDF-SHA256 gives 32 bytes");
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed");
        let pkcs8 = pair.to_pkcs8v1().expect("a key has a form");
        let secret = EncodingKey::from_ed_der(pkcs8.as_ref());
        let jwk = Jwk::from_encoding_key(&secret, Algorithm::EdDSA).expect("an Ed25519 key");
        let public = PublicKey::of(&jwk).expect("an Ed25519 key");
        Ok(Self { secret, public })
    }
}

fn seed(secret: &[u8]) -> Result<[u8; 32], Unspecified> {
    let mut seed = [0; 32];
    let key = Salt::new(HKDF_SHA256, &[]).extract(secret);
    key.expand(&[PURPOSE], HKDF_SHA256)?.fill(&mut seed)?;
    Ok(seed)
}

impl PublicKey {
    /// `None` when it is not an Ed25519 key.
    fn of(jwk: &Jwk) -> Option<Self> {
        let AlgorithmParameters::OctetKeyPair(pair) = &jwk.algorithm else { return None };
        let id = jwk.thumbprint(ThumbprintHash::SHA256).ok()?;
        Some(Self { id, x: pair.x.clone() })
    }
}

impl PublicKeys {
    /// Reads a JWK Set (RFC 7517). Keys of other kinds are passed over, and a key's name is what its
    /// thumbprint says.
    ///
    /// # Errors
    /// When it is none, or has no Ed25519 key.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let set: JwkSet =
            serde_json::from_str(text).map_err(|_| Invalid::because("must be a JWK Set"))?;
        let keys: Vec<_> = set.keys.iter().filter_map(PublicKey::of).collect();
        if keys.is_empty() {
            return Err(Invalid::because("must have an Ed25519 key"));
        }
        Ok(Self(keys))
    }

    /// The keys.
    pub fn iter(&self) -> impl Iterator<Item = &PublicKey> {
        self.0.iter()
    }

    /// What a certificate says, when one of these keys signed it and it holds together.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn open(&self, certificate: &str) -> Result<Certificate, CertificateRefusal> {
        let header = header(certificate).ok_or(CertificateRefusal::Form)?;
        if header.alg != Algorithm::EdDSA || header.typ != TYPE {
            return Err(CertificateRefusal::Form);
        }
        let key = self.0.iter().find(|key| key.id == header.kid);
        let key = key.ok_or(CertificateRefusal::UnknownKey(header.kid))?;
        let key =
            DecodingKey::from_ed_components(&key.x).map_err(|_| CertificateRefusal::Signature)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        // It says what was, for ever, and to anybody.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let read = decode::<Certificate>(certificate, &key, &validation);
        let certificate = read.map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => CertificateRefusal::Signature,
            _ => CertificateRefusal::Form,
        })?;
        certificate.claims.verify().map_err(CertificateRefusal::Content)?;
        Ok(certificate.claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const OTHER: &str = "fedcba9876543210fedcba9876543210";

    fn set(keys: &CertificateKeys) -> String {
        let keys = keys.public();
        let keys: Vec<_> = keys
            .iter()
            .map(|it| json!({"kty": "OKP", "crv": "Ed25519", "kid": it.id, "x": it.x}))
            .collect();
        json!({ "keys": keys }).to_string()
    }

    /// The texts are from a Python program: HKDF of RFC 5869, the public key with the code in
    /// RFC 8032, section 6, and its thumbprint of RFC 7638.
    #[test]
    fn a_key_follows_from_its_secret_as_documented() {
        let keys = CertificateKeys::parse(SECRET).unwrap();
        let key = &keys.current.public;
        assert_eq!(
            (key.id.as_str(), key.x.as_str()),
            (
                "Nu8CSZ9k9PTZRfnRmWU3txp0xKEACDuZyEX5bbUmh7o",
                "7IQdFqPsw_4qtlrMWaiXXiQwgNwsU2OF4vyK8VEHtmk"
            )
        );
    }

    #[test]
    fn former_keys_are_public_too_and_keys_of_other_kinds_are_passed_over() {
        let text = json!({"current": OTHER, "previous": [SECRET]}).to_string();
        let keys = CertificateKeys::parse(&text).unwrap();
        let former = CertificateKeys::parse(SECRET).unwrap();
        let public = PublicKeys::parse(&set(&keys)).unwrap();
        let ids: Vec<_> = public.iter().collect();
        assert_eq!(ids, [&keys.current.public, &former.current.public]);
        let x = &former.current.public.x;
        let renamed = json!({"keys": [{"kty": "oct", "k": "AAAA"},
            {"kty": "OKP", "crv": "Ed25519", "kid": "a name of somebody's choice", "x": x}]});
        let public = PublicKeys::parse(&renamed.to_string()).unwrap();
        assert_eq!(public.iter().collect::<Vec<_>>(), [&former.current.public]);
        for text in ["", "{}", r#"{"keys": []}"#, r#"{"keys": [{"kty": "oct", "k": "AAAA"}]}"#] {
            assert!(PublicKeys::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn short_secrets_are_refused_at_31_bytes_and_taken_at_32() {
        assert!(CertificateKeys::parse(&SECRET[..31]).is_err());
        assert!(CertificateKeys::parse(SECRET).is_ok());
        for text in [
            json!({"current": SECRET, "previous": ["short"]}),
            json!({"current": SECRET, "previous": OTHER}),
            json!({"current": SECRET, "other": OTHER}),
        ] {
            assert!(CertificateKeys::parse(&text.to_string()).is_err(), "{text}");
        }
    }
}
