//! Who can have an account, and how long sessions and the audit last.

use jiff::SignedDuration;
use share_model::{EmailAddress, Environment, Invalid, Role, SettingError};

use super::{About, Default, Range, Setting};

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

/// Who can sign up as a Client. The domains are a setting of their own: [`ClientSignup::read`] has both.
pub const CLIENT_SIGNUP: Setting<ClientSignup> = Setting {
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
        "open" => Ok(ClientSignup::Open),
        "domains" => Ok(ClientSignup::Domains(Vec::new())),
        "approval" => Ok(ClientSignup::Approval),
        "invitation" => Ok(ClientSignup::Invitation),
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
        Ok(match CLIENT_SIGNUP.read(environment)? {
            Self::Domains(_) => Self::Domains(ALLOWED_EMAIL_DOMAINS.read(environment)?),
            other => other,
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
