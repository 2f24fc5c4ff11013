//! The files of this repository that are made from the code: tables of `docs/`, the OpenAPI
//! document, and the events.
//!
//! `scripts/generate` writes them; a test fails when one of them is not as it would be made.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use share_contract::{documents, openapi};

use crate::event::{Api, Routed};
use crate::gateway::match_path;
use crate::template::Template;

/// The API that the events come from. Its id is an example, as the address of the client is.
const EXAMPLE: Api =
    Api { account: "123456789012", id: "abcdef1234", stage: "prod", stage_in_path: true };

/// The host of that API.
const HOST: &str = "abcdef1234.execute-api.us-east-1.amazonaws.com";

/// Between these lines of `docs/api.md` stands the table of routes.
const ROUTES: [&str; 2] = ["<!-- routes: made by scripts/generate -->", "<!-- end of routes -->"];

/// A request of `events/requests.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    /// The name of the event's file, without `.json`.
    event: String,
    method: String,
    path: String,
    #[serde(default)]
    query: String,
    /// An access token.
    token: Option<String>,
    /// The body, in the order of its fields.
    json: Option<Box<serde_json::value::RawValue>>,
    /// A file of this repository, to be uploaded.
    file: Option<PathBuf>,
}

/// Every file that is made, and what it holds. `root` is the root of the repository.
///
/// # Errors
/// When a file that another one is made from is missing or makes no sense.
pub fn files(root: &Path) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let mut files = vec![
        (PathBuf::from("docs/errors.md"), documents::errors()),
        (PathBuf::from("docs/configuration.md"), documents::configuration()),
        (PathBuf::from("docs/openapi.json"), pretty(&openapi::document())?),
        (PathBuf::from("docs/api.md"), api_page(root)?),
    ];
    let requests = root.join("events/requests.json");
    let requests = fs::read_to_string(&requests).context("cannot read events/requests.json")?;
    let requests: Vec<Request> = serde_json::from_str(&requests)?;
    let template = Template::read()?;
    for (index, request) in requests.iter().enumerate() {
        let event = event(request, index + 1, root, &template)
            .with_context(|| format!("the event {}", request.event))?;
        files.push((Path::new("events").join(format!("{}.json", request.event)), pretty(&event)?));
    }
    Ok(files)
}

fn pretty(value: &Value) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// `docs/api.md` with its table of routes made anew.
fn api_page(root: &Path) -> anyhow::Result<String> {
    let page = fs::read_to_string(root.join("docs/api.md")).context("cannot read docs/api.md")?;
    let [start, end] = ROUTES;
    let parts = page
        .split_once(start)
        .and_then(|(before, rest)| rest.split_once(end).map(|(_, after)| (before, after)));
    let (before, after) = parts.context("docs/api.md has no place for the table of routes")?;
    Ok(format!("{before}{start}\n\n{}\n{end}{after}", documents::routes()))
}

fn event(
    request: &Request,
    number: usize,
    root: &Path,
    template: &Template,
) -> anyhow::Result<Value> {
    let method: Method = request.method.parse()?;
    let mut routed = template.routes.iter().filter(|route| route.method == method);
    let routed: Option<(&str, Map<String, Value>)> =
        routed.find_map(|it| Some((it.path.as_str(), match_path(&it.path, &request.path)?)));
    let (resource, parameters) = routed.context("there is no such route")?;
    let mut headers = vec![
        ("Accept", "*/*".to_owned()),
        ("Host", HOST.to_owned()),
        ("User-Agent", "curl/8.14.1".to_owned()),
        ("X-Amzn-Trace-Id", format!("Root=1-69200101-5e0b1a9c3d7f42586a1b2c{number:02}")),
        ("X-Forwarded-For", "203.0.113.10".to_owned()),
        ("X-Forwarded-Port", "443".to_owned()),
        ("X-Forwarded-Proto", "https".to_owned()),
    ];
    if let Some(token) = &request.token {
        headers.push(("Authorization", format!("Bearer {token}")));
    }
    let mut body = Vec::new();
    if let Some(json) = &request.json {
        headers.push(("Content-Type", "application/json".to_owned()));
        body = json.get().as_bytes().to_vec();
    }
    if let Some(file) = &request.file {
        let (content_type, form) = form(file, root)?;
        headers.push(("Content-Type", content_type));
        body = form;
    }
    let event = EXAMPLE.event(&Routed {
        method: method.as_str(),
        resource,
        path: &request.path,
        parameters: &parameters,
        query: &request.query,
        headers: headers.into_iter().map(|(name, value)| (name, value.into())).collect(),
        body: &body,
        source_ip: "203.0.113.10".to_owned(),
        request_id: &format!("8b1f0c52-6a0e-4c1d-9a57-{number:012}"),
        now: Timestamp::from_second(1_763_717_400)?,
    });
    let mut event: Map<String, Value> = serde_json::from_str(&event)?;
    if let Some(json) = request.json.as_ref().filter(|json| json.get().contains("{{")) {
        // A placeholder is replaced in the text of the event, so it must be legible there.
        event.insert("body".to_owned(), json.get().into());
        event.insert("isBase64Encoded".to_owned(), false.into());
    }
    Ok(event.into())
}

/// A form with this file, and its content type.
fn form(file: &Path, root: &Path) -> anyhow::Result<(String, Vec<u8>)> {
    let boundary = "------------------------events0f1ce5ecfeeca1fe";
    let Some(name) = file.file_name().and_then(|name| name.to_str()) else {
        bail!("{} has no name", file.display());
    };
    let content = fs::read(root.join(file)).with_context(|| file.display().to_string())?;
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    let tail = format!("\r\n--{boundary}--\r\n");
    let body = [head.as_bytes(), &content, tail.as_bytes()].concat();
    Ok((format!("multipart/form-data; boundary={boundary}"), body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_is_made_from_the_code_is_as_it_would_be_made_now() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for (path, text) in files(&root).unwrap() {
            let there = fs::read_to_string(root.join(&path)).unwrap_or_default();
            assert!(there == text, "run scripts/generate: {} differs", path.display());
        }
    }
}
