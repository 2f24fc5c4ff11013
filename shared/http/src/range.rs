//! The `Range` header of a request (RFC 9110, section 14.2).

use share_model::ByteRange;

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
    }
}
