//! What a client can ask of a server, whichever way the server was started.

use std::net::IpAddr;

use reqwest::multipart::{Form, Part};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::answer::{Answer, send};
use crate::routes;

/// One server, as its clients see it.
pub struct Api {
    /// Where it listens, without a slash at the end.
    pub base: String,
    pub http: reqwest::Client,
}

impl Api {
    pub fn new(base: String) -> Self {
        Self { base, http: client() }
    }

    /// The same server, for a client whose requests come from `source`, an address of this machine.
    #[must_use]
    pub fn from(&self, source: &str) -> Self {
        let http = reqwest::Client::builder().local_address(source.parse::<IpAddr>().unwrap());
        let http = http.redirect(Policy::none()).build().unwrap();
        Self { base: self.base.clone(), http }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The path and query of an address of this server.
    pub fn path_of<'a>(&self, url: &'a str) -> &'a str {
        url.strip_prefix(&self.base).unwrap()
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path))
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        send(self.request(Method::GET, path).bearer_auth(token)).await
    }

    /// A GET without credentials, to an absolute address such as a link.
    pub async fn open(&self, url: &str) -> Answer {
        send(self.http.get(url)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path).json(body)).await
    }

    pub async fn post_as(&self, path: &str, token: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path).bearer_auth(token).json(body)).await
    }

    /// Logs in at the login route for `client` or `ops`. `who` is `username` or `email`, and its
    /// value.
    pub async fn login(&self, role: &str, who: (&str, &str), password: &str) -> Answer {
        self.post(routes::login(role), &json!({who.0: who.1, "password": password})).await
    }

    /// An access token of the local account of this role: `ops`, `client` or `admin`.
    pub async fn token(&self, role: &str) -> String {
        let answer = self.login(role, ("username", role), &local_password(role)).await;
        answer.is(200).field("access")
    }

    /// Uploads as Ops.
    pub async fn upload(&self, name: &str, content: &[u8]) -> Answer {
        self.upload_as(&self.token("ops").await, form_with(name, content)).await
    }

    pub async fn upload_as(&self, ops: &str, form: Form) -> Answer {
        let request = self.request(Method::POST, routes::UPLOAD).bearer_auth(ops);
        send(request.multipart(form)).await
    }

    /// Uploads a small text file and gives its id.
    pub async fn some_file(&self) -> String {
        self.upload("note.txt", b"a note").await.is(201).id()
    }

    /// A download link to this file.
    pub async fn link(&self, file: &str, client: &str) -> String {
        let link = self.link_with(file, client, &json!({})).await;
        link["download_url"].as_str().unwrap().to_owned()
    }

    /// A download link to this file with these terms, as its maker is told of it.
    pub async fn link_with(&self, file: &str, client: &str, terms: &Value) -> Value {
        self.post_as(&routes::generate_link(file), client, terms).await.is_json(201)
    }

    pub async fn revoke(&self, link: &str, client: &str) -> Answer {
        send(self.request(Method::DELETE, &routes::link(link)).bearer_auth(client)).await
    }

    /// Signs somebody up and gives the verification link.
    pub async fn sign_up(&self, name: &str) -> String {
        let body = json!({"username": name, "email": format!("{name}@example.org"),
            "password": password_for(name)});
        self.post(routes::SIGNUP, &body).await.is(201).field("verification_url")
    }

    /// Signs another Client up and gives an access token of it.
    pub async fn another_client(&self, name: &str) -> String {
        self.open(&self.sign_up(name).await).await.is(200);
        let answer = self.login("client", ("username", name), &password_for(name)).await;
        answer.is(200).field("access")
    }

    /// Signs another Ops account up, where anybody may, and gives an access token of it.
    pub async fn another_ops(&self, name: &str) -> String {
        let body = json!({"username": name, "email": format!("{name}@example.org"),
            "password": password_for(name), "role": "ops"});
        self.post(routes::SIGNUP, &body).await.is(201);
        let answer = self.login("ops", ("username", name), &password_for(name)).await;
        answer.is(200).field("access")
    }

    /// Every record of a list, over all its pages, of which each has at most `limit`.
    pub async fn all(&self, path: &str, limit: usize, token: &str) -> Vec<Value> {
        let mut records = Vec::new();
        let mut next = Some(format!("{path}?limit={limit}"));
        while let Some(page) = next {
            let answer = self.get(&page, token).await;
            let page = answer.is_json(200).as_array().unwrap().clone();
            assert!(page.len() <= limit, "{} on a page of {limit}", page.len());
            records.extend(page);
            next = answer.next().map(|url| self.path_of(url).to_owned());
            assert!(next.is_none() || !records.is_empty(), "an empty page leads to no other");
        }
        records
    }
}

/// A form with one file.
pub fn form_with(name: &str, content: &[u8]) -> Form {
    Form::new().part("file", Part::bytes(content.to_vec()).file_name(name.to_owned()))
}

/// The password of the local account of this role.
pub fn local_password(role: &str) -> String {
    format!("local-{role}-password")
}

/// The password with which [`Api::sign_up`] signs up.
pub fn password_for(name: &str) -> String {
    format!("a password for {name}")
}

/// A client that follows no redirect.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(Policy::none()).build().unwrap()
}
