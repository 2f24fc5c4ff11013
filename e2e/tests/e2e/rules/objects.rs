//! The bytes of a file in S3: written once, and never in the place of others.

use std::pin::pin;
use std::time::Duration;

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use http_body_util::BodyExt;
use share_e2e::proxy::Proxy;
use share_e2e::samples::noise;
use share_e2e::scene::DIGITS;
use share_e2e::{World, send, store};
use share_model::{ByteRange, ContentDigest, FileId, FileName, FileRecord, Username};
use share_store::Objects;

use crate::MIB;

/// The bucket of this world's server, as a function reaches it.
async fn objects(world: &World) -> Objects {
    let platform = world.server.backend().platform().await;
    Objects::connect(&platform).unwrap()
}

fn file(world: &World, content: &[u8]) -> FileRecord {
    FileRecord {
        id: FileId::new(world.now(), [7; 10]),
        filename: FileName::parse("digits.txt").unwrap(),
        size: content.len() as u64,
        content_type: "text/plain".to_owned(),
        sha256: ContentDigest::of(content),
        uploaded_by: Username::parse("ops").unwrap(),
        uploader: None,
        uploaded_at: world.now(),
        notify: false,
    }
}

#[tokio::test]
async fn an_object_is_never_put_in_the_place_of_another() {
    let world = World::start().await;
    let objects = objects(&world).await;
    let first = file(&world, DIGITS);
    let key = first.id.to_string();
    objects.put(&first, Bytes::from_static(DIGITS)).await.unwrap();
    objects.put(&first, Bytes::from_static(DIGITS)).await.expect("the same bytes are there");
    let second = FileRecord { id: first.id, ..file(&world, b"9876543210") };
    let refused = objects.put(&second, Bytes::from_static(b"9876543210")).await.unwrap_err();
    assert!(refused.to_string().contains("there is another one in its place"), "{refused}");
    assert_eq!(world.store.object(&key).await, DIGITS);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_s3_that_is_lost_after_an_upload_neither_loses_nor_doubles_the_file() {
    let world = World::start().await;
    let variables = &world.server.backend().variables;
    let proxy = Proxy::start(&variables["AWS_ENDPOINT_URL_S3"], "PUT /").await;
    let front = World::start_with(&[
        ("AWS_ENDPOINT_URL_S3", &proxy.url),
        ("AWS_ACCESS_KEY_ID", &variables["AWS_ACCESS_KEY_ID"]),
        ("AWS_SECRET_ACCESS_KEY", &variables["AWS_SECRET_ACCESS_KEY"]),
    ])
    .await;
    for lost in [1, 2] {
        proxy.lose(lost);
        let id = front.upload("digits.txt", DIGITS).await.is(201).id();
        assert_eq!(proxy.left(), 0, "the answers were lost");
        assert_eq!(world.store.object(&id).await, DIGITS);
    }
}

/// Puts the bytes of a file as a large upload does: in parts, of which each has a checksum or none.
/// Gives the checksum that S3 has of the object.
async fn put_in_parts(
    world: &World,
    file: &FileRecord,
    content: &[u8],
    algorithm: Option<ChecksumAlgorithm>,
) -> Option<String> {
    let s3 = store::s3(world.server.backend()).await;
    let (bucket, key) = ("files", file.id.to_string());
    let create = s3.create_multipart_upload().bucket(bucket).key(&key);
    let upload = create.set_checksum_algorithm(algorithm.clone()).send().await.unwrap();
    let upload = upload.upload_id.unwrap();
    let mut parts = Vec::new();
    for (number, bytes) in (1..).zip(content.chunks(5 * MIB)) {
        let part = s3.upload_part().bucket(bucket).key(&key).upload_id(&upload);
        let part = part.part_number(number).set_checksum_algorithm(algorithm.clone());
        let part = part.body(bytes.to_vec().into()).send().await.unwrap();
        let named = CompletedPart::builder().part_number(number).set_e_tag(part.e_tag);
        let named = named.set_checksum_sha256(part.checksum_sha256);
        parts.push(named.set_checksum_crc32(part.checksum_crc32).build());
    }
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let complete = s3.complete_multipart_upload().bucket(bucket).key(&key);
    complete.upload_id(upload).multipart_upload(parts).send().await.unwrap();
    let head = s3.head_object().bucket(bucket).key(&key).checksum_mode(ChecksumMode::Enabled);
    head.send().await.unwrap().checksum_sha256
}

#[tokio::test]
async fn an_object_of_parts_is_read_though_s3_has_no_checksum_of_its_whole() {
    let world = World::start().await;
    let objects = objects(&world).await;
    let content = noise(8 * MIB);
    for (number, algorithm) in [(1, Some(ChecksumAlgorithm::Sha256)), (2, None)] {
        let id = FileId::new(world.now(), [number; 10]);
        let file = FileRecord { id, ..file(&world, &content) };
        let checksum = put_in_parts(&world, &file, &content, algorithm.clone()).await;
        let composite = checksum.as_ref().is_some_and(|sum| sum.ends_with("-2"));
        assert_eq!(composite, algorithm.is_some(), "{checksum:?}");

        assert!(objects.read(&file).await.unwrap().unwrap() == content);
        let part = ByteRange { first: 5 * MIB as u64 - 1, last: 5 * MIB as u64 };
        for (asked, expected) in
            [(None, &content[..]), (Some(part), &content[5 * MIB - 1..=5 * MIB])]
        {
            let body = objects.open(&file, asked).await.unwrap().unwrap();
            assert!(body.collect().await.unwrap().to_bytes() == expected, "{asked:?}");
        }
        let url = objects.presign(&file, "request").await.unwrap().unwrap();
        assert!(send(world.http.get(&url)).await.is(200).bytes == content);
        let request = world.http.get(&url).header("range", format!("bytes={part}"));
        let answer = send(request).await;
        assert_eq!(answer.is(206).bytes, &content[5 * MIB - 1..=5 * MIB]);
    }
}

#[tokio::test]
async fn bytes_are_read_as_slowly_as_their_client_takes_them() {
    let world = World::start().await;
    let objects = objects(&world).await;
    // More than sockets hold in their buffers.
    let content = noise(32 * MIB);
    let file = file(&world, &content);
    put_in_parts(&world, &file, &content, Some(ChecksumAlgorithm::Sha256)).await;
    let mut body = pin!(objects.open(&file, None).await.unwrap().unwrap());
    let mut read = Vec::new();
    while read.len() < MIB {
        let frame = body.frame().await.unwrap().unwrap();
        read.extend_from_slice(&frame.into_data().unwrap());
    }
    // The client takes nothing for longer than each timeout of the S3 client.
    tokio::time::sleep(Duration::from_secs(13)).await;
    while let Some(frame) = body.frame().await {
        read.extend_from_slice(&frame.unwrap().into_data().unwrap());
    }
    assert!(read == content);
}
