//! Uploads in parts.

use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart,
};
use futures_util::future::join_all;
use share_e2e::samples::noise;

use super::{Bucket, NAME, outcome, sha256};
use crate::MIB;

/// The least that a part must have which is not the last.
const PART: usize = 5 * MIB;
const SHA256: ChecksumAlgorithm = ChecksumAlgorithm::Sha256;

/// A part of this number with another entity tag or checksum.
fn with(part: &CompletedPart, change: impl Fn(&mut CompletedPart)) -> CompletedPart {
    let mut part = part.clone();
    change(&mut part);
    part
}

#[tokio::test]
async fn an_upload_is_completed_only_with_parts_as_they_were_sent_and_stays_until_then() {
    let bucket = Bucket::start().await;
    let upload = bucket.create("a", Some(SHA256)).await;
    let place = ("a", upload.as_str());
    let content = [noise(PART), noise(PART), b"end".to_vec()];
    let mut parts = Vec::new();
    for (number, bytes) in (1..).zip(&content) {
        parts.push(bucket.part(place, number, bytes, SHA256).await);
    }
    let small = bucket.part(place, 4, &content[0][1..], SHA256).await;
    let [one, two, three] = [0, 1, 2].map(|index: usize| parts[index].clone());
    let other_tag = with(&two, |part| part.e_tag = Some("\"bogus\"".to_owned()));
    let tag_of_another = with(&two, |part| part.e_tag.clone_from(&three.e_tag));
    let no_tag = with(&two, |part| part.e_tag = None);
    let other_sum = with(&two, |part| part.checksum_sha256 = Some(sha256(b"")));
    let no_sum = with(&two, |part| part.checksum_sha256 = None);
    let never_sent = with(&small, |part| part.part_number = Some(5));
    let cases = [
        ("no part", vec![], (400, "MalformedXML")),
        ("order", vec![two.clone(), one.clone()], (400, "InvalidPartOrder")),
        ("twice", vec![one.clone(), one.clone()], (400, "InvalidPartOrder")),
        ("a gap, with checksums", vec![one.clone(), three.clone()], (400, "InvalidPartOrder")),
        ("not from 1", vec![two.clone(), three.clone()], (400, "InvalidPartOrder")),
        ("a tag", vec![one.clone(), other_tag], (400, "InvalidPart")),
        ("another's tag", vec![one.clone(), tag_of_another], (400, "InvalidPart")),
        ("no tag", vec![one.clone(), no_tag], (400, "MalformedXML")),
        ("a checksum", vec![one.clone(), other_sum], (400, "InvalidPart")),
        ("no checksum", vec![one.clone(), no_sum], (400, "InvalidRequest")),
        (
            "never sent",
            vec![one.clone(), two.clone(), three.clone(), small.clone(), never_sent],
            (400, "InvalidPart"),
        ),
        (
            "too small, and not the last",
            vec![one.clone(), two.clone(), three.clone(), small.clone()],
            (400, "EntityTooSmall"),
        ),
    ];
    for (name, parts, expected) in cases {
        let outcome = outcome(bucket.complete(place, &parts).await);
        assert_eq!((outcome.0, outcome.1.as_str()), expected, "{name}");
        assert_eq!(bucket.bytes("a").await, None, "{name}");
        assert_eq!(bucket.part_numbers("a", &upload).await.unwrap(), [1, 2, 3, 4], "{name}");
    }
    let complete = bucket.s3.complete_multipart_upload().bucket(NAME).key("a").upload_id(&upload);
    let all = CompletedMultipartUpload::builder().set_parts(Some(parts.clone())).build();
    let of_another_size = complete.multipart_upload(all).mpu_object_size(1).send().await;
    assert_eq!(outcome(of_another_size), (400, "InvalidRequest".to_owned()));
    for (key, upload) in [("b", upload.as_str()), ("a", "../a"), ("a", "unknown")] {
        let unknown = outcome(bucket.complete((key, upload), &parts).await);
        assert_eq!(unknown, (404, "NoSuchUpload".to_owned()), "{key} {upload}");
    }

    let done = bucket.complete(place, &parts).await.unwrap();
    assert!(done.e_tag().unwrap().ends_with("-3\""));
    assert!(done.checksum_sha256().unwrap().ends_with("-3"));
    assert_eq!(done.checksum_type(), Some(&ChecksumType::Composite));
    assert!(bucket.bytes("a").await.unwrap() == content.concat());
    let head = bucket.s3.head_object().bucket(NAME).key("a");
    let head = head.checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    assert_eq!(head.e_tag(), done.e_tag());
    assert_eq!(head.checksum_sha256(), done.checksum_sha256());

    // What has ended is unknown.
    let gone = (404, "NoSuchUpload".to_owned());
    assert_eq!(outcome(bucket.complete(place, &parts).await), gone);
    let list = bucket.s3.list_parts().bucket(NAME).key("a").upload_id(&upload);
    assert_eq!(outcome(list.send().await), gone);
    let abort = bucket.s3.abort_multipart_upload().bucket(NAME).key("a").upload_id(&upload);
    assert_eq!(outcome(abort.send().await), gone);
    assert_eq!(bucket.left_over(), 0);
}

#[tokio::test]
async fn parts_are_listed_by_number_with_what_names_them() {
    let bucket = Bucket::start().await;
    let upload = bucket.create("a", Some(SHA256)).await;
    let place = ("a", upload.as_str());
    for number in [10, 2, 9, 1] {
        bucket.part(place, number, &[1; 10], SHA256).await;
    }
    let again = bucket.part(place, 9, b"other", SHA256).await;
    let list = || bucket.s3.list_parts().bucket(NAME).key("a").upload_id(&upload);
    let all = list().send().await.unwrap();
    assert_eq!((all.is_truncated(), all.parts().len()), (Some(false), 4));
    assert_eq!(all.checksum_algorithm(), Some(&SHA256));
    let numbers: Vec<_> = all.parts().iter().map(|part| part.part_number().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 9, 10]);
    let ninth = &all.parts()[2];
    assert_eq!((ninth.e_tag(), ninth.size()), (again.e_tag(), Some(5)));
    assert_eq!(ninth.checksum_sha256(), Some(sha256(b"other").as_str()));
    let page = list().max_parts(3).send().await.unwrap();
    assert_eq!((page.is_truncated(), page.parts().len()), (Some(true), 3));
    assert_eq!(page.next_part_number_marker(), Some("9"));
    let rest = list().part_number_marker("9").send().await.unwrap();
    assert_eq!(rest.parts()[0].part_number(), Some(10));
}

#[tokio::test]
async fn a_part_needs_the_checksum_that_its_upload_was_created_with() {
    let bucket = Bucket::start().await;
    let put = async |upload: &str, algorithm: Option<ChecksumAlgorithm>, number: i32| {
        let part = bucket.s3.upload_part().bucket(NAME).key("a").upload_id(upload);
        let part = part.part_number(number).set_checksum_algorithm(algorithm);
        outcome(part.body(vec![1; 10].into()).send().await)
    };
    let refused = |code: &str| (400, code.to_owned());
    let composite = bucket.create("a", Some(SHA256)).await;
    let crc32 = Some(ChecksumAlgorithm::Crc32);
    assert_eq!(put(&composite, crc32.clone(), 1).await, refused("InvalidRequest"));
    assert_eq!(put(&composite, Some(SHA256), 1).await.0, 200);
    let full = bucket.create("a", Some(ChecksumAlgorithm::Crc64Nvme)).await;
    assert_eq!(put(&full, Some(SHA256), 1).await, refused("InvalidRequest"));
    for number in [0, 10_001] {
        assert_eq!(put(&composite, Some(SHA256), number).await, refused("InvalidArgument"));
    }
    assert_eq!(put(&composite, Some(SHA256), 10_000).await.0, 200);
    assert_eq!(put("unknown", crc32, 1).await, (404, "NoSuchUpload".to_owned()));
    let create = bucket.s3.create_multipart_upload().bucket(NAME).key("a");
    let create = create.checksum_algorithm(SHA256).checksum_type(ChecksumType::FullObject);
    assert_eq!(outcome(create.send().await), refused("InvalidRequest"));

    // Named by no algorithm, a part that has a checksum is named with it.
    let none = bucket.create("a", None).await;
    let part = bucket.part(("a", &none), 1, &[1; 10], ChecksumAlgorithm::Crc32).await;
    let without = with(&part, |part| part.checksum_crc32 = None);
    let refusal = outcome(bucket.complete(("a", &none), &[without]).await);
    assert_eq!(refusal, refused("InvalidPart"));
    assert_eq!(outcome(bucket.complete(("a", &none), &[part]).await).0, 200);
}

#[tokio::test]
async fn a_checksum_of_the_whole_object_is_made_of_those_of_its_parts() {
    let bucket = Bucket::start().await;
    let content = [noise(PART), noise(PART + 1), b"end".to_vec()];
    let whole = content.concat();
    for algorithm in [ChecksumAlgorithm::Crc64Nvme, ChecksumAlgorithm::Crc32] {
        let put = bucket.s3.put_object().bucket(NAME).key("whole").body(whole.clone().into());
        let put = put.checksum_algorithm(algorithm.clone()).send().await.unwrap();
        let sum = put.checksum_crc64_nvme().or(put.checksum_crc32()).unwrap().to_owned();
        let create = bucket.s3.create_multipart_upload().bucket(NAME).key("a");
        let create = create.checksum_algorithm(algorithm.clone()).tagging("state=new");
        let create = create.checksum_type(ChecksumType::FullObject).send().await.unwrap();
        let upload = create.upload_id.unwrap();
        let mut parts = Vec::new();
        for (number, bytes) in (1..).zip(&content) {
            let part = bucket.part(("a", &upload), number, bytes, algorithm.clone()).await;
            let part = CompletedPart::builder().part_number(number).set_e_tag(part.e_tag);
            parts.push(part.build());
        }
        let complete = |sum: &str| {
            let complete = bucket.s3.complete_multipart_upload().bucket(NAME).key("a");
            let complete = complete.upload_id(&upload).if_none_match("*");
            let complete = match algorithm {
                ChecksumAlgorithm::Crc32 => complete.checksum_crc32(sum),
                _ => complete.checksum_crc64_nvme(sum),
            };
            let all = CompletedMultipartUpload::builder().set_parts(Some(parts.clone())).build();
            complete.checksum_type(ChecksumType::FullObject).multipart_upload(all).send()
        };
        let zero = if algorithm == ChecksumAlgorithm::Crc32 { "AAAAAA==" } else { "AAAAAAAAAAA=" };
        assert_eq!(outcome(complete(zero).await), (400, "BadDigest".to_owned()));
        // An object that is in the way stays, and so does the upload.
        bucket.s3.put_object().bucket(NAME).key("a").send().await.unwrap();
        assert_eq!(outcome(complete(&sum).await), (412, "PreconditionFailed".to_owned()));
        assert_eq!(bucket.bytes("a").await.unwrap(), b"");
        bucket.s3.delete_object().bucket(NAME).key("a").send().await.unwrap();
        let done = complete(&sum).await.unwrap();
        assert_eq!(done.checksum_crc64_nvme().or(done.checksum_crc32()), Some(sum.as_str()));
        assert_eq!(done.checksum_type(), Some(&ChecksumType::FullObject));
        // The SDK validates the checksum of the whole.
        assert!(bucket.bytes("a").await.unwrap() == whole);
        let tags = bucket.s3.get_object_tagging().bucket(NAME).key("a").send().await.unwrap();
        assert_eq!(tags.tag_set()[0].key(), "state");
        bucket.s3.delete_object().bucket(NAME).key("a").send().await.unwrap();
    }
    assert_eq!(bucket.left_over(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_complete_and_abort_an_upload_one_does() {
    let bucket = Bucket::start().await;
    for round in 0..10 {
        let key = round.to_string();
        let upload = bucket.create(&key, Some(SHA256)).await;
        let place = (key.as_str(), upload.as_str());
        let parts = [bucket.part(place, 1, b"only", SHA256).await];
        let complete = (0..16).map(|_| bucket.complete(place, &parts));
        let abort = (0..16).map(|_| {
            bucket.s3.abort_multipart_upload().bucket(NAME).key(&key).upload_id(&upload).send()
        });
        let (completed, aborted) = tokio::join!(join_all(complete), join_all(abort));
        let (completed, aborted) =
            (completed.iter().flatten().count(), aborted.iter().flatten().count());
        assert_eq!(completed + aborted, 1, "round {round}");
        let expected = (completed == 1).then_some(b"only".to_vec());
        assert_eq!(bucket.bytes(&key).await, expected, "round {round}");
    }
    // The losers' copies go away when they notice.
    while bucket.left_over() > 0 {
        tokio::task::yield_now().await;
    }
}
