//! The settings of an installation: environment variables, with their defaults, ranges and texts.
//!
//! Each is a [`Setting`]; each concern has a struct that reads its own. `docs/configuration.md` is
//! made from [`ALL`], and a test compares it with the parameters of `template.yaml`.

mod accounts;
mod files;
mod links;
mod mail;
mod quotas;
mod resources;

use share_model::{Environment, Invalid, SettingError};

pub use self::{accounts::*, files::*, links::*, mail::*, quotas::*, resources::*};

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
}
