//! Random bytes from the operating system.

/// `N` unpredictable bytes.
///
/// # Panics
/// When the operating system has none to give, because no secret made without them is one.
#[must_use]
#[expect(clippy::expect_used, reason = "without randomness every later step would be unsafe")]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use super::random_bytes;

    #[test]
    fn no_two_calls_give_the_same_bytes() {
        assert_ne!(random_bytes::<32>(), random_bytes::<32>());
    }
}
