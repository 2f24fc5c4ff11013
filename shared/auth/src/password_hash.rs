//! How passwords are hashed, and compared with what is stored.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::Password;

/// OWASP Password Storage Cheat Sheet's first choice for argon2id: 19 MiB, two passes, one lane.
/// About 16 ms on one core.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A hash of the same cost as any other, which is no password's.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Passwords hashed at the same time. A Lambda serves one request at a time; the local server
/// must not let a burst of logins take 19 MiB each without bound.
static HASHING: Semaphore = Semaphore::const_new(4);

/// Whether a password is the one that is stored.
#[must_use]
pub enum Verified {
    /// It is not, or nothing is stored.
    No,
    /// It is.
    Yes,
    /// It is, and what is stored is not what [`Password::hash`] would make of it today: the
    /// parameters were weaker, or the text was hashed as it was typed. The password is given back,
    /// so that its new hash can be stored.
    Outdated(Password),
}

impl Verified {
    /// Whether it is the one that is stored.
    #[must_use]
    pub fn is_right(&self) -> bool {
        !matches!(self, Self::No)
    }
}

impl Password {
    /// The argon2id hash with a new salt, as a PHC string. Runs off the async threads.
    pub async fn hash(self) -> String {
        off_the_async_threads(move || hash_now(self.form())).await
    }
}

/// Whether `password` belongs to `stored`, a PHC string.
///
/// How long a refusal takes depends on the text of the password alone. With nothing stored, or
/// something that is no hash, a dummy hash is verified; what a weaker hash costs less is spent all
/// the same; and what is tried does not depend on the hash: the form of RFC 8265 and, only when it
/// differs, the text as it was typed.
pub async fn verify(stored: Option<&str>, password: Password) -> Verified {
    let stored = stored.and_then(|text| PasswordHash::new(text).ok());
    off_the_async_threads(move || verify_now(stored.as_ref(), password)).await
}

/// [`verify`] for those who have no use for a new hash.
pub async fn matches(stored: Option<&str>, password: Password) -> bool {
    verify(stored, password).await.is_right()
}

fn verify_now(stored: Option<&PasswordHash>, password: Password) -> Verified {
    let hash = stored.cloned().unwrap_or_else(nobodys);
    let right = password.forms().position(|form| is_hash_of(&hash, form));
    match (stored, right) {
        (None, _) | (_, None) => Verified::No,
        // The first form is the one that is hashed today.
        (Some(_), Some(0)) if !is_weak(&hash) => Verified::Yes,
        (Some(_), Some(_)) => Verified::Outdated(password),
    }
}

fn is_hash_of(hash: &PasswordHash, text: &str) -> bool {
    let right = hasher().verify_password(text.as_bytes(), hash).is_ok();
    if let (false, Some(rest)) = (right, remaining_cost(hash)) {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, rest);
        // Its result, also that of an error, is nobody's.
        let _ = argon2.hash_password_into(text.as_bytes(), b"somesaltsomesalt", &mut [0; 32]);
    }
    right
}

/// Whether a hash is weaker than one of today.
fn is_weak(hash: &PasswordHash) -> bool {
    let today = Version::V0x13.into();
    let Ok(parameters) = Params::try_from(hash) else { return true };
    hash.algorithm != Algorithm::Argon2id.ident()
        || hash.version.is_none_or(|version| version < today)
        || parameters.m_cost() < MEMORY_KIB
        || parameters.t_cost() < PASSES
        || parameters.output_len().is_none_or(|length| length < Params::DEFAULT_OUTPUT_LEN)
}

/// Parameters of the cost that verifying this hash lacks to that of one of today, when it is so
/// much that it can be hashed with. What argon2 costs is its memory times its passes.
fn remaining_cost(hash: &PasswordHash) -> Option<Params> {
    let spent = Params::try_from(hash).map_or(0, |it| it.m_cost().saturating_mul(it.t_cost()));
    let rest = (MEMORY_KIB * PASSES).saturating_sub(spent) / PASSES;
    Params::new(rest, PASSES, LANES, None).ok()
}

#[expect(clippy::expect_used, reason = "a constant, which the tests verify passwords against")]
fn nobodys() -> PasswordHash {
    PasswordHash::new(NOBODYS).expect("a PHC string")
}

#[expect(clippy::expect_used, reason = "constant parameters and a short password cannot fail")]
fn hash_now(password: &str) -> String {
    let hash: PasswordHash = hasher().hash_password(password.as_bytes()).expect("argon2 hashes");
    hash.to_string()
}

#[expect(clippy::expect_used, reason = "constant parameters within argon2's bounds")]
fn hasher() -> Argon2<'static> {
    let parameters = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("valid parameters");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
}

#[expect(clippy::expect_used, reason = "the semaphore is never closed, and a panic must go on")]
async fn off_the_async_threads<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let permit = HASHING.acquire().await.expect("the semaphore is open");
    // The permit goes along: the work does not stop when nobody waits for it any more.
    let work = move || {
        let result = work();
        drop(permit);
        result
    };
    spawn_blocking(work).await.expect("hashing does not panic")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, mpsc};

    use tokio::sync::oneshot;

    use super::*;

    const COMPOSED: &str = "Zürich im Frühling";
    const DECOMPOSED: &str = "Zu\u{308}rich im Fru\u{308}hling";

    fn present(text: &str) -> Password {
        Password::present(text).unwrap()
    }

    async fn hash(text: &str) -> String {
        present(text).hash().await
    }

    /// A hash of this text as it is, with these parameters.
    fn hash_with(algorithm: Algorithm, version: Version, parameters: Params, text: &str) -> String {
        let argon2 = Argon2::new(algorithm, version, parameters);
        let hash: PasswordHash = argon2.hash_password(text.as_bytes()).unwrap();
        hash.to_string()
    }

    fn parameters(memory: u32, passes: u32, length: Option<usize>) -> Params {
        Params::new(memory, passes, 1, length).unwrap()
    }

    #[tokio::test]
    async fn only_the_right_password_matches_and_nobody_matches_the_dummy() {
        let hash = hash("a long enough one").await;
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(matches!(verify(Some(&hash), present("a long enough one")).await, Verified::Yes));
        assert!(matches!(verify(Some(&hash), present("another one")).await, Verified::No));
        assert!(matches!(verify(None, present("nobody's")).await, Verified::No));
        assert!(matches!(verify(Some("no hash"), present("nobody's")).await, Verified::No));
        assert!(matches(Some(&hash), present("a long enough one")).await);
        assert!(!matches(Some(&hash), present("another one")).await);
        assert!(!matches(None, present("nobody's")).await);
    }

    #[tokio::test]
    async fn a_password_is_the_same_however_it_was_composed() {
        for chosen in [COMPOSED, DECOMPOSED] {
            let hash = hash(chosen).await;
            for entered in [COMPOSED, DECOMPOSED, "Zürich\u{a0}im Fru\u{308}hling"] {
                let verified = verify(Some(&hash), present(entered)).await;
                assert!(matches!(verified, Verified::Yes), "{entered:?}");
            }
            for entered in ["Zurich im Fruhling", "zürich im frühling"] {
                assert!(!matches(Some(&hash), present(entered)).await, "{entered:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_hash_of_the_text_as_it_was_typed_still_verifies_and_is_outdated() {
        let before = hash_now(DECOMPOSED);
        let Verified::Outdated(password) = verify(Some(&before), present(DECOMPOSED)).await else {
            panic!("it is right, and not of the form");
        };
        let anew = password.hash().await;
        for entered in [COMPOSED, DECOMPOSED] {
            let verified = verify(Some(&anew), present(entered)).await;
            assert!(matches!(verified, Verified::Yes), "{entered:?}");
        }
        let controls = hash_now("with a\ttab in it");
        let verified = verify(Some(&controls), present("with a\ttab in it")).await;
        assert!(matches!(verified, Verified::Yes), "there is no other form of it");
    }

    #[tokio::test]
    async fn a_weaker_hash_is_outdated_and_becomes_one_of_today() {
        let (id, v13) = (Algorithm::Argon2id, Version::V0x13);
        for (weaker, algorithm, version, parameters) in [
            ("memory", id, v13, parameters(MEMORY_KIB - 1, PASSES, None)),
            ("passes", id, v13, parameters(MEMORY_KIB * 2, PASSES - 1, None)),
            ("length", id, v13, parameters(MEMORY_KIB, PASSES, Some(31))),
            ("version", id, Version::V0x10, parameters(MEMORY_KIB, PASSES, None)),
            ("algorithm", Algorithm::Argon2i, v13, parameters(MEMORY_KIB, PASSES, None)),
            ("all", Algorithm::Argon2d, Version::V0x10, parameters(8, 1, Some(16))),
        ] {
            let before = hash_with(algorithm, version, parameters, "a long enough one");
            assert!(!matches(Some(&before), present("another one")).await, "{weaker}");
            let verified = verify(Some(&before), present("a long enough one")).await;
            assert!(verified.is_right(), "{weaker}");
            let Verified::Outdated(password) = verified else { panic!("{weaker} is not weaker") };
            let anew = password.hash().await;
            let verified = verify(Some(&anew), present("a long enough one")).await;
            assert!(matches!(verified, Verified::Yes), "{weaker}");
        }
    }

    #[tokio::test]
    async fn a_stronger_hash_is_kept() {
        for stronger in [parameters(MEMORY_KIB + 1, PASSES, None), parameters(MEMORY_KIB, 3, None)]
        {
            let hash =
                hash_with(Algorithm::Argon2id, Version::V0x13, stronger, "a long enough one");
            let verified = verify(Some(&hash), present("a long enough one")).await;
            assert!(matches!(verified, Verified::Yes), "{hash}");
        }
    }

    #[test]
    fn what_a_weaker_hash_costs_less_is_spent_too() {
        for (memory, passes, rest) in [
            (MEMORY_KIB, PASSES, None),
            (MEMORY_KIB + 1, PASSES, None),
            (MEMORY_KIB, 1, Some(MEMORY_KIB / 2)),
            (MEMORY_KIB / 2, PASSES, Some(MEMORY_KIB / 2)),
            (8, 1, Some(MEMORY_KIB - 4)),
            // Less than argon2 can hash with.
            (MEMORY_KIB - 7, PASSES, None),
            (MEMORY_KIB - 8, PASSES, Some(8)),
        ] {
            let parameters = parameters(memory, passes, None);
            let hash = hash_with(Algorithm::Argon2id, Version::V0x13, parameters, "any");
            let found = remaining_cost(&PasswordHash::new(&hash).unwrap());
            let found = found.map(|it| (it.m_cost(), it.t_cost()));
            assert_eq!(found, rest.map(|memory| (memory, PASSES)), "{memory} × {passes}");
        }
        assert!(remaining_cost(&nobodys()).is_none());
        assert!(!is_weak(&nobodys()), "it costs what one of today costs");
    }

    #[tokio::test]
    async fn a_hash_keeps_its_permit_when_nobody_waits_for_it_any_more() {
        let (release, released) = mpsc::channel::<()>();
        let released = Arc::new(Mutex::new(released));
        for _ in 0..4 {
            let (started, has_started) = oneshot::channel();
            let released = Arc::clone(&released);
            let work = move || {
                started.send(()).unwrap();
                // Fails when the sender is gone, which is what it waits for.
                let _ = released.lock().unwrap().recv();
            };
            tokio::select! {
                () = off_the_async_threads(work) => panic!("it was not released"),
                begun = has_started => begun.unwrap(),
            }
        }
        assert!(HASHING.try_acquire().is_err(), "four are running");
        drop(release);
        off_the_async_threads(|| ()).await;
    }
}
