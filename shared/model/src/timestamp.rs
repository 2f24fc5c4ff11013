//! How a moment is written in answers and in the tables.

/// Serde form of a [`jiff::Timestamp`]: RFC 3339, UTC, always three decimals.
///
/// The width is fixed because the tables sort these strings, and `…:00Z` would sort after
/// `…:00.123Z`.
pub mod rfc3339_millis {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    /// The text of `moment`, for example `2026-01-31T09:30:00.000Z`.
    #[must_use]
    pub fn text(moment: Timestamp) -> String {
        format!("{moment:.3}")
    }

    /// For `#[serde(with)]`.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&text(*moment))
    }

    /// For `#[serde(with)]`.
    ///
    /// # Errors
    /// When the text is not an RFC 3339 time.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        Timestamp::deserialize(deserializer)
    }

    /// The same form of a moment that need not be there.
    pub mod optional {
        use jiff::Timestamp;
        use serde::{Deserialize, Deserializer, Serializer};

        /// For `#[serde(with)]`.
        ///
        /// # Errors
        /// Those of the serializer.
        pub fn serialize<S: Serializer>(
            moment: &Option<Timestamp>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match moment {
                Some(moment) => super::serialize(moment, serializer),
                None => serializer.serialize_none(),
            }
        }

        /// For `#[serde(with)]`.
        ///
        /// # Errors
        /// When the text is not an RFC 3339 time.
        pub fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Timestamp>, D::Error> {
            Option::deserialize(deserializer)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::rfc3339_millis::text;
    use jiff::Timestamp;

    #[test]
    fn texts_sort_as_their_moments_do() {
        let whole = Timestamp::from_millisecond(1_700_000_000_000).unwrap();
        let later = Timestamp::from_millisecond(1_700_000_000_123).unwrap();
        assert_eq!(text(whole), "2023-11-14T22:13:20.000Z");
        assert!(text(whole) < text(later));
    }
}
