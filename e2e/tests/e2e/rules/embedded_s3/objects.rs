//! Objects in one piece.

use std::fs;

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, ChecksumType, Tag, Tagging};
use futures_util::future::join_all;
use http_body_util::{BodyExt, Full};
use share_e2e::samples::noise;

use super::{Bucket, NAME, outcome, sha256};

const BODY: &[u8] = b"0123456789";
/// Of `BODY`, computed by another program (Python's `zlib` and `hashlib`).
const CRC32: &str = "poTHxg==";
const MD5: &str = "eB5eJF1ptWaXm4bijSPyxw==";
const SHA1: &str = "h6zsF82dzSCnFsws9nQXtxyKcBY=";
/// Twenty bytes.
const ZEROES: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAA=";

type Claim = fn(PutObjectFluentBuilder) -> PutObjectFluentBuilder;

#[tokio::test]
async fn an_object_is_stored_only_with_the_checksum_that_its_request_claims() {
    let bucket = Bucket::start().await;
    let cases: &[(&str, Claim, (u16, &str))] = &[
        ("none", |put| put, (200, "")),
        ("CRC32", |put| put.checksum_crc32(CRC32), (200, "")),
        ("another CRC32", |put| put.checksum_crc32("poTHxw=="), (400, "BadDigest")),
        ("half a CRC32", |put| put.checksum_crc32("poQ="), (400, "InvalidRequest")),
        ("SHA-1", |put| put.checksum_sha1(SHA1), (200, "")),
        ("another SHA-1", |put| put.checksum_sha1(ZEROES), (400, "BadDigest")),
        ("SHA-256", |put| put.checksum_sha256(sha256(BODY)), (200, "")),
        ("another SHA-256", |put| put.checksum_sha256(sha256(b"")), (400, "BadDigest")),
        ("no base64", |put| put.checksum_sha256("-"), (400, "InvalidRequest")),
        (
            "two checksums",
            |put| put.checksum_sha256(sha256(BODY)).checksum_crc32(CRC32),
            (400, "InvalidRequest"),
        ),
        ("MD5", |put| put.content_md5(MD5), (200, "")),
        ("another MD5", |put| put.content_md5("eB5eJF1ptWaXm4bijSPyxA=="), (400, "BadDigest")),
        ("half an MD5", |put| put.content_md5("eB5eJF0="), (400, "InvalidDigest")),
    ];
    for (name, claim, expected) in cases {
        let put = bucket.s3.put_object().bucket(NAME).key(*name).body(BODY.to_vec().into());
        let outcome = outcome(claim(put).send().await);
        assert_eq!((outcome.0, outcome.1.as_str()), *expected, "{name}");
        let stored = bucket.bytes(name).await;
        assert_eq!(stored.as_deref(), (expected.0 == 200).then_some(BODY), "{name}");
    }
    assert_eq!(bucket.left_over(), 0);
}

#[tokio::test]
async fn a_body_in_chunks_is_taken_with_a_checksum_of_every_algorithm_behind_it() {
    let bucket = Bucket::start().await;
    for algorithm in ChecksumAlgorithm::values() {
        let algorithm = ChecksumAlgorithm::from(*algorithm);
        // Newer ones than s3s knows.
        if !["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"].contains(&algorithm.as_str()) {
            continue;
        }
        let put = || {
            let put = bucket.s3.put_object().bucket(NAME).key(algorithm.as_str());
            // The SDK puts the checksum of what it has in memory into a header.
            let body = ByteStream::from_body_1_x(Full::from(BODY));
            put.checksum_algorithm(algorithm.clone()).body(body)
        };
        let changed = put().customize().interceptor(OtherBytes).send().await;
        // Each chunk has a signature of its own, and so has the trailer.
        let refused = (403, "SignatureDoesNotMatch".to_owned());
        assert_eq!(outcome(changed), refused, "{algorithm}");
        assert_eq!(bucket.bytes(algorithm.as_str()).await, None, "{algorithm}");
        assert_eq!(outcome(put().send().await).0, 200, "{algorithm}");
        // The SDK validates it.
        assert_eq!(bucket.bytes(algorithm.as_str()).await.unwrap(), BODY, "{algorithm}");
    }
    assert_eq!(bucket.left_over(), 0);
}

/// Changes the bytes of a chunked request on their way, but nothing behind them.
#[derive(Debug)]
struct OtherBytes;

impl Intercept for OtherBytes {
    fn name(&self) -> &'static str {
        "OtherBytes"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.request_mut().body_mut();
        let sent = std::mem::replace(body, SdkBody::taken());
        *body = SdkBody::from_body_1_x(sent.map_frame(|frame| {
            frame.map_data(|data| {
                let text = String::from_utf8(data.to_vec()).unwrap();
                text.replace("0123456789", "0123456780").into()
            })
        }));
        Ok(())
    }
}

#[tokio::test]
async fn what_was_stored_is_answered() {
    let bucket = Bucket::start().await;
    let put = bucket.s3.put_object().bucket(NAME).key("a").body(BODY.to_vec().into());
    let put = put.content_type("text/plain").content_disposition("attachment");
    let put = put.metadata("colour", "blue").checksum_sha256(sha256(BODY)).tagging("a=1&b=x%20y");
    let put = put.send().await.unwrap();
    assert_eq!(put.e_tag(), Some("\"781e5e245d69b566979b86e28d23f2c7\""));
    assert_eq!(put.checksum_sha256(), Some(sha256(BODY).as_str()));

    let head = || bucket.s3.head_object().bucket(NAME).key("a");
    let plain = head().checksum_mode(ChecksumMode::from("")).send().await;
    assert!(plain.is_err() || plain.unwrap().checksum_sha256().is_none(), "only when asked for");
    let head = head().checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    assert_eq!(head.e_tag(), put.e_tag());
    assert_eq!(head.content_length(), Some(10));
    assert_eq!(head.content_type(), Some("text/plain"));
    assert_eq!(head.content_disposition(), Some("attachment"));
    assert_eq!(head.metadata().unwrap()["colour"], "blue");
    assert_eq!(head.checksum_sha256(), Some(sha256(BODY).as_str()));
    assert_eq!(head.checksum_type(), Some(&ChecksumType::FullObject));

    let get = || bucket.s3.get_object().bucket(NAME).key("a");
    let whole = get().send().await.unwrap();
    assert_eq!(whole.tag_count(), Some(2));
    assert_eq!(whole.content_type(), Some("text/plain"));
    let other = get().response_content_type("text/html").send().await.unwrap();
    assert_eq!(other.content_type(), Some("text/html"));
    for (range, part) in [("0-3", 0..4), ("7-", 7..10), ("-2", 8..10), ("9-99", 9..10)] {
        let answer = get().range(format!("bytes={range}")).send().await.unwrap();
        let expected = format!("bytes {}-{}/10", part.start, part.end - 1);
        assert_eq!(answer.content_range(), Some(expected.as_str()));
        assert_eq!(answer.checksum_sha256(), None, "it is the checksum of the whole");
        assert_eq!(answer.body.collect().await.unwrap().to_vec(), &BODY[part]);
    }
    let beyond = get().range("bytes=10-").send().await;
    assert_eq!(outcome(beyond), (416, "InvalidRange".to_owned()));
    assert_eq!(outcome(get().if_match(put.e_tag().unwrap()).send().await).0, 200);
    let other = get().if_match("\"other\"").send().await;
    assert_eq!(outcome(other), (412, "PreconditionFailed".to_owned()));
    let unknown = bucket.s3.get_object().bucket(NAME).key("b").send().await;
    assert_eq!(outcome(unknown), (404, "NoSuchKey".to_owned()));
    let unknown = bucket.s3.get_object().bucket("elsewhere").key("a").send().await;
    assert_eq!(outcome(unknown), (404, "NoSuchBucket".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_create_an_object_only_if_there_is_none_one_does() {
    let bucket = Bucket::start().await;
    let put = |number: u8| {
        let put = bucket.s3.put_object().bucket(NAME).key("a").if_none_match("*");
        put.body(vec![number; 1000].into()).send()
    };
    let outcomes: Vec<_> = join_all((0..16).map(put)).await.into_iter().map(outcome).collect();
    let won = outcomes.iter().filter(|(status, _)| *status == 200).count();
    assert_eq!(won, 1);
    let lost = (412, "PreconditionFailed".to_owned());
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == lost).count(), 15);
    let bytes = bucket.bytes("a").await.unwrap();
    assert!(bytes.iter().all(|byte| *byte == bytes[0]) && bytes.len() == 1000);
    let tagged = bucket.s3.put_object().bucket(NAME).key("b").if_none_match("\"tag\"");
    assert_eq!(outcome(tagged.send().await), (501, "NotImplemented".to_owned()));
    assert_eq!(bucket.left_over(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_an_object_that_is_replaced_or_deleted_reads_it_to_its_end() {
    let bucket = Bucket::start().await;
    let former = noise(8 * crate::MIB);
    let put =
        |bytes: Vec<u8>| bucket.s3.put_object().bucket(NAME).key("a").body(bytes.into()).send();
    put(former.clone()).await.unwrap();
    let first = bucket.s3.get_object().bucket(NAME).key("a").send().await.unwrap();
    put(BODY.to_vec()).await.unwrap();
    assert!(first.body.collect().await.unwrap().to_vec() == former);
    assert_eq!(bucket.bytes("a").await.unwrap(), BODY);
    let about = bucket.world.data.path().join("objects/.about");
    assert_eq!(fs::read_dir(&about).unwrap().count(), 1, "only what is known of the new one");
    for _ in 0..2 {
        // A key that is not there is no error.
        bucket.s3.delete_object().bucket(NAME).key("a").send().await.unwrap();
        assert_eq!(bucket.bytes("a").await, None);
    }
    assert_eq!(fs::read_dir(&about).unwrap().count(), 0);
}

#[tokio::test]
async fn tags_are_put_replaced_and_deleted() {
    let bucket = Bucket::start().await;
    bucket.s3.put_object().bucket(NAME).key("a").tagging("state=new").send().await.unwrap();
    let tags = async || {
        let tags = bucket.s3.get_object_tagging().bucket(NAME).key("a").send().await.unwrap();
        let tags = tags.tag_set().iter().map(|tag| format!("{}={}", tag.key(), tag.value()));
        tags.collect::<Vec<_>>().join("&")
    };
    assert_eq!(tags().await, "state=new");
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    let put = async |tags: Vec<Tag>| {
        let tagging = Tagging::builder().set_tag_set(Some(tags)).build().unwrap();
        let put = bucket.s3.put_object_tagging().bucket(NAME).key("a").tagging(tagging);
        outcome(put.send().await)
    };
    let many = |count: usize| (0..count).map(|number| tag(&number.to_string(), "")).collect();
    let refused = |code: &str| (400, code.to_owned());
    assert_eq!(put(many(11)).await, refused("BadRequest"));
    assert_eq!(put(vec![tag("", "x")]).await, refused("InvalidTag"));
    assert_eq!(put(vec![tag(&"k".repeat(129), "x")]).await, refused("InvalidTag"));
    assert_eq!(put(vec![tag("k", &"v".repeat(257))]).await, refused("InvalidTag"));
    assert_eq!(put(vec![tag("k", "1"), tag("k", "2")]).await, refused("InvalidTag"));
    assert_eq!(tags().await, "state=new", "what is refused changes nothing");
    assert_eq!(put(many(10)).await.0, 200);
    assert_eq!(put(vec![tag(&"k".repeat(128), &"v".repeat(256))]).await.0, 200);
    assert_eq!(put(vec![tag("b", "2"), tag("a", "")]).await.0, 200);
    assert_eq!(tags().await, "b=2&a=");
    assert_eq!(bucket.bytes("a").await.unwrap(), b"", "the bytes stay");
    bucket.s3.delete_object_tagging().bucket(NAME).key("a").send().await.unwrap();
    assert_eq!(tags().await, "");
    let unknown = bucket.s3.get_object_tagging().bucket(NAME).key("b").send().await;
    assert_eq!(outcome(unknown), (404, "NoSuchKey".to_owned()));
    let put = bucket.s3.put_object().bucket(NAME).key("c").tagging("a=1&a=2").send().await;
    assert_eq!(outcome(put), refused("InvalidTag"));
    assert_eq!(bucket.bytes("c").await, None);
}

#[tokio::test]
async fn a_key_that_no_file_can_have_reaches_nothing() {
    let bucket = Bucket::start().await;
    for key in ["../secret", "a/../../secret", "a//b", "a/./b", "a/"] {
        let put = bucket.s3.put_object().bucket(NAME).key(key).body(BODY.to_vec().into());
        assert_ne!(outcome(put.send().await).0, 200, "{key}");
        assert_eq!(bucket.bytes(key).await, None, "{key}");
    }
    assert!(!bucket.world.data.path().join("objects/secret").exists());
    let nested = bucket.s3.put_object().bucket(NAME).key("a/b").body(BODY.to_vec().into());
    assert_eq!(outcome(nested.send().await).0, 200);
    assert_eq!(bucket.bytes("a").await, None, "a folder is no object");
}
