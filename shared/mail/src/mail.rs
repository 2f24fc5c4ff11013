//! What each mail says.

use jiff::Timestamp;
use share_model::{FileId, FileName, FileRecord, Role, Username};

use crate::Message;
use crate::layout::{Block, Content};

/// A mail. Those with a link take `base`, the address of the API without a slash at the end, and
/// the one-time `token` that the link carries.
pub enum Mail<'a> {
    /// To somebody who has signed up, or asks for the link of a sign-up once more.
    Verification {
        /// The address of the API.
        base: &'a str,
        /// Proves the address, for 24 hours.
        token: &'a str,
        /// The name with which somebody signed up.
        username: &'a Username,
    },
    /// To an address that has an account, when somebody signs up with it.
    AlreadyKnown {
        /// The address of the API.
        base: &'a str,
    },
    /// To an address that is verified, when somebody asks for a link to verify it.
    AlreadyVerified {
        /// The address of the API.
        base: &'a str,
        /// The name of the account.
        username: &'a Username,
    },
    /// To an address without an account, when somebody asks for one of the links that accounts can
    /// ask for.
    NoAccount {
        /// The address of the API.
        base: &'a str,
    },
    /// To somebody who has signed up, and was let in.
    Approved {
        /// The address of the API.
        base: &'a str,
        /// The name of the account.
        username: &'a Username,
    },
    /// To somebody who has signed up, and was not let in.
    Refused {
        /// The address of the API.
        base: &'a str,
    },
    /// To somebody for whom an account was made.
    Invitation {
        /// The address of the API.
        base: &'a str,
        /// Sets the first password, for 7 days.
        token: &'a str,
        /// The name of the account.
        username: &'a Username,
        /// Its role.
        role: Role,
        /// The file for which it was made, if it was made for one.
        file: Option<&'a FileRecord>,
    },
    /// To a recipient of a file, who has an account.
    FileForYou {
        /// The address of the API.
        base: &'a str,
        /// The name of the account.
        username: &'a Username,
        /// The file.
        file: &'a FileRecord,
    },
    /// To the uploader of a file, at its first whole download through a link.
    Downloaded {
        /// The name of the file.
        filename: &'a FileName,
        /// The file.
        file: FileId,
        /// The Client that had asked for the link.
        client: &'a Username,
        /// When its last byte was sent.
        at: Timestamp,
    },
    /// The same, where the bytes come from S3 and nothing is known but that they were asked for.
    DownloadStarted {
        /// The name of the file.
        filename: &'a FileName,
        /// The file.
        file: FileId,
        /// The Client that had asked for the link.
        client: &'a Username,
        /// When the download began.
        at: Timestamp,
    },
    /// To the owner of an account, when somebody has forgotten its password.
    PasswordReset {
        /// The address of the API.
        base: &'a str,
        /// Sets a new password, for an hour.
        token: &'a str,
        /// The name of the account.
        username: &'a Username,
    },
    /// To the owner of an account whose password is another one now.
    PasswordChanged {
        /// The address of the API.
        base: &'a str,
        /// The name of the account.
        username: &'a Username,
        /// When it was changed.
        at: Timestamp,
    },
    /// To the address that an account is to have.
    EmailChange {
        /// The address of the API.
        base: &'a str,
        /// Proves the address, for 24 hours.
        token: &'a str,
        /// The name of the account.
        username: &'a Username,
    },
    /// To the address that an account had.
    EmailChanged {
        /// The address of the API.
        base: &'a str,
        /// Gives the address back, for 7 days.
        token: &'a str,
        /// The name of the account.
        username: &'a Username,
        /// When it was changed.
        at: Timestamp,
    },
    /// To the owner of an account, when a refresh token of a session was used twice.
    SessionRevoked {
        /// The name of the account.
        username: &'a Username,
        /// The program that had begun the session, as it named itself.
        device: &'a str,
        /// When somebody logged in.
        begun: Timestamp,
        /// The network address from which it was last continued.
        source: &'a str,
    },
    /// To the owner of an account, when something about its second factor has changed.
    SecondFactorChanged {
        /// The address of the API.
        base: &'a str,
        /// The name of the account.
        username: &'a Username,
        /// What has changed.
        change: SecondFactorChange,
        /// When.
        at: Timestamp,
    },
}

/// What can happen to the second factor of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondFactorChange {
    /// The account has one now.
    Added,
    /// The account has none any more.
    Removed,
    /// There are new recovery codes, and the earlier ones are void.
    RecoveryCodesReplaced,
    /// Somebody logged in with a recovery code.
    RecoveryCodeUsed {
        /// How many unused ones there are.
        left: usize,
    },
}

impl Mail<'_> {
    /// What is sent.
    #[must_use]
    pub fn message(&self) -> Message {
        self.content().message()
    }

    #[expect(clippy::too_many_lines, reason = "a list of texts, one below the other")]
    fn content(&self) -> Content {
        match *self {
            Self::Verification { base, token, username } => Content {
                subject: "Verify your e-mail address",
                blocks: vec![
                    Block::Text("Welcome to Secure File Share.".to_owned()),
                    Block::Text(format!(
                        "Somebody, perhaps you, signed up as {} with this e-mail address. Open \
                         this link within 24 hours, and enter the password that you chose.",
                        username.as_str(),
                    )),
                    button("Verify the address", format!("{base}/verify?token={token}")),
                    note(
                        "If it was not you, the page behind the link deletes the sign-up. If you \
                         ignore this mail, it expires.",
                    ),
                ],
            },
            Self::AlreadyKnown { base } => Content {
                subject: "Your sign-up at Secure File Share",
                blocks: vec![
                    Block::Text(format!(
                        "Somebody, perhaps you, signed up at {base} with this e-mail address. \
                         There is an account with it already, so nothing was changed: log in.",
                    )),
                    note("If it was not you, ignore this mail."),
                ],
            },
            Self::AlreadyVerified { base, username } => Content {
                subject: "Your e-mail address is verified",
                blocks: vec![
                    Block::Text(format!(
                        "Somebody, perhaps you, asked for a link to verify this e-mail address. \
                         It is verified already, so nothing was changed: log in at {base} as {}.",
                        username.as_str(),
                    )),
                    note("If it was not you, ignore this mail."),
                ],
            },
            Self::NoAccount { base } => Content {
                subject: "No account with this e-mail address",
                blocks: vec![
                    Block::Text(format!(
                        "Somebody, perhaps you, asked {base} for a link to an account with this \
                         e-mail address. There is no account with it that can be used, so nothing \
                         was changed. Perhaps yours has another address.",
                    )),
                    note("If it was not you, ignore this mail."),
                ],
            },
            Self::Approved { base, username } => Content {
                subject: "Your account is approved",
                blocks: vec![Block::Text(format!(
                    "Your account at Secure File Share can be used now: log in at {base} as {}.",
                    username.as_str(),
                ))],
            },
            Self::Refused { base } => Content {
                subject: "Your sign-up was not approved",
                blocks: vec![Block::Text(format!(
                    "Your sign-up at {base} was not approved. The account is deleted, and nothing \
                     of it is kept. If you think that this is a mistake, ask whoever wanted to \
                     hand files to you.",
                ))],
            },
            Self::Invitation { base, token, username, role, file } => {
                invitation(base, token, username, role, file)
            }
            Self::FileForYou { base, username, file } => Content {
                subject: "A file for you",
                blocks: vec![
                    about(file),
                    Block::Text(format!(
                        "To get it, log in at {base} as {}, and ask for a download link. This \
                         page says how.",
                        username.as_str(),
                    )),
                    button("How to download it", format!("{base}/api/docs")),
                ],
            },
            Self::Downloaded { filename, file, client, at } => Content {
                subject: "Your file was downloaded",
                blocks: vec![
                    named(filename, file),
                    Block::Text(format!(
                        "It was downloaded on {}, through a link that {} had asked for.",
                        moment(at),
                        client.as_str(),
                    )),
                    note("The file's receipts say more."),
                ],
            },
            Self::DownloadStarted { filename, file, client, at } => Content {
                subject: "A download of your file has started",
                blocks: vec![
                    named(filename, file),
                    Block::Text(format!(
                        "It is being downloaded from S3, since {}, through a link that {} had \
                         asked for.",
                        moment(at),
                        client.as_str(),
                    )),
                    note(
                        "The bytes come from S3, so how many of them arrive is not known here. \
                         The file's receipts say more.",
                    ),
                ],
            },
            Self::PasswordReset { base, token, username } => Content {
                subject: "Set a new password",
                blocks: vec![
                    Block::Text(format!(
                        "Somebody, perhaps you, has forgotten the password of {} at Secure File \
                         Share. Open this link within an hour to set a new one. That ends all \
                         sessions of the account.",
                        username.as_str(),
                    )),
                    button("Set a new password", format!("{base}/reset-password?token={token}")),
                    note("If it was not you, ignore this mail: the password stays as it is."),
                ],
            },
            Self::PasswordChanged { base, username, at } => Content {
                subject: "Your password was changed",
                blocks: vec![
                    Block::Text(format!(
                        "The password of {} at Secure File Share was changed on {}. Other \
                         sessions of the account have ended.",
                        username.as_str(),
                        moment(at),
                    )),
                    if_it_was_not_you(base),
                ],
            },
            Self::EmailChange { base, token, username } => Content {
                subject: "Confirm your new e-mail address",
                blocks: vec![
                    Block::Text(format!(
                        "The owner of {} at Secure File Share wants mails to go to this address. \
                         Open this link within 24 hours to confirm that it is yours.",
                        username.as_str(),
                    )),
                    button("Confirm the address", format!("{base}/change-email?token={token}")),
                    note("If you do not know of this, ignore this mail: nothing is changed."),
                ],
            },
            Self::EmailChanged { base, token, username, at } => Content {
                subject: "Your e-mail address was changed",
                blocks: vec![
                    Block::Text(format!(
                        "Since {}, {} at Secure File Share has another e-mail address. No more \
                         mails come to this one.",
                        moment(at),
                        username.as_str(),
                    )),
                    Block::Text(
                        "If it was not you, open this link within 7 days. It gives the account \
                         this address again, ends all of its sessions, and lets you set a new \
                         password."
                            .to_owned(),
                    ),
                    button("Undo the change", format!("{base}/undo-email?token={token}")),
                    note("If it was you, ignore this mail."),
                ],
            },
            Self::SessionRevoked { username, device, begun, source } => Content {
                subject: "A session of yours was ended",
                blocks: vec![
                    Block::Text(format!(
                        "A session of your account {} at Secure File Share was ended, because its \
                         refresh token was used twice. Perhaps a program kept an old one; perhaps \
                         somebody else has copied it. Log in again.",
                        username.as_str(),
                    )),
                    Block::Facts(vec![
                        ("Device", device.to_owned()),
                        ("Logged in", moment(begun)),
                        ("Last used from", source.to_owned()),
                    ]),
                    note("If you do not know why this happened, change your password."),
                ],
            },
            Self::SecondFactorChanged { base, username, change, at } => Content {
                subject: change.subject(),
                blocks: vec![
                    Block::Text(format!(
                        "{} That was on {}, for {} at Secure File Share.",
                        change.sentence(),
                        moment(at),
                        username.as_str(),
                    )),
                    if_it_was_not_you(base),
                ],
            },
        }
    }
}

impl SecondFactorChange {
    fn subject(self) -> &'static str {
        match self {
            Self::Added => "A second factor was added",
            Self::Removed => "The second factor was removed",
            Self::RecoveryCodesReplaced => "New recovery codes were made",
            Self::RecoveryCodeUsed { .. } => "A recovery code was used",
        }
    }

    fn sentence(self) -> String {
        match self {
            Self::Added => "From now on a login needs a code of the app that was added.".to_owned(),
            Self::Removed => "From now on a login needs the password only.".to_owned(),
            Self::RecoveryCodesReplaced => "The earlier recovery codes are void.".to_owned(),
            Self::RecoveryCodeUsed { left } => {
                format!("Somebody logged in with a recovery code. Unused ones left: {left}.")
            }
        }
    }
}

fn invitation(
    base: &str,
    token: &str,
    username: &Username,
    role: Role,
    file: Option<&FileRecord>,
) -> Content {
    let mut blocks = vec![
        Block::Text("You have an account at Secure File Share.".to_owned()),
        Block::Facts(vec![
            ("Name", username.as_str().to_owned()),
            ("Role", role.as_str().to_owned()),
        ]),
        Block::Text("Open this link within 7 days to set your password.".to_owned()),
        button("Set your password", format!("{base}/set-password?token={token}")),
    ];
    if let Some(file) = file {
        blocks.extend([
            Block::Text("The account is for a file that you are to get:".to_owned()),
            about(file),
            Block::Text(format!(
                "Once you have set your password, log in at {base}, and ask for a download link. \
                 This page says how:",
            )),
            Block::Address(format!("{base}/api/docs")),
        ]);
    }
    Content { subject: "You are invited", blocks }
}

/// What the mails to recipients say of a file.
fn about(file: &FileRecord) -> Block {
    Block::Facts(vec![
        ("File", file.filename.as_str().to_owned()),
        ("Size", format!("{} bytes", file.size)),
        ("SHA-256", file.sha256.hex()),
        ("From", file.uploaded_by.as_str().to_owned()),
    ])
}

/// What the mails to the uploader say of a file.
fn named(filename: &FileName, id: FileId) -> Block {
    Block::Facts(vec![("File", filename.as_str().to_owned()), ("File id", id.to_string())])
}

/// The way out, where somebody else may have got into an account.
fn if_it_was_not_you(base: &str) -> Block {
    Block::Note(format!(
        "If it was not you, somebody else may have got into your account: ask for a new password \
         at {base}, which ends all sessions.",
    ))
}

fn button(label: &'static str, address: String) -> Block {
    Block::Button { label, address }
}

fn note(text: &str) -> Block {
    Block::Note(text.to_owned())
}

/// For example `30 November 2026, 04:05 UTC`.
fn moment(at: Timestamp) -> String {
    at.strftime("%-d %B %Y, %H:%M UTC").to_string()
}
