//! What the embedded S3 tells of its objects, and the stand-in for GuardDuty.

use aws_sdk_s3::types::ChecksumAlgorithm;
use serde_json::{Map, Value, json};
use share_e2e::World;
use tokio::sync::broadcast::Receiver;

use super::{Bucket, NAME};

/// The EICAR test file, in two pieces, so that no scanner takes this file for it.
const EICAR: [&str; 2] =
    [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR", "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];

/// The next event that there is already.
fn next(events: &mut Receiver<Map<String, Value>>) -> Option<Value> {
    events.try_recv().ok().map(Value::Object)
}

#[tokio::test]
async fn what_happens_to_objects_is_told_as_s3_tells_eventbridge() {
    let bucket = Bucket::start().await;
    let mut events = bucket.world.server.backend().events();
    let s3 = &bucket.s3;

    s3.put_object().bucket(NAME).key("a b/c").body(b"hello".to_vec().into()).send().await.unwrap();
    let put = next(&mut events).unwrap();
    for (field, expected) in [
        ("/version", json!("0")),
        ("/source", json!("aws.s3")),
        ("/detail-type", json!("Object Created")),
        ("/account", json!("000000000000")),
        ("/region", json!("us-east-1")),
        ("/resources", json!(["arn:aws:s3:::files"])),
        ("/detail/version", json!("0")),
        ("/detail/bucket/name", json!("files")),
        ("/detail/object/key", json!("a b/c")),
        ("/detail/object/size", json!(5)),
        ("/detail/object/etag", json!("5d41402abc4b2a76b9719d911017c592")),
        ("/detail/reason", json!("PutObject")),
    ] {
        assert_eq!(put.pointer(field), Some(&expected), "{field}");
    }
    let at = put["time"].as_str().unwrap();
    assert_eq!((at.len(), at.get(19..)), (20, Some("Z")), "whole seconds: {at}");

    let upload = bucket.create("a b/c", Some(ChecksumAlgorithm::Sha256)).await;
    let place = ("a b/c", upload.as_str());
    let part = bucket.part(place, 1, b"in parts", ChecksumAlgorithm::Sha256).await;
    assert_eq!(next(&mut events), None, "an upload is no object");
    let completed = bucket.complete(place, &[part]).await.unwrap();
    let complete = next(&mut events).unwrap();
    assert_eq!(complete["detail"]["reason"], "CompleteMultipartUpload");
    assert_eq!(complete["detail"]["object"]["size"], 8);
    let e_tag = completed.e_tag.unwrap();
    assert_eq!(complete["detail"]["object"]["etag"], e_tag.trim_matches('"'));

    for _ in 0..2 {
        s3.delete_object().bucket(NAME).key("a b/c").send().await.unwrap();
    }
    let deleted = next(&mut events).unwrap();
    assert_eq!(deleted["detail-type"], "Object Deleted");
    assert_eq!(deleted["detail"]["reason"], "DeleteObject");
    assert_eq!(deleted["detail"]["object"]["key"], "a b/c");
    assert_eq!(next(&mut events), None, "what is not there is not deleted");

    let sequencer =
        |event: &Value| event["detail"]["object"]["sequencer"].as_str().unwrap().to_owned();
    assert!(sequencer(&put) < sequencer(&complete) && sequencer(&complete) < sequencer(&deleted));
}

#[tokio::test]
async fn an_object_that_is_refused_is_not_told_of() {
    let bucket = Bucket::start().await;
    let mut events = bucket.world.server.backend().events();
    let put = || bucket.s3.put_object().bucket(NAME).key("a").body(b"hello".to_vec().into());
    put().checksum_crc32("AAAAAA==").send().await.unwrap_err();
    assert_eq!(next(&mut events), None);
    put().if_none_match("*").send().await.unwrap();
    assert!(next(&mut events).is_some());
    put().if_none_match("*").send().await.unwrap_err();
    assert_eq!(next(&mut events), None);
}

#[tokio::test]
async fn with_guardduty_each_new_object_is_scanned_tagged_and_told_of() {
    let world = World::start_with(&[("MALWARE_SCAN", "GuardDuty")]).await;
    let bucket = Bucket::of(world).await;
    let mut events = bucket.world.server.backend().events();
    let bad = format!("{}{}{}", "before ".repeat(100_000), EICAR.concat(), " behind");
    for (key, body, result, threats) in [
        ("good", "hello", "NO_THREATS_FOUND", Value::Null),
        ("bad", &bad, "THREATS_FOUND", json!([{ "name": "EICAR-Test-File (not a virus)" }])),
    ] {
        let put = bucket.s3.put_object().bucket(NAME).key(key).tagging("unfinished=yes");
        let put = put.body(body.as_bytes().to_vec().into()).send().await.unwrap();
        bucket.world.server.jobs_idle().await;
        assert_eq!(next(&mut events).unwrap()["detail-type"], "Object Created");
        let scanned = next(&mut events).unwrap();
        assert_eq!(scanned["source"], "aws.guardduty");
        assert_eq!(scanned["detail-type"], "GuardDuty Malware Protection Object Scan Result");
        let expected = json!({
            "schemaVersion": "1.0",
            "scanStatus": "COMPLETED",
            "resourceType": "S3_OBJECT",
            "s3ObjectDetails": {
                "bucketName": "files",
                "objectKey": key,
                "eTag": put.e_tag.unwrap().trim_matches('"'),
                "versionId": null,
                "s3Throttled": false,
            },
            "scanResultDetails": { "scanResultStatus": result, "threats": threats },
        });
        assert_eq!(scanned["detail"], expected);
        let tags = bucket.s3.get_object_tagging().bucket(NAME).key(key).send().await.unwrap();
        let tags: Vec<_> = tags.tag_set().iter().map(|tag| (tag.key(), tag.value())).collect();
        assert_eq!(tags, [("unfinished", "yes"), ("GuardDutyMalwareScanStatus", result)]);
    }
    assert_eq!(next(&mut events), None);
}

#[tokio::test]
async fn without_guardduty_nothing_is_scanned() {
    let bucket = Bucket::start().await;
    let mut events = bucket.world.server.backend().events();
    bucket.s3.put_object().bucket(NAME).key("a").body(b"a".to_vec().into()).send().await.unwrap();
    bucket.world.server.jobs_idle().await;
    assert_eq!(next(&mut events).unwrap()["detail-type"], "Object Created");
    assert_eq!(next(&mut events), None);
}
