//! The tables of `docs/` that are made from this crate.

use std::fmt::Write;

use crate::settings::{self, Default, Range};
use crate::{Answerer, Caller, ErrorCode, Operation, Route, openapi, operations};

/// The first line of every document that is made here.
const MADE: &str =
    "<!-- Made from shared/contract by scripts/generate. Change the code instead. -->";

/// `docs/errors.md`.
#[must_use]
pub fn errors() -> String {
    let mut page = format!(
        "{MADE}\n\n# Errors\n\n\
         An error is `application/problem+json` (RFC 9457). `code` is stable; `detail` is for \
         people;\n`request_id` is in the log as well. `invalid_field` adds `errors`, one entry for \
         each field.\nA browser (`Accept: text/html`) gets a page instead on the routes that have \
         pages.\n\n\
         ```json\n\
         {{\"type\":\"about:blank\",\"title\":\"Gone\",\"status\":410,\n \
         \"detail\":\"This link has been used. Ask for a new one.\",\n \
         \"code\":\"link_used\",\"request_id\":\"9b5e3d55-f443-400d-896c-ce7cd1758e26\"}}\n\
         ```\n\n\
         A 401 comes with `WWW-Authenticate`, a 416 with `Content-Range`, a 429 and a 503 with\n\
         `Retry-After`, a 405 with `Allow`. API Gateway itself answers where the last column says \
         so, and\ncannot tell a wrong method from an unknown path: only the local server answers \
         405. Its\n`bad_request` has whatever status from 400 to 499 API Gateway chose, and no \
         `status` in the body.\n\n\
         | Status | `code` | `detail` | From |\n|---|---|---|---|\n"
    );
    for code in ErrorCode::ALL {
        let from = match code.answerer() {
            Answerer::Function => "",
            Answerer::Gateway => "gateway",
            Answerer::Local => "local server",
        };
        let (status, name, sentence) = (code.status(), code.as_str(), code.sentence());
        push(&mut page, format_args!("| {status} | `{name}` | {sentence} | {from} |\n"));
    }
    page
}

/// `docs/configuration.md`.
#[must_use]
pub fn configuration() -> String {
    let mut page = format!(
        "{MADE}\n\n# Configuration\n\n\
         Settings are environment variables. `template.yaml` sets them from its parameters, named \
         in the\nlast column; `cargo run` needs none and takes any of them. An empty variable \
         counts as unset. A\nfunction with a missing or wrong setting does not start, and says \
         which one.\n\n\
         | Variable | Default | Values | Meaning | Parameter |\n|---|---|---|---|---|\n"
    );
    for about in settings::ALL {
        let default = match about.default {
            Default::Required => "required".to_owned(),
            Default::Unset => String::new(),
            Default::Value(text) => format!("`{text}`"),
        };
        let range = match about.range {
            Range::Number(least, most) => format!("{least} to {most}"),
            Range::Choice(choices) => {
                choices.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ")
            }
            Range::Text(text) => text.to_owned(),
        };
        let parameter = about.parameter.map_or(String::new(), |it| format!("`{it}`"));
        let (name, text) = (about.name, about.text);
        push(
            &mut page,
            format_args!("| `{name}` | {default} | {range} | {text} | {parameter} |\n"),
        );
    }
    page
}

/// The methods with which an operation is asked for at `path`.
fn methods(operation: &Operation, path: &str) -> String {
    let routes = operation.routes.iter().filter(|route| route.path == path);
    routes.map(|route| format!("`{}`", route.method)).collect::<Vec<_>>().join(", ")
}

/// The table of routes in `docs/api.md`.
#[must_use]
pub fn routes() -> String {
    let mut table = "| Operation | Route | Aliases | Caller |\n|---|---|---|---|\n".to_owned();
    for operation in operations::ALL {
        let is_alias = |route: &&Route| openapi::is_alias(operation, route);
        let own = operation.routes.iter().find(|route| !is_alias(route));
        let path = own.map_or("", |route| route.path);
        let methods = methods(operation, path);
        let mut aliases: Vec<String> = Vec::new();
        for route in operation.routes.iter().filter(is_alias) {
            // An alias need not have all the methods.
            let alias = match self::methods(operation, route.path) {
                fewer if fewer != methods => format!("{fewer} `{}`", route.path),
                _ => format!("`{}`", route.path),
            };
            if !aliases.contains(&alias) {
                aliases.push(alias);
            }
        }
        let (name, caller, aliases) = (operation.name, caller(operation), aliases.join(", "));
        push(
            &mut table,
            format_args!("| `{name}` | {methods} `{path}` | {aliases} | {caller} |\n"),
        );
    }
    table
}

/// Who may call an operation, in words.
#[must_use]
pub fn caller(operation: &Operation) -> String {
    let names = |roles: &[share_model::Role]| {
        roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(" or ")
    };
    match operation.caller {
        Caller::Anyone => "anyone".to_owned(),
        Caller::TokenHolder => "anyone with the token".to_owned(),
        Caller::Password(roles) => format!("{} with a password", names(roles)),
        Caller::AccessToken(roles) => format!("{} with an access token", names(roles)),
    }
}

fn push(page: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = page.write_fmt(text); // a string takes everything
}
