//! The hosts from which files may be fetched.

use share_model::Invalid;
use url::{Host, Url};

use crate::FetchError;

/// The hosts from which files may be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHosts(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    /// `docs.google.com`: https on port 443.
    Name(String),
    /// `*.googleusercontent.com`, kept as `.googleusercontent.com`: https on port 443.
    Subdomains(String),
    /// `files.example.com:8443` or `127.0.0.1:9000`: http and https on that port.
    HostAndPort(Host, u16),
}

impl AllowedHosts {
    /// Google's hosts: those of share links, and those to which their downloads redirect.
    pub const DEFAULT: &str =
        "docs.google.com,drive.google.com,drive.usercontent.google.com,*.googleusercontent.com";

    /// Reads a list with commas between its entries. The empty list allows no host.
    ///
    /// | Entry | Allows |
    /// |---|---|
    /// | `docs.google.com` | https on port 443 of this host |
    /// | `*.googleusercontent.com` | https on port 443 of every subdomain, at any depth |
    /// | `files.example.com:8443` | http and https on this port of this host |
    /// | `127.0.0.1:9000`, `[::1]:9000`, `localhost:9000` | the same, though the address may not be public |
    ///
    /// # Errors
    /// When an entry has none of these forms. An IP address and `localhost` need a port, because
    /// they stand for one service; a subdomain pattern has none.
    pub fn parse(list: &str) -> Result<Self, Invalid> {
        if list.trim().is_empty() {
            return Ok(Self(Vec::new()));
        }
        list.split(',').map(|entry| Entry::parse(entry.trim())).collect::<Result<_, _>>().map(Self)
    }

    /// Checks scheme, user-info, host and port, before the first request and at every redirect.
    ///
    /// An IP address or `localhost` is allowed only by an entry that names it.
    pub(crate) fn permit(&self, url: &Url) -> Result<(), FetchError> {
        let secure = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(FetchError::SchemeNotAllowed),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FetchError::UserInfo);
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(FetchError::NotAUrl);
        };
        let host = host.to_owned();
        if self.0.iter().any(|entry| entry.has_port(&host, port)) {
            return Ok(());
        }
        if !self.0.iter().any(|entry| entry.has_name(&host)) {
            return Err(FetchError::HostNotAllowed);
        }
        if !secure {
            return Err(FetchError::SchemeNotAllowed);
        }
        if port == 443 { Ok(()) } else { Err(FetchError::HostNotAllowed) }
    }
}

impl Default for AllowedHosts {
    fn default() -> Self {
        let google = ["docs.google.com", "drive.google.com", "drive.usercontent.google.com"];
        let mut entries = google.map(|name| Entry::Name(name.to_owned())).to_vec();
        entries.push(Entry::Subdomains(".googleusercontent.com".to_owned()));
        Self(entries)
    }
}

impl Entry {
    fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = || {
            Invalid::because(
                "must be host names with commas between them, such as docs.google.com, \
                 *.googleusercontent.com or files.example.com:8443",
            )
        };
        if let Some(parent) = text.strip_prefix("*.") {
            return match Host::parse(parent) {
                Ok(Host::Domain(parent)) if !parent.contains('*') => {
                    Ok(Self::Subdomains(format!(".{parent}")))
                }
                _ => Err(invalid()),
            };
        }
        // The colons of a bare IPv6 address are no port.
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                let port = port.parse::<u16>().ok().filter(|port| *port != 0);
                (host, Some(port.ok_or_else(invalid)?))
            }
            _ => (text, None),
        };
        match (Host::parse(host).map_err(|_| invalid())?, port) {
            (Host::Domain(name), _) if name.contains('*') => Err(invalid()),
            (host, Some(port)) => Ok(Self::HostAndPort(host, port)),
            (Host::Domain(name), None) if name != "localhost" => Ok(Self::Name(name)),
            _ => Err(Invalid::because("an IP address and localhost need a port")),
        }
    }

    fn has_port(&self, host: &Host, port: u16) -> bool {
        matches!(self, Self::HostAndPort(own, own_port) if own == host && *own_port == port)
    }

    fn has_name(&self, host: &Host) -> bool {
        let Host::Domain(name) = host else { return false };
        match self {
            Self::Name(own) => own == name,
            Self::Subdomains(parent) => name.len() > parent.len() && name.ends_with(parent),
            Self::HostAndPort(..) => false,
        }
    }
}
