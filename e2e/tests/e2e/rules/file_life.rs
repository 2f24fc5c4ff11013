//! Files and uploads end by themselves: at once for everybody, and in S3 with the next run of a job.

use serde_json::{Map, Value, json};
use share_e2e::proxy::Proxy;
use share_e2e::scene::{CHOSEN, DIGITS, second};
use share_e2e::{Link, Ops, Scene, World, routes, send};

const DAY: i64 = 24 * 60 * 60;

/// Runs the job; gives how many files it has dealt with, and with how many it has failed.
async fn remove_files(world: &World) -> (u64, u64) {
    let done = world.server.invoke_job("RemoveFiles", Map::new()).await.unwrap();
    (done["removed"].as_u64().unwrap(), done["failed"].as_u64().unwrap())
}

#[tokio::test]
async fn a_file_ends_at_its_time_for_everybody_and_in_s3_with_the_next_run() {
    let scene = Scene::start().await;
    let ops = Ops::of(&scene).await;
    let changed = ops.change(&scene.file, &json!({"expires_in": 120})).await.is_json(200);
    let (live, begun) = (scene.plain_link().await, scene.plain_link().await);
    scene.download(&begun, CHOSEN, "bytes=0-4").await.is_part(0..5);
    scene.server.jobs_idle().await;
    let end = second(&changed["expires_at"]);
    scene.pass_until(end - 1);
    assert_eq!(scene.names_listed(routes::LIST_FILES, &scene.client).await, ["digits.txt"]);
    scene.plain_link().await;
    scene.server.jobs_idle().await;
    assert_eq!(scene.s3_objects(), (1, 1), "a run before its time leaves it");

    scene.pass(1);
    assert_eq!(scene.names_listed(routes::LIST_FILES, &scene.client).await, Vec::<String>::new());
    for link in [&live, &begun] {
        scene.download(link, CHOSEN, "bytes=5-").await.refused(410, "file_gone");
        send(scene.http.head(&link.url)).await.is_empty(410);
        scene.open(&link.page).await.is(410);
    }
    assert_eq!(scene.s3_objects(), (1, 1), "all this before the job has run");
    let again = scene.post_as(&routes::generate_link(&scene.file), &scene.client, &json!({})).await;
    again.refused(404, "file_unknown");

    scene.server.jobs_idle().await;
    remove_files(&scene).await;
    assert_eq!(scene.s3_objects(), (0, 0));
    assert_eq!(ops.show(&scene.file).await.json()["state"], "deleted");
    assert_eq!(scene.names_listed(routes::LIST_UPLOADED, &ops.token).await, Vec::<String>::new());
    let before = scene.stored().await;
    assert_eq!(remove_files(&scene).await, (0, 0), "there is nothing left to do");
    scene.unchanged(&before).await;
    assert!(!scene.receipts().await.is_empty(), "receipts stay");
}

#[tokio::test]
async fn how_long_a_file_is_kept_and_for_whom_it_is_unless_its_uploader_says_are_settings() {
    let settings = [("FILE_RETENTION_DAYS", "2"), ("DEFAULT_AUDIENCE", "nobody")];
    let world = World::start_with(&settings).await;
    let ops = Ops::of(&world).await;
    let kept = async |file: &str, before: i64| {
        let end = second(&ops.show(file).await.json()["expires_at"]);
        let (least, most) = (end - world.now().as_second(), end - before);
        (least, most)
    };
    for (terms, seconds) in [
        (json!({}), 2 * DAY),
        (json!({"expires_in": 60}), 60),
        (json!({"expires_in": 4 * DAY}), 4 * DAY),
    ] {
        let before = world.now().as_second();
        let (least, most) = kept(&ops.file("a.txt", &terms).await, before).await;
        assert!((least..=most).contains(&seconds), "{terms}: {least} to {most}");
        let before = world.now().as_second();
        let (least, most) = kept(&ops.large_file("a.txt", DIGITS, &terms).await, before).await;
        assert!((least..=most).contains(&seconds), "{terms}: {least} to {most}");
    }
    let file = ops.file("kept.txt", &json!({"recipients": "everyone"})).await;
    let changed = ops.change(&file, &json!({"expires_in": 0})).await.is_json(200);
    assert!(changed.get("expires_at").is_none(), "the uploader decides: {changed}");
    let client = world.token("client").await;
    assert_eq!(world.names_listed(routes::LIST_FILES, &client).await, ["kept.txt"]);
    world.server.jobs_idle().await;
    world.pass(4 * DAY);
    let ops = Ops::of(&world).await;
    remove_files(&world).await;
    assert_eq!(world.names_listed(routes::LIST_UPLOADED, &ops.token).await, ["kept.txt"]);
    assert_eq!(world.s3_objects(), (1, 1));
}

#[tokio::test]
async fn a_new_file_is_kept_from_a_minute_to_ten_years() {
    let world = World::start().await;
    let ops = Ops::of(&world).await;
    for (seconds, status) in
        [(0, 422), (59, 422), (60, 201), (315_360_000, 201), (315_360_001, 422)]
    {
        let terms = json!({"expires_in": seconds});
        ops.upload("a.txt", b"x", &terms).await.is(status);
        let body = json!({"filename": "a.txt", "size": 1, "expires_in": seconds});
        ops.announce(&body).await.is(status);
    }
}

#[tokio::test]
async fn an_upload_that_nobody_completes_is_given_up_after_seven_days() {
    let world = World::start().await;
    let ops = Ops::of(&world).await;
    let upload = ops.upload_of(10).await;
    ops.send(&upload, DIGITS).await;
    let told = world.get(&routes::upload(&upload), &ops.token).await.is_json(200);
    let end = second(&told["expires_at"]);
    world.server.jobs_idle().await;
    world.pass_until(end - 1);
    let ops = Ops::of(&world).await;
    world.server.jobs_idle().await;
    ops.sign(&upload, DIGITS).await.is(200);
    world.server.jobs_idle().await;
    assert_eq!(world.s3_uploads(), 1);

    world.pass(1);
    ops.sign(&upload, DIGITS).await.refused(410, "upload_ended");
    let complete = world.post_as(&routes::complete_upload(&upload), &ops.token, &json!({})).await;
    complete.refused(410, "upload_ended");
    world.server.jobs_idle().await;
    remove_files(&world).await;
    assert_eq!((world.s3_uploads(), world.s3_objects()), (0, (0, 0)));
    let told = world.get(&routes::upload(&upload), &ops.token).await.is_json(200);
    assert_eq!(told["state"], "deleted");
    assert_eq!(world.names_listed(routes::LIST_UPLOADED, &ops.token).await, Vec::<String>::new());
    assert_eq!(remove_files(&world).await, (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_s3_does_not_remove_is_removed_by_a_later_run_and_is_gone_for_everybody_meanwhile() {
    let behind = World::start().await;
    let variables = &behind.server.backend().variables;
    let proxy = Proxy::start(&variables["AWS_ENDPOINT_URL_S3"], "DELETE /").await;
    let world = World::start_with(&[
        ("AWS_ENDPOINT_URL_S3", &proxy.url),
        ("AWS_ACCESS_KEY_ID", &variables["AWS_ACCESS_KEY_ID"]),
        ("AWS_SECRET_ACCESS_KEY", &variables["AWS_SECRET_ACCESS_KEY"]),
    ])
    .await;
    let ops = Ops::of(&world).await;
    let client = world.token("client").await;
    let files = [
        ops.file("deleted.txt", &json!({})).await,
        ops.file("expired.txt", &json!({"expires_in": 60})).await,
    ];
    let upload = ops.upload_of(10).await;
    let mut links = Vec::new();
    for file in &files {
        links.push(Link::of(&world.link_with(file, &client, &json!({})).await));
    }
    world.server.jobs_idle().await;
    // Every attempt of the SDK is in vain.
    proxy.lose(1_000_000);
    ops.delete(&files[0]).await.is(204);
    ops.abort(&upload).await.is(204);
    world.server.jobs_idle().await;
    world.pass(60);
    remove_files(&world).await;
    for link in &links {
        world.open(&link.url).await.refused(410, "file_gone");
    }
    assert_eq!(world.names_listed(routes::LIST_FILES, &client).await, Vec::<String>::new());
    let state = async |file: &str| ops.show(file).await.json()["state"].clone();
    for file in files.iter().chain([&upload]) {
        assert_eq!(state(file).await, "deleted");
    }
    // A run leaves those alone that another has just taken up.
    remove_files(&world).await;
    assert_eq!(remove_files(&world).await, (0, 0));
    world.pass(16 * 60);
    let (removed, failed) = remove_files(&world).await;
    assert_eq!((removed, failed), (0, 3), "it says with how many it has failed");
    proxy.lose(0);
    world.pass(16 * 60);
    assert_eq!(remove_files(&world).await, (3, 0));
    world.pass(16 * 60);
    assert_eq!(remove_files(&world).await, (0, 0), "that nothing is left is known");
    assert_eq!((behind.s3_uploads(), behind.s3_objects()), (0, (0, 0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_of_the_job_at_once_do_what_one_does() {
    let world = World::start_with(&[("ACCOUNT_QUOTA_FILES", "20")]).await;
    let ops = Ops::of(&world).await;
    for _ in 0..20 {
        ops.file("a.txt", &json!({"expires_in": 60})).await;
    }
    world.server.jobs_idle().await;
    world.pass(60);
    let runs = (0..4).map(|_| remove_files(&world));
    let failed: u64 =
        futures_util::future::join_all(runs).await.into_iter().map(|(_, failed)| failed).sum();
    assert_eq!((failed, world.s3_objects()), (0, (0, 0)));
    let audit: Vec<Value> = world.all(routes::LIST_UPLOADED, 100, &ops.token).await;
    assert!(audit.is_empty(), "{audit:?}");
    for _ in 0..20 {
        ops.file("b.txt", &json!({})).await;
    }
    ops.upload("c.txt", b"x", &json!({})).await.refused(409, "quota_exceeded");
}
