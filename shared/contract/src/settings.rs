//! The settings of an installation: environment variables, with their defaults, ranges and texts.
//!
//! Each is a [`Setting`]; each concern has a struct that reads its own. `docs/configuration.md` is
//! made from [`ALL`], and a test compares it with the parameters of `template.yaml`.

use std::fmt;

use jiff::SignedDuration;
use share_model::{
    AllowedFileTypes, EmailAddress, Environment, Invalid, LeaseTerms, LinkLifetime, Recipients,
    Role, SettingError, file_protocol,
};

/// One environment variable, and how it is read.
pub struct Setting<T> {
    /// What the documentation says of it.
    pub about: About,
    parse: fn(&str) -> Result<T, Invalid>,
}

/// One environment variable, as the documentation has it.
#[derive(Debug)]
pub struct About {
    /// Its name.
    pub name: &'static str,
    /// What it is when it is not set.
    pub default: Default,
    /// What it may be.
    pub range: Range,
    /// What it means.
    pub text: &'static str,
    /// The parameter of `template.yaml` that sets it. Others are set by the template itself.
    pub parameter: Option<&'static str>,
}

/// What a variable is when it is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Default {
    /// A function that needs it does not start without it.
    Required,
    /// There is none, which is a case of its own.
    Unset,
    /// This text.
    Value(&'static str),
}

/// What a variable may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// A whole number from the first to the second, both included.
    Number(i64, i64),
    /// One of these.
    Choice(&'static [&'static str]),
    /// A text, described in words.
    Text(&'static str),
}

impl<T> Setting<T> {
    /// Its value in `environment`, or else its default.
    ///
    /// # Errors
    /// When it is required and absent, or not what it may be.
    pub fn read(&self, environment: &Environment) -> Result<T, SettingError> {
        self.read_optional(environment)?.ok_or(SettingError::Missing(self.about.name))
    }

    /// Its value in `environment`, or else its default, when it has one.
    ///
    /// # Errors
    /// When it is not what it may be.
    pub fn read_optional(&self, environment: &Environment) -> Result<Option<T>, SettingError> {
        let name = self.about.name;
        let text = environment.optional(name).or(match self.about.default {
            Default::Value(text) => Some(text),
            Default::Required | Default::Unset => None,
        });
        let value = text.map(self.parse).transpose();
        value.map_err(|reason| SettingError::Invalid { name, reason })
    }
}

/// The name of a table or bucket, which the template gives.
const fn resource(name: &'static str, text: &'static str) -> Setting<String> {
    let range = Range::Text("a name");
    let about = About { name, default: Default::Required, range, text, parameter: None };
    Setting { about, parse: text_of }
}

#[expect(clippy::unnecessary_wraps, reason = "every text will do, and a parser says so")]
fn text_of(text: &str) -> Result<String, Invalid> {
    Ok(text.to_owned())
}

/// All settings, in the order of the docs.
pub const ALL: &[&About] = &[
    &PUBLIC_BASE_URL.about,
    &URL_SUFFIX.about,
    &MAIL_MODE.about,
    &MAIL_FROM.about,
    &OPS_SIGNUP.about,
    &CLIENT_SIGNUP.about,
    &ALLOWED_EMAIL_DOMAINS.about,
    &SESSION_IDLE.about,
    &REQUIRE_SECOND_FACTOR.about,
    &ALLOWED_FILE_TYPES.about,
    &MAX_FILE_BYTES.about,
    &DEFAULT_AUDIENCE.about,
    &FILE_RETENTION_DAYS.about,
    &AUDIT_RETENTION_DAYS.about,
    &ACCOUNT_QUOTA_BYTES.about,
    &ACCOUNT_QUOTA_FILES.about,
    &STACK_QUOTA_BYTES.about,
    &STACK_QUOTA_FILES.about,
    &IMPORT_ALLOWED_HOSTS.about,
    &IMPORT_MAX_BYTES.about,
    &CHECK_SLICE_BYTES.about,
    &LINK_TTL.about,
    &LINK_MAX_TTL.about,
    &LEASE_TTL.about,
    &LEASE_GRACE.about,
    &DOWNLOAD_DELIVERY.about,
    &STREAM_LIMIT.about,
    &MALWARE_SCAN.about,
    &JWT_SECRET.about,
    &JWT_SECRET_ARN.about,
    &CERTIFICATE_SECRET.about,
    &CERTIFICATE_SECRET_ARN.about,
    &SECOND_FACTOR_SECRET.about,
    &SECOND_FACTOR_SECRET_ARN.about,
    &USERS_TABLE.about,
    &SESSIONS_TABLE.about,
    &FILES_TABLE.about,
    &SHELF_TABLE.about,
    &LINKS_TABLE.about,
    &AUDIT_TABLE.about,
    &LIMITS_TABLE.about,
    &FILES_BUCKET.about,
];

/// Accounts and reservations.
pub const USERS_TABLE: Setting<String> =
    resource("USERS_TABLE", "Table of accounts, and of the reservations of names and addresses.");
/// Sessions.
pub const SESSIONS_TABLE: Setting<String> = resource("SESSIONS_TABLE", "Table of sessions.");
/// Files.
pub const FILES_TABLE: Setting<String> = resource("FILES_TABLE", "Table of files.");
/// Shelf.
pub const SHELF_TABLE: Setting<String> =
    resource("SHELF_TABLE", "Table of the files that each audience sees.");
/// Links, leases and one-time tokens.
pub const LINKS_TABLE: Setting<String> =
    resource("LINKS_TABLE", "Table of links, leases and one-time tokens.");
/// Receipts and audit events.
pub const AUDIT_TABLE: Setting<String> =
    resource("AUDIT_TABLE", "Table of receipts and audit events.");
/// Counters.
pub const LIMITS_TABLE: Setting<String> =
    resource("LIMITS_TABLE", "Table of the counters of what is limited.");
/// The files' bytes.
pub const FILES_BUCKET: Setting<String> = resource("FILES_BUCKET", "Bucket of the files' bytes.");

/// The secret itself.
pub const JWT_SECRET: Setting<String> = Setting {
    about: About {
        name: "JWT_SECRET",
        default: Default::Unset,
        range: Range::Text(
            "at least 32 bytes, or `{\"current\": …, \"previous\": …}` with two such texts",
        ),
        text: "Signs access tokens and cursors. `previous` is accepted as well, for a rotation.",
        parameter: None,
    },
    parse: text_of,
};

/// Where the secret is, when it is not given.
pub const JWT_SECRET_ARN: Setting<String> = Setting {
    about: About {
        name: "JWT_SECRET_ARN",
        default: Default::Required,
        range: Range::Text("an ARN"),
        text: "Secrets Manager secret that holds JWT_SECRET. Not read when JWT_SECRET is set.",
        parameter: None,
    },
    parse: text_of,
};

/// The secret itself.
pub const CERTIFICATE_SECRET: Setting<String> = Setting {
    about: About {
        name: "CERTIFICATE_SECRET",
        default: Default::Unset,
        range: Range::Text(
            "at least 32 bytes, or `{\"current\": …, \"previous\": […]}` with such texts",
        ),
        text: "The key that signs delivery certificates is derived from it. The public keys of \
               `previous` stay published.",
        parameter: None,
    },
    parse: text_of,
};

/// Where the secret is, when it is not given.
pub const CERTIFICATE_SECRET_ARN: Setting<String> = Setting {
    about: About {
        name: "CERTIFICATE_SECRET_ARN",
        default: Default::Required,
        range: Range::Text("an ARN"),
        text: "Secrets Manager secret that holds CERTIFICATE_SECRET. Not read when \
               CERTIFICATE_SECRET is set.",
        parameter: None,
    },
    parse: text_of,
};

/// The secret itself.
pub const SECOND_FACTOR_SECRET: Setting<String> = Setting {
    about: About {
        name: "SECOND_FACTOR_SECRET",
        default: Default::Unset,
        range: Range::Text(
            "at least 32 bytes, or `{\"current\": …, \"previous\": […]}` with such texts",
        ),
        text: "The key that encrypts the seeds of second factors is derived from it. `previous` \
               still decrypts; a seed gets the current key when its owner logs in.",
        parameter: None,
    },
    parse: text_of,
};

/// Where the secret is, when it is not given.
pub const SECOND_FACTOR_SECRET_ARN: Setting<String> = Setting {
    about: About {
        name: "SECOND_FACTOR_SECRET_ARN",
        default: Default::Required,
        range: Range::Text("an ARN"),
        text: "Secrets Manager secret that holds SECOND_FACTOR_SECRET. Not read when \
               SECOND_FACTOR_SECRET is set.",
        parameter: None,
    },
    parse: text_of,
};

/// The address under which the API is known outside.
pub const PUBLIC_BASE_URL: Setting<String> = Setting {
    about: About {
        name: "PUBLIC_BASE_URL",
        default: Default::Unset,
        range: Range::Text("an `http` or `https` address without a query"),
        text: "Address of a custom domain in front of the API, for links in mails and answers. \
               Without it: the address of the stage.",
        parameter: Some("PublicBaseUrl"),
    },
    parse: |text| {
        let known = text.starts_with("https://") || text.starts_with("http://");
        let base = text.trim_end_matches('/').to_owned();
        let plain = known && !text.contains(['?', '#', ' ']);
        plain.then_some(base).ok_or_else(|| Invalid::because("must be an http(s) address"))
    },
};

/// The domain under which AWS has its endpoints.
pub const URL_SUFFIX: Setting<String> = Setting {
    about: About {
        name: "URL_SUFFIX",
        default: Default::Value("amazonaws.com"),
        range: Range::Text("a domain"),
        text: "Domain of AWS in the stage's own address; another one in China, for example.",
        parameter: None,
    },
    parse: text_of,
};

/// Where mail goes.
pub const MAIL_MODE: Setting<bool> = Setting {
    about: About {
        name: "MAIL_MODE",
        default: Default::Required,
        range: Range::Choice(&["ses", "log"]),
        text: "Where mail goes: to SES, or with its links to the log, for development.",
        parameter: Some("MailMode"),
    },
    parse: |text| match text {
        "ses" => Ok(false),
        "log" => Ok(true),
        _ => Err(Invalid::because("must be ses or log")),
    },
};

/// The sender of all mail.
pub const MAIL_FROM: Setting<Sender> = Setting {
    about: About {
        name: "MAIL_FROM",
        default: Default::Required,
        range: Range::Text("`name@example.com` or `A Name <name@example.com>`"),
        text: "Sender of all mail, with an address that SES has verified. Not read when MAIL_MODE \
               is log.",
        parameter: Some("MailFrom"),
    },
    parse: Sender::parse,
};

/// Whether anybody can become Ops.
pub const OPS_SIGNUP: Setting<bool> = Setting {
    about: About {
        name: "OPS_SIGNUP",
        default: Default::Value("closed"),
        range: Range::Choice(&["closed", "open"]),
        text: "Whether anybody can sign up as Ops, for development. Otherwise by invitation.",
        parameter: Some("OpsSignup"),
    },
    parse: |text| match text {
        "open" => Ok(true),
        "closed" => Ok(false),
        _ => Err(Invalid::because("must be open or closed")),
    },
};

/// Who can sign up as a Client: the name of a [`ClientSignup`].
pub const CLIENT_SIGNUP: Setting<String> = Setting {
    about: About {
        name: "CLIENT_SIGNUP",
        default: Default::Value("approval"),
        range: Range::Choice(&["open", "domains", "approval", "invitation"]),
        text: "Who can become a Client: anybody with a proven address; those of \
               ALLOWED_EMAIL_DOMAINS; anybody whom Ops or an admin then let in; or only those who \
               are invited.",
        parameter: Some("ClientSignup"),
    },
    parse: |text| match text {
        "open" | "domains" | "approval" | "invitation" => text_of(text),
        _ => Err(Invalid::because("must be open, domains, approval or invitation")),
    },
};

/// The domains whose people can sign up, in lower case.
pub const ALLOWED_EMAIL_DOMAINS: Setting<Vec<String>> = Setting {
    about: About {
        name: "ALLOWED_EMAIL_DOMAINS",
        default: Default::Unset,
        range: Range::Text("domains separated by commas, such as `example.com,example.org`"),
        text: "Domains of the addresses with which people can sign up when CLIENT_SIGNUP is \
               domains. A domain does not stand for those below it.",
        parameter: Some("AllowedEmailDomains"),
    },
    parse: |text| {
        let domains = text.split(',').map(|domain| {
            let address = EmailAddress::parse(&format!("somebody@{}", domain.trim()));
            address.map(|address| address.domain().to_owned())
        });
        let domains = domains.collect::<Result<_, _>>();
        domains.map_err(|_| Invalid::because("must be domains separated by commas"))
    },
};

/// Who can sign up as a Client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientSignup {
    /// Anybody.
    Open,
    /// Whoever has an address of one of these domains.
    Domains(Vec<String>),
    /// Anybody, who then waits for an approval.
    Approval,
    /// Nobody.
    Invitation,
}

impl ClientSignup {
    /// # Errors
    /// When a setting is not what it may be, or there are no domains and there must be.
    pub fn read(environment: &Environment) -> Result<Self, SettingError> {
        Ok(match CLIENT_SIGNUP.read(environment)?.as_str() {
            "open" => Self::Open,
            "domains" => Self::Domains(ALLOWED_EMAIL_DOMAINS.read(environment)?),
            "invitation" => Self::Invitation,
            _ => Self::Approval,
        })
    }

    /// Whether Clients can have this address. Those who are invited can have any.
    #[must_use]
    pub fn takes(&self, email: &EmailAddress) -> bool {
        match self {
            Self::Domains(domains) => domains.iter().any(|domain| domain == email.domain()),
            Self::Open | Self::Approval | Self::Invitation => true,
        }
    }
}

/// The roles whose accounts need a second factor.
pub const REQUIRE_SECOND_FACTOR: Setting<Vec<Role>> = Setting {
    about: About {
        name: "REQUIRE_SECOND_FACTOR",
        default: Default::Unset,
        range: Range::Text("roles separated by commas, such as `ops,admin`"),
        text: "Roles whose accounts need a second factor. Who has none sets one up at the next \
               login.",
        parameter: Some("RequireSecondFactor"),
    },
    parse: |text| text.split(',').map(|role| Role::parse(role.trim())).collect(),
};

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

/// How long lines of the audit are kept.
pub const AUDIT_RETENTION_DAYS: Setting<SignedDuration> = Setting {
    about: About {
        name: "AUDIT_RETENTION_DAYS",
        default: Default::Value("365"),
        range: Range::Number(30, 3653),
        text: "Days for which the audit keeps who did what to which file or account.",
        parameter: Some("AuditRetentionDays"),
    },
    parse: |text| match text.parse() {
        Ok(days @ 30..=3653) => Ok(SignedDuration::from_hours(24 * days)),
        _ => Err(Invalid::because("must be a number of days from 30 to 3653")),
    },
};

/// A limit of [`Quotas`]: none when it is 0.
const fn quota(
    name: &'static str,
    text: &'static str,
    parameter: &'static str,
) -> Setting<Option<u64>> {
    let range = Range::Number(0, 1_000_000_000_000_000_000);
    let parameter = Some(parameter);
    let about = About { name, default: Default::Value("0"), range, text, parameter };
    Setting {
        about,
        parse: |text| match text.parse() {
            Ok(0) => Ok(None),
            Ok(most @ 1..=1_000_000_000_000_000_000) => Ok(Some(most)),
            _ => Err(Invalid::because("must be a number from 0 to 1000000000000000000")),
        },
    }
}

/// Bytes of one account.
pub const ACCOUNT_QUOTA_BYTES: Setting<Option<u64>> = quota(
    "ACCOUNT_QUOTA_BYTES",
    "Bytes of all files of one Ops account, at most. 0: no limit.",
    "AccountQuotaBytes",
);
/// Files of one account.
pub const ACCOUNT_QUOTA_FILES: Setting<Option<u64>> = quota(
    "ACCOUNT_QUOTA_FILES",
    "Files of one Ops account, at most. 0: no limit.",
    "AccountQuotaFiles",
);
/// Bytes of all accounts.
pub const STACK_QUOTA_BYTES: Setting<Option<u64>> = quota(
    "STACK_QUOTA_BYTES",
    "Bytes of all files of the installation, at most. 0: no limit.",
    "StackQuotaBytes",
);
/// Files of all accounts.
pub const STACK_QUOTA_FILES: Setting<Option<u64>> = quota(
    "STACK_QUOTA_FILES",
    "Files of the installation, at most. 0: no limit.",
    "StackQuotaFiles",
);

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

/// How long a session that nobody continues lives.
pub const SESSION_IDLE: Setting<i64> = Setting {
    about: About {
        name: "SESSION_IDLE_SECONDS",
        default: Default::Value("604800"),
        range: Range::Number(900, 1_209_600),
        text: "Seconds after which a session ends that is not continued. Every session ends after \
               14 days.",
        parameter: Some("SessionIdleSeconds"),
    },
    parse: |text| match text.parse() {
        Ok(seconds @ 900..=1_209_600) => Ok(seconds),
        _ => Err(Invalid::because("must be a number of seconds from 900 to 1209600")),
    },
};

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

/// The sender of mail. As text it is a mailbox of RFC 5322.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    name: Option<String>,
    /// In upper and lower case as it was given: the condition of the functions' permission for SES
    /// tells them apart.
    address: String,
}

impl Sender {
    fn parse(text: &str) -> Result<Self, Invalid> {
        let with_name = text.strip_suffix('>').and_then(|text| text.split_once(" <"));
        let (name, address) = match with_name {
            Some((name, address)) => (Some(name.to_owned()), address),
            None => (None, text),
        };
        // In quotes, which everything else can stand in; other alphabets would need an encoding.
        let can_be_quoted = |name: &String| {
            let plain = |it: char| it == ' ' || it.is_ascii_graphic() && !"\"\\<>@".contains(it);
            name.chars().all(plain) && !name.trim().is_empty()
        };
        if !name.as_ref().is_none_or(can_be_quoted) {
            let reason = "must have a name in ASCII, without any of \" \\ < > @";
            return Err(Invalid::because(reason));
        }
        EmailAddress::parse(address)?;
        Ok(Self { name, address: address.to_owned() })
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(formatter, "\"{name}\" <{}>", self.address),
            None => formatter.write_str(&self.address),
        }
    }
}

/// How much can be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Of one Ops account.
    pub account: Quota,
    /// Of the installation.
    pub stack: Quota,
}

/// What counts is every file that is uploading, being checked or available.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Bytes of all files, at most; none for no limit.
    pub bytes: Option<u64>,
    /// Files, at most; none for no limit.
    pub files: Option<u64>,
}

impl Quotas {
    /// # Errors
    /// When a setting is not what it may be.
    pub fn read(environment: &Environment) -> Result<Self, SettingError> {
        Ok(Self {
            account: Quota {
                bytes: ACCOUNT_QUOTA_BYTES.read(environment)?,
                files: ACCOUNT_QUOTA_FILES.read(environment)?,
            },
            stack: Quota {
                bytes: STACK_QUOTA_BYTES.read(environment)?,
                files: STACK_QUOTA_FILES.read(environment)?,
            },
        })
    }
}

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

/// Where mail goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailSettings {
    /// To the log, links included. For development.
    Log,
    /// To its addressee through SES.
    Ses {
        /// The sender.
        from: Sender,
    },
}

impl MailSettings {
    /// `sam local` sets `AWS_SAM_LOCAL=true`; then mail goes to the log whatever `MAIL_MODE` says.
    ///
    /// # Errors
    /// When a setting is missing, or not what it may be.
    pub fn read(environment: &Environment) -> Result<Self, SettingError> {
        if environment.optional("AWS_SAM_LOCAL") == Some("true") || MAIL_MODE.read(environment)? {
            return Ok(Self::Log);
        }
        Ok(Self::Ses { from: MAIL_FROM.read(environment)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_in_the_range_of_its_setting() {
        for about in ALL {
            let Default::Value(default) = about.default else { continue };
            match about.range {
                Range::Number(least, most) => {
                    let default: i64 = default.parse().unwrap();
                    assert!((least..=most).contains(&default), "{}", about.name);
                }
                Range::Choice(choices) => assert!(choices.contains(&default), "{}", about.name),
                Range::Text(_) => {}
            }
        }
    }

    #[test]
    fn numbers_are_taken_at_both_ends_of_their_range_and_refused_beyond() {
        fn taken<T>(setting: &Setting<T>, number: i64) -> bool {
            let name = setting.about.name;
            setting.read(&Environment::from_iter([(name, number.to_string())])).is_ok()
        }
        fn check<T>(setting: &Setting<T>) {
            let Range::Number(least, most) = setting.about.range else { unreachable!() };
            let name = setting.about.name;
            assert!(taken(setting, least) && taken(setting, most), "{name}");
            assert!(!taken(setting, least - 1) && !taken(setting, most + 1), "{name}");
        }
        check(&LINK_TTL);
        check(&LINK_MAX_TTL);
        check(&LEASE_TTL);
        check(&LEASE_GRACE);
        check(&SESSION_IDLE);
        check(&MAX_FILE_BYTES);
        check(&FILE_RETENTION_DAYS);
        check(&AUDIT_RETENTION_DAYS);
        check(&ACCOUNT_QUOTA_BYTES);
        check(&CHECK_SLICE_BYTES);
    }

    #[test]
    fn a_choice_takes_each_of_its_texts_and_no_other() {
        fn check<T>(setting: &Setting<T>) {
            let Range::Choice(choices) = setting.about.range else { unreachable!() };
            let read = |text| setting.read(&Environment::from_iter([(setting.about.name, text)]));
            assert!(choices.iter().all(|choice| read(*choice).is_ok()));
            assert!(read("another").is_err());
        }
        check(&MAIL_MODE);
        check(&OPS_SIGNUP);
        check(&CLIENT_SIGNUP);
        check(&DOWNLOAD_DELIVERY);
        check(&DEFAULT_AUDIENCE);
        check(&MALWARE_SCAN);
    }

    #[test]
    fn a_link_cannot_live_longer_than_the_longest_one() {
        let read = |lifetime: &str, longest: &str| {
            let names = [("LINK_TTL_SECONDS", lifetime), ("LINK_MAX_TTL_SECONDS", longest)];
            LinkSettings::read(&Environment::from_iter(names)).is_ok()
        };
        assert!(read("100", "100"));
        assert!(!read("101", "100"));
    }

    #[test]
    fn sign_ups_wait_for_approval_unless_something_else_is_set_and_domains_must_be_named() {
        let read = |variables: &[(&str, &str)]| {
            ClientSignup::read(&variables.iter().copied().collect::<Environment>())
        };
        let (mode, domains) = ("CLIENT_SIGNUP", "ALLOWED_EMAIL_DOMAINS");
        assert_eq!(read(&[]), Ok(ClientSignup::Approval));
        assert_eq!(read(&[(mode, "open")]), Ok(ClientSignup::Open));
        assert_eq!(read(&[(mode, "invitation")]), Ok(ClientSignup::Invitation));
        let two = ClientSignup::Domains(vec!["example.com".to_owned(), "example.org".to_owned()]);
        assert_eq!(read(&[(mode, "domains"), (domains, "Example.com, example.org")]), Ok(two));
        assert_eq!(read(&[(mode, "domains")]), Err(SettingError::Missing(domains)));
        for text in ["example", "@example.com", "example.com,", "*.example.com", "a b.example"] {
            assert!(read(&[(mode, "domains"), (domains, text)]).is_err(), "{text}");
        }
    }

    #[test]
    fn mail_through_ses_needs_a_sender_and_sam_local_needs_nothing() {
        let read = |variables: &[(&str, &str)]| {
            MailSettings::read(&variables.iter().copied().collect::<Environment>())
        };
        assert!(read(&[("MAIL_MODE", "ses")]).is_err());
        assert!(read(&[]).is_err());
        let from = Sender { name: None, address: "a@example.com".to_owned() };
        let ses = [("MAIL_MODE", "ses"), ("MAIL_FROM", "a@example.com")];
        assert_eq!(read(&ses), Ok(MailSettings::Ses { from }));
        assert_eq!(read(&[("AWS_SAM_LOCAL", "true")]), Ok(MailSettings::Log));
    }

    #[test]
    fn a_sender_is_an_address_with_or_without_a_name_and_keeps_its_case() {
        let read = |text: &str| {
            let sender = MAIL_FROM.read(&Environment::from_iter([("MAIL_FROM", text)]));
            sender.map(|sender| sender.to_string()).map_err(drop)
        };
        assert_eq!(read("Files@example.com").unwrap(), "Files@example.com");
        let named = "Files, of Example Inc. <Files@example.com>";
        assert_eq!(read(named).unwrap(), "\"Files, of Example Inc.\" <Files@example.com>");
        for text in [
            "files",
            "files@example",
            "files@example.com,other@example.com",
            "<files@example.com>",
            " <files@example.com>",
            "Files <files@example.com",
            "Files files@example.com",
            "Files <files>",
            "Files <a@example.com> <b@example.com>",
            "\"Files\" <files@example.com>",
            "Bank@example.org <files@example.com>",
            "Fil\nes <files@example.com>",
            "Für dich <files@example.com>",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_public_address_is_plain_http_or_https_and_loses_its_last_slash() {
        let read = |text| {
            PUBLIC_BASE_URL.read_optional(&Environment::from_iter([("PUBLIC_BASE_URL", text)]))
        };
        assert_eq!(read("https://a.example/x/"), Ok(Some("https://a.example/x".to_owned())));
        assert_eq!(read(""), Ok(None));
        for text in ["ftp://a.example", "https://a.example?x", "https://a.example#x", "https://a b"]
        {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
