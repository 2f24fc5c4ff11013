//! Presigned URLs: they give nothing but what was signed.

use std::time::Duration;

use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use reqwest::{Method, RequestBuilder};
use share_e2e::samples;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{Bucket, NAME, code, sha256};
use aws_sdk_s3::types::ChecksumAlgorithm;

const BODY: &[u8] = b"0123456789";

fn for_a_minute() -> PresigningConfig {
    PresigningConfig::expires_in(Duration::from_mins(1)).unwrap()
}

impl Bucket {
    /// A URL for this part of an upload, bound to its length and its SHA-256.
    async fn presigned_part(&self, upload: &str, number: i32, bytes: &[u8]) -> PresignedRequest {
        let part = self.s3.upload_part().bucket(NAME).key("a").upload_id(upload);
        let part = part.part_number(number).checksum_sha256(sha256(bytes));
        let part = part.content_length(i64::try_from(bytes.len()).unwrap());
        part.presigned(for_a_minute()).await.unwrap()
    }

    fn request(&self, presigned: &PresignedRequest) -> RequestBuilder {
        let method: Method = presigned.method().parse().unwrap();
        let request = self.world.http.request(method, presigned.uri());
        let headers = presigned.headers().filter(|(name, _)| *name != "content-length");
        headers.fold(request, |request, (name, value)| request.header(name, value))
    }
}

/// The status and the code of an answer.
async fn outcome(request: RequestBuilder) -> (u16, String) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, code(&answer.text().await.unwrap()).to_owned())
}

#[tokio::test]
async fn a_part_is_taken_only_with_the_length_and_the_digest_that_were_signed() {
    let bucket = Bucket::start().await;
    let upload = bucket.create("a", Some(ChecksumAlgorithm::Sha256)).await;
    let signed = bucket.presigned_part(&upload, 1, BODY).await;
    assert!(signed.uri().contains("content-length%3Bhost%3Bx-amz-checksum-sha256"));
    let put = || bucket.request(&signed);
    let other = |from: &str, to: &str| {
        let url = signed.uri().replace(from, to);
        let request = bucket.world.http.put(url).body(BODY);
        request.header("x-amz-checksum-sha256", sha256(BODY))
    };
    let chunked =
        reqwest::Body::wrap_stream(futures_util::stream::iter([Ok::<_, std::io::Error>(
            BODY.to_vec(),
        )]));
    let cases = [
        ("other bytes", put().body("0123456780"), (400, "BadDigest")),
        ("less", put().body("012345678"), (403, "SignatureDoesNotMatch")),
        ("more", put().body("0123456789a"), (403, "SignatureDoesNotMatch")),
        ("no length", put().body(chunked), (403, "SignatureDoesNotMatch")),
        (
            "no digest",
            bucket.world.http.put(signed.uri()).body(BODY),
            (403, "SignatureDoesNotMatch"),
        ),
        (
            "another digest",
            bucket
                .world
                .http
                .put(signed.uri())
                .header("x-amz-checksum-sha256", sha256(b"9876543210"))
                .body("9876543210"),
            (403, "SignatureDoesNotMatch"),
        ),
        ("another part", other("partNumber=1", "partNumber=2"), (403, "SignatureDoesNotMatch")),
        ("another key", other("/files/a?", "/files/b?"), (403, "SignatureDoesNotMatch")),
        ("longer", other("Expires=60", "Expires=61"), (403, "SignatureDoesNotMatch")),
        (
            "other bytes than x-amz-content-sha256 says",
            put().header("x-amz-content-sha256", samples::sha256(b"")).body(BODY),
            (400, "XAmzContentSHA256Mismatch"),
        ),
    ];
    for (name, request, expected) in cases {
        let outcome = outcome(request).await;
        assert_eq!((outcome.0, outcome.1.as_str()), expected, "{name}");
        assert_eq!(bucket.part_numbers("a", &upload).await.unwrap(), [0; 0], "{name}");
    }
    assert_eq!(outcome(put().body(BODY)).await.0, 200);
    assert_eq!(outcome(put().body(BODY)).await.0, 200, "once more");
    assert_eq!(bucket.part_numbers("a", &upload).await.unwrap(), [1]);
    let abort = bucket.s3.abort_multipart_upload().bucket(NAME).key("a").upload_id(&upload);
    abort.send().await.unwrap();
    assert_eq!(outcome(put().body(BODY)).await, (404, "NoSuchUpload".to_owned()));
    assert_eq!(bucket.left_over(), 0);
}

#[tokio::test]
async fn a_url_that_has_expired_or_comes_with_credentials_is_refused() {
    let bucket = Bucket::start().await;
    bucket.s3.put_object().bucket(NAME).key("a").body(BODY.to_vec().into()).send().await.unwrap();
    let get = bucket.s3.get_object().bucket(NAME).key("a");
    let expired = PresigningConfig::builder().expires_in(Duration::from_secs(1));
    let long_ago = std::time::SystemTime::UNIX_EPOCH + Duration::from_hours(480_000);
    let expired = get.clone().presigned(expired.start_time(long_ago).build().unwrap()).await;
    let refused = outcome(bucket.request(&expired.unwrap())).await;
    assert_eq!(refused, (403, "AccessDenied".to_owned()));
    let signed = get.presigned(for_a_minute()).await.unwrap();
    assert_eq!(outcome(bucket.request(&signed)).await.0, 200);
}

/// As the template says.
#[tokio::test]
async fn a_web_page_of_any_origin_can_send_a_part_and_cannot_delete() {
    let bucket = Bucket::start().await;
    let upload = bucket.create("a", Some(ChecksumAlgorithm::Sha256)).await;
    let signed = bucket.presigned_part(&upload, 1, BODY).await;
    let preflight = |method: &str| {
        let request = bucket.world.http.request(Method::OPTIONS, signed.uri());
        let request = request.header("origin", "https://a.example");
        let request = request.header("access-control-request-method", method);
        request.header("access-control-request-headers", "x-amz-checksum-sha256")
    };
    let header = |answer: &reqwest::Response, name: &str| {
        answer.headers().get(name).map_or_else(String::new, |it| it.to_str().unwrap().to_owned())
    };
    let answer = preflight("PUT").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    for (name, expected) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "GET, HEAD, PUT"),
        ("access-control-allow-headers", "x-amz-checksum-sha256"),
        ("access-control-allow-credentials", ""),
        ("access-control-max-age", "3600"),
    ] {
        assert_eq!(header(&answer, name), expected, "{name}");
    }
    assert_eq!(outcome(preflight("DELETE")).await, (403, "AccessForbidden".to_owned()));

    let put = bucket.request(&signed).header("origin", "https://a.example").body(BODY);
    let put = put.send().await.unwrap();
    assert_eq!(put.status(), 200);
    assert_eq!(header(&put, "access-control-allow-origin"), "*");
    let exposed = header(&put, "access-control-expose-headers");
    assert_eq!(exposed, "ETag, x-amz-checksum-sha256");
    for name in exposed.split(", ") {
        assert_ne!(header(&put, name), "", "what a page may read is there: {name}");
    }
}

#[tokio::test]
async fn an_object_of_which_not_all_bytes_come_does_not_appear() {
    let bucket = Bucket::start().await;
    let put = bucket.s3.put_object().bucket(NAME).key("a");
    let signed = put.content_length(1000).presigned(for_a_minute()).await.unwrap();
    let rest = signed.uri().strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut socket = TcpStream::connect(host).await.unwrap();
    let head = format!("PUT /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&[7; 999]).await.unwrap();
    // The server has them: there is a file with its bytes, which ends with the connection.
    while bucket.left_over() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bucket.bytes("a").await, None);
    drop(socket);
    while bucket.left_over() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bucket.bytes("a").await, None);
}
