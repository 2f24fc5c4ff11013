//! The description of the API as an OpenAPI 3.1 document.

use http::Method;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::{
    Answer, Body, Caller, Content, ErrorCode, Operation, Parameter, Place, Problem, Route,
    SchemaOf, operations,
};

/// The document. It is the same for every installation.
#[must_use]
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12()
        .with(|settings| settings.definitions_path = "/components/schemas".into());
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for operation in operations::ALL {
        for (index, route) in operation.routes.iter().enumerate() {
            let methods = paths.entry(route.path).or_insert_with(|| json!({}));
            let method = route.method.as_str().to_lowercase();
            if let Some(methods) = methods.as_object_mut() {
                methods.insert(method, describe(operation, route, index, &mut generator));
            }
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Secure File Share",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Verified people, private files, links that work once",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        // Relative to the document, because a stage has a path of its own.
        "servers": [{ "url": ".." }],
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": {
                "access_token": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
            },
        },
    })
}

fn describe(
    operation: &Operation,
    route: &Route,
    index: usize,
    generator: &mut SchemaGenerator,
) -> Value {
    let mut description = json!({
        "operationId": operation_id(operation, index),
        "summary": operation.summary,
        "tags": [tag(operation)],
        "deprecated": is_alias(operation, route),
        "parameters": operation
            .parameters
            .iter()
            .filter(|parameter| applies(parameter, route))
            .map(|parameter| json!({
                "name": parameter.name,
                "in": match parameter.place {
                    Place::Path => "path",
                    Place::Query => "query",
                    Place::Header => "header",
                },
                "required": parameter.required,
                "description": parameter.description,
                "schema": (parameter.schema)(generator),
            }))
            .collect::<Vec<_>>(),
        "responses": responses(operation, route, generator),
    });
    if let (Some(body), Some(description)) =
        (request_body(operation, route, generator), description.as_object_mut())
    {
        description.insert("requestBody".to_owned(), body);
    }
    if let (Caller::AccessToken(roles), Some(description)) =
        (operation.caller, description.as_object_mut())
    {
        let roles: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
        description.insert("security".to_owned(), json!([{ "access_token": roles }]));
    }
    description
}

/// The first route has the operation's own name; the others are told apart by a number.
fn operation_id(operation: &Operation, index: usize) -> String {
    if index == 0 { operation.name.to_owned() } else { format!("{}_{}", operation.name, index + 1) }
}

/// The noun of `link_create`.
fn tag(operation: &Operation) -> &str {
    operation.name.split('_').next().unwrap_or_default()
}

/// Whether a route is another path for what the operation's first path does.
#[must_use]
pub fn is_alias(operation: &Operation, route: &Route) -> bool {
    operation.routes.first().is_some_and(|first| first.path != route.path)
}

fn applies(parameter: &Parameter, route: &Route) -> bool {
    match parameter.place {
        Place::Path => route.path.contains(&format!("{{{}}}", parameter.name)),
        Place::Query => true,
        Place::Header => !parameter.name.ends_with("Range") || route.method == Method::GET,
    }
}

const JSON: &str = "application/json";

fn request_body(
    operation: &Operation,
    route: &Route,
    generator: &mut SchemaGenerator,
) -> Option<Value> {
    if route.method == Method::GET || route.method == Method::HEAD {
        return None;
    }
    let (required, contents) = match &operation.body {
        Body::None => return None,
        Body::Json(schema) => (true, vec![(JSON, schema)]),
        Body::OptionalJson(schema) => (false, vec![(JSON, schema)]),
        Body::JsonOrForm(schema) => {
            (true, vec![(JSON, schema), ("application/x-www-form-urlencoded", schema)])
        }
        Body::MultipartOrJson(form, json) => {
            (true, vec![("multipart/form-data", form), (JSON, json)])
        }
    };
    let contents = contents
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), json!({ "schema": schema(generator) })));
    Some(json!({ "required": required, "content": contents.collect::<Map<_, _>>() }))
}

fn responses(operation: &Operation, route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    for answer in operation.answers {
        responses.insert(answer.status.to_string(), success(answer, route, generator));
    }
    let errors = operation.errors();
    for codes in errors.chunk_by(|one, other| one.status() == other.status()) {
        let Some(first) = codes.first() else { continue };
        responses.insert(first.status().to_string(), failure(codes, route, generator));
    }
    responses.into()
}

fn success(answer: &Answer, route: &Route, generator: &mut SchemaGenerator) -> Value {
    let page = ("text/html".to_owned(), json!({ "schema": { "type": "string" } }));
    let bytes = ("*/*".to_owned(), json!({ "schema": { "type": "string" } }));
    let json = |schema: &SchemaOf, generator: &mut SchemaGenerator| {
        ("application/json".to_owned(), json!({ "schema": schema(generator) }))
    };
    let content = match &answer.content {
        _ if route.method == Method::HEAD => Map::new(),
        Content::Empty => Map::new(),
        Content::Json(schema) => Map::from_iter([json(schema, generator)]),
        Content::JsonOrPage(schema) => Map::from_iter([json(schema, generator), page]),
        Content::JsonOrCsv(schema) => {
            let csv = ("text/csv".to_owned(), json!({ "schema": { "type": "string" } }));
            Map::from_iter([json(schema, generator), csv])
        }
        Content::Page => Map::from_iter([page]),
        Content::Text => {
            Map::from_iter([("text/plain".to_owned(), json!({ "schema": { "type": "string" } }))])
        }
        Content::FileOrPage(schema) => Map::from_iter([json(schema, generator), page, bytes]),
        Content::WebFile => {
            let kinds = ["text/javascript", "text/css", "image/svg+xml"];
            kinds.map(|kind| (kind.to_owned(), json!({}))).into_iter().collect()
        }
        // No schema: readers of the document take one for JSON's.
        Content::Certificate => Map::from_iter([("application/jwt".to_owned(), json!({}))]),
    };
    let mut response = json!({ "description": answer.description });
    if let Some(response) = response.as_object_mut().filter(|_| !content.is_empty()) {
        response.insert("content".to_owned(), content.into());
    }
    response
}

/// All errors of one status.
fn failure(codes: &[ErrorCode], route: &Route, generator: &mut SchemaGenerator) -> Value {
    let lines = codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.sentence()));
    let mut response = json!({ "description": lines.collect::<Vec<_>>().join("\n\n") });
    if route.method == Method::HEAD {
        return response;
    }
    let codes: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
    let problem = json!({
        "allOf": [
            generator.subschema_for::<Problem>(),
            { "properties": { "code": { "enum": codes } } },
        ],
    });
    let content = json!({
        "application/problem+json": { "schema": problem },
        // For a browser.
        "text/html": { "schema": { "type": "string" } },
    });
    if let Some(response) = response.as_object_mut() {
        response.insert("content".to_owned(), content);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_reference_leads_to_a_schema_and_every_operation_has_an_id_of_its_own() {
        let document = document();
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"").skip(1) {
            let pointer = reference.split('"').next().unwrap().strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
        let mut ids = BTreeSet::new();
        for methods in document["paths"].as_object().unwrap().values() {
            for operation in methods.as_object().unwrap().values() {
                assert!(ids.insert(operation["operationId"].as_str().unwrap()));
            }
        }
        assert!(ids.contains("link_create"));
    }
}
