//! Upload forms by hand, since no client builds wrong ones.

use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};

use crate::routes;
use crate::world::World;

pub const BOUNDARY: &str = "a-boundary-of-the-tests";

/// A form whose parts are what follows `form-data; `, and their content.
pub fn form(parts: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (disposition, content) in parts {
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; ").into_bytes();
        body.extend([&head, *disposition, b"\r\n\r\n", *content, b"\r\n"].concat());
    }
    body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
    body
}

/// A form with one file in the part `file`.
pub fn form_of(filename: &str, content: &[u8]) -> Vec<u8> {
    let escaped = filename.replace('"', "\\\"");
    form(&[(format!("name=\"file\"; filename=\"{escaped}\"").as_bytes(), content)])
}

pub fn media_type() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

/// Uploads as Ops whatever it is given.
pub struct Uploader<'a> {
    world: &'a World,
    pub ops: String,
}

impl<'a> Uploader<'a> {
    pub async fn to(world: &'a World) -> Self {
        Self { world, ops: world.token("ops").await }
    }

    pub fn form(&self, body: Vec<u8>) -> RequestBuilder {
        self.typed(&media_type(), body)
    }

    pub fn typed(&self, media_type: &str, body: Vec<u8>) -> RequestBuilder {
        self.untyped(body).header(CONTENT_TYPE, media_type)
    }

    pub fn untyped(&self, body: Vec<u8>) -> RequestBuilder {
        self.world.request(Method::POST, routes::UPLOAD).bearer_auth(&self.ops).body(body)
    }
}
