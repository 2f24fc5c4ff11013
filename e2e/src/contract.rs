//! What the contract says of an answer. Every answer that a test receives is compared with it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use share_contract::openapi;

use crate::answer::Answer;

/// The OpenAPI document, as the server serves it.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(openapi::document);

/// The validators of the schemas that were needed so far, by the place of the schema.
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// The schema with all that it refers to, and the value of a property that is not null.
pub fn resolve(schema: &Value) -> &Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return resolve(DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap());
    }
    let alternatives = schema["anyOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    alternatives.iter().find(|it| it["type"] != "null").map_or(schema, resolve)
}

/// Compares an answer with what the contract says of it.
///
/// # Panics
/// When its status, its media type or its JSON is not documented. Answers of other servers, and of
/// the gateway to what is no operation, are passed over.
#[track_caller]
pub fn check(method: &Method, answer: &Answer) {
    let Some((template, operation)) = operation(method, &answer.url) else { return };
    let status = answer.status.as_str();
    let response = &operation["responses"][status];
    assert!(response.is_object(), "{method} {template}: {status} is not documented: {answer:?}");
    if *method == Method::HEAD || answer.bytes.is_empty() {
        return;
    }
    let media_type = answer.header("content-type").split(';').next().unwrap_or_default();
    let contents = &response["content"];
    let content = if contents[media_type].is_object() { media_type } else { "*/*" };
    assert!(
        contents[content].is_object(),
        "{method} {template}: {media_type} is not documented for {status}: {answer:?}"
    );
    if media_type.ends_with("json") && content == media_type {
        let place = format!("{method} {template} {status} {content}");
        let validator = validator(place, &contents[content]["schema"]);
        let value = answer.json();
        let faults: Vec<_> = validator.iter_errors(&value).map(|it| it.to_string()).collect();
        assert!(faults.is_empty(), "{method} {template}: {}: {answer:?}", faults.join("; "));
    }
}

/// That this is the JSON of an answer with this status of the operation at this path of the document.
#[track_caller]
pub fn is_answer(method: &str, path: &str, status: &str, value: &Value) {
    let contents = &DOCUMENT["paths"][path][method.to_lowercase()]["responses"][status]["content"];
    let (media_type, content) = contents.as_object().unwrap().iter().next().unwrap();
    let validator = validator(format!("{method} {path} {status} {media_type}"), &content["schema"]);
    let faults: Vec<_> = validator.iter_errors(value).map(|it| it.to_string()).collect();
    assert!(faults.is_empty(), "{method} {path}: {}: {value}", faults.join("; "));
}

/// The operation behind an address, and its path in the document.
fn operation(method: &Method, url: &str) -> Option<(&'static str, &'static Value)> {
    let url = Url::parse(url).unwrap();
    let path = url.path().strip_suffix('/').unwrap_or(url.path());
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let (template, methods) = paths.iter().find(|(template, _)| {
        let (wanted, segments) = (template.split('/'), path.split('/'));
        wanted.clone().count() == segments.clone().count()
            && wanted
                .zip(segments)
                .all(|(wanted, it)| (wanted.starts_with('{') && !it.is_empty()) || wanted == it)
    })?;
    Some((template, methods.get(method.as_str().to_lowercase())?))
}

fn validator(place: String, schema: &Value) -> Arc<Validator> {
    let mut validators = VALIDATORS.lock().unwrap();
    let made = || {
        let whole = json!({ "components": DOCUMENT["components"], "allOf": [schema] });
        let options = jsonschema::draft202012::options().should_validate_formats(true);
        Arc::new(options.build(&whole).unwrap())
    };
    Arc::clone(validators.entry(place).or_insert_with(made))
}
