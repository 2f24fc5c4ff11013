//! Why a file was not fetched.

/// Why a file was not fetched, as a sentence for the user who gave the address.
///
/// It says nothing that the user could not learn from outside: no resolved address, no error of
/// the operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The text is no URL, or a redirect leads to none.
    #[error("the address is not a valid URL")]
    NotAUrl,
    /// The text is longer than [`Source::MAX_BYTES`](crate::Source::MAX_BYTES).
    #[error("the address is longer than 2,048 characters")]
    TooLong,
    /// Neither https, nor http to a host that is listed with a port.
    #[error("the address must begin with https://")]
    SchemeNotAllowed,
    /// The URL has a username or a password.
    #[error("the address must not contain a username or a password")]
    UserInfo,
    /// The host, or its port, is not listed.
    #[error("the host is not allowed")]
    HostNotAllowed,
    /// At least one of the host's addresses is not public. See [`is_public`](crate::is_public).
    #[error("the host has no public address")]
    AddressNotPublic,
    /// The host's name has no address, or the resolver did not answer.
    #[error("the host was not found")]
    HostNotFound,
    /// No connection, or no headers in time.
    #[error("the host did not answer")]
    NoAnswer,
    /// TLS failed: a certificate that is not trusted, for another name or expired, or no TLS.
    #[error("no trusted connection to the host was possible")]
    NotTrusted,
    /// The answer is not HTTP/1.1, or its headers are too large.
    #[error("the host sent an answer that is not valid HTTP")]
    InvalidAnswer,
    /// More than [`MAX_REDIRECTS`](crate::MAX_REDIRECTS).
    #[error("the host redirects too often")]
    TooManyRedirects,
    /// A status that brings no file.
    #[error("the host answered with status {0}")]
    Status(u16),
    /// The body is compressed, although only the file as it is was asked for.
    #[error("the host sent the file compressed")]
    Compressed,
    /// Google sent a page instead of a file: to log in, to confirm, or the view of a folder.
    #[error("the link leads to a page: share the file with everyone who has the link")]
    NotShared,
    /// Larger than this number of bytes.
    #[error("the file is larger than {0} bytes")]
    TooLarge(u64),
    /// Below the minimum speed, or silent.
    #[error("the transfer was too slow")]
    TooSlow,
    /// The connection ended before the file did.
    #[error("the transfer broke off")]
    BrokeOff,
}

impl FetchError {
    /// Whether fetching the same address again, later, may succeed.
    #[must_use]
    pub fn is_passing(self) -> bool {
        match self {
            Self::HostNotFound | Self::NoAnswer | Self::TooSlow | Self::BrokeOff => true,
            // Those of RFC 9110 and RFC 6585 that speak of the moment and not of the request.
            Self::Status(status) => matches!(status, 408 | 425 | 429 | 500 | 502..=504),
            _ => false,
        }
    }
}
