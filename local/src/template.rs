//! What `template.yaml` says about routes, functions, what calls them, tables, the bucket and the
//! gateway's own answers.
//!
//! Nothing of this is listed a second time: what works here is what is deployed.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, bail};
use http::Method;
use serde_json::Value as Json;
use serde_yaml_ng::Value as Yaml;

use crate::embedded::BUCKET;
use crate::event_bus::Pattern;
use crate::jobs::{Rule, Schedule, Scheduler};
use crate::s3::CorsRule;

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
    /// Which web pages may talk to the bucket of files.
    pub(crate) cors: Vec<CorsRule>,
    /// Whether the bucket tells EventBridge of changes of its objects.
    pub(crate) bucket_events: bool,
    /// Which events functions are called for.
    pub(crate) rules: Vec<Rule>,
    /// How often functions are called.
    pub(crate) schedules: Vec<Schedule>,
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
        Self::parse(TEXT)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let document: Yaml = serde_yaml_ng::from_str(text).context("template.yaml is not YAML")?;
        let globals = document.get("Globals").and_then(|globals| globals.get("Function"));
        let common: Vec<String> = globals.map(variables).unwrap_or_default();
        let mut template = Self {
            routes: Vec::new(),
            variables: BTreeMap::new(),
            tables: BTreeMap::new(),
            gateway_responses: BTreeMap::new(),
            cors: Vec::new(),
            bucket_events: false,
            rules: Vec::new(),
            schedules: Vec::new(),
        };
        for (id, resource) in entries(document.get("Resources")) {
            let properties = resource.get("Properties").unwrap_or(&Yaml::Null);
            let read = match as_text(resource.get("Type")) {
                Some("AWS::Serverless::Function") => {
                    template.read_function(id, properties, &common)
                }
                Some("AWS::Serverless::Api") => template.read_gateway_responses(properties),
                Some("AWS::DynamoDB::Table") => template.read_table(id, properties),
                Some("AWS::S3::Bucket") if id == "FilesBucket" => template.read_bucket(properties),
                _ => Ok(()),
            };
            read.with_context(|| format!("template.yaml, resource {id}"))?;
        }
        Ok(template)
    }

    /// Whether the gateway leads to this function.
    pub(crate) fn has_route(&self, function: &str) -> bool {
        self.routes.iter().any(|route| route.function == function)
    }

    /// Whether an event or a schedule calls this function.
    pub(crate) fn is_called(&self, function: &str) -> bool {
        self.rules.iter().any(|rule| rule.function == function)
            || self.schedules.iter().any(|schedule| schedule.function == function)
    }

    fn read_function(
        &mut self,
        id: &str,
        properties: &Yaml,
        common: &[String],
    ) -> anyhow::Result<()> {
        let mut names = common.to_vec();
        names.extend(variables(properties));
        self.variables.insert(id.to_owned(), names);
        for (name, event) in entries(properties.get("Events")) {
            let properties = event.get("Properties").unwrap_or(&Yaml::Null);
            let read = match as_text(event.get("Type")).unwrap_or_default() {
                "Api" => self.read_route(id, properties),
                "EventBridgeRule" => self.read_rule(id, properties),
                "Schedule" => self.read_schedule(id, properties, Scheduler::Rule),
                "ScheduleV2" => self.read_schedule(id, properties, Scheduler::Scheduler),
                other => {
                    bail!("the event {name} is of the type {other:?}, which is not known here")
                }
            };
            read.with_context(|| format!("the event {name}"))?;
        }
        Ok(())
    }

    fn read_route(&mut self, id: &str, event: &Yaml) -> anyhow::Result<()> {
        let (Some(path), Some(method)) = (as_text(event.get("Path")), as_text(event.get("Method")))
        else {
            bail!("there is no path or method");
        };
        self.routes.push(Route {
            method: method.to_ascii_uppercase().parse()?,
            path: path.to_owned(),
            function: id.to_owned(),
            streams: as_text(event.get("ResponseTransferMode")) == Some("RESPONSE_STREAM"),
        });
        Ok(())
    }

    fn read_rule(&mut self, id: &str, event: &Yaml) -> anyhow::Result<()> {
        know_only(event, &["Pattern", "RetryPolicy", "DeadLetterConfig"])?;
        let pattern = event.get("Pattern").context("there is no pattern")?;
        let pattern = serde_json::to_string(&with_references(pattern))?;
        let pattern = pattern.replace("${FilesBucket}", BUCKET);
        if pattern.contains("${") {
            bail!("the pattern refers to what is not known here: {pattern}");
        }
        let pattern = Pattern::parse(&serde_json::from_str(&pattern)?)?;
        self.rules.push(Rule { function: id.to_owned(), pattern });
        Ok(())
    }

    fn read_schedule(&mut self, id: &str, event: &Yaml, by: Scheduler) -> anyhow::Result<()> {
        let name = match by {
            Scheduler::Rule => "Schedule",
            Scheduler::Scheduler => "ScheduleExpression",
        };
        know_only(event, &[name, "Description", "RetryPolicy", "DeadLetterConfig"])?;
        let text = as_text(event.get(name)).unwrap_or_default();
        let rate = rate(text).with_context(|| format!("the rate {text:?} is not known here"))?;
        self.schedules.push(Schedule { function: id.to_owned(), rate, by });
        Ok(())
    }

    fn read_gateway_responses(&mut self, properties: &Yaml) -> anyhow::Result<()> {
        for (kind, response) in entries(properties.get("GatewayResponses")) {
            let headers = response.get("ResponseParameters").and_then(|it| it.get("Headers"));
            let templates = response.get("ResponseTemplates");
            let status = response.get("StatusCode");
            let read = || {
                let mut body = as_text(templates?.get("application/json"))?.to_owned();
                if status.is_none() {
                    // DEFAULT_4XX, of which each answer has a status of its own. Here it is for
                    // bodies that break off, and that is a 400.
                    body = body.replacen("\"code\"", "\"status\":400,\"code\"", 1);
                }
                Some(GatewayResponse {
                    status: status.map_or(Some(400), |it| u16::try_from(it.as_u64()?).ok())?,
                    headers: entries(headers)
                        .filter_map(|(name, value)| {
                            // A constant in a mapping expression stands in single quotes.
                            Some((
                                name.to_owned(),
                                as_text(Some(value))?.trim_matches('\'').to_owned(),
                            ))
                        })
                        .collect(),
                    body,
                })
            };
            let response = read().with_context(|| format!("the gateway response {kind}"))?;
            self.gateway_responses.insert(kind.to_owned(), response);
        }
        Ok(())
    }

    fn read_bucket(&mut self, properties: &Yaml) -> anyhow::Result<()> {
        let rules = properties.get("CorsConfiguration").and_then(|it| it.get("CorsRules"));
        if let Some(rules) = rules {
            self.cors = serde_yaml_ng::from_value(with_references(rules))?;
        }
        self.bucket_events = properties
            .get("NotificationConfiguration")
            .and_then(|it| it.get("EventBridgeConfiguration")?.get("EventBridgeEnabled")?.as_bool())
            .unwrap_or_default();
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

/// Fails when an event has other properties than these, which would be overlooked.
fn know_only(event: &Yaml, known: &[&str]) -> anyhow::Result<()> {
    match entries(Some(event)).find(|(name, _)| !known.contains(name)) {
        Some((name, _)) => bail!("the property {name} is not known here"),
        None => Ok(()),
    }
}

/// The time between two calls, of an expression such as `rate(5 minutes)`.
fn rate(text: &str) -> Option<Duration> {
    let (number, unit) = text.strip_prefix("rate(")?.strip_suffix(')')?.split_once(' ')?;
    let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
    // EventBridge wants the singular after 1, and only there.
    let seconds = match (unit.strip_suffix('s'), number) {
        (None, 1) => unit,
        (Some(unit), 2..) => unit,
        _ => return None,
    };
    let seconds = match seconds {
        "minute" => 60,
        "hour" => 60 * 60,
        "day" => 24 * 60 * 60,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

/// `value` with its references written as in `!Sub`: `${Parameter}`.
fn with_references(value: &Yaml) -> Yaml {
    match value {
        Yaml::Tagged(tagged) if tagged.tag == "Ref" => {
            format!("${{{}}}", as_text(Some(&tagged.value)).unwrap_or_default()).into()
        }
        Yaml::Tagged(tagged) if tagged.tag == "Sub" => tagged.value.clone(),
        Yaml::Sequence(items) => items.iter().map(with_references).collect(),
        Yaml::Mapping(entries) => {
            let entries = entries.iter().map(|(key, value)| (key.clone(), with_references(value)));
            Yaml::Mapping(entries.collect())
        }
        other => other.clone(),
    }
}

fn entries(mapping: Option<&Yaml>) -> impl Iterator<Item = (&str, &Yaml)> {
    let mapping = mapping.and_then(Yaml::as_mapping);
    mapping.into_iter().flatten().filter_map(|(key, value)| Some((key.as_str()?, value)))
}

fn as_text(value: Option<&Yaml>) -> Option<&str> {
    value.and_then(Yaml::as_str)
}

/// The names of the variables that these properties of a function set.
fn variables(properties: &Yaml) -> Vec<String> {
    let variables = properties.get("Environment").and_then(|it| it.get("Variables"));
    entries(variables).map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use share_contract::settings::{self, Default, Range};
    use share_contract::{Answerer, ErrorCode, Problem};
    use share_functions::Function;
    use std::collections::BTreeSet;

    #[test]
    fn a_function_has_its_own_variables_and_the_common_ones() {
        let text = "Globals: { Function: { Environment: { Variables: { A: 1 } } } }\n\
            Resources:\n\
            \x20 One: { Type: AWS::Serverless::Function, Properties: {\n\
            \x20   Environment: { Variables: { B: !Ref X } }, Events: {\n\
            \x20   Get: { Type: Api, Properties: { Method: get, Path: /one } } } } }\n";
        let template = Template::parse(text).unwrap();
        assert_eq!(template.variables["One"], ["A", "B"]);
        assert_eq!(template.routes[0].path, "/one");
        assert!(template.has_route("One"));
    }

    #[test]
    fn the_bucket_ends_what_is_unfinished_when_the_records_of_uploads_end() {
        let document: Yaml = serde_yaml_ng::from_str(TEXT).unwrap();
        let bucket = &document["Resources"]["FilesBucket"]["Properties"];
        let rules = bucket["LifecycleConfiguration"]["Rules"].as_sequence().unwrap();
        let lifetime = share_model::file_protocol::UPLOAD_LIFETIME.as_hours() / 24;
        let days = |name: &str| rules.iter().find_map(|rule| rule[name].as_i64());
        let aborted = rules.iter().find_map(|rule| {
            rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"].as_i64()
        });
        assert_eq!(aborted, Some(lifetime));
        assert_eq!(days("ExpirationInDays"), Some(2 * lifetime), "time for the check");
    }

    #[test]
    fn the_bucket_says_which_pages_may_talk_to_it() {
        let text = "Resources:\n\
            \x20 FilesBucket: { Type: AWS::S3::Bucket, Properties: { CorsConfiguration: {\n\
            \x20   CorsRules: [ { AllowedOrigins: [ !Ref PublicBaseUrl, 'https://a.example' ],\n\
            \x20   AllowedMethods: [ PUT ], MaxAge: 60 } ] } } }\n";
        let rules = Template::parse(text).unwrap().cors;
        assert_eq!(rules[0].allowed_origins, ["${PublicBaseUrl}", "https://a.example"]);
        assert_eq!(
            (rules[0].allowed_methods.as_slice(), rules[0].max_age),
            (&["PUT".into()][..], Some(60))
        );
        let unknown = text.replace("MaxAge", "Age");
        assert!(Template::parse(&unknown).is_err(), "a rule that is not understood is not dropped");
    }

    /// A template with one function, which has this event.
    fn with_event(event: &str) -> anyhow::Result<Template> {
        Template::parse(&format!(
            "Resources:\n  One: {{ Type: AWS::Serverless::Function, Properties: {{\n    \
             Events: {{ It: {event} }} }} }}\n"
        ))
    }

    #[test]
    fn a_rule_has_a_pattern_that_may_name_the_bucket() {
        let event = "{ Type: EventBridgeRule, Properties: { Pattern: { source: [aws.s3],\n    \
            detail: { bucket: { name: [!Ref FilesBucket] }, reason: [PutObject] } } } }";
        let template = with_event(event).unwrap();
        let pattern = json!({
            "source": ["aws.s3"],
            "detail": { "bucket": { "name": ["files"] }, "reason": ["PutObject"] },
        });
        assert_eq!(template.rules[0].pattern, Pattern::parse(&pattern).unwrap());
        assert!(template.is_called("One") && !template.has_route("One"));
        for (known, unknown) in [
            ("FilesBucket", "OtherBucket"),
            ("[PutObject]", "[{ prefix: Put }]"),
            ("Properties: {", "Properties: { InputPath: $.detail,"),
            ("EventBridgeRule", "S3"),
        ] {
            let other = event.replace(known, unknown);
            assert!(with_event(&other).is_err(), "{unknown}");
        }
    }

    #[test]
    fn a_schedule_has_a_rate_in_minutes_hours_or_days() {
        let minutes = |event: &str| {
            let schedules = with_event(event).ok()?.schedules;
            Some((schedules[0].rate.as_secs() / 60, schedules[0].by))
        };
        let rule = |rate: &str| {
            minutes(&format!("{{ Type: Schedule, Properties: {{ Schedule: {rate} }} }}"))
        };
        assert_eq!(rule("rate(1 minute)"), Some((1, Scheduler::Rule)));
        assert_eq!(rule("rate(5 minutes)"), Some((5, Scheduler::Rule)));
        assert_eq!(rule("rate(2 hours)"), Some((120, Scheduler::Rule)));
        assert_eq!(rule("rate(1 day)"), Some((1440, Scheduler::Rule)));
        for other in [
            "rate(0 minutes)",
            "rate(1 minutes)",
            "rate(2 minute)",
            "rate(1 second)",
            "rate(1 week)",
            "rate(-1 minutes)",
            "cron(0 12 * * ? *)",
            "rate(1 minute",
        ] {
            assert_eq!(rule(&format!("'{other}'")), None, "{other}");
        }
        let scheduler = "{ Type: ScheduleV2, Properties: { ScheduleExpression: rate(1 hour) } }";
        assert_eq!(minutes(scheduler), Some((60, Scheduler::Scheduler)));
        assert_eq!(
            minutes(&scheduler.replace("{ ScheduleE", "{ State: DISABLED, ScheduleE")),
            None
        );
    }

    #[test]
    fn the_bucket_tells_eventbridge_when_the_template_says_so() {
        let text = "Resources: { FilesBucket: { Type: AWS::S3::Bucket, Properties: {\n\
            NotificationConfiguration: { EventBridgeConfiguration: {\n\
            EventBridgeEnabled: true } } } } }";
        assert!(Template::parse(text).unwrap().bucket_events);
        assert!(!Template::parse(&text.replace("true", "false")).unwrap().bucket_events);
        assert!(Template::read().unwrap().bucket_events);
    }

    /// A route that the contract does not know would be open to nobody knows whom.
    #[test]
    fn the_routes_of_the_template_are_those_of_the_operations_that_each_function_serves() {
        let template = Template::read().unwrap();
        let routes: BTreeSet<_> = template
            .routes
            .iter()
            .map(|it| (it.function.as_str(), it.method.as_str(), it.path.as_str()))
            .collect();
        assert_eq!(routes.len(), template.routes.len(), "no route stands there twice");
        let served: BTreeSet<_> = Function::all()
            .iter()
            .flat_map(|function| {
                let operations = function.operations.iter();
                let routes = operations.flat_map(|operation| operation.routes);
                routes.map(|it| (function.name, it.method.as_str(), it.path))
            })
            .collect();
        assert_eq!(routes, served);
        let named: BTreeSet<_> = template.variables.keys().map(String::as_str).collect();
        let functions: BTreeSet<_> = Function::all().iter().map(|function| function.name).collect();
        assert_eq!(named, functions, "the functions of the template are those of the binary");
    }

    #[test]
    fn the_parameters_of_the_template_have_the_defaults_and_ranges_of_their_settings() {
        let document: Yaml = serde_yaml_ng::from_str(TEXT).unwrap();
        for about in settings::ALL {
            let Some(parameter) = about.parameter else { continue };
            let name = about.name;
            let parameter = document["Parameters"].get(parameter);
            let parameter = parameter.unwrap_or_else(|| panic!("{name} has no parameter"));
            let scalar = |key: &str| match parameter.get(key) {
                Some(Yaml::Number(number)) => number.to_string(),
                Some(Yaml::String(text)) => text.clone(),
                _ => String::new(),
            };
            match about.default {
                Default::Value(default) => assert_eq!(scalar("Default"), default, "{name}"),
                Default::Unset => assert_eq!(scalar("Default"), "", "{name}"),
                Default::Required => {}
            }
            match about.range {
                Range::Number(least, most) => {
                    let bounds = (scalar("MinValue"), scalar("MaxValue"));
                    assert_eq!(bounds, (least.to_string(), most.to_string()), "{name}");
                }
                Range::Choice(choices) => {
                    let allowed = parameter["AllowedValues"].as_sequence().unwrap();
                    let allowed: BTreeSet<_> = allowed.iter().filter_map(Yaml::as_str).collect();
                    assert_eq!(allowed, choices.iter().copied().collect(), "{name}");
                }
                Range::Text(_) => {}
            }
        }
    }

    #[test]
    fn the_gateway_answers_in_the_words_of_the_contract() {
        let template = Template::read().unwrap();
        let mut worded = BTreeSet::new();
        for (kind, response) in &template.gateway_responses {
            let problem: Problem = serde_json::from_str(&response.body).unwrap();
            let code = ErrorCode::ALL.iter().find(|code| code.as_str() == problem.code).unwrap();
            assert_eq!(response.status, code.status(), "{kind}");
            assert_eq!(problem.status, code.status(), "{kind}");
            assert_eq!(problem.detail, code.sentence(), "{kind}");
            worded.insert(*code);
        }
        // A status here would replace that of every 4xx that is not worded.
        let document: Yaml = serde_yaml_ng::from_str(TEXT).unwrap();
        let responses = &document["Resources"]["Api"]["Properties"]["GatewayResponses"];
        assert!(responses["DEFAULT_4XX"]["StatusCode"].is_null());
        let of_gateway = ErrorCode::ALL.iter().filter(|it| it.answerer() == Answerer::Gateway);
        for code in of_gateway {
            assert!(worded.contains(code), "{code:?}");
        }
    }
}
