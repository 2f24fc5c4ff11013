//! How long links and leases live, and how downloads travel.

use share_model::{Environment, Invalid, LeaseTerms, LinkLifetime, SettingError};

use super::{About, Default, Range, Setting};

/// The life of a link.
pub const LINK_TTL: Setting<LinkLifetime> = Setting {
    about: About {
        name: "LINK_TTL_SECONDS",
        default: Default::Value("3600"),
        range: Range::Number(60, 604_800),
        text: "Life of a link, in seconds, when its maker does not say.",
        parameter: Some("LinkTtlSeconds"),
    },
    parse: LinkLifetime::parse,
};

/// The longest life of a link.
pub const LINK_MAX_TTL: Setting<LinkLifetime> = Setting {
    about: About {
        name: "LINK_MAX_TTL_SECONDS",
        default: Default::Value("604800"),
        range: Range::Number(60, 604_800),
        text: "The longest life of a link that a Client can ask for, in seconds.",
        parameter: Some("LinkMaxTtlSeconds"),
    },
    parse: LinkLifetime::parse,
};

/// How long links live.
pub struct LinkSettings {
    /// When their maker does not say.
    pub lifetime: LinkLifetime,
    /// At most.
    pub max_lifetime: LinkLifetime,
}

impl LinkSettings {
    /// # Errors
    /// When a setting is not what it may be.
    pub fn read(environment: &Environment) -> Result<Self, SettingError> {
        let lifetime = LINK_TTL.read(environment)?;
        let max_lifetime = LINK_MAX_TTL.read(environment)?;
        if lifetime > max_lifetime {
            let reason = Invalid::because("must not be more than LINK_MAX_TTL_SECONDS");
            return Err(SettingError::Invalid { name: LINK_TTL.about.name, reason });
        }
        Ok(Self { lifetime, max_lifetime })
    }
}

/// The life of a lease.
pub const LEASE_TTL: Setting<i64> = Setting {
    about: About {
        name: "LEASE_TTL_SECONDS",
        default: Default::Value("600"),
        range: Range::Number(60, 86_400),
        text: "Seconds from its start for which a download can be resumed; one more for each MiB of \
               the file.",
        parameter: Some("LeaseTtlSeconds"),
    },
    parse: LeaseTerms::parse_lifetime,
};

/// What is left of a lease after the last byte.
pub const LEASE_GRACE: Setting<i64> = Setting {
    about: About {
        name: "LEASE_GRACE_SECONDS",
        // A gateway can hold 10 MB that were sent; see docs/one-time.md.
        default: Default::Value("300"),
        range: Range::Number(0, 3_600),
        text: "Seconds from its last byte for which a download can be resumed, at most. Bytes that \
               were sent can still be lost on the way.",
        parameter: Some("LeaseGraceSeconds"),
    },
    parse: LeaseTerms::parse_grace,
};

/// How bytes reach the client.
pub const DOWNLOAD_DELIVERY: Setting<Delivery> = Setting {
    about: About {
        name: "DOWNLOAD_DELIVERY",
        default: Default::Value("stream"),
        range: Range::Choice(&["stream", "buffered", "presigned"]),
        text: "How a download's bytes travel: streamed, as one answer (for emulators that cannot \
               stream), or by a redirect to S3.",
        parameter: Some("DownloadDelivery"),
    },
    parse: |text| match text {
        "stream" => Ok(Delivery::Stream),
        "buffered" => Ok(Delivery::Buffered),
        "presigned" => Ok(Delivery::Presigned),
        _ => Err(Invalid::because("must be stream, buffered or presigned")),
    },
};

/// The largest file that is streamed.
pub const STREAM_LIMIT: Setting<u64> = Setting {
    about: About {
        name: "STREAM_LIMIT_BYTES",
        // AWS: a streamed answer has at most 200 MB, and does not say which megabytes.
        default: Default::Value("200000000"),
        range: Range::Text("a number of bytes"),
        text: "The largest file that is streamed. Larger ones travel by a redirect to S3.",
        parameter: None,
    },
    parse: |text| text.parse().map_err(|_| Invalid::because("must be a number of bytes")),
};

/// How bytes reach the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Read while they are sent.
    Stream,
    /// Read whole, then sent.
    Buffered,
    /// From S3, to which the client is redirected.
    Presigned,
}

/// How downloads travel, and how long they can be resumed.
pub struct DownloadSettings {
    /// How bytes reach the client.
    pub delivery: Delivery,
    /// The largest file that is streamed, in bytes.
    pub stream_limit: u64,
    /// How long leases live.
    pub lease: LeaseTerms,
}

impl DownloadSettings {
    /// # Errors
    /// When a setting is not what it may be.
    pub fn read(environment: &Environment) -> Result<Self, SettingError> {
        let lifetime = LEASE_TTL.read(environment)?;
        let grace = LEASE_GRACE.read(environment)?;
        Ok(Self {
            delivery: DOWNLOAD_DELIVERY.read(environment)?,
            stream_limit: STREAM_LIMIT.read(environment)?,
            lease: LeaseTerms { lifetime, grace },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_cannot_live_longer_than_the_longest_one() {
        let read = |lifetime: &str, longest: &str| {
            let names = [("LINK_TTL_SECONDS", lifetime), ("LINK_MAX_TTL_SECONDS", longest)];
            LinkSettings::read(&Environment::from_iter(names)).is_ok()
        };
        assert!(read("100", "100"));
        assert!(!read("101", "100"));
    }
}
