//! Parts of a file, and which of them have been sent.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A part of a file, from its first to its last byte, both included, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ByteRange {
    /// Its first byte.
    #[serde(rename = "first_byte")]
    pub first: u64,
    /// Its last byte, not before the first.
    #[serde(rename = "last_byte")]
    pub last: u64,
}

impl ByteRange {
    /// All of a file of `size` bytes, which is not 0.
    #[must_use]
    pub fn whole(size: u64) -> Self {
        Self { first: 0, last: size.saturating_sub(1) }
    }

    /// How many bytes it has.
    #[must_use]
    pub fn length(self) -> u64 {
        self.last - self.first + 1
    }
}

impl fmt::Display for ByteRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.first, self.last)
    }
}

/// The parts of a file that have been sent, put together.
///
/// In the tables it is a text such as `0-99,200-299`: sorted, without overlaps or neighbours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Coverage(Vec<ByteRange>);

impl Coverage {
    /// Adds a part. Those that touch or overlap become one.
    pub fn add(&mut self, mut part: ByteRange) {
        self.0.retain(|other| {
            let apart = other.first > part.last.saturating_add(1)
                || part.first > other.last.saturating_add(1);
            if !apart {
                part = ByteRange {
                    first: part.first.min(other.first),
                    last: part.last.max(other.last),
                };
            }
            apart
        });
        self.0.push(part);
        self.0.sort_by_key(|part| part.first);
    }

    /// Whether every byte of a file of `size` bytes is in it.
    #[must_use]
    pub fn is_whole(&self, size: u64) -> bool {
        self.0 == [ByteRange::whole(size)]
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = self.0.iter().map(ByteRange::to_string).collect();
        formatter.write_str(&parts.join(","))
    }
}

impl Serialize for Coverage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Coverage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut coverage = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let read = || {
                let (first, last) = part.split_once('-')?;
                let (first, last) = (first.parse().ok()?, last.parse().ok()?);
                (first <= last).then_some(ByteRange { first, last })
            };
            let part = read().ok_or_else(|| de::Error::custom("a part is first-last"))?;
            coverage.add(part);
        }
        Ok(coverage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_ends_of_a_range_count() {
        // RFC 9110, section 14.1.2: the second 500 bytes are 500-999.
        assert_eq!(ByteRange { first: 500, last: 999 }.length(), 500);
        assert_eq!(ByteRange { first: 0, last: 0 }.length(), 1);
        assert_eq!(ByteRange::whole(10_000), ByteRange { first: 0, last: 9_999 });
    }

    #[test]
    fn neighbours_become_one_part_and_the_text_is_sorted() {
        let mut coverage = Coverage::default();
        for (first, last) in [(200, 299), (0, 49), (50, 99)] {
            coverage.add(ByteRange { first, last });
        }
        assert_eq!(coverage.to_string(), "0-99,200-299");
    }

    #[test]
    fn a_part_that_ends_before_it_begins_is_refused() {
        assert!(serde_json::from_str::<Coverage>("\"5-5\"").is_ok());
        for text in ["5-4", "5", "-", "a-b"] {
            assert!(serde_json::from_str::<Coverage>(&format!("\"{text}\"")).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn coverage_holds_exactly_the_bytes_that_were_added_and_survives_its_text(
            parts in prop::collection::vec((0_u64..40, 0_u64..12), 0..12),
        ) {
            let mut coverage = Coverage::default();
            let mut bytes = [false; 64];
            for (first, more) in parts {
                coverage.add(ByteRange { first, last: first + more });
                bytes[usize::try_from(first).unwrap()..=usize::try_from(first + more).unwrap()]
                    .fill(true);
            }
            let text = serde_json::to_string(&coverage).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Coverage>(&text).unwrap(), &coverage);
            let mut held = [false; 64];
            for part in &coverage.0 {
                held[usize::try_from(part.first).unwrap()..=usize::try_from(part.last).unwrap()]
                    .fill(true);
            }
            prop_assert_eq!(held, bytes);
            for size in 1..60_u64 {
                let whole = bytes[..usize::try_from(size).unwrap()].iter().all(|byte| *byte)
                    && !bytes[usize::try_from(size).unwrap()..].contains(&true);
                prop_assert_eq!(coverage.is_whole(size), whole);
            }
        }
    }
}
