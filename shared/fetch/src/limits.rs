//! How much, how long and how slow a transfer may be.

use std::time::Duration;

/// How much, how long and how slow a transfer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The size of the largest file, in bytes.
    pub max_bytes: u64,
    /// For each of: resolving the name, connecting to one address, the TLS handshake.
    pub connect: Duration,
    /// From sending the request to the end of the answer's headers.
    pub headers: Duration,
    /// The longest silence within a body.
    pub idle: Duration,
    /// In bytes per second, as an average over each [`speed_window`](Self::speed_window).
    pub min_speed: u64,
    /// How long the speed is measured before it counts. Only time spent waiting for the host
    /// counts, not the time between two calls of [`Body::chunk`](crate::Body::chunk).
    pub speed_window: Duration,
}

impl Limits {
    /// Files of at most `max_bytes`, with times that suit hosts on the Internet.
    ///
    /// Google converts a document before it sends the first header, which takes tens of seconds
    /// for a large one.
    #[must_use]
    pub const fn new(max_bytes: u64) -> Self {
        Self {
            max_bytes,
            connect: Duration::from_secs(10),
            headers: Duration::from_mins(1),
            idle: Duration::from_secs(30),
            min_speed: 8 * 1024,
            speed_window: Duration::from_mins(1),
        }
    }
}
