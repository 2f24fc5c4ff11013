//! Quotas: of an account and of the installation, in files and in bytes. They are kept exactly,
//! however many ask at once, and what ends gives its share back.

use serde_json::json;
use share_e2e::{Ops, World};

/// How many ask at the same moment.
const CLIENTS: usize = 64;

/// That an announcement of a file of this size is refused, and leaves nothing.
async fn is_full(world: &World, ops: &Ops<'_>, size: u64) {
    world.server.jobs_idle().await;
    let (before, uploads) = (world.stored().await, world.s3_uploads());
    let announced = ops.announce(&json!({"filename": "a.txt", "size": size})).await;
    announced.refused(409, "quota_exceeded");
    let size = usize::try_from(size).unwrap();
    ops.upload("a.txt", &vec![b'x'; size], &json!({})).await.refused(409, "quota_exceeded");
    world.unchanged_but_counted(before).await;
    assert_eq!(world.s3_uploads(), uploads, "S3 holds no upload more");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_announcements_at_once_exactly_as_many_succeed_as_the_quota_has_room_for() {
    for (quota, limit, size, accounts) in [
        ("ACCOUNT_QUOTA_FILES", "10", 7, 1),
        ("ACCOUNT_QUOTA_BYTES", "70", 7, 1),
        ("STACK_QUOTA_FILES", "10", 7, 2),
        ("STACK_QUOTA_BYTES", "76", 7, 2),
    ] {
        let world = World::start_with(&[(quota, limit)]).await;
        let (olga, local) = (Ops::named(&world, "olga").await, Ops::of(&world).await);
        let both = [&local, &olga];
        let ops = &both[..accounts];
        for round in 0..2 {
            let answers = world.announce_at_once(ops, size, CLIENTS).await;
            let mut begun = Vec::new();
            for (number, answer) in answers.iter().enumerate() {
                if answer.status == 201 {
                    begun.push((ops[number % accounts], answer.field("upload_id")));
                } else {
                    answer.refused(409, "quota_exceeded");
                }
            }
            assert_eq!(begun.len(), 10, "{quota}, round {round}");
            assert_eq!(world.s3_uploads(), 10, "{quota}: the others left nothing in S3");
            is_full(&world, &local, size).await;
            if accounts == 1 {
                // What one account may have is nobody else's.
                let other = olga.upload_of(size).await;
                olga.abort(&other).await.is(204);
            }
            for (ops, upload) in &begun {
                ops.abort(upload).await.is(204);
                ops.abort(upload).await.is(204);
            }
            assert_eq!(world.s3_uploads(), 0);
        }
    }
}

#[tokio::test]
async fn one_file_can_fill_a_quota_and_not_pass_it_by_a_byte() {
    for quota in ["ACCOUNT_QUOTA_BYTES", "STACK_QUOTA_BYTES"] {
        let world = World::start_with(&[(quota, "1000")]).await;
        let ops = Ops::of(&world).await;
        is_full(&world, &ops, 1001).await;
        let upload = ops.upload_of(1000).await;
        is_full(&world, &ops, 1).await;
        ops.abort(&upload).await.is(204);
        let file = ops.upload("a.txt", &[b'x'; 1000], &json!({})).await.is(201).id();
        is_full(&world, &ops, 1).await;
        ops.delete(&file).await.is(204);
        is_full(&world, &ops, 1001).await;
        ops.upload_of(999).await;
        ops.upload_of(1).await;
        is_full(&world, &ops, 1).await;
    }
}

#[tokio::test]
async fn every_end_of_a_file_gives_its_share_back_once() {
    let quotas = [("ACCOUNT_QUOTA_BYTES", "1000"), ("STACK_QUOTA_FILES", "2")];
    let world = World::start_with(&quotas).await;
    let text = [b'x'; 600];
    for end in ["abort", "reject", "delete an upload", "delete", "expire", "give up"] {
        let ops = Ops::of(&world).await;
        match end {
            "abort" => {
                let upload = ops.upload_of(600).await;
                ops.abort(&upload).await.is(204);
                ops.abort(&upload).await.is(204);
                ops.delete(&upload).await.is(204);
            }
            "reject" => {
                let file = ops.large_file("a.pdf", &text, &json!({})).await;
                world.server.jobs_idle().await;
                assert_eq!(ops.show(&file).await.json()["state"], "rejected");
                ops.delete(&file).await.is(204);
            }
            "delete an upload" => {
                let upload = ops.upload_of(600).await;
                ops.delete(&upload).await.is(204);
                ops.abort(&upload).await.is(204);
            }
            "delete" => {
                let file = ops.large_file("a.txt", &text, &json!({})).await;
                world.server.jobs_idle().await;
                assert_eq!(ops.show(&file).await.json()["state"], "available");
                ops.delete(&file).await.is(204);
                ops.delete(&file).await.is(204);
            }
            "expire" => {
                ops.file("a.txt", &json!({"expires_in": 60})).await;
                world.server.jobs_idle().await;
                world.pass(60);
                world.server.invoke_job("RemoveFiles", serde_json::Map::new()).await.unwrap();
            }
            _ => {
                ops.upload_of(600).await;
                world.server.jobs_idle().await;
                world.pass(7 * 24 * 60 * 60);
                world.server.invoke_job("RemoveFiles", serde_json::Map::new()).await.unwrap();
            }
        }
        // Neither more nor less than all of it is free.
        let ops = Ops::of(&world).await;
        is_full(&world, &ops, 1001).await;
        let (most, none) = (ops.upload_of(999).await, ops.upload_of(1).await);
        is_full(&world, &ops, 1).await;
        for upload in [most, none] {
            ops.abort(&upload).await.is(204);
        }
    }
}

#[tokio::test]
async fn a_change_that_leaves_the_size_counts_nothing() {
    let world = World::start_with(&[("ACCOUNT_QUOTA_FILES", "1")]).await;
    let ops = Ops::of(&world).await;
    let file = ops.file("a.txt", &json!({})).await;
    ops.change(&file, &json!({"note": "a note", "recipients": []})).await.is(200);
    is_full(&world, &ops, 1).await;
    ops.delete(&file).await.is(204);
    ops.file("b.txt", &json!({})).await;
}
