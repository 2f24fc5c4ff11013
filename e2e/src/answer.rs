//! An answer, read to its end.

use std::fmt;

use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;

use crate::contract;

/// An answer, read to its end.
pub struct Answer {
    /// What was asked for.
    pub url: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start: String = self.text().chars().take(2000).collect();
        let Self { url, status, headers, bytes } = self;
        write!(formatter, "{url}: {status} {headers:?} {} bytes: {start}", bytes.len())
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic_with(self))
    }

    /// A field of a JSON answer that is a text.
    pub fn field(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap().to_owned()
    }

    /// The field `id`.
    pub fn id(&self) -> String {
        self.field("id")
    }

    /// The problem's code; empty when the answer is not a problem.
    pub fn code(&self) -> String {
        let value: Value = serde_json::from_slice(&self.bytes).unwrap_or_default();
        value["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The lease with which this download can go on.
    pub fn lease(&self) -> &str {
        self.header("download-lease")
    }

    /// The name and the value of the cookie that it sets, as the next request sends them.
    pub fn cookie(&self) -> &str {
        self.header("set-cookie").split(';').next().unwrap_or_default()
    }

    /// What it sets the cookie `name` to, with the attributes; empty when it does not set it.
    pub fn set_cookie(&self, name: &str) -> &str {
        let values = self.headers.get_all("set-cookie").iter();
        let mut set = values.map(|value| value.to_str().unwrap());
        set.find(|it| it.split_once('=').is_some_and(|(of, _)| of == name)).unwrap_or_default()
    }

    /// The address of the next page.
    pub fn next(&self) -> Option<&str> {
        self.header("link").strip_prefix('<')?.strip_suffix(">; rel=\"next\"")
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

#[expect(clippy::panic, reason = "shows the answer that is not JSON")]
fn panic_with(answer: &Answer) -> Value {
    panic!("not JSON: {answer:?}")
}

/// Sends a request, reads the answer to its end, and compares it with the contract.
pub async fn send(request: RequestBuilder) -> Answer {
    try_send(request).await.unwrap()
}

/// As [`send`]; fails when the answer does not come whole.
///
/// # Errors
/// When there is none.
pub async fn try_send(request: RequestBuilder) -> reqwest::Result<Answer> {
    let (client, request) = request.build_split();
    let request = request?;
    let method = request.method().clone();
    let response = client.execute(request).await?;
    let (url, status) = (response.url().to_string(), response.status());
    let headers = response.headers().clone();
    let bytes = response.bytes().await?.to_vec();
    let answer = Answer { url, status, headers, bytes };
    contract::check(&method, &answer);
    Ok(answer)
}
