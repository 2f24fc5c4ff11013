//! The address from which a file is fetched.

use std::fmt;

use http::HeaderMap;
use url::Url;

use crate::{AllowedHosts, FetchError, export_link, file_name};

/// The address of a file, checked as far as that is possible without a connection.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    pub(crate) url: Url,
    pub(crate) export_name: Option<&'static str>,
}

impl Source {
    /// The longest address, in bytes. Browsers and proxies differ; 2,048 suits all.
    pub const MAX_BYTES: usize = 2_048;

    /// Reads an address as browsers do (WHATWG URL Standard), and replaces a share link of Google
    /// by the link of its export.
    ///
    /// The host is normalised: IDNA, upper case, and IPv4 in octal, hexadecimal or as one number.
    ///
    /// # Errors
    /// [`TooLong`](FetchError::TooLong), [`NotAUrl`](FetchError::NotAUrl),
    /// [`SchemeNotAllowed`](FetchError::SchemeNotAllowed), [`UserInfo`](FetchError::UserInfo) and
    /// [`HostNotAllowed`](FetchError::HostNotAllowed).
    pub fn parse(text: &str, allowed: &AllowedHosts) -> Result<Self, FetchError> {
        if text.len() > Self::MAX_BYTES {
            return Err(FetchError::TooLong);
        }
        let url = Url::parse(text).map_err(|_| FetchError::NotAUrl)?;
        allowed.permit(&url)?;
        let Some(export) = export_link(&url) else { return Ok(Self { url, export_name: None }) };
        allowed.permit(&export.url)?;
        Ok(Self { url: export.url, export_name: export.name })
    }

    /// The name that the file would have if the host said nothing of it. It may be a path, and hold
    /// any character.
    #[must_use]
    pub fn file_name(&self) -> Option<String> {
        file_name::propose(&HeaderMap::new(), &self.url, self.export_name)
    }
}

/// Shows the host alone: whoever knows a share link can read the file.
impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Source({})", self.url.host_str().unwrap_or_default())
    }
}
