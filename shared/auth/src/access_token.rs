//! Access tokens: JSON Web Tokens (RFC 7519) of the type `at+jwt` (RFC 9068), signed with HS256.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use share_model::{Invalid, Role, SessionId, UserId};

use crate::random_bytes;

/// An access token's life, in seconds: 15 minutes. Short, because what it says is of the past.
pub const ACCESS_TOKEN_SECONDS: i64 = 15 * 60;

/// The type of an access token (RFC 9068, section 2.1). No other token that a service signs passes
/// for one (RFC 8725, section 3.11).
const TYPE: &str = "at+jwt";

/// By how many seconds the clock of the function that issued a token may be ahead of the one that
/// reads it.
const LEEWAY_SECONDS: i64 = 60;

const ISSUER: &str = "secure-file-share";
const AUDIENCE: &str = "secure-file-share-api";

/// Whose an access token is, and of which session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessToken {
    /// The account.
    pub user: UserId,
    /// The session that a login began.
    pub session: SessionId,
    /// The account's [`share_model::User::generation`] when the token was issued.
    pub generation: u32,
}

/// What an access token says (RFC 9068; `sid` names the session, as in `OpenID` Connect).
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    sid: SessionId,
    generation: u32,
    /// For the client's eyes. The server reads the role from the user record.
    role: String,
    iat: i64,
    /// Never in a token of ours, and heeded all the same: a token must not count before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    exp: i64,
    jti: String,
}

/// The header of a token that is signed here, all of it. A parameter that asks for more than is
/// done here, as `crit` does, or that brings its own key, as `jwk` and `jku` do, is refused with all
/// others.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenHeader {
    pub(crate) alg: Algorithm,
    pub(crate) typ: String,
    pub(crate) kid: String,
}

/// The header of a signed token; `None` when it is not as the tokens of this service have it.
pub(crate) fn header(token: &str) -> Option<TokenHeader> {
    let (header, _) = token.split_once('.')?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()
}

/// Why an access token was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessRefusal {
    /// It is genuine, and its time is over.
    Expired,
    /// It is anything else than a token of ours.
    Invalid,
}

/// The secret keys that sign: the current one, and one that is being phased out.
pub struct SigningKeys {
    current: Key,
    previous: Option<Key>,
}

struct Key {
    id: String,
    secret: Vec<u8>,
}

/// The form in which Secrets Manager holds the keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKeys {
    current: String,
    previous: Option<String>,
}

impl SigningKeys {
    /// Reads `{"current": "…", "previous": "…"}`, or one bare secret.
    ///
    /// # Errors
    /// When a secret is shorter than the 32 bytes that HS256 asks for (RFC 7518, section 3.2).
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let stored = if text.trim_start().starts_with('{') {
            serde_json::from_str(text)
                .map_err(|_| Invalid::because("must be {\"current\": …, \"previous\": …}"))?
        } else {
            StoredKeys { current: text.to_owned(), previous: None }
        };
        Ok(Self {
            current: Key::new(stored.current)?,
            previous: stored.previous.map(Key::new).transpose()?,
        })
    }

    /// A token of the access that `token` says, good from `now` on for [`ACCESS_TOKEN_SECONDS`].
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "strings and numbers always serialize, HMAC always signs"
    )]
    pub fn issue(&self, token: AccessToken, role: Role, now: Timestamp) -> String {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: token.user.to_string(),
            sid: token.session,
            generation: token.generation,
            role: role.as_str().to_owned(),
            iat: now.as_second(),
            nbf: None,
            exp: now.as_second() + ACCESS_TOKEN_SECONDS,
            jti: URL_SAFE_NO_PAD.encode(random_bytes::<16>()),
        };
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(self.current.id.clone());
        encode(&header, &claims, &EncodingKey::from_secret(&self.current.secret))
            .expect("claims can be signed")
    }

    /// Whose token this is. It does not say whether the session goes on.
    ///
    /// # Errors
    /// When it is not a token that [`SigningKeys::issue`] made, or its time is over at `now`.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<AccessToken, AccessRefusal> {
        let header = header(token).ok_or(AccessRefusal::Invalid)?;
        if header.alg != Algorithm::HS256 || header.typ != TYPE {
            return Err(AccessRefusal::Invalid);
        }
        let key = self.all().find(|key| key.id == header.kid).ok_or(AccessRefusal::Invalid)?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // The library would read the clock; here `now` is an argument.
        validation.validate_exp = false;
        let claims = decode::<Claims>(token, &DecodingKey::from_secret(&key.secret), &validation)
            .map_err(|_| AccessRefusal::Invalid)?
            .claims;
        let latest = now.as_second() + LEEWAY_SECONDS;
        if claims.iat > latest || claims.nbf.is_some_and(|nbf| nbf > latest) {
            return Err(AccessRefusal::Invalid);
        }
        if now.as_second() >= claims.exp {
            return Err(AccessRefusal::Expired);
        }
        let user = claims.sub.parse().map_err(|_| AccessRefusal::Invalid)?;
        Ok(AccessToken { user, session: claims.sid, generation: claims.generation })
    }

    /// A MAC over `message`, which names its own purpose, with the current key.
    pub(crate) fn mac(&self, message: &[u8]) -> Vec<u8> {
        self.current.mac(message).finalize().into_bytes().to_vec()
    }

    /// Whether one of the keys made `tag` over `message`. Takes the same time either way.
    pub(crate) fn is_mac(&self, message: &[u8], tag: &[u8]) -> bool {
        self.all().any(|key| key.mac(message).verify_slice(tag).is_ok())
    }

    fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

impl Key {
    fn new(secret: String) -> Result<Self, Invalid> {
        if secret.len() < 32 {
            return Err(Invalid::because("must hold secrets of at least 32 bytes"));
        }
        let secret = secret.into_bytes();
        let digest = Sha256::digest([b"key id\0", secret.as_slice()].concat());
        let id = URL_SAFE_NO_PAD.encode(digest.iter().take(9).copied().collect::<Vec<u8>>());
        Ok(Self { id, secret })
    }

    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    fn mac(&self, message: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("any key will do");
        mac.update(message);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const OTHER: &str = "fedcba9876543210fedcba9876543210";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn someone() -> AccessToken {
        AccessToken {
            user: UserId::new(at(1_700_000_000), [7; 10]),
            session: SessionId::new(at(1_700_000_000), [8; 10]),
            generation: 3,
        }
    }

    #[test]
    fn a_token_is_good_until_just_before_its_end() {
        let keys = SigningKeys::parse(SECRET).unwrap();
        let token = keys.issue(someone(), Role::Client, at(1_000));
        assert_eq!(keys.verify(&token, at(1_000)), Ok(someone()));
        assert_eq!(keys.verify(&token, at(1_899)), Ok(someone()));
        assert_eq!(keys.verify(&token, at(1_900)), Err(AccessRefusal::Expired));
        assert_eq!(keys.verify(&token, at(1_901)), Err(AccessRefusal::Expired));
    }

    #[test]
    fn a_previous_key_is_still_accepted_and_a_foreign_one_is_not() {
        let old = SigningKeys::parse(SECRET).unwrap();
        let token = old.issue(someone(), Role::Ops, at(0));
        let rotated = json!({"current": OTHER, "previous": SECRET}).to_string();
        assert_eq!(SigningKeys::parse(&rotated).unwrap().verify(&token, at(1)), Ok(someone()));
        let foreign = SigningKeys::parse(OTHER).unwrap();
        assert_eq!(foreign.verify(&token, at(1)), Err(AccessRefusal::Invalid));
    }

    /// A token with this header and these claims, signed with the right key.
    fn sign(header: &Value, claims: &Value, algorithm: Algorithm) -> String {
        let [header, claims] = [header, claims].map(|it| URL_SAFE_NO_PAD.encode(it.to_string()));
        let (message, key) = (format!("{header}.{claims}"), SECRET.as_bytes());
        let key = EncodingKey::from_secret(key);
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
        format!("{message}.{signature}")
    }

    fn header(keys: &SigningKeys) -> Value {
        json!({"alg": "HS256", "typ": TYPE, "kid": keys.current.id})
    }

    fn claims() -> Value {
        json!({"iss": ISSUER, "aud": AUDIENCE, "sub": someone().user.to_string(), "role": "ops",
            "sid": someone().session.to_string(), "generation": 3, "iat": 0, "exp": 100,
            "jti": "x"})
    }

    fn with(mut object: Value, name: &str, value: Value) -> Value {
        object[name] = value;
        object
    }

    fn without(mut object: Value, name: &str) -> Value {
        object.as_object_mut().unwrap().remove(name);
        object
    }

    #[test]
    fn a_claim_that_differs_makes_a_token_worthless() {
        let keys = SigningKeys::parse(SECRET).unwrap();
        let seal = |claims: &Value| sign(&header(&keys), claims, Algorithm::HS256);
        assert_eq!(keys.verify(&seal(&claims()), at(1)), Ok(someone()));
        let unknown = with(claims(), "scope", json!("all"));
        assert_eq!(keys.verify(&seal(&unknown), at(1)), Ok(someone()), "RFC 7519, section 4");
        for (name, value) in [
            ("aud", json!("another")),
            ("aud", json!([AUDIENCE, "another"])),
            ("iss", json!("another")),
            ("sub", json!("1")),
            ("sid", json!("1")),
            ("generation", json!(-1)),
            ("exp", json!(null)),
            ("exp", json!("100")),
            ("iat", json!("0")),
            ("nbf", json!("0")),
        ] {
            let token = seal(&with(claims(), name, value.clone()));
            assert_eq!(keys.verify(&token, at(1)), Err(AccessRefusal::Invalid), "{name}: {value}");
        }
        for name in ["aud", "iss", "sub", "sid", "generation", "exp", "iat"] {
            let token = seal(&without(claims(), name));
            assert_eq!(keys.verify(&token, at(1)), Err(AccessRefusal::Invalid), "no {name}");
        }
    }

    #[test]
    fn a_header_that_is_not_exactly_ours_makes_a_token_worthless() {
        let keys = SigningKeys::parse(SECRET).unwrap();
        let refused = |header: &Value, algorithm| {
            let token = sign(header, &claims(), algorithm);
            assert_eq!(keys.verify(&token, at(1)), Err(AccessRefusal::Invalid), "{header}");
        };
        for (name, value) in [
            ("typ", json!("JWT")),
            ("typ", json!("at+JWT")),
            ("typ", json!("application/at+jwt")),
            ("typ", json!("delivery-certificate+jwt")),
            ("kid", json!("other")),
            ("crit", json!(["exp"])),
            ("crit", json!([])),
            ("crit", json!(null)),
            ("b64", json!(true)),
            ("cty", json!("JWT")),
            ("zip", json!("DEF")),
            ("jku", json!("https://example.com/keys")),
            ("jwk", json!({"kty": "oct", "k": "AAAA"})),
        ] {
            refused(&with(header(&keys), name, value), Algorithm::HS256);
        }
        for name in ["alg", "typ", "kid"] {
            refused(&without(header(&keys), name), Algorithm::HS256);
        }
        refused(&with(header(&keys), "alg", json!("HS512")), Algorithm::HS512);
        refused(&with(header(&keys), "alg", json!("HS384")), Algorithm::HS384);
        refused(&header(&keys), Algorithm::HS512);
    }

    #[test]
    fn a_token_from_the_future_is_refused_one_second_beyond_the_leeway() {
        let keys = SigningKeys::parse(SECRET).unwrap();
        for name in ["iat", "nbf"] {
            for (moment, verdict) in [
                (1_059, Ok(someone())),
                (1_060, Ok(someone())),
                (1_061, Err(AccessRefusal::Invalid)),
            ] {
                let claims = with(with(claims(), "exp", json!(2_000)), name, json!(moment));
                let token = sign(&header(&keys), &claims, Algorithm::HS256);
                assert_eq!(keys.verify(&token, at(1_000)), verdict, "{name} {moment}");
            }
        }
    }

    #[test]
    fn a_token_without_a_signature_is_refused() {
        let keys = SigningKeys::parse(SECRET).unwrap();
        let token = keys.issue(someone(), Role::Client, at(0));
        let claims = token.split('.').nth(1).unwrap();
        for algorithm in ["none", "None", "HS256"] {
            let header = with(header(&keys), "alg", json!(algorithm)).to_string();
            let unsigned = format!("{}.{claims}.", URL_SAFE_NO_PAD.encode(header));
            assert_eq!(keys.verify(&unsigned, at(1)), Err(AccessRefusal::Invalid), "{algorithm}");
        }
    }

    #[test]
    fn short_secrets_are_refused_at_31_bytes_and_taken_at_32() {
        assert!(SigningKeys::parse(&SECRET[..31]).is_err());
        assert!(SigningKeys::parse(SECRET).is_ok());
        assert!(SigningKeys::parse(r#"{"current": "short"}"#).is_err());
        assert!(SigningKeys::parse("{").is_err());
    }
}
