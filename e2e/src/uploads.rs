//! Uploads in parts, as a client makes them.

use std::fs;

use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};

use crate::answer::{Answer, send};
use crate::api::Api;
use crate::routes;
use crate::samples::sha256;
use crate::world::World;

/// Bytes of each part but the last of a file of up to 80,000 MiB.
pub const PART: usize = 8 * 1024 * 1024;

/// An upload whose client has all bytes.
pub struct Upload<'a> {
    api: &'a Api,
    ops: &'a str,
    content: &'a [u8],
    pub id: String,
    part_size: usize,
}

/// The request that brings a part to S3.
#[derive(Clone, Debug)]
pub struct SignedPart {
    pub number: usize,
    pub url: String,
    pub headers: Map<String, Value>,
}

impl SignedPart {
    pub fn of(told: &Value) -> Self {
        Self {
            number: usize::try_from(told["number"].as_u64().unwrap()).unwrap(),
            url: told["url"].as_str().unwrap().to_owned(),
            headers: told["headers"].as_object().unwrap().clone(),
        }
    }

    /// The request, with these bytes.
    pub fn request(&self, http: &reqwest::Client, bytes: &[u8]) -> RequestBuilder {
        let request = http.put(&self.url).body(bytes.to_vec());
        let headers = self.headers.iter();
        headers.fold(request, |it, (name, value)| it.header(name, value.as_str().unwrap()))
    }
}

impl Answer {
    /// The code of an error of S3; empty when there is none.
    pub fn s3_code(&self) -> String {
        let text = self.text();
        let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
        code.map_or(String::new(), |(code, _)| code.to_owned())
    }

    /// That S3 has refused it so.
    #[track_caller]
    pub fn refused_by_s3(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.s3_code().as_str()), (status, code), "{self:?}");
    }

    /// The upload's id.
    pub fn upload_id(&self) -> String {
        self.field("upload_id")
    }
}

impl Api {
    pub async fn begin_upload(&self, ops: &str, body: &Value) -> Answer {
        self.post_as(routes::UPLOADS, ops, body).await
    }

    /// Asks for the requests that bring these parts, each with its digest.
    pub async fn sign_parts(&self, id: &str, ops: &str, parts: &[(usize, &[u8])]) -> Answer {
        let part =
            |(number, bytes): &(usize, &[u8])| json!({"number": number, "sha256": sha256(bytes)});
        let parts: Vec<_> = parts.iter().map(part).collect();
        self.post_as(&routes::upload_parts(id), ops, &json!({"parts": parts})).await
    }

    pub async fn show_upload(&self, id: &str, ops: &str) -> Answer {
        self.get(&routes::upload(id), ops).await
    }

    pub async fn complete_upload(&self, id: &str, ops: &str) -> Answer {
        send(self.request(Method::POST, &routes::complete_upload(id)).bearer_auth(ops)).await
    }

    pub async fn abort_upload(&self, id: &str, ops: &str) -> Answer {
        send(self.request(Method::DELETE, &routes::upload(id)).bearer_auth(ops)).await
    }

    pub async fn delete_file(&self, id: &str, ops: &str) -> Answer {
        send(self.request(Method::DELETE, &routes::file(id)).bearer_auth(ops)).await
    }

    /// What its uploader is told of a file.
    pub async fn file(&self, id: &str, ops: &str) -> Value {
        self.get(&routes::file(id), ops).await.is_json(200)
    }
}

impl<'a> Upload<'a> {
    /// Announces a file of these bytes, and promises their digest.
    pub async fn begin(api: &'a Api, ops: &'a str, name: &str, content: &'a [u8]) -> Self {
        let body = json!({"filename": name, "size": content.len(), "sha256": sha256(content)});
        let told = api.begin_upload(ops, &body).await.is_json(201);
        let id = told["upload_id"].as_str().unwrap().to_owned();
        let part_size = usize::try_from(told["part_size"].as_u64().unwrap()).unwrap();
        let upload = Self { api, ops, content, id, part_size };
        assert_eq!(told["parts"], upload.parts().len());
        upload
    }

    /// Goes on with an upload of which nothing but the id is known. None when it needs no parts any
    /// more.
    pub async fn resume(api: &'a Api, ops: &'a str, id: &str, content: &'a [u8]) -> Option<Self> {
        let told = api.show_upload(id, ops).await.is_json(200);
        let part_size = usize::try_from(told["part_size"].as_u64()?).unwrap();
        Some(Self { api, ops, content, id: id.to_owned(), part_size })
    }

    /// The bytes of each part.
    pub fn parts(&self) -> Vec<&'a [u8]> {
        self.content.chunks(self.part_size).collect()
    }

    /// The bytes of this part.
    pub fn part(&self, number: usize) -> &'a [u8] {
        self.parts()[number - 1]
    }

    /// The request that brings this part.
    pub async fn sign(&self, number: usize) -> SignedPart {
        self.sign_as(number, self.part(number)).await
    }

    /// The request that brings this part with other bytes of the same length.
    pub async fn sign_as(&self, number: usize, bytes: &[u8]) -> SignedPart {
        let signed = self.api.sign_parts(&self.id, self.ops, &[(number, bytes)]).await;
        SignedPart::of(&signed.is_json(200)["parts"][0])
    }

    /// Sends bytes with a request that was signed.
    pub async fn put(&self, signed: &SignedPart, bytes: &[u8]) -> Answer {
        send(signed.request(&self.api.http, bytes)).await
    }

    /// Sends these parts.
    pub async fn send(&self, numbers: impl IntoIterator<Item = usize>) {
        for number in numbers {
            let signed = self.sign(number).await;
            self.put(&signed, self.part(number)).await.is(200);
        }
    }

    /// Sends every part.
    pub async fn send_all(&self) {
        self.send(1..=self.parts().len()).await;
    }

    /// Sends every part that S3 does not have, and gives their numbers.
    pub async fn send_missing(&self) -> Vec<usize> {
        let received = self.received().await;
        let missing: Vec<_> =
            (1..=self.parts().len()).filter(|number| !received.contains(number)).collect();
        self.send(missing.clone()).await;
        missing
    }

    /// The numbers of the parts that S3 has.
    pub async fn received(&self) -> Vec<usize> {
        let told = self.show().await.is_json(200);
        let received = told["received"].as_array().cloned().unwrap_or_default();
        received.iter().map(|it| usize::try_from(it["number"].as_u64().unwrap()).unwrap()).collect()
    }

    pub async fn show(&self) -> Answer {
        self.api.show_upload(&self.id, self.ops).await
    }

    pub async fn complete(&self) -> Answer {
        self.api.complete_upload(&self.id, self.ops).await
    }

    pub async fn abort(&self) -> Answer {
        self.api.abort_upload(&self.id, self.ops).await
    }

    /// The file as its uploader sees it.
    pub async fn file(&self) -> Value {
        self.api.file(&self.id, self.ops).await
    }
}

impl World {
    /// Uploads a file in parts, and waits until it has been checked; gives its id.
    pub async fn upload_in_parts(&self, ops: &str, name: &str, content: &[u8]) -> String {
        let upload = Upload::begin(self, ops, name, content).await;
        upload.send_all().await;
        upload.complete().await.is(202);
        self.server.jobs_idle().await;
        upload.id
    }

    /// How many uploads in parts the embedded S3 has that are neither completed nor aborted.
    pub fn uploads_in_s3(&self) -> usize {
        fs::read_dir(self.objects.join(".uploads")).unwrap().count()
    }

    /// How many parts these uploads have.
    pub fn parts_in_s3(&self) -> usize {
        let uploads = fs::read_dir(self.objects.join(".uploads")).unwrap();
        let files = uploads.flat_map(|upload| fs::read_dir(upload.unwrap().path()).unwrap());
        files.filter(|file| file.as_ref().unwrap().path().extension().is_some()).count()
    }

    /// That nothing is left of this file: no bytes, no upload, no place on a list; and that whatever
    /// else there is fits together.
    pub async fn is_gone(&self, id: &str) {
        assert_eq!(self.store.length_of_object(id).await, None, "{id} has no bytes");
        assert_eq!(self.uploads_in_s3(), 0, "{id} has no upload in S3");
        let ops = self.token("ops").await;
        assert_eq!(self.file(id, &ops).await["state"], "deleted");
        let listed = self.all(routes::LIST_UPLOADED, 100, &ops).await;
        assert!(listed.iter().all(|file| file["id"] != *id), "{id} is on no list");
        self.is_consistent().await;
    }

    /// That lists, counters and bytes are those of the records of files.
    pub async fn is_consistent(&self) {
        let faults = self.store.faults_of_files().await;
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}
