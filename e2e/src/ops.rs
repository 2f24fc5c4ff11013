//! What Ops do with their files.

use std::fs;

use futures_util::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::answer::{Answer, send};
use crate::api::{Api, form_with, password_for};
use crate::routes;
use crate::samples::sha256;
use crate::world::World;

/// An Ops account that is logged in.
pub struct Ops<'a> {
    api: &'a Api,
    pub token: String,
}

impl<'a> Ops<'a> {
    /// The local account.
    pub async fn of(api: &'a Api) -> Self {
        Self { api, token: api.token("ops").await }
    }

    /// The local account that administers.
    pub async fn admin(api: &'a Api) -> Self {
        Self { api, token: api.token("admin").await }
    }

    /// Another account, of this name.
    pub async fn named(world: &'a World, name: &str) -> Self {
        world.another_client(name).await;
        world.store.set_role(&world.store.user_named(name).await, "ops").await;
        let answer = world.login("ops", ("username", name), &password_for(name)).await;
        Self { api: world, token: answer.is(200).field("access") }
    }

    /// Uploads through the gateway, on these terms.
    pub async fn upload(&self, name: &str, content: &[u8], terms: &Value) -> Answer {
        let terms = terms.as_object().unwrap().iter();
        let form = terms.fold(form_with(name, content), |form, (field, value)| {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Array(names) => {
                    let names: Vec<_> = names.iter().map(|it| it.as_str().unwrap()).collect();
                    names.join(",")
                }
                other => other.to_string(),
            };
            form.text(field.clone(), text)
        });
        self.api.upload_as(&self.token, form).await
    }

    /// Uploads a small text file on these terms, and gives its id.
    pub async fn file(&self, name: &str, terms: &Value) -> String {
        self.upload(name, b"a note", terms).await.is(201).id()
    }

    /// As [`Self::file`], of any name: not every name survives a form.
    pub async fn file_named(&self, name: &str, terms: &Value) -> String {
        let file = self.file("x.txt", terms).await;
        let changed = self.change(&file, &json!({"filename": name})).await.is_json(200);
        assert_eq!(changed["filename"], name);
        file
    }

    /// Announces an upload in parts.
    pub async fn announce(&self, body: &Value) -> Answer {
        self.api.post_as(routes::UPLOADS, &self.token, body).await
    }

    /// Announces an upload of so many bytes, and gives its id.
    pub async fn upload_of(&self, size: u64) -> String {
        self.announce(&json!({"filename": "a.txt", "size": size})).await.is(201).field("upload_id")
    }

    /// Asks for the request that brings the first part.
    pub async fn sign(&self, upload: &str, bytes: &[u8]) -> Answer {
        let parts = json!({"parts": [{"number": 1, "sha256": sha256(bytes)}]});
        self.api.post_as(&routes::upload_parts(upload), &self.token, &parts).await
    }

    /// Sends the only part of an upload.
    pub async fn send(&self, upload: &str, bytes: &[u8]) {
        let signed = self.sign(upload, bytes).await.is_json(200);
        let part = &signed["parts"][0];
        let request = self.api.http.put(part["url"].as_str().unwrap()).body(bytes.to_vec());
        let headers = part["headers"].as_object().unwrap().iter();
        let request =
            headers.fold(request, |it, (name, value)| it.header(name, value.as_str().unwrap()));
        send(request).await.is(200);
    }

    /// Uploads a file of one part that goes straight to S3, on these terms; gives its id. It is not
    /// checked yet.
    pub async fn large_file(&self, name: &str, content: &[u8], terms: &Value) -> String {
        let mut body = terms.clone();
        body["filename"] = name.into();
        body["size"] = content.len().into();
        let upload = self.announce(&body).await.is(201).field("upload_id");
        self.send(&upload, content).await;
        let complete = self.request(Method::POST, &routes::complete_upload(&upload));
        send(complete).await.is(202);
        upload
    }

    pub async fn abort(&self, upload: &str) -> Answer {
        send(self.request(Method::DELETE, &routes::upload(upload))).await
    }

    pub async fn show(&self, file: &str) -> Answer {
        send(self.request(Method::GET, &routes::file(file))).await
    }

    pub async fn change(&self, file: &str, body: &Value) -> Answer {
        send(self.request(Method::PATCH, &routes::file(file)).json(body)).await
    }

    pub async fn delete(&self, file: &str) -> Answer {
        send(self.request(Method::DELETE, &routes::file(file))).await
    }

    /// Changes for whom a file is.
    pub async fn give(&self, file: &str, recipients: &Value) {
        let changed = self.change(file, &json!({"recipients": recipients})).await.is_json(200);
        assert_eq!(changed["recipients"], *recipients);
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.api.request(method, path).bearer_auth(&self.token)
    }
}

impl Api {
    /// The names of the files that a list shows, over all its pages.
    pub async fn names_listed(&self, path: &str, token: &str) -> Vec<String> {
        let files = self.all(path, 100, token).await;
        files.iter().map(|file| file["filename"].as_str().unwrap().to_owned()).collect()
    }
}

impl World {
    /// How many uploads in parts the embedded S3 holds.
    pub fn s3_uploads(&self) -> usize {
        fs::read_dir(self.data.path().join("objects/.uploads")).unwrap().count()
    }

    /// How many objects the embedded S3 holds, and of how many it knows headers and tags.
    pub fn s3_objects(&self) -> (usize, usize) {
        let count = |folder: &str| {
            fs::read_dir(self.data.path().join("objects").join(folder)).unwrap().count()
        };
        (count("files"), count(".about"))
    }

    /// The answers to so many announcements of files of this size at once.
    pub async fn announce_at_once(&self, ops: &[&Ops<'_>], size: u64, count: usize) -> Vec<Answer> {
        let body = json!({"filename": "a.txt", "size": size});
        let announce = |number: usize| ops[number % ops.len()].announce(&body);
        join_all((0..count).map(announce)).await
    }
}
