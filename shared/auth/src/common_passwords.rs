//! The passwords that attackers try first. `data/README.md` says where they come from.

/// Sorted by byte, in lower case and ASCII. Of each, a byte says with how many characters it begins
/// as the one before does; the others follow, and the last one of them has [`LAST`] set.
const LIST: &[u8] = include_bytes!("../data/common-passwords.bin");

const LAST: u8 = 0x80;

/// Whether the list has this password, which is in lower case.
///
/// Reads the list up to there, because that is fast beside a hash: `data/README.md`.
pub(crate) fn is_common(password: &str) -> bool {
    let wanted = password.as_bytes();
    // With how many bytes the last one read, which is less than `wanted`, begins as `wanted` does.
    let mut same = 0;
    for (shared, suffix) in entries() {
        if shared > same {
            // It differs from `wanted` where the one before does.
            continue;
        }
        if shared < same {
            // It is greater than the one before in a byte that that one has in common with `wanted`.
            return false;
        }
        let ahead = wanted.get(same..).unwrap_or_default();
        let more = suffix.iter().zip(ahead).take_while(|(byte, other)| *byte & !LAST == **other);
        let more = more.count();
        match (suffix.get(more), ahead.get(more)) {
            (None, None) => return true,
            (Some(byte), Some(other)) if byte & !LAST > *other => return false,
            (Some(_), None) => return false,
            _ => same += more,
        }
    }
    false
}

/// Of each password, how many characters it shares with the one before, and the others.
fn entries() -> impl Iterator<Item = (usize, &'static [u8])> {
    let mut rest = LIST;
    std::iter::from_fn(move || {
        let (shared, tail) = rest.split_first()?;
        let last = tail.iter().position(|byte| byte & LAST != 0)?;
        let (suffix, next) = tail.split_at_checked(last + 1)?;
        rest = next;
        Some((usize::from(*shared), suffix))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;

    /// The list, read in the plain way.
    static ALL: LazyLock<Vec<String>> = LazyLock::new(|| {
        let mut before = Vec::new();
        let passwords = entries().map(|(shared, suffix)| {
            before.truncate(shared);
            before.extend(suffix.iter().map(|byte| byte & !LAST));
            String::from_utf8(before.clone()).unwrap()
        });
        passwords.collect()
    });
    static SET: LazyLock<BTreeSet<&'static str>> =
        LazyLock::new(|| ALL.iter().map(String::as_str).collect());

    #[test]
    fn the_list_has_100_000_passwords_that_could_be_chosen_otherwise() {
        assert_eq!(ALL.len(), 100_000);
        assert!(ALL.is_sorted_by(|one, next| one < next), "sorted, and none twice");
        for password in ALL.iter() {
            assert!(password.len() >= 8, "{password}");
            assert_eq!(*password, password.to_lowercase());
        }
        let length: usize = entries().map(|(_, suffix)| 1 + suffix.len()).sum();
        assert_eq!(length, LIST.len(), "it is read to its end");
    }

    #[test]
    fn the_first_the_last_and_every_997th_are_found() {
        let (first, last) = (ALL.first().unwrap(), ALL.last().unwrap());
        for password in ALL.iter().step_by(997).chain([first, last]) {
            assert!(is_common(password), "{password}");
        }
    }

    #[test]
    fn well_known_ones_are_found() {
        for password in [
            "password",
            "12345678",
            "qwertyuiop",
            "iloveyou",
            "trustno1",
            "aaaaaaaa",
            "11111111",
            "abcdefgh",
            "passw0rd",
            "password123",
            "1q2w3e4r5t",
        ] {
            assert!(is_common(password), "{password}");
        }
    }

    #[test]
    fn what_is_not_listed_is_not_found() {
        for password in [
            "",
            "a",
            "passwor",
            "correct horse battery staple",
            "\0",
            "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
            "\u{7f}",
            "passwörd",
            "😀😀😀😀😀😀😀😀",
        ] {
            assert!(!is_common(password), "{password}");
        }
    }

    proptest! {
        #[test]
        fn the_neighbours_of_a_listed_password_are_found_only_if_they_are_listed_too(
            at in 0..100_000_usize, place: prop::sample::Index, other in "[ -~é]",
        ) {
            let password = &ALL[at];
            let place = place.index(password.len());
            let mut changed = password.clone();
            changed.replace_range(place..=place, &other);
            let mut longer = password.clone();
            longer.insert_str(place, &other);
            let mut shorter = password.clone();
            shorter.remove(place);
            let appended = format!("{password}{other}");
            for text in [changed, longer, shorter, appended, password[..place].to_owned()] {
                prop_assert_eq!(is_common(&text), SET.contains(text.as_str()), "{}", text);
            }
        }

        #[test]
        fn any_text_at_all_is_looked_up_without_a_panic(text in ".{0,40}") {
            prop_assert_eq!(is_common(&text), SET.contains(text.as_str()));
        }
    }
}
