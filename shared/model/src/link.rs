//! One-time download links.

use jiff::{SignedDuration, Timestamp};

use crate::Invalid;

/// How long a link lives: 60 seconds to 7 days.
#[derive(Debug, Clone, Copy)]
pub struct LinkLifetime(SignedDuration);

impl LinkLifetime {
    /// # Errors
    /// When `text` is not a number of seconds within the bounds.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text.parse::<i64>() {
            Ok(seconds @ 60..=604_800) => Ok(Self(SignedDuration::from_secs(seconds))),
            _ => Err(Invalid::because("must be a number of seconds from 60 to 604800")),
        }
    }

    /// When a link made at `now` ends, in whole seconds as the Tokens table keeps it.
    #[must_use]
    pub fn end(self, now: Timestamp) -> Timestamp {
        let end = now.as_second().saturating_add(self.0.as_secs());
        Timestamp::from_second(end).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetime_is_checked_at_and_beyond_both_ends() {
        for (text, good) in [
            ("59", false),
            ("60", true),
            ("604800", true),
            ("604801", false),
            ("1h", false),
            ("", false),
        ] {
            assert_eq!(LinkLifetime::parse(text).is_ok(), good, "{text:?}");
        }
    }
}
