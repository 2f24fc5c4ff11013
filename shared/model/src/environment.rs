//! Settings, as environment variables name them.

use std::collections::HashMap;

use crate::Invalid;

/// The variables of one process, read once at its start.
///
/// A map rather than the process's own environment, so that the local server can give each
/// function its settings, and tests theirs, without touching global state.
#[derive(Clone, Default)]
pub struct Environment(HashMap<String, String>);

/// Why a function refuses to start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// A variable that the function cannot do without is absent or empty.
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    /// A variable's value makes no sense. The value itself is not shown: it may be a secret.
    #[error("the environment variable {name} {reason}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What it must be.
        reason: Invalid,
    },
}

impl Environment {
    /// The value of `name`; an empty one counts as absent.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// # Errors
    /// When `name` is absent.
    pub fn required(&self, name: &'static str) -> Result<&str, SettingError> {
        self.optional(name).ok_or(SettingError::Missing(name))
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_counts_as_missing_which_is_said_by_name() {
        let environment = Environment::from_iter([("EMPTY", ""), ("FULL", "value")]);
        assert_eq!(environment.required("FULL"), Ok("value"));
        let missing = environment.required("EMPTY").unwrap_err().to_string();
        assert_eq!(missing, "the environment variable EMPTY is not set");
    }

    #[test]
    fn a_bad_value_is_not_shown() {
        let reason = Invalid::because("must be a number");
        let invalid = SettingError::Invalid { name: "LIFETIME", reason }.to_string();
        assert_eq!(invalid, "the environment variable LIFETIME must be a number");
    }
}
