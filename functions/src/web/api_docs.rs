//! `docs_show`: the description of the API for people, as one page without scripts.

use std::fmt::Write;

use share_contract::{Body, Operation, Place, documents, operations};
use share_http::{Answer, ApiError, Endpoint, HtmlPage, NoJson, Request, escape};
use share_store::{Platform, StartError};

/// It touches nothing.
pub struct ApiDocs {
    content: String,
}

impl Endpoint for ApiDocs {
    const NAME: &'static str = "ApiDocs";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::DOCS_SHOW];
    const READS_USERS: bool = false;
    type Json = NoJson;

    async fn connect(_: &Platform) -> Result<Self, StartError> {
        Ok(Self { content: content() })
    }

    async fn handle(&self, _: &Request) -> Result<Answer<NoJson>, ApiError> {
        let title = "The API of Secure File Share".to_owned();
        Ok(Answer::page(HtmlPage { title, content: self.content.clone(), wide: true }))
    }
}

fn content() -> String {
    let mut html =
        "<p>For programs: <a href=\"openapi.json\">openapi.json</a> (OpenAPI 3.1).</p>\n"
            .to_owned();
    for operation in operations::ALL {
        let _ = describe(operation, &mut html); // a string takes everything
    }
    html
}

fn describe(operation: &Operation, html: &mut String) -> std::fmt::Result {
    writeln!(html, "<section class=\"gap-t\" id=\"{0}\">\n<h2>{0}</h2>", operation.name)?;
    writeln!(html, "<p>{}</p>\n<dl class=\"facts\">", escape(operation.summary))?;
    for route in operation.routes {
        writeln!(html, "<dt>{}</dt><dd><code>{}</code></dd>", route.method, route.path)?;
    }
    writeln!(html, "<dt>Caller</dt><dd>{}</dd>", documents::caller(operation))?;
    for parameter in operation.parameters {
        let place = match parameter.place {
            Place::Path => "path",
            Place::Query => "query",
            Place::Header => "header",
        };
        let (name, text) = (parameter.name, escape(parameter.description));
        writeln!(html, "<dt>{place}</dt><dd><code>{name}</code> {text}</dd>")?;
    }
    let body = match operation.body {
        Body::None => "",
        Body::Json(_) => "JSON",
        Body::OptionalJson(_) => "JSON, or none",
        Body::JsonOrForm(_) => "JSON, or a form",
        Body::MultipartOrJson(..) => "multipart/form-data, or JSON",
    };
    if !body.is_empty() {
        writeln!(html, "<dt>Body</dt><dd>{body}; openapi.json has its fields</dd>")?;
    }
    for answer in operation.answers {
        writeln!(html, "<dt>{}</dt><dd>{}</dd>", answer.status, escape(answer.description))?;
    }
    for error in operation.errors() {
        let (status, code) = (error.status(), error.as_str());
        let sentence = escape(error.sentence());
        writeln!(html, "<dt>{status}</dt><dd><code>{code}</code> {sentence}</dd>")?;
    }
    writeln!(html, "</dl>\n</section>")
}
