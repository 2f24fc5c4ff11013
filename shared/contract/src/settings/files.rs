//! Which files are taken, for whom, and how long they are kept.

use jiff::SignedDuration;
use share_model::{AllowedFileTypes, Invalid, Recipients, file_protocol};

use super::{About, Default, Range, Setting, text_of};

/// The types of file that are taken.
pub const ALLOWED_FILE_TYPES: Setting<AllowedFileTypes> = Setting {
    about: About {
        name: "ALLOWED_FILE_TYPES",
        default: Default::Value(AllowedFileTypes::DEFAULT),
        range: Range::Text("extensions of types that can be recognised, separated by commas"),
        text: "Extensions of the files that can be uploaded.",
        parameter: Some("AllowedFileTypes"),
    },
    parse: AllowedFileTypes::parse,
};

/// The largest file.
pub const MAX_FILE_BYTES: Setting<u64> = Setting {
    about: About {
        name: "MAX_FILE_BYTES",
        default: Default::Value("5497558138880"),
        range: Range::Number(1, 5_497_558_138_880),
        text: "The largest file that can be uploaded in parts, in bytes.",
        parameter: Some("MaxFileBytes"),
    },
    parse: |text| match text.parse() {
        Ok(bytes @ 1..=file_protocol::MOST_BYTES) => Ok(bytes),
        _ => Err(Invalid::because("must be a number of bytes from 1 to 5497558138880")),
    },
};

/// Whom files are for when their uploader does not say.
pub const DEFAULT_AUDIENCE: Setting<Recipients> = Setting {
    about: About {
        name: "DEFAULT_AUDIENCE",
        default: Default::Value("everyone"),
        range: Range::Choice(&["everyone", "nobody"]),
        text: "Whom a file is for when its uploader does not say: every verified Client, or nobody \
               yet.",
        parameter: Some("DefaultAudience"),
    },
    parse: |text| match text {
        "everyone" => Ok(Recipients::Everyone),
        "nobody" => Ok(Recipients::Only(Vec::new())),
        _ => Err(Invalid::because("must be everyone or nobody")),
    },
};

/// How long files are kept.
pub const FILE_RETENTION_DAYS: Setting<Option<SignedDuration>> = Setting {
    about: About {
        name: "FILE_RETENTION_DAYS",
        default: Default::Value("0"),
        range: Range::Number(0, 3650),
        text: "Days after which a file is deleted, when its uploader does not say. 0: never.",
        parameter: Some("FileRetentionDays"),
    },
    parse: |text| match text.parse() {
        Ok(0) => Ok(None),
        Ok(days @ 1..=3650) => Ok(Some(SignedDuration::from_hours(24 * days))),
        _ => Err(Invalid::because("must be a number of days from 0 to 3650")),
    },
};

/// The hosts from which files are imported. `share-fetch` reads it.
pub const IMPORT_ALLOWED_HOSTS: Setting<String> = Setting {
    about: About {
        name: "IMPORT_ALLOWED_HOSTS",
        default: Default::Value(
            "docs.google.com,drive.google.com,drive.usercontent.google.com,\
             *.googleusercontent.com",
        ),
        range: Range::Text(
            "host names separated by commas, such as `docs.google.com`, \
             `*.googleusercontent.com` or `files.example.com:8443`",
        ),
        text: "Hosts from which files are imported, by https on port 443. With a port: by https or \
               http on that port, which is the only way to name an IP address or localhost.",
        parameter: Some("ImportAllowedHosts"),
    },
    parse: text_of,
};

/// The largest file that is imported.
pub const IMPORT_MAX_BYTES: Setting<u64> = Setting {
    about: About {
        name: "IMPORT_MAX_BYTES",
        default: Default::Value("53687091200"),
        range: Range::Number(1, 5_497_558_138_880),
        text: "The largest file that can be imported, in bytes. Functions hold a part in memory: 8 \
               MiB, or a 10,000th of this when it is more.",
        parameter: Some("ImportMaxBytes"),
    },
    parse: |text| match text.parse() {
        Ok(bytes @ 1..=file_protocol::MOST_BYTES) => Ok(bytes),
        _ => Err(Invalid::because("must be a number of bytes from 1 to 5497558138880")),
    },
};

/// How much a check digests in one run.
pub const CHECK_SLICE_BYTES: Setting<u64> = Setting {
    about: About {
        name: "CHECK_SLICE_BYTES",
        // At 200 MB/s that is 5 of a function's 15 minutes.
        default: Default::Value("60000000000"),
        range: Range::Number(1, 1_000_000_000_000_000_000),
        text: "Bytes of a file that one run of its check digests, at most. The next run continues.",
        parameter: None,
    },
    parse: |text| match text.parse() {
        Ok(bytes @ 1..=1_000_000_000_000_000_000) => Ok(bytes),
        _ => Err(Invalid::because("must be a number of bytes, at least 1")),
    },
};

/// Who looks for malware in files.
pub const MALWARE_SCAN: Setting<MalwareScan> = Setting {
    about: About {
        name: "MALWARE_SCAN",
        default: Default::Value("off"),
        range: Range::Choice(&["off", "GuardDuty"]),
        text: "Whether Amazon GuardDuty looks for malware in each file before anybody can see it.",
        parameter: Some("MalwareScan"),
    },
    parse: |text| match text {
        "off" => Ok(MalwareScan::Off),
        "GuardDuty" => Ok(MalwareScan::GuardDuty),
        _ => Err(Invalid::because("must be off or GuardDuty")),
    },
};

/// Who looks for malware in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MalwareScan {
    /// Nobody.
    Off,
    /// GuardDuty Malware Protection for S3, which tags each object with what it found.
    GuardDuty,
}
