//! The checksums that S3 knows, and what a request says about its body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc_fast::{CrcAlgorithm, checksum_combine};
use http::HeaderMap;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
use s3s::dto;
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

/// How a checksum is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

/// A checksum in base64. That of an object in parts may be one of the parts' checksums, with their
/// number behind a hyphen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Checksum {
    pub(super) algorithm: Algorithm,
    pub(super) value: String,
}

/// What a request says about its body.
pub(super) enum Claim {
    /// In a header, before the body.
    Value(Checksum),
    /// In a trailer, after it.
    Trailer(Algorithm),
}

impl Algorithm {
    const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// Its name in requests and answers.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    pub(super) fn parse(name: &str) -> S3Result<Self> {
        let named = Self::ALL.into_iter().find(|it| it.name() == name);
        named
            .ok_or_else(|| s3_error!(InvalidRequest, "Checksum algorithm provided is unsupported."))
    }

    fn header(self) -> String {
        format!("x-amz-checksum-{}", self.name().to_ascii_lowercase())
    }

    fn of_header(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.header() == name)
    }

    /// The length of a checksum in bytes.
    fn length(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// Computes one.
    pub(super) fn hasher(self) -> ChecksumHasher {
        let mut hasher = ChecksumHasher::default();
        match self {
            Self::Crc32 => hasher.crc32 = Some(Crc32::default()),
            Self::Crc32c => hasher.crc32c = Some(Crc32c::default()),
            Self::Crc64Nvme => hasher.crc64nvme = Some(Crc64Nvme::default()),
            Self::Sha1 => hasher.sha1 = Some(Sha1::default()),
            Self::Sha256 => hasher.sha256 = Some(Sha256::default()),
        }
        hasher
    }

    fn checksum(self, bytes: &[u8]) -> Option<Checksum> {
        let mut hasher = self.hasher();
        hasher.update(bytes);
        Checksum::among(hasher.finalize()).next()
    }

    /// For the checksums whose parts' checksums make that of the whole.
    fn combines(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            Self::Sha1 | Self::Sha256 => None,
        }
    }

    /// Whether an object in parts can have a checksum of all its bytes.
    pub(super) fn covers_full_objects(self) -> bool {
        self.combines().is_some()
    }

    /// The checksum of an object, from the checksums and lengths of its parts.
    pub(super) fn of_full_object(self, parts: &[(&Checksum, u64)]) -> Option<Checksum> {
        let crc = self.combines()?;
        let mut whole = None;
        for (checksum, length) in parts {
            let part =
                checksum.bytes()?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
            whole = Some(whole.map_or(part, |whole| checksum_combine(crc, whole, part, *length)));
        }
        let bytes = whole?.to_be_bytes();
        let value = STANDARD.encode(bytes.get(bytes.len() - self.length()..)?);
        Some(Checksum { algorithm: self, value })
    }

    /// The checksum of the checksums of an object's parts.
    pub(super) fn of_parts(self, parts: &[(&Checksum, u64)]) -> Option<Checksum> {
        let mut all = Vec::new();
        for (checksum, _) in parts {
            all.extend(checksum.bytes()?);
        }
        let Checksum { algorithm, value } = self.checksum(&all)?;
        Some(Checksum { algorithm, value: format!("{value}-{}", parts.len()) })
    }
}

impl Checksum {
    /// Those that are given.
    pub(super) fn among(given: dto::Checksum) -> impl Iterator<Item = Self> {
        let given = [
            (Algorithm::Crc32, given.checksum_crc32),
            (Algorithm::Crc32c, given.checksum_crc32c),
            (Algorithm::Crc64Nvme, given.checksum_crc64nvme),
            (Algorithm::Sha1, given.checksum_sha1),
            (Algorithm::Sha256, given.checksum_sha256),
        ];
        given.into_iter().filter_map(|(algorithm, value)| Some(Self { algorithm, value: value? }))
    }

    fn bytes(&self) -> Option<Vec<u8>> {
        let bytes = STANDARD.decode(&self.value).ok()?;
        (bytes.len() == self.algorithm.length()).then_some(bytes)
    }

    /// The checksum of one part or object that is sent whole.
    fn check_form(self) -> S3Result<Self> {
        if self.bytes().is_none() {
            let header = self.algorithm.header();
            return Err(s3_error!(InvalidRequest, "Value for {header} header is invalid."));
        }
        Ok(self)
    }

    /// Fails as S3 does when `computed` is another.
    pub(super) fn check(&self, computed: &Self) -> S3Result<()> {
        if self == computed {
            return Ok(());
        }
        let name = self.algorithm.name();
        Err(s3_error!(BadDigest, "The {name} you specified did not match the calculated checksum."))
    }
}

/// What `given` headers and the announced trailers say of a body.
pub(super) fn claim(given: dto::Checksum, headers: &HeaderMap) -> S3Result<Option<Claim>> {
    let trailers = headers.get("x-amz-trailer").and_then(|value| value.to_str().ok());
    let trailers = trailers.into_iter().flat_map(|names| names.split(','));
    let trailers = trailers.filter_map(|name| Algorithm::of_header(&name.trim().to_lowercase()));
    let mut claims = Checksum::among(given).map(Claim::Value).chain(trailers.map(Claim::Trailer));
    let claim = claims.next();
    if claims.next().is_some() {
        return Err(s3_error!(
            InvalidRequest,
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        ));
    }
    match claim {
        Some(Claim::Value(checksum)) => Ok(Some(Claim::Value(checksum.check_form()?))),
        other => Ok(other),
    }
}

impl Claim {
    pub(super) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Value(checksum) => checksum.algorithm,
            Self::Trailer(algorithm) => *algorithm,
        }
    }

    /// The claimed value, once the body with its trailers has come.
    pub(super) fn value(self, trailers: &HeaderMap) -> S3Result<Checksum> {
        let algorithm = match self {
            Self::Value(checksum) => return Ok(checksum),
            Self::Trailer(algorithm) => algorithm,
        };
        let value = trailers.get(algorithm.header()).and_then(|value| value.to_str().ok());
        let value = value
            .ok_or_else(|| s3_error!(InvalidRequest, "The announced trailer did not come."))?;
        Checksum { algorithm, value: value.to_owned() }.check_form()
    }
}

/// Takes the checksum fields out of an input.
macro_rules! take_checksums {
    ($input:expr) => {
        s3s::dto::Checksum {
            checksum_crc32: $input.checksum_crc32.take(),
            checksum_crc32c: $input.checksum_crc32c.take(),
            checksum_crc64nvme: $input.checksum_crc64nvme.take(),
            checksum_sha1: $input.checksum_sha1.take(),
            checksum_sha256: $input.checksum_sha256.take(),
            checksum_type: None,
        }
    };
}

/// Fills the checksum field of an output.
macro_rules! put_checksum {
    ($output:expr, $checksum:expr) => {
        if let Some($crate::s3::checksum::Checksum { algorithm, value }) = $checksum {
            use $crate::s3::checksum::Algorithm;
            let field = match algorithm {
                Algorithm::Crc32 => &mut $output.checksum_crc32,
                Algorithm::Crc32c => &mut $output.checksum_crc32c,
                Algorithm::Crc64Nvme => &mut $output.checksum_crc64nvme,
                Algorithm::Sha1 => &mut $output.checksum_sha1,
                Algorithm::Sha256 => &mut $output.checksum_sha256,
            };
            *field = Some(value);
        }
    };
}

pub(super) use {put_checksum, take_checksums};

#[cfg(test)]
mod tests {
    use super::*;

    fn trailers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
    }

    /// The check values of the catalogue of CRC algorithms, for `123456789`.
    const CHECKS: [(Algorithm, &str); 3] = [
        (Algorithm::Crc32, "y/Q5Jg=="),
        (Algorithm::Crc32c, "4waSgw=="),
        (Algorithm::Crc64Nvme, "rosUhgp5mIg="),
    ];

    #[test]
    fn a_checksum_of_the_whole_is_that_of_its_parts_joined() {
        for (algorithm, value) in CHECKS {
            let whole = algorithm.checksum(b"123456789").unwrap();
            assert_eq!(whole.value, value);
            let parts = ["12", "3456", "", "789"];
            let sums = parts.map(|part| algorithm.checksum(part.as_bytes()).unwrap());
            let parts: Vec<_> =
                sums.iter().zip(parts).map(|(sum, part)| (sum, part.len() as u64)).collect();
            assert_eq!(algorithm.of_full_object(&parts), Some(whole));
        }
        assert_eq!(Algorithm::Sha256.of_full_object(&[]), None);
    }

    #[test]
    fn a_trailer_that_was_announced_must_come_and_be_right() {
        let announced = trailers("x-amz-trailer", "x-amz-checksum-crc32");
        let computed = Algorithm::Crc32.checksum(b"123456789").unwrap();
        let refusal = |trailers: &HeaderMap| {
            let claim = claim(dto::Checksum::default(), &announced).unwrap().unwrap();
            let checked = claim.value(trailers).and_then(|claimed| claimed.check(&computed));
            checked.err().map(|error| error.code().as_str().to_owned())
        };
        assert_eq!(refusal(&trailers("x-amz-checksum-crc32", &computed.value)), None);
        let wrong = trailers("x-amz-checksum-crc32", "AAAAAA==");
        assert_eq!(refusal(&wrong).unwrap(), "BadDigest");
        let short = trailers("x-amz-checksum-crc32", "AAAA");
        assert_eq!(refusal(&short).unwrap(), "InvalidRequest");
        assert_eq!(refusal(&HeaderMap::new()).unwrap(), "InvalidRequest");
        let both = dto::Checksum { checksum_sha1: Some(String::new()), ..Default::default() };
        assert!(claim(both, &announced).is_err(), "one checksum only");
        assert!(claim(dto::Checksum::default(), &HeaderMap::new()).unwrap().is_none());
    }
}
