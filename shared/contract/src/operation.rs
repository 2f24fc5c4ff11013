//! What an operation of the API is.

use http::Method;
use schemars::{Schema, SchemaGenerator};
use share_model::Role;

use crate::ErrorCode;

/// Something that a caller can ask of the API, under one or more routes.
#[derive(Debug)]
pub struct Operation {
    /// Its name in the OpenAPI document, the command line and the docs, such as `link_create`.
    pub name: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// Who may call it.
    pub caller: Caller,
    /// Its routes: the first is the one to use, the others are aliases.
    pub routes: &'static [Route],
    /// What it takes besides a body. Those of its path are among them.
    pub parameters: &'static [Parameter],
    /// The body that it takes.
    pub body: Body,
    /// What it answers when all is well.
    pub answers: &'static [Answer],
    /// The errors of its own. [`Operation::errors`] adds those that follow from the rest.
    pub errors: &'static [ErrorCode],
}

/// A method and a path, as `template.yaml` writes them: without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, for example `/api/links/{id}`.
    pub path: &'static str,
}

/// Who may call an operation, and how they show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Anybody.
    Anyone,
    /// Anybody with the one-time token in the query.
    TokenHolder,
    /// An account of one of these roles, by its password.
    Password(&'static [Role]),
    /// An account of one of these roles, by its access token.
    AccessToken(&'static [Role]),
}

/// Makes the schema of a type.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// Something that an operation takes in its path, its query or a header.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Where it stands.
    pub place: Place,
    /// Whether it must be there.
    pub required: bool,
    /// What it says.
    pub description: &'static str,
    /// What it looks like.
    pub schema: SchemaOf,
}

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In a header.
    Header,
}

/// The body that an operation takes.
#[derive(Debug)]
pub enum Body {
    /// None; one that comes is not read.
    None,
    /// A JSON object.
    Json(SchemaOf),
    /// A JSON object, or no body at all.
    OptionalJson(SchemaOf),
    /// A JSON object, or the same fields as a form, which is what a page sends.
    JsonOrForm(SchemaOf),
    /// `multipart/form-data`, or a JSON object with other fields.
    MultipartOrJson(SchemaOf, SchemaOf),
}

/// An answer when all is well.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// When it is given.
    pub description: &'static str,
    /// What it holds.
    pub content: Content,
}

/// What an answer holds.
#[derive(Debug)]
pub enum Content {
    /// Nothing.
    Empty,
    /// JSON.
    Json(SchemaOf),
    /// JSON, or a page for a browser (`Accept: text/html`).
    JsonOrPage(SchemaOf),
    /// JSON, or CSV (`Accept: text/csv`).
    JsonOrCsv(SchemaOf),
    /// A page.
    Page,
    /// A sentence.
    Text,
    /// The bytes of a file, or a page for a browser that asks with GET, or JSON when nothing else
    /// is accepted and the bytes are elsewhere.
    FileOrPage(SchemaOf),
    /// A delivery certificate, a signed JSON Web Token.
    Certificate,
    /// A script, styles or an image of the web app.
    WebFile,
}

impl Operation {
    /// Whether one of its routes is this method and path, as `template.yaml` writes it.
    #[must_use]
    pub fn has_route(&self, method: &Method, path: &str) -> bool {
        self.routes.iter().any(|route| route.method == *method && route.path == path)
    }

    /// Every error that it can answer with, those of the gateway included; by status.
    #[must_use]
    pub fn errors(&self) -> Vec<ErrorCode> {
        use ErrorCode as E;
        let mut errors = self.errors.to_vec();
        errors.extend([E::BadRequest, E::RequestBlocked, E::RequestTooLarge]);
        errors.extend([E::TooManyRequests, E::Timeout, E::DependencyUnavailable]);
        errors.extend(match self.caller {
            Caller::Anyone => &[][..],
            Caller::TokenHolder => &[E::MissingParameter, E::TooManyGuesses],
            Caller::Password(_) => &[
                E::InvalidCredentials,
                E::EmailNotVerified,
                E::AccountDisabled,
                E::ApprovalPending,
                E::TooManyGuesses,
            ],
            Caller::AccessToken(_) => &[
                E::MissingToken,
                E::InvalidToken,
                E::TokenExpired,
                E::SessionRevoked,
                E::WrongRole,
                E::AccountDisabled,
                E::ApprovalPending,
            ],
        });
        errors.extend(match self.body {
            Body::None => &[][..],
            Body::Json(_) | Body::OptionalJson(_) => {
                &[E::MalformedJson, E::UnsupportedMediaType, E::InvalidField]
            }
            Body::JsonOrForm(_) => {
                &[E::MalformedJson, E::MalformedForm, E::UnsupportedMediaType, E::InvalidField]
            }
            Body::MultipartOrJson(..) => {
                &[E::MalformedMultipart, E::MalformedJson, E::UnsupportedMediaType, E::InvalidField]
            }
        });
        let checked = |it: &Parameter| matches!(it.place, Place::Path | Place::Query);
        if self.parameters.iter().any(|it| checked(it) && it.name != "token") {
            errors.push(E::InvalidParameter);
        }
        errors.sort_unstable();
        errors.dedup();
        errors
    }
}
