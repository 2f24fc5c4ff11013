//! Mails to the recipients of a file.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;
use share_e2e::api::password_for;
use share_e2e::mail_server::{Mail, MailServer};
use share_e2e::process::Process;
use share_e2e::samples::sha256;
use share_e2e::{Ops, World, routes, send};
use tempfile::TempDir;

use crate::SERVER;

fn addressees(mails: &[Mail]) -> Vec<(&str, &str)> {
    mails.iter().map(|mail| (mail.to.as_str(), mail.subject.as_str())).collect()
}

/// Stops the server, and gives the lines of its console that are no requests. No address is there.
fn warnings(server: Process) -> Vec<String> {
    let (code, console) = server.interrupt();
    assert_eq!(code, Some(0), "{console:#?}");
    assert!(!console.iter().any(|line| line.contains('@')), "{console:#?}");
    console.into_iter().filter(|line| line.starts_with("ERROR")).collect()
}

/// What a mail of this file says.
fn says_what_the_file_is(mail: &Mail, server: &Process, name: &str, content: &[u8]) {
    let (size, base) = (content.len(), &server.api.base);
    for fact in [
        name,
        &format!(" {size} bytes\n"),
        &sha256(content),
        &format!("{base}/api/docs\n"),
        &format!("log in at {base}"),
    ] {
        assert!(mail.text.contains(fact), "{fact}: {mail:?}");
        assert!(mail.html.contains(fact.trim()), "{fact}: {mail:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_without_accounts_are_invited_once_and_accounts_are_told_when_that_is_wished() {
    let world = World::start().await;
    world.another_client("anna").await;
    world.another_client("disabled").await;
    world.store.set_active(&world.store.user_named("disabled").await, false).await;
    world.sign_up("unproven").await;
    let data = world.stop().await;
    let mail_server = MailServer::start().await;
    let server = SERVER.start_with(&mail_server.variables(), data.path());
    let ops = Ops::of(&server.api).await;
    let named = json!([
        "client",
        "anna@example.org",
        "new.one!@example.net",
        "disabled@example.org",
        "unproven@example.org",
        "ops@example.com"
    ]);

    ops.file("first.txt", &json!({"recipients": named})).await;
    let invitations = mail_server.mails();
    let invited =
        [("new.one!@example.net", "You are invited"), ("unproven@example.org", "You are invited")];
    assert_eq!(addressees(&invitations), invited);
    for mail in &invitations {
        says_what_the_file_is(mail, &server, "first.txt", b"a note");
        assert!(mail.text.contains("Role: client\n"), "{mail:?}");
    }
    assert!(invitations[0].username().starts_with("new.one-"), "{:?}", invitations[0]);

    ops.file("second.txt", &json!({"recipients": named})).await;
    assert_eq!(mail_server.mails().len(), 2, "nobody is invited twice");

    let wish = json!({"recipients": named, "notify_recipients": true});
    ops.file("third.txt", &wish).await;
    let told = [("anna@example.org", "A file for you"), ("client@example.com", "A file for you")];
    let mails = mail_server.mails();
    assert_eq!(addressees(&mails), [&told[..], &invited[..]].concat());
    says_what_the_file_is(&mails[0], &server, "third.txt", b"a note");
    assert!(mails[0].text.contains(" as anna,"), "{mails:?}");
    assert!(!mails[0].text.contains("token="), "{mails:?}");

    // One who is named in two ways gets one mail, and everyone gets none.
    let wish = json!({"recipients": ["client", "client@example.com"], "notify_recipients": true});
    ops.file("fourth.txt", &wish).await;
    assert_eq!(mail_server.mails().len(), 5);
    ops.file("fifth.txt", &json!({"notify_recipients": true})).await;
    assert_eq!(mail_server.mails().len(), 5);
    assert_eq!(warnings(server), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_accepts_the_invitation_sees_the_file() {
    let data = TempDir::new().unwrap();
    let mail_server = MailServer::start().await;
    let server = SERVER.start_with(&mail_server.variables(), data.path());
    let ops = Ops::of(&server.api).await;
    let file = ops.file("for-anna.txt", &json!({"recipients": ["anna@example.org"]})).await;
    ops.file("for-others.txt", &json!({"recipients": ["client"]})).await;
    let mails = mail_server.mails();
    let accept = server
        .api
        .request(Method::POST, &routes::set_password(mails[0].token(routes::SET_PASSWORD)));
    let password = password_for("anna");
    send(accept.json(&json!({"password": password}))).await.is(200);
    let who = ("username", mails[0].username());
    let anna = server.api.login("client", who, &password).await.is(200).field("access");
    assert_eq!(server.api.names_listed(routes::LIST_FILES, &anna).await, ["for-anna.txt"]);
    server.api.link(&file, &anna).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recipients_of_a_large_file_get_their_mails_once_it_is_checked() {
    let data = TempDir::new().unwrap();
    let mail_server = MailServer::start().await;
    let server = SERVER.start_with(&mail_server.variables(), data.path());
    let ops = Ops::of(&server.api).await;
    let terms = json!({"recipients": ["client", "new@example.net"], "notify_recipients": true});
    let content = b"a file that goes straight to S3";
    let rejected = ops.large_file("rejected.pdf", content, &terms).await;
    let uploading = json!({"filename": "a.txt", "size": 10, "recipients": ["new@example.net"]});
    ops.announce(&uploading).await.is(201);
    ops.large_file("large.txt", content, &terms).await;
    mail_server.has_taken(2).await;
    let mails = mail_server.mails();
    let told = [("client@example.com", "A file for you"), ("new@example.net", "You are invited")];
    assert_eq!(addressees(&mails), told);
    for mail in &mails {
        says_what_the_file_is(mail, &server, "large.txt", content);
    }
    let rejected = ops.show(&rejected).await.is_json(200);
    assert_ne!(rejected["state"], "available");
    assert_eq!(warnings(server), Vec::<String>::new());
    assert_eq!(mail_server.mails().len(), 2, "and no others");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_recipients_that_are_added_get_a_mail_and_only_of_a_file_that_is_available() {
    let data = TempDir::new().unwrap();
    let mail_server = MailServer::start().await;
    let server = SERVER.start_with(&mail_server.variables(), data.path());
    let ops = Ops::of(&server.api).await;
    let uploading = ops.upload_of(10).await;
    ops.give(&uploading, &json!(["new@example.net"])).await;
    let file = ops.file("a.txt", &json!({"recipients": []})).await;
    assert_eq!(mail_server.mails().len(), 0);

    let mut expected = BTreeSet::new();
    for (change, added) in [
        (json!({"recipients": ["new@example.net", "client"]}), Some("new@example.net")),
        (json!({"notify_recipients": true}), None),
        (json!({"note": "a note"}), None),
        (json!({"recipients": ["client", "new@example.net"]}), None),
        (json!({"recipients": ["client", "newer@example.net"]}), Some("newer@example.net")),
        (json!({"recipients": []}), None),
        (json!({"recipients": ["client"]}), Some("client@example.com")),
        (json!({"recipients": ["client", "client@example.com"]}), None),
        (json!({"recipients": "everyone"}), None),
    ] {
        ops.change(&file, &change).await.is(200);
        expected.extend(added);
        let mails = mail_server.mails();
        let told: BTreeSet<_> = mails.iter().map(|mail| mail.to.as_str()).collect();
        assert_eq!((told, mails.len()), (expected.clone(), expected.len()), "{change}");
    }
    ops.change(&file, &json!({"recipients": []})).await.is(200);
    ops.delete(&file).await.is(204);
    ops.change(&file, &json!({"recipients": ["client"]})).await.refused(410, "file_gone");
    assert_eq!(mail_server.mails().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_fails_is_logged_and_keeps_no_other_back_and_leaves_no_account() {
    let data = TempDir::new().unwrap();
    let mail_server = MailServer::start().await;
    let server = SERVER.start_with(&mail_server.variables(), data.path());
    let ops = Ops::of(&server.api).await;
    let mut named: Vec<_> = (0..10).map(|number| format!("refused{number}@example.net")).collect();
    named.extend((0..10).map(|number| format!("taken{number}@example.net")));
    let terms = json!({"recipients": named});
    let first = ops.upload("a.txt", b"a note", &terms).await.is_json(201);
    assert_eq!(mail_server.mails().len(), 10);
    // Of those whose mail has failed nothing is left, so they are invited again.
    let second = ops.upload("a.txt", b"a note", &terms).await.is_json(201);
    assert_eq!(mail_server.mails().len(), 10);
    let fields = |answer: &serde_json::Value| -> Vec<String> {
        answer.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(fields(&first), fields(&second), "Ops learn nothing of it");
    let warnings = warnings(server);
    assert_eq!(warnings.len(), 20, "{warnings:#?}");
    for line in warnings {
        assert!(line.contains("send a mail") && line.contains("MessageRejected"), "{line}");
    }
}
