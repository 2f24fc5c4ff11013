//! What `template.yaml` says about routes, functions, tables and the gateway's own answers.
//!
//! Nothing of this is listed a second time: what works here is what is deployed.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use http::Method;
use serde_json::Value as Json;
use serde_yaml_ng::Value as Yaml;

/// The template of this build.
const TEXT: &str = include_str!("../../template.yaml");

/// The parts of the template that the local server follows.
pub(crate) struct Template {
    /// All routes.
    pub(crate) routes: Vec<Route>,
    /// The variables that each function is given, by the function's logical id.
    pub(crate) variables: BTreeMap<String, Vec<String>>,
    /// The tables, as `CreateTable` wants them, by logical id.
    pub(crate) tables: BTreeMap<String, Json>,
    /// The gateway's own answers, by response type.
    pub(crate) gateway_responses: BTreeMap<String, GatewayResponse>,
}

/// A method and path, and the function behind them.
pub(crate) struct Route {
    /// The method.
    pub(crate) method: Method,
    /// The path as written, for example `/a/{id}`.
    pub(crate) path: String,
    /// The function's logical id.
    pub(crate) function: String,
    /// Whether the answer is streamed, and so not held to Lambda's 6 MB.
    pub(crate) streams: bool,
}

/// An answer that the gateway gives by itself.
pub(crate) struct GatewayResponse {
    /// Its status.
    pub(crate) status: u16,
    /// Its headers.
    pub(crate) headers: Vec<(String, String)>,
    /// Its body, with `$context.extendedRequestId` to be filled in.
    pub(crate) body: String,
}

impl Template {
    /// Reads the template.
    pub(crate) fn read() -> anyhow::Result<Self> {
        let document: Yaml = serde_yaml_ng::from_str(TEXT).context("template.yaml is not YAML")?;
        let mut template = Self {
            routes: Vec::new(),
            variables: BTreeMap::new(),
            tables: BTreeMap::new(),
            gateway_responses: BTreeMap::new(),
        };
        for (id, resource) in entries(document.get("Resources")) {
            let properties = resource.get("Properties").unwrap_or(&Yaml::Null);
            let read = match text(resource.get("Type")) {
                Some("AWS::Serverless::Function") => template.read_function(id, properties),
                Some("AWS::Serverless::Api") => template.read_gateway_responses(properties),
                Some("AWS::DynamoDB::Table") => template.read_table(id, properties),
                _ => Ok(()),
            };
            read.with_context(|| format!("template.yaml, resource {id}"))?;
        }
        Ok(template)
    }

    /// Whether the gateway leads to this function. Others are invoked directly.
    pub(crate) fn has_route(&self, function: &str) -> bool {
        self.routes.iter().any(|route| route.function == function)
    }

    fn read_function(&mut self, id: &str, properties: &Yaml) -> anyhow::Result<()> {
        let variables = properties.get("Environment").and_then(|it| it.get("Variables"));
        let names = entries(variables).map(|(name, _)| name.to_owned()).collect();
        self.variables.insert(id.to_owned(), names);
        for (name, event) in entries(properties.get("Events")) {
            let event = event.get("Properties").unwrap_or(&Yaml::Null);
            let (Some(path), Some(method)) = (text(event.get("Path")), text(event.get("Method")))
            else {
                bail!("the event {name} has no path or method");
            };
            self.routes.push(Route {
                method: method.to_ascii_uppercase().parse()?,
                path: path.to_owned(),
                function: id.to_owned(),
                streams: text(event.get("ResponseTransferMode")) == Some("RESPONSE_STREAM"),
            });
        }
        Ok(())
    }

    fn read_gateway_responses(&mut self, properties: &Yaml) -> anyhow::Result<()> {
        for (kind, response) in entries(properties.get("GatewayResponses")) {
            let headers = response.get("ResponseParameters").and_then(|it| it.get("Headers"));
            let templates = response.get("ResponseTemplates");
            let read = || {
                Some(GatewayResponse {
                    status: u16::try_from(response.get("StatusCode")?.as_u64()?).ok()?,
                    headers: entries(headers)
                        .filter_map(|(name, value)| {
                            // A constant in a mapping expression stands in single quotes.
                            Some((
                                name.to_owned(),
                                text(Some(value))?.trim_matches('\'').to_owned(),
                            ))
                        })
                        .collect(),
                    body: text(templates?.get("application/json"))?.to_owned(),
                })
            };
            let response = read().with_context(|| format!("the gateway response {kind}"))?;
            self.gateway_responses.insert(kind.to_owned(), response);
        }
        Ok(())
    }

    fn read_table(&mut self, id: &str, properties: &Yaml) -> anyhow::Result<()> {
        let mut request = serde_json::Map::from_iter([("TableName".to_owned(), id.into())]);
        for name in ["AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema"] {
            if let Some(value) = properties.get(name) {
                request.insert(name.to_owned(), serde_json::to_value(value)?);
            }
        }
        self.tables.insert(id.to_owned(), request.into());
        Ok(())
    }
}

fn entries(mapping: Option<&Yaml>) -> impl Iterator<Item = (&str, &Yaml)> {
    let mapping = mapping.and_then(Yaml::as_mapping);
    mapping.into_iter().flatten().filter_map(|(key, value)| Some((key.as_str()?, value)))
}

fn text(value: Option<&Yaml>) -> Option<&str> {
    value.and_then(Yaml::as_str)
}
