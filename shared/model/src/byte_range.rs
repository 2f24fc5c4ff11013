//! Parts of a file: which one a request asks for, and which ones have been handed over.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A part of a file, from its first to its last byte, both included, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByteRange {
    /// Its first byte.
    #[serde(rename = "first_byte")]
    pub first: u64,
    /// Its last byte, not before the first.
    #[serde(rename = "last_byte")]
    pub last: u64,
}

/// What a `Range` header asks of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeRequest {
    /// The whole file: there is no such header, or none that must be understood.
    Whole,
    /// A part of it.
    Part(ByteRange),
    /// Something that the file does not have: a 416.
    Unsatisfiable,
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

impl RangeRequest {
    /// What `header` asks of a file of `size` bytes (RFC 9110, section 14.2).
    ///
    /// A header that is malformed, of another unit, or names several ranges is ignored, as the RFC
    /// allows: the answer is then the whole file.
    #[must_use]
    pub fn parse(header: &str, size: u64) -> Self {
        let unit_and_range =
            header.split_once('=').filter(|(unit, _)| unit.trim().eq_ignore_ascii_case("bytes"));
        let Some((first, last)) = unit_and_range.and_then(|(_, range)| range.split_once('-'))
        else {
            return Self::Whole;
        };
        match (position(first), position(last)) {
            // The last so many bytes.
            (Some(None), Some(Some(0))) => Self::Unsatisfiable,
            (Some(None), Some(Some(suffix))) => {
                Self::within(size.saturating_sub(suffix), u64::MAX, size)
            }
            (Some(Some(first)), Some(None)) => Self::within(first, u64::MAX, size),
            (Some(Some(first)), Some(Some(last))) if first <= last => {
                Self::within(first, last, size)
            }
            _ => Self::Whole,
        }
    }

    fn within(first: u64, last: u64, size: u64) -> Self {
        if first >= size {
            return Self::Unsatisfiable;
        }
        Self::Part(ByteRange { first, last: last.min(size - 1) })
    }
}

/// `Some(None)` when there is nothing, `None` when it is not a number.
#[expect(clippy::option_option, reason = "wrong, absent and given are three things")]
fn position(text: &str) -> Option<Option<u64>> {
    let text = text.trim();
    if text.is_empty() {
        return Some(None);
    }
    // Rust's parser would also take a plus sign.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    // A number beyond all files is as good as the largest.
    digits.then(|| Some(text.parse().unwrap_or(u64::MAX)))
}

/// The parts of a file that have been handed over, put together.
///
/// In the tables it is a text such as `0-99,200-299`: sorted, without overlaps or neighbours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

    fn part(first: u64, last: u64) -> RangeRequest {
        RangeRequest::Part(ByteRange { first, last })
    }

    #[test]
    fn ranges_are_read_as_rfc_9110_says_at_and_beyond_the_ends_of_the_file() {
        for (header, meaning) in [
            ("bytes=0-0", part(0, 0)),
            ("bytes=0-", part(0, 9)),
            ("bytes=3-5", part(3, 5)),
            ("bytes=9-", part(9, 9)),
            ("bytes=9-9", part(9, 9)),
            ("bytes=3-99", part(3, 9)),
            ("bytes=0-99999999999999999999999", part(0, 9)),
            ("bytes=-1", part(9, 9)),
            ("bytes=-10", part(0, 9)),
            ("bytes=-11", part(0, 9)),
            ("BYTES = 1-2", part(1, 2)),
            ("bytes=10-", RangeRequest::Unsatisfiable),
            ("bytes=10-11", RangeRequest::Unsatisfiable),
            ("bytes=99999999999999999999999-", RangeRequest::Unsatisfiable),
            ("bytes=-0", RangeRequest::Unsatisfiable),
            ("bytes=5-3", RangeRequest::Whole),
            ("bytes=-", RangeRequest::Whole),
            ("bytes=", RangeRequest::Whole),
            ("bytes", RangeRequest::Whole),
            ("bytes=a-b", RangeRequest::Whole),
            ("bytes=+1-2", RangeRequest::Whole),
            ("bytes=0-1,3-4", RangeRequest::Whole),
            ("items=0-1", RangeRequest::Whole),
            ("", RangeRequest::Whole),
        ] {
            assert_eq!(RangeRequest::parse(header, 10), meaning, "{header:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_header_says_a_part_lies_within_the_file(
            header in "(bytes=)?[0-9,=+-]{0,12}|.{0,20}", size in 1_u64..50,
        ) {
            if let RangeRequest::Part(part) = RangeRequest::parse(&header, size) {
                prop_assert!(part.first <= part.last && part.last < size);
            }
        }

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
