//! The embedded S3 answers as the S3 API reference says, to the real SDK and to presigned URLs.

mod events;
mod multipart;
mod objects;
mod presigned;

use std::fmt::Debug;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadError;
use aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadOutput;
use aws_sdk_s3::operation::upload_part::UploadPartOutput;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use share_e2e::{World, store};

/// The bucket of a server, as the SDK reaches it.
struct Bucket {
    world: World,
    s3: Client,
}

const NAME: &str = "files";

impl Bucket {
    async fn start() -> Self {
        Self::of(World::start().await).await
    }

    async fn of(world: World) -> Self {
        let s3 = store::s3(world.server.backend()).await;
        Self { world, s3 }
    }

    /// The bytes of an object, if there is one.
    async fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        let object = self.s3.get_object().bucket(NAME).key(key).send().await.ok()?;
        Some(object.body.collect().await.unwrap().to_vec())
    }

    async fn create(&self, key: &str, algorithm: Option<ChecksumAlgorithm>) -> String {
        let create = self.s3.create_multipart_upload().bucket(NAME).key(key);
        let created = create.set_checksum_algorithm(algorithm).send().await.unwrap();
        created.upload_id.unwrap()
    }

    /// Uploads a part with the checksum `algorithm`, and gives what names it in a request.
    async fn part(
        &self,
        (key, upload): (&str, &str),
        number: i32,
        bytes: &[u8],
        algorithm: ChecksumAlgorithm,
    ) -> CompletedPart {
        let part = self.s3.upload_part().bucket(NAME).key(key).upload_id(upload);
        let part = part.part_number(number).checksum_algorithm(algorithm);
        named(number, part.body(bytes.to_vec().into()).send().await.unwrap())
    }

    async fn complete(
        &self,
        (key, upload): (&str, &str),
        parts: &[CompletedPart],
    ) -> Result<CompleteMultipartUploadOutput, SdkError<CompleteMultipartUploadError>> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.to_vec())).build();
        let complete = self.s3.complete_multipart_upload().bucket(NAME).key(key);
        complete.upload_id(upload).multipart_upload(parts).send().await
    }

    /// The numbers of the parts that an upload has; `None` when there is no such upload.
    async fn part_numbers(&self, key: &str, upload: &str) -> Option<Vec<i32>> {
        let list = self.s3.list_parts().bucket(NAME).key(key).upload_id(upload).send().await;
        Some(list.ok()?.parts().iter().map(|part| part.part_number.unwrap()).collect())
    }

    /// How many files the embedded S3 keeps that are neither objects nor what it knows of them.
    fn left_over(&self) -> usize {
        let root = self.world.data.path().join("objects");
        let files = [".unfinished", ".uploads"].map(|name| std::fs::read_dir(root.join(name)));
        files.into_iter().map(|files| files.unwrap().count()).sum()
    }
}

/// What names this part in `CompleteMultipartUpload`.
fn named(number: i32, part: UploadPartOutput) -> CompletedPart {
    CompletedPart::builder()
        .part_number(number)
        .set_e_tag(part.e_tag)
        .set_checksum_crc32(part.checksum_crc32)
        .set_checksum_crc64_nvme(part.checksum_crc64_nvme)
        .set_checksum_sha256(part.checksum_sha256)
        .build()
}

/// The status and the code of an error, or 200.
fn outcome<T, E: ProvideErrorMetadata + Debug>(answer: Result<T, SdkError<E>>) -> (u16, String) {
    match answer {
        Ok(_) => (200, String::new()),
        Err(error) => {
            let status = error.raw_response().unwrap().status().as_u16();
            (status, error.code().unwrap_or_default().to_owned())
        }
    }
}

/// The code of an error in XML.
fn code(text: &str) -> &str {
    let (_, rest) = text.split_once("<Code>").unwrap_or_default();
    rest.split_once("</Code>").unwrap_or_default().0
}

fn sha256(bytes: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(bytes))
}
