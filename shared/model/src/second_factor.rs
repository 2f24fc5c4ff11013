//! A second factor: an authenticator app, and codes for the day on which it is lost.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::rfc3339_millis;

/// A user's second factor. It counts once its owner has shown a code; until then it is pending, and
/// logging in does without it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactor {
    /// The seed of the app, encrypted for its user.
    pub seed: String,
    /// When its owner first showed a code; `None` while it is pending.
    #[serde(default, with = "rfc3339_millis::optional", skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
    /// The latest step, counted from 1970, whose code was taken. No code of it or of an earlier one
    /// is taken again (RFC 6238, section 5.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_step: Option<u64>,
    /// The hashes of the recovery codes that are left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recovery_hashes: Vec<String>,
}

/// What somebody showed to prove that the second factor is theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// The code of this step of the app.
    Step(u64),
    /// The recovery code of this hash.
    Recovery(String),
}

impl SecondFactor {
    /// A pending one with this encrypted seed.
    #[must_use]
    pub fn pending(seed: String) -> Self {
        Self { seed, confirmed_at: None, last_step: None, recovery_hashes: Vec::new() }
    }

    /// Whether logging in asks for it.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.confirmed_at.is_some()
    }

    /// Confirmed at `now` with the code of this step, and with recovery codes of these hashes.
    #[must_use]
    pub fn confirmed(self, step: u64, recovery_hashes: Vec<String>, now: Timestamp) -> Self {
        Self { confirmed_at: Some(now), last_step: Some(step), recovery_hashes, ..self }
    }

    /// With new recovery codes. The former ones are good for nothing.
    #[must_use]
    pub fn with_recovery_hashes(self, recovery_hashes: Vec<String>) -> Self {
        Self { recovery_hashes, ..self }
    }

    /// What is left after `proof`, so that it proves nothing a second time; `None` when it proves
    /// nothing now.
    #[must_use]
    pub fn spent(&self, proof: &Proof) -> Option<Self> {
        let mut left = self.clone();
        match proof {
            Proof::Step(step) => {
                if self.last_step.is_some_and(|last| *step <= last) {
                    return None;
                }
                left.last_step = Some(*step);
            }
            Proof::Recovery(hash) => {
                left.recovery_hashes.retain(|it| it != hash);
                if left.recovery_hashes.len() == self.recovery_hashes.len() {
                    return None;
                }
            }
        }
        Some(left)
    }
}

impl std::fmt::Debug for SecondFactor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = if self.is_confirmed() { "confirmed" } else { "pending" };
        write!(formatter, "SecondFactor({state})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confirmed() -> SecondFactor {
        let now = Timestamp::from_second(1_000).unwrap();
        let hashes = ["a", "b"].map(str::to_owned).to_vec();
        SecondFactor::pending("sealed".to_owned()).confirmed(33, hashes, now)
    }

    fn recovery(hash: &str) -> Proof {
        Proof::Recovery(hash.to_owned())
    }

    #[test]
    fn a_factor_counts_from_its_confirmation_on() {
        assert!(!SecondFactor::pending("sealed".to_owned()).is_confirmed());
        assert!(confirmed().is_confirmed());
    }

    #[test]
    fn a_step_proves_something_once_and_no_earlier_one_does_afterwards() {
        assert_eq!(confirmed().spent(&Proof::Step(32)), None);
        assert_eq!(confirmed().spent(&Proof::Step(33)), None, "that of the confirmation");
        let left = confirmed().spent(&Proof::Step(34)).unwrap();
        assert_eq!(left, SecondFactor { last_step: Some(34), ..confirmed() });
        assert_eq!(left.spent(&Proof::Step(34)), None);
        assert!(left.spent(&Proof::Step(35)).is_some());
    }

    #[test]
    fn a_recovery_code_proves_something_once_and_takes_no_other_with_it() {
        let left = confirmed().spent(&recovery("a")).unwrap();
        assert_eq!(left, SecondFactor { recovery_hashes: vec!["b".to_owned()], ..confirmed() });
        assert_eq!(left.spent(&recovery("a")), None);
        assert!(left.spent(&recovery("b")).is_some());
        assert_eq!(confirmed().spent(&recovery("c")), None);
    }

    #[test]
    fn new_recovery_codes_take_the_place_of_the_former_ones() {
        let renewed = confirmed().with_recovery_hashes(vec!["c".to_owned()]);
        assert_eq!(renewed.spent(&recovery("a")), None);
        assert!(renewed.spent(&recovery("c")).is_some());
    }

    #[test]
    fn debug_output_shows_neither_seed_nor_codes() {
        assert_eq!(format!("{:?}", confirmed()), "SecondFactor(confirmed)");
    }

    #[test]
    fn a_factor_survives_its_text() {
        for factor in [SecondFactor::pending("sealed".to_owned()), confirmed()] {
            let text = serde_json::to_string(&factor).unwrap();
            assert_eq!(serde_json::from_str::<SecondFactor>(&text).unwrap(), factor);
        }
    }
}
