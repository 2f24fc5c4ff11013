//! Uploads whose parts, order, owners or times are wrong; many requests at once; and checks that are
//! interrupted, repeated and overtaken.

use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use share_e2e::samples::{noise, sha256, zip_of_size};
use share_e2e::uploads::{PART, SignedPart};
use share_e2e::{Answer, Upload, World, routes};

use crate::{MIB, SERVER};

const CSV: &[u8] = b"a,b\n1,2\n";
const WEEK: i64 = 7 * 24 * 60 * 60;
/// For longer than a job leaves a file to another.
const CLAIM: i64 = 16 * 60 + 1;

/// The event that an object is there.
fn created(key: &str) -> Map<String, Value> {
    let event = json!({"id": "test", "source": "aws.s3", "detail-type": "Object Created",
        "detail": {"bucket": {"name": "files"}, "object": {"key": key}}});
    event.as_object().unwrap().clone()
}

async fn run(world: &World, job: &str) -> Value {
    world.server.invoke_job(job, Map::new()).await.unwrap()
}

/// What a client sees in its list.
async fn listed(world: &World) -> Vec<Value> {
    let client = world.token("client").await;
    world.all(routes::LIST_FILES, 100, &client).await
}

#[tokio::test]
async fn s3_takes_only_the_bytes_length_and_number_that_were_signed() {
    let world = World::start().await;
    let ops = world.token("ops").await;
    let content = zip_of_size(PART + 10);
    let upload = Upload::begin(&world, &ops, "a.zip", &content).await;
    let (first, last) = (upload.part(1), upload.part(2));
    let (one, two) = (upload.sign(1).await, upload.sign(2).await);
    let mut changed = last.to_vec();
    changed[3] ^= 1;
    let longer = [last, b"a"].concat();
    for (name, signed, bytes, (status, code)) in [
        ("one byte changed", &two, &*changed, (400, "BadDigest")),
        ("truncated", &two, &last[..9], (403, "SignatureDoesNotMatch")),
        ("longer", &two, &longer, (403, "SignatureDoesNotMatch")),
        ("empty", &two, &b""[..], (403, "SignatureDoesNotMatch")),
        ("the first part as the second", &two, first, (403, "SignatureDoesNotMatch")),
        ("the second part as the first", &one, last, (403, "SignatureDoesNotMatch")),
    ] {
        let answer = upload.put(signed, bytes).await;
        assert_eq!((answer.status.as_u16(), &*answer.s3_code()), (status, code), "{name}");
        assert_eq!(upload.received().await, Vec::<usize>::new(), "{name}");
    }
    // A request for one number does not bring another.
    let renumbered =
        SignedPart { url: one.url.replace("partNumber=1", "partNumber=2"), ..one.clone() };
    upload.put(&renumbered, first).await.refused_by_s3(403, "SignatureDoesNotMatch");
    // The same again is as good as once.
    for _ in 0..2 {
        upload.put(&one, first).await.is(200);
        upload.put(&two, last).await.is(200);
    }
    upload.complete().await.is(202);
    world.server.jobs_idle().await;
    assert_eq!(listed(&world).await[0]["sha256"], sha256(&content));
}

#[tokio::test]
async fn parts_of_one_length_that_are_swapped_are_found_out() {
    let world = World::start().await;
    let ops = world.token("ops").await;
    // Two parts of one length, which S3 cannot tell from each other by that.
    let mut content = noise(2 * PART);
    content[PART] ^= 1;
    let upload = Upload::begin(&world, &ops, "a.zip", &content).await;
    let (one, two) = (upload.sign(1).await, upload.sign(2).await);
    upload.put(&one, upload.part(2)).await.refused_by_s3(400, "BadDigest");
    upload.put(&two, upload.part(1)).await.refused_by_s3(400, "BadDigest");
    // A client that mixes them up before it asks gets what it asks for, and then the promise fails.
    for (number, bytes) in [(1, upload.part(2)), (2, upload.part(1))] {
        upload.put(&upload.sign_as(number, bytes).await, bytes).await.is(200);
    }
    upload.complete().await.is(202);
    world.server.jobs_idle().await;
    let file = upload.file().await;
    assert_eq!(
        (&file["state"], &file["reason"]["code"]),
        (&json!("rejected"), &json!("digest_mismatch"))
    );
    assert_eq!(world.store.length_of_object(&upload.id).await, None, "its bytes are gone");
    assert_eq!(listed(&world).await, Vec::<Value>::new());
    world.is_consistent().await;
}

#[tokio::test]
async fn a_part_that_is_sent_again_with_other_bytes_replaces_the_former_one() {
    let world = World::start().await;
    let ops = world.token("ops").await;
    let upload = Upload::begin(&world, &ops, "a.csv", CSV).await;
    let other = b"x,y\n3,4\n";
    let wrong = upload.sign_as(1, other).await;
    upload.put(&wrong, other).await.is(200);
    upload.send([1]).await;
    upload.complete().await.is(202);
    world.server.jobs_idle().await;
    assert_eq!(upload.file().await["sha256"], sha256(CSV));
    // Once it is complete, nothing replaces it.
    upload.put(&wrong, other).await.refused_by_s3(404, "NoSuchUpload");
    let before = world.stored().await;
    world.sign_parts(&upload.id, &ops, &[(1, other)]).await.refused(409, "upload_completed");
    world.unchanged(&before).await;
    assert_eq!(world.store.object(&upload.id).await, CSV);
}

#[tokio::test]
async fn parts_do_not_reach_another_upload_and_other_ops_reach_none() {
    let world = World::start_with(&[("OPS_SIGNUP", "open")]).await;
    let ops = world.token("ops").await;
    let other = world.another_ops("rosa").await;
    let mine = Upload::begin(&world, &ops, "a.csv", CSV).await;
    let theirs = Upload::begin(&world, &other, "a.csv", CSV).await;
    let signed = mine.sign(1).await;
    for (from, to) in [(&mine.id, &theirs.id), (&theirs.id, &mine.id)] {
        let moved = SignedPart { url: signed.url.replace(from.as_str(), to), ..signed.clone() };
        if moved.url != signed.url {
            mine.put(&moved, CSV).await.refused_by_s3(403, "SignatureDoesNotMatch");
        }
    }
    let before = world.stored().await;
    world.sign_parts(&mine.id, &other, &[(1, CSV)]).await.refused(404, "upload_unknown");
    for answer in [
        world.show_upload(&mine.id, &other).await,
        world.complete_upload(&mine.id, &other).await,
        world.abort_upload(&mine.id, &other).await,
    ] {
        answer.refused(404, "upload_unknown");
    }
    world.unchanged(&before).await;
    assert_eq!(theirs.received().await, Vec::<usize>::new());
}

#[tokio::test]
async fn a_request_for_a_part_is_refused_after_15_minutes_and_renewed_by_asking_again() {
    let world = World::start().await;
    let ops = world.token("ops").await;
    let upload = Upload::begin(&world, &ops, "a.csv", CSV).await;
    let put = async |seconds: u64| {
        let signed = world.store.part_signed_before(seconds, &upload.id, 1, CSV).await;
        let request = world.http.put(signed.uri()).body(CSV);
        let headers = signed.headers().filter(|(name, _)| *name != "content-length");
        share_e2e::send(headers.fold(request, |it, (name, value)| it.header(name, value))).await
    };
    let late = put(901).await;
    assert_eq!((late.status.as_u16(), &*late.s3_code()), (403, "AccessDenied"), "{late:?}");
    assert_eq!(upload.received().await, Vec::<usize>::new());
    put(800).await.is(200);
    upload.send([1]).await;
    upload.complete().await.is(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_with_its_id_alone_after_the_credentials_have_changed() {
    let data = tempfile::TempDir::new().unwrap();
    let mut server = SERVER.start(data.path());
    let ops = server.api.token("ops").await;
    let content = zip_of_size(PART + 10);
    let upload = Upload::begin(&server.api, &ops, "a.zip", &content).await;
    upload.send([2]).await;
    let (old, id) = (upload.sign(1).await, upload.id.clone());
    server.kill();
    // Each start makes new credentials.
    let server = SERVER.start(data.path());
    let upload = Upload::resume(&server.api, &ops, &id, &content).await.unwrap();
    assert_eq!(upload.received().await, [2], "what was there before is there");
    let new = upload.sign(1).await;
    let host = |url: &str| url.split('/').nth(2).unwrap().to_owned();
    let moved =
        SignedPart { url: old.url.replace(&host(&old.url), &host(&new.url)), ..old.clone() };
    let as_before = moved.request(&server.api.http, upload.part(1)).header("host", host(&old.url));
    share_e2e::send(as_before).await.refused_by_s3(403, "SignatureDoesNotMatch");
    assert_eq!(upload.send_missing().await, [1], "only what was in flight is sent again");
    upload.complete().await.is(202);
    let state = async || upload.file().await["state"].clone();
    while state().await == "checking" {
        tokio::task::yield_now().await;
    }
    assert_eq!(upload.file().await["sha256"], sha256(&content));
}

#[tokio::test]
async fn a_file_that_is_not_what_was_promised_or_what_its_name_says_is_not_taken() {
    let world = World::start().await;
    let ops = world.token("ops").await;
    let promised = json!({"filename": "a.csv", "size": CSV.len(), "sha256": sha256(b"others")});
    let id = world.begin_upload(&ops, &promised).await.is(201).upload_id();
    let upload = Upload::resume(&world, &ops, &id, CSV).await.unwrap();
    upload.send_all().await;
    upload.complete().await.is(202);
    world.server.jobs_idle().await;
    let page = world.upload_in_parts(&ops, "a.pdf", CSV).await;
    let text = world.upload_in_parts(&ops, "a.txt", b"\xff\xfe\xfd").await;
    for (id, code) in
        [(&id, "digest_mismatch"), (&page, "content_mismatch"), (&text, "text_encoding")]
    {
        let file = world.file(id, &ops).await;
        assert_eq!((&file["state"], &file["reason"]["code"]), (&json!("rejected"), &json!(code)));
        assert!(!file["reason"]["detail"].as_str().unwrap_or("a").is_empty());
        assert_eq!(world.store.length_of_object(id).await, None, "{code}");
        assert_eq!(world.complete_upload(id, &ops).await.is_json(202)["state"], "rejected");
    }
    assert_eq!(listed(&world).await, Vec::<Value>::new());
    assert_eq!(world.store.usage("stack").await, (0, 0));
    world.is_consistent().await;
}

#[tokio::test]
async fn a_file_may_be_as_large_as_the_setting_says_and_no_larger() {
    let most = CSV.len();
    let world = World::start_with(&[("MAX_FILE_BYTES", &most.to_string())]).await;
    let ops = world.token("ops").await;
    for size in [most - 1, most] {
        let id = world.upload_in_parts(&ops, "a.csv", &CSV[..size]).await;
        assert_eq!(world.file(&id, &ops).await["state"], "available", "{size}");
    }
    let before = world.stored().await;
    let body = json!({"filename": "a.csv", "size": most + 1});
    world.begin_upload(&ops, &body).await.refused(422, "invalid_field");
    world.unchanged(&before).await;
}

/// How many answers have this status and code.
fn count(answers: &[Answer], status: u16, code: &str) -> usize {
    answers.iter().filter(|it| (it.status.as_u16(), &*it.code()) == (status, code)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_completions_and_aborts_at_once_one_side_wins_and_all_are_told_so() {
    let world = World::start().await;
    let ops = world.token("ops").await;
    let mut winners = [0, 0];
    for (completions, aborts) in [(64, 0), (0, 64), (32, 32), (32, 32), (32, 32), (32, 32)] {
        let upload = Upload::begin(&world, &ops, "a.csv", CSV).await;
        upload.send_all().await;
        let completing = join_all((0..completions).map(|_| upload.complete()));
        let aborting = join_all((0..aborts).map(|_| upload.abort()));
        // Who is polled first should not always be the same.
        let (completed, aborted) = if winners[0] <= winners[1] {
            tokio::join!(completing, aborting)
        } else {
            let (aborted, completed) = tokio::join!(aborting, completing);
            (completed, aborted)
        };
        world.server.jobs_idle().await;
        let won = count(&completed, 202, "") > 0;
        winners[usize::from(!won)] += 1;
        if won {
            assert_eq!(count(&completed, 202, ""), completions, "{completed:?}");
            assert_eq!(count(&aborted, 409, "upload_completed"), aborts, "{aborted:?}");
            assert_eq!(upload.file().await["sha256"], sha256(CSV));
            world.is_consistent().await;
        } else {
            assert_eq!(count(&completed, 410, "upload_ended"), completions, "{completed:?}");
            assert_eq!(count(&aborted, 204, ""), aborts, "{aborted:?}");
            world.is_gone(&upload.id).await;
        }
        assert_eq!(world.uploads_in_s3(), 0);
        if won {
            world.delete_file(&upload.id, &ops).await.is(204);
        }
        assert_eq!(world.store.usage("stack").await, (0, 0));
    }
}

#[tokio::test]
async fn an_abandoned_upload_is_removed_after_a_week_with_its_parts() {
    let world = World::start().await;
    let ops = world.token("ops").await;
    let content = zip_of_size(PART + 10);
    let upload = Upload::begin(&world, &ops, "a.zip", &content).await;
    upload.send([1]).await;
    world.pass(WEEK - 60);
    run(&world, "RemoveFiles").await;
    assert_eq!(world.store.file_state(&upload.id).await.as_deref(), Some("uploading"));
    assert_eq!(world.uploads_in_s3(), 1);
    world.pass(60);
    run(&world, "RemoveFiles").await;
    world.is_gone(&upload.id).await;
    assert_eq!(world.store.usage("stack").await, (0, 0));
    let before = world.stored().await;
    run(&world, "RemoveFiles").await;
    world.unchanged(&before).await;
}

/// A server that digests a MiB in each run of a check, and does not run one by itself; and a file of
/// 20 MiB whose parts are all there.
async fn slowly(content: &[u8]) -> (World, World, String) {
    let engines = World::engines().await;
    let world = World::over(&engines, &[("CHECK_SLICE_BYTES", &MIB.to_string())]).await;
    let ops = world.token("ops").await;
    let upload = Upload::begin(&world, &ops, "large.zip", content).await;
    upload.send_all().await;
    upload.complete().await.is(202);
    let id = upload.id.clone();
    // The schedule has been here, and finds nothing that is due yet.
    world.server.jobs_idle().await;
    (engines, world, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_goes_on_where_the_run_before_it_was_and_gives_the_digest_of_the_whole() {
    let content = zip_of_size(20 * MIB);
    let (_engines, world, id) = slowly(&content).await;
    let mut digested = vec![0];
    while world.store.file_state(&id).await.as_deref() == Some("checking") {
        world.server.invoke_job("CheckFile", created(&id)).await.unwrap();
        digested.extend(world.store.digested(&id).await);
        assert!(digested.len() < 40, "it goes on: {digested:?}");
    }
    assert!(digested.len() > 10, "in slices: {digested:?}");
    assert!(digested.is_sorted(), "{digested:?}");
    let ops = world.token("ops").await;
    let file = world.file(&id, &ops).await;
    assert_eq!((&file["state"], &file["sha256"]), (&json!("available"), &json!(sha256(&content))));
    world.is_consistent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_dies_in_the_middle_is_continued_by_the_schedule() {
    let content = zip_of_size(20 * MIB);
    let (_engines, world, id) = slowly(&content).await;
    for _ in 0..3 {
        world.server.invoke_job("CheckFile", created(&id)).await.unwrap();
    }
    let before = world.store.digested(&id).await.unwrap();
    // One that does not come to its end: another one is at it until its claim is over.
    {
        let event = created(&id);
        let dies = world.server.invoke_job("CheckFile", event);
        let short = tokio::time::timeout(std::time::Duration::from_millis(5), dies).await;
        drop(short);
    }
    assert!(world.store.digested(&id).await.unwrap() >= before);
    for _ in 0..40 {
        world.pass(CLAIM);
        run(&world, "CheckFile").await;
        if world.store.file_state(&id).await.as_deref() == Some("available") {
            break;
        }
    }
    let ops = world.token("ops").await;
    assert_eq!(world.file(&id, &ops).await["sha256"], sha256(&content));
    world.is_consistent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_repeated_early_late_or_of_no_file_change_nothing_else() {
    let engines = World::engines().await;
    let world = World::over(&engines, &[]).await;
    let ops = world.token("ops").await;
    let upload = Upload::begin(&world, &ops, "a.csv", CSV).await;
    upload.send_all().await;
    let before = world.stored().await;
    // Before the file is complete, of unknown files, and of keys that are none of ours.
    let unknown = upload.id.replace(&upload.id[30..], "000000");
    for key in [&*upload.id, &unknown, "a", "", "../etc", "a/b"] {
        world.server.invoke_job("CheckFile", created(key)).await.unwrap();
    }
    let odd = json!({"detail": {"object": {"key": 7}}}).as_object().unwrap().clone();
    world.server.invoke_job("CheckFile", odd).await.unwrap();
    world.unchanged(&before).await;
    upload.complete().await.is(202);
    let checks = (0..8).map(|_| world.server.invoke_job("CheckFile", created(&upload.id)));
    let failed = join_all(checks).await.into_iter().filter(Result::is_err).count();
    assert_eq!(failed, 0);
    assert_eq!(upload.file().await["sha256"], sha256(CSV));
    let before = world.stored().await;
    world.server.invoke_job("CheckFile", created(&upload.id)).await.unwrap();
    world.unchanged(&before).await;
    // A file that is deleted is not checked any more.
    world.delete_file(&upload.id, &ops).await.is(204);
    let before = world.stored().await;
    world.server.invoke_job("CheckFile", created(&upload.id)).await.unwrap();
    world.unchanged(&before).await;
    world.is_gone(&upload.id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_deleted_while_it_is_checked_does_not_come_back() {
    let content = zip_of_size(20 * MIB);
    let (_engines, world, id) = slowly(&content).await;
    let ops = world.token("ops").await;
    world.server.invoke_job("CheckFile", created(&id)).await.unwrap();
    let check = world.server.invoke_job("CheckFile", created(&id));
    let (_, deleted) = tokio::join!(check, world.delete_file(&id, &ops));
    deleted.is(204);
    for _ in 0..3 {
        world.server.invoke_job("CheckFile", created(&id)).await.unwrap();
        run(&world, "RemoveFiles").await;
    }
    world.is_gone(&id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_malware_scan_does_not_call_clean_is_not_taken() {
    let world = World::start_with(&[("MALWARE_SCAN", "GuardDuty")]).await;
    let ops = world.token("ops").await;
    // In two pieces, so that no scanner takes this file for it.
    let eicar = [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR", "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];
    let bad = world.upload_in_parts(&ops, "bad.txt", eicar.concat().as_bytes()).await;
    let clean = world.upload_in_parts(&ops, "clean.txt", CSV).await;
    world.server.jobs_idle().await;
    let file = world.file(&bad, &ops).await;
    assert_eq!((&file["state"], &file["reason"]["code"]), (&json!("rejected"), &json!("malware")));
    assert_eq!(world.store.length_of_object(&bad).await, None);
    assert_eq!(world.file(&clean, &ops).await["state"], "available");
    assert_eq!(listed(&world).await.len(), 1);
    world.is_consistent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_verdict_a_file_waits_and_one_that_cannot_be_scanned_is_not_taken() {
    let engines = World::engines().await;
    let world = World::over(&engines, &[("MALWARE_SCAN", "GuardDuty")]).await;
    let ops = world.token("ops").await;
    for (verdict, state, code) in [
        ("NO_THREATS_FOUND", "available", Value::Null),
        ("THREATS_FOUND", "rejected", json!("malware")),
        ("UNSUPPORTED", "rejected", json!("scan_failed")),
        ("ACCESS_DENIED", "rejected", json!("scan_failed")),
        ("FAILED", "rejected", json!("scan_failed")),
        ("of a later version", "rejected", json!("scan_failed")),
    ] {
        let upload = Upload::begin(&world, &ops, "a.csv", CSV).await;
        upload.send_all().await;
        upload.complete().await.is(202);
        for _ in 0..2 {
            world.server.invoke_job("CheckFile", created(&upload.id)).await.unwrap();
            assert_eq!(upload.file().await["state"], "checking", "before the scan");
        }
        world.store.tag_object(&upload.id, "GuardDutyMalwareScanStatus", verdict).await;
        let event = json!({"detail": {"s3ObjectDetails": {"objectKey": upload.id}}});
        let event = event.as_object().unwrap().clone();
        world.server.invoke_job("CheckFile", event).await.unwrap();
        let file = upload.file().await;
        assert_eq!((&file["state"], &file["reason"]["code"]), (&json!(state), &code), "{verdict}");
        let kept = world.store.length_of_object(&upload.id).await.is_some();
        assert_eq!(kept, state == "available", "{verdict}");
    }
    world.is_consistent().await;
}
