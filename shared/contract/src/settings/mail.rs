//! Where mail goes, and from whom.

use std::fmt;

use share_model::{EmailAddress, Environment, Invalid, SettingError};

use super::{About, Default, Range, Setting};

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
}
