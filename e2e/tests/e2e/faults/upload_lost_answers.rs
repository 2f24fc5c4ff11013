//! Answers of S3 and DynamoDB that are lost in the midst of an upload.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Map, json};
use share_e2e::answer::try_send;
use share_e2e::api::Api;
use share_e2e::forms::{form_of, media_type};
use share_e2e::proxy::Proxy;
use share_e2e::samples::sha256;
use share_e2e::{Answer, Upload, World, routes};

const CSV: &[u8] = b"a,b\n1,2\n";
/// For longer than a job leaves a file to another.
const CLAIM: i64 = 16 * 60 + 1;

/// A server behind which answers to requests with this mark can be lost.
async fn losing(marked: &'static str) -> (World, World, Proxy) {
    let engines = World::engines().await;
    let variables = engines.variables_of_store().await;
    let name = if marked.contains("DynamoDB") {
        "AWS_ENDPOINT_URL_DYNAMODB"
    } else {
        "AWS_ENDPOINT_URL_S3"
    };
    let proxy = Proxy::start(&variables[name], marked).await;
    let world = World::over(&engines, &[(name, &proxy.url)]).await;
    (engines, world, proxy)
}

/// Asks again until the service is not at a loss.
async fn insist(ask: impl AsyncFn() -> Answer) -> Answer {
    for _ in 0..3 {
        let answer = ask().await;
        if answer.status != 503 {
            return answer;
        }
    }
    ask().await
}

/// Runs a job until it does not fail, as Lambda does; its claims are over meanwhile.
async fn run(world: &World, job: &str, event: &Map<String, serde_json::Value>) {
    for _ in 0..4 {
        if world.server.invoke_job(job, event.clone()).await.is_ok() {
            return;
        }
    }
    world.server.invoke_job(job, event.clone()).await.unwrap();
}

/// Uploads a file with so many answers lost, and deletes it with so many lost again.
async fn a_life(marked: &'static str, lost: usize) {
    let (engines, world, proxy) = losing(marked).await;
    let ops = world.token("ops").await;
    let what = format!("{lost} answers lost to {marked}");
    proxy.lose(lost);
    let body = json!({"filename": "a.csv", "size": CSV.len(), "sha256": sha256(CSV)});
    let id = insist(async || world.begin_upload(&ops, &body).await).await.is(201).upload_id();
    insist(async || world.show_upload(&id, &ops).await).await.is(200);
    let upload = Upload::resume(&world, &ops, &id, CSV).await.unwrap();
    let signed = upload.sign(1).await;
    let mut received = None;
    // A client whose answer was lost sends the part again.
    for _ in 0..=lost {
        received = try_send(signed.request(&world.http, CSV)).await.ok();
        if received.is_some() {
            break;
        }
    }
    received.unwrap().is(200);
    let told = insist(async || upload.complete().await).await;
    told.is(202);
    let event = json!({"detail": {"object": {"key": upload.id}}}).as_object().unwrap().clone();
    run(&world, "CheckFile", &event).await;
    if upload.file().await["state"] == "checking" {
        world.pass(CLAIM);
        run(&world, "CheckFile", &Map::new()).await;
    }
    let ops = world.token("ops").await;
    let file = world.file(&id, &ops).await;
    assert_eq!(
        (&file["state"], &file["sha256"]),
        (&json!("available"), &json!(sha256(CSV))),
        "{what}"
    );
    assert_eq!(world.complete_upload(&id, &ops).await.is_json(202)["state"], "available", "{what}");
    world.is_consistent().await;
    proxy.lose(lost);
    insist(async || world.delete_file(&id, &ops).await).await;
    let deleted = world.delete_file(&id, &ops).await;
    assert!([204, 404].contains(&deleted.status.as_u16()), "{what}: {deleted:?}");
    // Another one that is given up.
    let other = insist(async || world.begin_upload(&ops, &body).await).await.is(201).upload_id();
    proxy.lose(lost);
    insist(async || world.abort_upload(&other, &ops).await).await.is(204);
    proxy.lose(0);
    world.pass(8 * 24 * 60 * 60);
    for _ in 0..2 {
        run(&world, "RemoveFiles", &Map::new()).await;
        world.pass(CLAIM);
    }
    for id in [&id, &other] {
        assert_eq!(world.store.length_of_object(id).await, None, "{what}");
    }
    assert_eq!(world.store.usage("stack").await, (0, 0), "{what}");
    world.is_consistent().await;
    drop(engines);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_ends_well_whichever_answer_is_lost_and_however_often() {
    for marked in [
        "?uploads",
        "x-id=UploadPart",
        "x-id=ListParts",
        "?uploadId=",
        "HEAD /files/",
        "x-id=GetObject",
        "?tagging",
        "x-id=DeleteObject",
        "x-id=AbortMultipartUpload",
        "DynamoDB_20120810.TransactWriteItems",
    ] {
        // The SDK asks three times: with as many answers lost, the service does not know.
        for lost in [1, 3] {
            Box::pin(a_life(marked, lost)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_call_of_s3_that_an_upload_makes_can_be_lost() {
    // That the marks of the test above name what is really called.
    for (marked, calls) in [
        ("?uploads", 1),
        ("x-id=UploadPart", 1),
        ("x-id=ListParts", 1),
        ("?uploadId=", 1),
        ("HEAD /files/", 1),
        ("x-id=GetObject", 1),
        ("?tagging", 1),
        ("x-id=DeleteObject", 1),
        ("x-id=AbortMultipartUpload", 1),
    ] {
        let (_engines, world, proxy) = losing(marked).await;
        let ops = world.token("ops").await;
        let body = json!({"filename": "a.csv", "size": CSV.len()});
        proxy.lose(calls);
        let id = insist(async || world.begin_upload(&ops, &body).await).await.upload_id();
        let upload = Upload::resume(&world, &ops, &id, CSV).await.unwrap();
        let signed = upload.sign(1).await;
        let _ = try_send(signed.request(&world.http, CSV)).await;
        upload.complete().await;
        let event = json!({"detail": {"object": {"key": id}}}).as_object().unwrap().clone();
        run(&world, "CheckFile", &event).await;
        world.delete_file(&id, &ops).await;
        let other = world.begin_upload(&ops, &body).await.upload_id();
        world.abort_upload(&other, &ops).await.is(204);
        assert_eq!(proxy.left(), 0, "{marked} is called");
    }
}

/// Sends a small file with this key.
async fn send_small(api: &Api, ops: &str) -> reqwest::Result<Answer> {
    let request = api.request(Method::POST, routes::UPLOAD).bearer_auth(ops);
    let request = request.header("Idempotency-Key", "a-key").header(CONTENT_TYPE, media_type());
    try_send(request.body(form_of("a.csv", CSV))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_answer_is_lost_is_repeated_with_its_key_and_is_one_file() {
    let world = World::start().await;
    let proxy = Proxy::start(&world.base, "POST /api/files/upload|POST /api/uploads").await;
    let cut = Api::new(proxy.url.clone());
    let ops = world.token("ops").await;
    proxy.lose(2);
    let mut answers = vec![];
    for _ in 0..4 {
        answers.push(send_small(&cut, &ops).await.ok());
    }
    let ids: Vec<_> = answers.iter().flatten().map(|answer| answer.is(201).id()).collect();
    assert_eq!((proxy.left(), ids.len()), (0, 2));
    proxy.lose(2);
    let body = json!({"filename": "b.csv", "size": CSV.len()});
    let ask = async || {
        let request = cut.request(Method::POST, routes::UPLOADS).bearer_auth(&ops);
        try_send(request.header("Idempotency-Key", "another").json(&body)).await.ok()
    };
    let mut answer = None;
    while answer.is_none() {
        answer = ask().await;
    }
    let files = world.all(routes::LIST_UPLOADED, 100, &ops).await;
    let files: Vec<_> = files.iter().map(|file| file["id"].as_str().unwrap()).collect();
    assert_eq!(files, [&*answer.unwrap().is(201).upload_id(), &*ids[0]]);
    assert_eq!(ids[0], ids[1]);
    world.is_consistent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_did_not_arrive_are_brought_by_the_repetition() {
    // The SDK asks three times.
    let (engines, world, proxy) = losing("x-id=PutObject").await;
    let ops = world.token("ops").await;
    proxy.refuse(3);
    send_small(&world, &ops).await.unwrap().is(503);
    let files = world.all(routes::LIST_UPLOADED, 100, &ops).await;
    assert_eq!((files.len(), &files[0]["state"]), (1, &json!("checking")));
    let id = files[0]["id"].as_str().unwrap();
    assert_eq!(world.store.length_of_object(id).await, None, "its bytes are not there");
    assert_eq!(send_small(&world, &ops).await.unwrap().is(201).id(), id);
    assert_eq!(world.store.object(id).await, CSV);
    assert_eq!(world.store.usage("stack").await, (CSV.len() as u64, 1));
    world.is_consistent().await;
    drop(engines);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_come_after_a_repetition_and_a_deletion_are_removed() {
    let (engines, slow, proxy) = losing("x-id=PutObject").await;
    let fast = World::over(&engines, &[]).await;
    let ops = fast.token("ops").await;
    proxy.hold();
    let first = send_small(&slow, &ops);
    let meanwhile = async {
        proxy.held().await;
        let id = send_small(&fast, &ops).await.unwrap().is(201).id();
        fast.delete_file(&id, &ops).await.is(204);
        assert_eq!(fast.store.length_of_object(&id).await, None);
        proxy.release();
        id
    };
    let (first, id) = tokio::join!(first, meanwhile);
    first.unwrap().refused(410, "file_gone");
    fast.is_gone(&id).await;
}
