//! Each mail as it is sent, in `tests/sent`. `RENEW=1 cargo test -p share-mail` writes the files
//! anew, and `scripts/mails` makes pictures of them.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use share_mail::{Mail, Message, SecondFactorChange};
use share_model::{ContentDigest, FileName, FileRecord, Role, Username};

const BASE: &str = "https://files.example";
const TOKEN: &str = "Vq3mS0Zt8hVwX2bLr5nYc7dKf1gJp4aQe6uTi9oRxEw";

/// The pages to which mails lead. Opening one of them changes nothing.
const PAGES: [&str; 6] = [
    "/verify?token=",
    "/set-password?token=",
    "/reset-password?token=",
    "/change-email?token=",
    "/undo-email?token=",
    "/api/docs",
];

struct Facts {
    username: Username,
    file: FileRecord,
    at: Timestamp,
}

impl Facts {
    fn new() -> Self {
        let at = "2026-11-30T14:05:00Z".parse().unwrap();
        let file = FileRecord {
            id: "019acbf0-0000-7000-8000-000000000000".parse().unwrap(),
            filename: FileName::parse("Jahresabschluss & Prüfbericht 2026.pdf").unwrap(),
            size: 2_481_152,
            content_type: "application/pdf".to_owned(),
            sha256: ContentDigest::of(b"a report"),
            uploaded_by: Username::parse("olga").unwrap(),
            uploader: None,
            uploaded_at: at,
            notify: true,
        };
        Self { username: Username::parse("rosa.lindqvist").unwrap(), file, at }
    }

    /// Every mail, with the name of its files in `tests/sent`.
    fn mails(&self) -> Vec<(&'static str, Mail<'_>)> {
        let Self { username, file, at } = self;
        let (base, token, at) = (BASE, TOKEN, *at);
        let role = Role::Client;
        let (filename, client) = (&file.filename, username);
        let device = "Firefox 145 on Windows";
        let changed = |change| Mail::SecondFactorChanged { base, username, change, at };
        vec![
            ("verification", Mail::Verification { base, token, username }),
            ("already-known", Mail::AlreadyKnown { base }),
            ("already-verified", Mail::AlreadyVerified { base, username }),
            ("no-account", Mail::NoAccount { base }),
            ("approved", Mail::Approved { base, username }),
            ("refused", Mail::Refused { base }),
            ("invitation", Mail::Invitation { base, token, username, role, file: None }),
            (
                "invitation-for-a-file",
                Mail::Invitation { base, token, username, role, file: Some(file) },
            ),
            ("file-for-you", Mail::FileForYou { base, username, file }),
            ("downloaded", Mail::Downloaded { filename, file: file.id, client, at }),
            ("download-started", Mail::DownloadStarted { filename, file: file.id, client, at }),
            ("password-reset", Mail::PasswordReset { base, token, username }),
            ("password-changed", Mail::PasswordChanged { base, username, at }),
            ("email-change", Mail::EmailChange { base, token, username }),
            ("email-changed", Mail::EmailChanged { base, token, username, at }),
            (
                "session-revoked",
                Mail::SessionRevoked { username, device, begun: at, source: "192.0.2.7" },
            ),
            ("second-factor-added", changed(SecondFactorChange::Added)),
            ("second-factor-removed", changed(SecondFactorChange::Removed)),
            ("recovery-codes-replaced", changed(SecondFactorChange::RecoveryCodesReplaced)),
            ("recovery-code-used", changed(SecondFactorChange::RecoveryCodeUsed { left: 9 })),
        ]
    }

    fn messages(&self) -> Vec<(&'static str, Message)> {
        self.mails().into_iter().map(|(name, mail)| (name, mail.message())).collect()
    }
}

/// What a person reads of a document.
fn visible(html: &str) -> String {
    let body = html.split_once("<body").unwrap().1;
    let pieces = body.split('<').filter_map(|piece| piece.split_once('>'));
    let text: String = pieces.map(|(_, text)| text.to_owned() + " ").collect();
    let text = text.replace("&#60;", "<").replace("&#62;", ">").replace("&#34;", "\"");
    words(&text.replace("&#39;", "'").replace("&#38;", "&"))
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Where the document leads, and whatever else it names.
fn addresses(html: &str) -> Vec<&str> {
    html.split("href=\"").skip(1).map(|rest| rest.split_once('"').unwrap().0).collect()
}

#[test]
fn every_mail_is_as_it_was() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sent");
    let renew = std::env::var_os("RENEW").is_some();
    let mut expected = 0;
    for (name, Message { subject, text, html }) in Facts::new().messages() {
        let text = format!("Subject: {subject}\n\n{text}");
        for (ending, now) in [("txt", text), ("html", html)] {
            let path = folder.join(format!("{name}.{ending}"));
            if renew {
                fs::write(&path, &now).unwrap();
            }
            let before = fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(before, now, "{name}.{ending}: RENEW=1 writes it anew");
            expected += 1;
        }
    }
    assert_eq!(fs::read_dir(folder).unwrap().count(), expected, "no other files");
}

#[test]
fn both_parts_say_the_same() {
    for (name, Message { subject, text, html }) in Facts::new().messages() {
        let mut seen = visible(&html);
        assert!(seen.contains(&subject), "{name}");
        assert!(text.ends_with('\n') && !text.contains("\n\n\n"), "{name}: {text:?}");
        for line in text.lines().filter(|line| !line.is_empty()) {
            // A colon stands between what a table or a button puts apart.
            for piece in line.split(": ").map(|piece| piece.trim_end_matches(':')) {
                let place = seen.find(piece);
                let place = place.unwrap_or_else(|| panic!("{name}: {piece} is not in {seen}"));
                seen.replace_range(..place + piece.len(), "");
            }
        }
        assert!(seen.len() < BASE.len() + 80, "{name}: only the HTML part says {seen}");
    }
}

#[test]
fn an_html_part_loads_nothing_and_leads_only_to_pages() {
    for (name, Message { html, .. }) in Facts::new().messages() {
        for part in ["src", "<img", "<link", "<script", "<style", "url(", "@import", "background="]
        {
            assert!(!html.contains(part), "{name}: {part}");
        }
        for address in addresses(&html) {
            let path = address.strip_prefix(BASE).unwrap();
            let page = PAGES.iter().find(|page| path.starts_with(**page));
            assert!(page.is_some(), "{name}: {address}");
        }
        assert!(html.matches("border-radius").count() <= 1, "{name}: one button");
    }
}

#[test]
fn what_others_have_written_is_shown_as_it_is() {
    let Facts { username, at, .. } = Facts::new();
    let device = "<a href=\"https://attacker.example\">it's & 'you'</a> &amp;";
    let mail = Mail::SessionRevoked { username: &username, device, begun: at, source: "::1" };
    let Message { text, html, .. } = mail.message();
    assert!(text.contains(&format!("Device: {device}\n")), "{text}");
    assert!(visible(&html).contains(&format!("Device {device} Logged")), "{}", visible(&html));
    assert_eq!(addresses(&html), Vec::<&str>::new());
}
