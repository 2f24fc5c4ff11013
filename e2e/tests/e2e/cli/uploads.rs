//! What `share upload` sends, and what it says of it.

use std::ffi::OsStr;
use std::fs;
use std::io::{Cursor, Read};
use std::os::unix::ffi::OsStrExt;

use serde_json::{Value, json};
use share_e2e::command::{Machine, names_in};
use share_e2e::mail_server::MailServer;
use share_e2e::proxy::Proxy;
use share_e2e::samples::{noise, sha256, zip_of_size};
use share_e2e::scene::second;
use share_e2e::uploads::PART;
use share_e2e::{World, routes};
use zip::ZipArchive;

use super::stage::Stage;
use crate::{MIB, SHARE};

/// A file that goes in three parts.
fn large() -> Vec<u8> {
    zip_of_size(2 * PART + 10)
}

async fn ops() -> (World, Machine) {
    let world = World::start().await;
    let machine = Machine::of(SHARE, &world, "ops").await;
    (world, machine)
}

/// The files that the service has, by name.
async fn stored(world: &World) -> Vec<Value> {
    let mut files = world.all(routes::LIST_UPLOADED, 100, &world.token("ops").await).await;
    files.sort_by_key(|file| file["filename"].as_str().unwrap().to_owned());
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_for_temporary_files_that_is_missing_or_full_is_named() {
    let (_world, mut machine) = ops().await;
    machine.write("folder/a.txt", &noise(100_000));
    let temporary = machine.folder().parent().unwrap().join("tmp");
    let full = "trap '' XFSZ; ulimit -f 1";
    for arguments in [&["upload", "-", "--name", "a.bin"][..], &["upload", "folder", "--zip"]] {
        let arguments = arguments.to_vec();
        let line = format!("{full}; exec < folder/a.txt");
        let ended = machine.start_after(&line, &arguments).end().await;
        ended.fails(7, temporary.to_str().unwrap()).says("another folder in TMPDIR");
    }
    machine.set("TMPDIR", "/nonexistent");
    let ended = machine.run(&["upload", "folder", "--zip"]).await;
    ended.fails(7, "/nonexistent").says("another folder in TMPDIR");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_file_goes_in_one_request() {
    let (world, machine) = ops().await;
    machine.write("note.txt", b"a note");
    let ended = machine.run(&["upload", "note.txt"]).await;
    let files = stored(&world).await;
    let [file] = &files[..] else { panic!("{files:?}") };
    let id = file["id"].as_str().unwrap();
    ended.is(0).shows(&format!("Uploaded note.txt (6 B) as {id}."));
    assert_eq!(world.store.object(id).await, b"a note");
    assert_eq!((&file["state"], &file["size"]), (&json!("available"), &json!(6)));
    assert_eq!(names_in(&machine.state().join("uploads")), [""; 0], "nothing is left of it here");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_goes_in_parts_and_is_checked_before_the_command_ends() {
    let stage = Stage::start("", &[]).await;
    let machine = stage.machine("ops").await;
    let content = large();
    machine.write("large.zip", &content);
    let ended = stage.with_checks(machine.run(&["upload", "large.zip", "--json"])).await;
    let file = &ended.json()[0];
    assert_eq!(file["sha256"], sha256(&content));
    assert_eq!(stored(&stage.world).await[0]["state"], "available");
    assert_eq!(stage.world.store.object(file["id"].as_str().unwrap()).await, content);
    assert_eq!(stage.s3.seen(), 3, "each part is sent once");
    assert_eq!(names_in(&machine.state().join("uploads")), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_files_go_with_the_terms_that_are_given() {
    let (world, machine) = ops().await;
    world.another_client("rosa").await;
    for name in ["a.txt", "b.csv", "c.txt"] {
        machine.write(name, name.as_bytes());
    }
    let terms = ["--to", "rosa", "--to", "client", "--expires", "2d", "--note", "for Monday"];
    let upload = ["upload", "a.txt", "b.csv", "c.txt", "--notify"];
    let ended = machine.run(&[&upload[..], &terms].concat()).await;
    ended.is(0);
    let files = stored(&world).await;
    assert_eq!(files.len(), 3);
    for (file, name) in files.iter().zip(["a.txt", "b.csv", "c.txt"]) {
        ended.shows(&format!("Uploaded {name} (5 B) as {}.", file["id"].as_str().unwrap()));
        assert_eq!(file["filename"], name);
        assert_eq!((&file["note"], &file["notify"]), (&json!("for Monday"), &json!(true)));
        assert_eq!(file["recipients"], json!(["rosa", "client"]));
        assert_eq!(second(&file["expires_at"]) - second(&file["uploaded_at"]), 2 * 24 * 60 * 60);
    }
    machine.write("d.txt", b"d");
    machine.run(&["upload", "d.txt", "--to", "everyone", "--name", "e.txt"]).await.is(0);
    let file = &stored(&world).await[3];
    assert_eq!((&file["filename"], &file["recipients"]), (&json!("e.txt"), &json!("everyone")));
    assert_eq!((&file["note"], &file["notify"]), (&Value::Null, &json!(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn recipients_get_a_mail_when_that_is_wished() {
    let mail_server = MailServer::start().await;
    let world = World::start_with(&mail_server.variables()).await;
    let machine = Machine::of(SHARE, &world, "ops").await;
    machine.write("note.txt", b"a note");
    let upload = ["upload", "note.txt", "--to", "client"];
    machine.run(&upload).await.is(0);
    world.server.jobs_idle().await;
    assert_eq!(mail_server.mails().len(), 0);
    machine.run(&[&upload[..], &["--notify-recipients"]].concat()).await.is(0);
    mail_server.has_taken(1).await;
    assert!(mail_server.newest("client@example.com").text.contains("note.txt"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_goes_as_one_archive_or_as_its_files() {
    let (world, machine) = ops().await;
    machine.write("photos/a.txt", b"a");
    machine.write("photos/trip/b.txt", b"b");
    std::os::unix::fs::symlink("/etc/hostname", machine.folder().join("photos/link.txt")).unwrap();
    machine.run(&["upload", "photos"]).await.fails(7, "--zip");
    assert_eq!(stored(&world).await.len(), 0);

    // A link may lead anywhere: it is neither followed nor left out in silence.
    for way in ["--recursive", "--zip"] {
        machine.run(&["upload", "photos", way]).await.fails(7, "link.txt is no file and no folder");
    }
    assert_eq!(stored(&world).await.len(), 0);
    fs::remove_file(machine.folder().join("photos/link.txt")).unwrap();

    machine.run(&["upload", "photos", "--recursive"]).await.is(0);
    let files = stored(&world).await;
    let names: Vec<_> = files.iter().map(|file| file["filename"].as_str().unwrap()).collect();
    assert_eq!(names, ["a.txt", "b.txt"], "each by its own name");

    let ended = machine.run(&["upload", "photos", "--zip", "--json"]).await.json();
    assert_eq!(ended[0]["filename"], "photos.zip");
    let archive = world.store.object(ended[0]["id"].as_str().unwrap()).await;
    let mut archive = ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut entries = vec![];
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        entries.push((entry.name().unwrap().into_owned(), text));
    }
    let expected = [("a.txt", "a"), ("trip/b.txt", "b")];
    assert_eq!(entries, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    let again = machine.run(&["upload", "photos", "--zip", "--json"]).await.json();
    assert_eq!(ended[0]["sha256"], again[0]["sha256"], "the same folder gives the same bytes");
    machine.run(&["upload", "photos", "--zip", "--recursive"]).await.fails(2, "--recursive");
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_input_needs_a_name() {
    let (world, machine) = ops().await;
    machine.run_with_input(&["upload", "-"], b"a\n").await.fails(2, "--name");
    let upload = ["upload", "-", "--name", "dump.csv"];
    machine.run_with_input(&upload, b"a,b\n1,2\n").await.is(0).shows("Uploaded dump.csv (8 B)");
    let file = &stored(&world).await[0];
    assert_eq!(file["sha256"], sha256(b"a,b\n1,2\n"));
    machine.run_with_input(&upload, b"").await.fails(7, "is empty");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_rejected_does_not_keep_others_from_going() {
    let (world, machine) = ops().await;
    machine.write("good.txt", b"good");
    machine.write("small.pdf", b"no PDF");
    // Large enough for parts, which the service looks at once all are there.
    machine.write("large.zip", &vec![b'x'; 5_000_000]);
    machine.write("run.exe", b"MZ");
    let files = ["small.pdf", "large.zip", "run.exe", "good.txt"];
    let ended = machine.run(&[&["upload"], &files[..]].concat()).await;
    ended.is(5).shows("Uploaded good.txt").says("content_mismatch").says("file_type_not_allowed");
    ended.says("large.zip was not taken: ");
    assert_eq!(ended.out.lines().count(), 1, "{ended}");
    let client = world.token("client").await;
    assert_eq!(world.names_listed(routes::LIST_FILES, &client).await, ["good.txt"]);
    // What was taken is not sent again.
    let ended = machine.run(&[&["upload"], &files[..]].concat()).await;
    ended.is(5).shows("Uploaded good.txt");
    assert_eq!(world.names_listed(routes::LIST_FILES, &client).await, ["good.txt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_said_before_anything_is_sent() {
    let (world, machine) = ops().await;
    machine.write("a.txt", b"a");
    machine.write("empty.txt", b"");
    machine.write("folder/b.txt", b"b");
    let long = format!("{}.txt", "a".repeat(300));
    for (file, status, words) in [
        ("missing.txt", 7, "missing.txt"),
        ("empty.txt", 7, "empty.txt is empty"),
        ("folder", 7, "--recursive"),
        ("/dev/null", 7, "is not a file"),
    ] {
        machine.run(&["upload", "a.txt", file]).await.fails(status, words);
    }
    for name in ["a/b.txt", "..", "a\u{202e}b.txt", &long] {
        machine.run(&["upload", "a.txt", "--name", name]).await.fails(2, "--name");
    }
    machine.run(&["upload", "a.txt", "folder/b.txt", "--name", "b.txt"]).await.fails(2, "one file");
    machine.run(&["upload", "a.txt", "--expires", "soon"]).await.fails(2, "--expires");
    machine.run(&["upload"]).await.fails(2, "FILE");
    assert_eq!(stored(&world).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_not_upload() {
    let world = World::start().await;
    let machine = Machine::of(SHARE, &world, "client").await;
    machine.write("a.txt", b"a");
    machine.run(&["upload", "a.txt"]).await.fails(3, "Only Ops");
    let nobody = Machine::new(SHARE);
    nobody.write("a.txt", b"a");
    nobody.run(&["upload", "a.txt"]).await.fails(3, "share login");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_that_is_reached_is_said_and_does_not_keep_others_from_going() {
    let world = World::start_with(&[("ACCOUNT_QUOTA_BYTES", "1000")]).await;
    let machine = Machine::of(SHARE, &world, "ops").await;
    machine.write("small.txt", b"small");
    machine.write("large.txt", &[b'x'; 5000]);
    let ended = machine.run(&["upload", "large.txt", "small.txt"]).await;
    ended.is(5).says("quota_exceeded").shows("Uploaded small.txt");
    assert_eq!(stored(&world).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_while_it_is_sent_is_not_completed() {
    let stage = Stage::start("", &[]).await;
    let machine = stage.machine("ops").await;
    let mut content = large();
    machine.write("large.zip", &content);
    stage.s3.hold();
    let command = machine.start(&["upload", "large.zip"]);
    stage.s3.held().await;
    content[PART + 1] ^= 1;
    machine.write("large.zip", &content);
    stage.s3.release();
    let ended = stage.with_checks(command.end()).await;
    ended.fails(7, "has changed while it was sent");
    let client = stage.world.token("client").await;
    assert_eq!(stage.world.names_listed(routes::LIST_FILES, &client).await, [""; 0]);
    // What it is now.
    let content = large();
    machine.write("large.zip", &content);
    let ended = stage.with_checks(machine.run(&["upload", "large.zip", "--json"])).await.json();
    assert_eq!(ended[0]["sha256"], sha256(&content));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_one_name_and_size_do_not_take_each_others_place() {
    let stage = Stage::start("POST /api/uploads HTTP", &[]).await;
    let machine = stage.machine("ops").await;
    let (one, mut other) = (large(), large());
    // Not in what an archive says of itself.
    other[PART] ^= 1;
    machine.write("one/same.zip", &one);
    machine.write("other/same.zip", &other);
    // The service begins both, and the command learns of neither.
    stage.api.lose(2);
    let upload = machine.run(&["upload", "one/same.zip", "other/same.zip", "--json"]);
    let sent = stage.with_checks(upload).await.json();
    assert_eq!(stage.api.left(), 0);
    assert_ne!(sent[0]["id"], sent[1]["id"]);
    assert_eq!(
        (&sent[0]["sha256"], &sent[1]["sha256"]),
        (&json!(sha256(&one)), &json!(sha256(&other)))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_input_of_the_same_length_is_not_taken_for_what_was_sent_before() {
    let (world, mut machine) = ops().await;
    let proxy = Proxy::start(&world.base, "GET /api/files/").await;
    machine.set("SHARE_URL", &proxy.url);
    let upload = ["upload", "-", "--name", "dump.zip"];
    let (one, mut other) = (zip_of_size(5 * MIB), zip_of_size(5 * MIB));
    other[4 * MIB] ^= 1;
    // The service has all bytes, and the command ends before it has seen that they are checked.
    proxy.halt_at(1);
    let first = machine.start_with_input(&upload, &one);
    proxy.halted().await;
    first.kill();
    proxy.halt_at(0);
    let sent = machine.run_with_input(&[&upload[..], &["--json"]].concat(), &other).await;
    assert_eq!(sent.json()[0]["sha256"], sha256(&other));
}

/// A service that has taken `note.txt`, and a command that was killed before it learned of that.
async fn killed_before_the_answer() -> (World, Machine, Proxy) {
    let (world, mut machine) = ops().await;
    let proxy = Proxy::start(&world.base, "POST /api/files/upload").await;
    machine.set("SHARE_URL", &proxy.url);
    machine.write("note.txt", b"a note");
    proxy.halt_at(1);
    let running = machine.start(&["upload", "note.txt"]);
    proxy.halted().await;
    running.kill();
    proxy.halt_at(0);
    assert_eq!(stored(&world).await.len(), 1);
    (world, machine, proxy)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_which_the_answer_was_not_seen_is_asked_for_again_and_not_stored_twice() {
    let (world, machine, proxy) = killed_before_the_answer().await;
    let taken = stored(&world).await[0]["id"].clone();
    assert_eq!(machine.run(&["upload", "note.txt", "--json"]).await.json()[0]["id"], taken);
    assert_eq!((proxy.seen(), stored(&world).await.len()), (2, 1));
    // The command is over: given again it is another one.
    assert_ne!(machine.run(&["upload", "note.txt", "--json"]).await.json()[0]["id"], taken);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_deleted_or_changed_before_the_answer_was_seen_is_sent_anew() {
    let (world, machine, _proxy) = killed_before_the_answer().await;
    let taken = stored(&world).await[0]["id"].as_str().unwrap().to_owned();
    world.delete_file(&taken, &world.token("ops").await).await.is(204);
    let sent = machine.run(&["upload", "note.txt", "--json"]).await.json();
    assert_eq!(stored(&world).await[0]["id"], sent[0]["id"]);

    let (world, machine, _proxy) = killed_before_the_answer().await;
    let path = machine.folder().join("note.txt");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    // Nothing but the bytes is another.
    fs::write(&path, b"A note").unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    let sent = machine.run(&["upload", "note.txt", "--json"]).await.json();
    assert_eq!(sent[0]["sha256"], sha256(b"A note"));
    assert_eq!(stored(&world).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_a_day_ago_without_an_answer_is_sent_anew() {
    for (hours, files) in [(22, 1), (24, 2)] {
        let (world, machine, _proxy) = killed_before_the_answer().await;
        let uploads = machine.state().join("uploads");
        let journal = uploads.join(&names_in(&uploads)[0]);
        let mut step: Value = serde_json::from_slice(&fs::read(&journal).unwrap()).unwrap();
        step["begun_at"] = json!(step["begun_at"].as_i64().unwrap() - hours * 60 * 60);
        fs::write(&journal, format!("{step}\n")).unwrap();
        machine.run(&["upload", "note.txt"]).await.is(0);
        assert_eq!(stored(&world).await.len(), files, "after {hours} hours");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_name_is_not_utf8_is_not_taken_for_one_with_other_recipients() {
    let (world, machine) = ops().await;
    // It is not taken, so that what was sent stays noted.
    machine.write("files/bad.pdf", b"not a document");
    let strange = machine.folder().join("files").join(OsStr::from_bytes(b"n\xffm.csv"));
    fs::write(strange, b"a,b\n").unwrap();
    for whom in ["client", "everyone"] {
        machine.run(&["upload", "files", "--recursive", "--to", whom]).await.is(5);
    }
    let is_there = |it: &Value| it["state"] == "available";
    let files = stored(&world).await.into_iter().filter(is_there);
    let mut recipients: Vec<_> = files.map(|it| it["recipients"].to_string()).collect();
    recipients.sort();
    assert_eq!(recipients, ["\"everyone\"", "[\"client\"]"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_named_twice_goes_once() {
    let (world, machine) = ops().await;
    machine.write("a.csv", b"a,b\n");
    let ended = machine.run(&["upload", "a.csv", "a.csv"]).await;
    assert_eq!(ended.is(0).out.lines().count(), 1, "{ended}");
    assert_eq!(stored(&world).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_refused_is_sent_once_by_each_command() {
    let world = World::start().await;
    let proxy = Proxy::start(&world.base, "POST /api/files/upload HTTP").await;
    let mut machine = Machine::of(SHARE, &world, "ops").await;
    machine.set("SHARE_URL", &proxy.url);
    machine.write("a.pdf", b"not a document");
    for commands in 1..=3 {
        machine.run(&["upload", "a.pdf"]).await.is(5);
        assert_eq!(proxy.seen(), commands);
    }
    assert_eq!(stored(&world).await.len(), 0);
    machine.write("a.pdf", b"%PDF-1.7\n%%EOF\n");
    machine.run(&["upload", "a.pdf"]).await.is(0);
    assert_eq!(stored(&world).await.len(), 1);
}
