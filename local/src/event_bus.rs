//! EventBridge's part: events, whoever publishes them, and patterns of those that somebody wants.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use share_store::Clock;
use tokio::sync::{broadcast, mpsc, watch};
use uuid::Uuid;

/// The account of this machine, in events.
pub(crate) const ACCOUNT: &str = "000000000000";

/// How many events a watcher can be behind.
const WATCHED_EVENTS: usize = 1024;

/// Something that happened.
pub(crate) struct Event {
    pub(crate) at: Timestamp,
    /// Which service says so, for example `aws.s3`.
    pub(crate) source: &'static str,
    pub(crate) detail_type: &'static str,
    /// The ARN of what it happened to.
    pub(crate) resource: String,
    pub(crate) detail: Value,
}

/// An event on its way to whoever wants it.
pub(crate) struct Published {
    pub(crate) event: Map<String, Value>,
    /// Held until it has been delivered.
    pub(crate) in_flight: Entered,
}

/// Takes events. All clones are the same bus.
#[derive(Clone)]
pub(crate) struct EventBus {
    sender: mpsc::UnboundedSender<Published>,
    watchers: broadcast::Sender<Map<String, Value>>,
    /// What has been published and not yet been dealt with.
    in_flight: Counter,
    clock: Clock,
    region: String,
}

impl EventBus {
    /// A bus, and what comes out of it.
    pub(crate) fn new(clock: Clock, region: String) -> (Self, mpsc::UnboundedReceiver<Published>) {
        let (sender, published) = mpsc::unbounded_channel();
        let watchers = broadcast::Sender::new(WATCHED_EVENTS);
        (Self { sender, watchers, in_flight: Counter::default(), clock, region }, published)
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    pub(crate) fn in_flight(&self) -> &Counter {
        &self.in_flight
    }

    /// All events from now on.
    pub(crate) fn watch(&self) -> broadcast::Receiver<Map<String, Value>> {
        self.watchers.subscribe()
    }

    pub(crate) fn publish(&self, event: Event) {
        let event = self.envelope(event);
        // Without anybody to see it, it is gone.
        let _ = self.watchers.send(event.clone());
        let _ = self.sender.send(Published { event, in_flight: self.in_flight.enter() });
    }

    /// An event as EventBridge delivers it.
    pub(crate) fn envelope(&self, event: Event) -> Map<String, Value> {
        let Event { at, source, detail_type, resource, detail } = event;
        let fields = [
            ("version", "0".into()),
            ("id", Uuid::new_v4().to_string().into()),
            ("detail-type", detail_type.into()),
            ("source", source.into()),
            ("account", ACCOUNT.into()),
            // In whole seconds.
            ("time", Timestamp::from_second(at.as_second()).unwrap_or(at).to_string().into()),
            ("region", self.region.clone().into()),
            ("resources", json!([resource])),
            ("detail", detail),
        ];
        fields.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
    }
}

/// Counts what is under way.
#[derive(Clone, Default)]
pub(crate) struct Counter(watch::Sender<usize>);

/// One that is under way, until it is dropped.
pub(crate) struct Entered(watch::Sender<usize>);

impl Counter {
    pub(crate) fn enter(&self) -> Entered {
        self.0.send_modify(|count| *count += 1);
        Entered(self.0.clone())
    }

    /// Waits until nothing is under way.
    pub(crate) async fn until_none(&self) {
        // Fails only without a sender, and this is one.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }

    /// Waits until something is under way.
    pub(crate) async fn until_some(&self) {
        let _ = self.0.subscribe().wait_for(|count| *count > 0).await;
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// Which events a rule wants: those that have, in each of its fields, one of its values.
///
/// Of EventBridge's patterns this knows values and nested fields. Whatever else there is in a
/// pattern is an error, so that no rule works otherwise here than on AWS.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pattern(BTreeMap<String, Wanted>);

#[derive(Clone, Debug, PartialEq)]
enum Wanted {
    OneOf(Vec<Value>),
    Within(Pattern),
}

impl Pattern {
    pub(crate) fn parse(pattern: &Value) -> anyhow::Result<Self> {
        let fields = pattern.as_object().filter(|fields| !fields.is_empty());
        let fields = fields.context("a pattern is an object that is not empty")?;
        let fields = fields.iter().map(|(name, wanted)| {
            let wanted = match wanted {
                Value::Array(values) if !values.is_empty() => {
                    if let Some(value) = values.iter().find(|it| it.is_object() || it.is_array()) {
                        bail!("the pattern's {name} has {value}, which is not known here");
                    }
                    Wanted::OneOf(values.clone())
                }
                Value::Object(_) => Wanted::Within(Self::parse(wanted)?),
                _ => bail!("the pattern's {name} is neither a list of values nor fields"),
            };
            Ok((name.clone(), wanted))
        });
        Ok(Self(fields.collect::<anyhow::Result<_>>()?))
    }

    /// Whether an event has all of this.
    pub(crate) fn matches(&self, event: &Map<String, Value>) -> bool {
        self.0.iter().all(|(name, wanted)| match (wanted, event.get(name)) {
            (Wanted::OneOf(values), Some(Value::Array(items))) => {
                items.iter().any(|item| values.contains(item))
            }
            (Wanted::OneOf(values), Some(value)) => values.contains(value),
            (Wanted::Within(pattern), Some(Value::Object(fields))) => pattern.matches(fields),
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_wants_one_of_its_values_in_each_of_its_fields() {
        let pattern = Pattern::parse(&json!({
            "source": ["aws.s3"],
            "detail-type": ["Object Created", "Object Deleted"],
            "resources": ["arn:aws:s3:::files"],
            "detail": { "bucket": { "name": ["files"] }, "object": { "size": [5] } },
        }));
        let pattern = pattern.unwrap();
        let event = json!({
            "source": "aws.s3",
            "detail-type": "Object Created",
            "resources": ["arn:aws:s3:::others", "arn:aws:s3:::files"],
            "detail": { "bucket": { "name": "files" }, "object": { "key": "a", "size": 5 } },
        });
        let matches = |event: &Value| pattern.matches(event.as_object().unwrap());
        assert!(matches(&event));
        let others = [
            ("/source", json!("aws.guardduty")),
            ("/detail-type", json!("Object Restored")),
            ("/resources", json!([])),
            ("/detail", json!("files")),
            ("/detail/bucket", json!({})),
            ("/detail/bucket/name", json!("others")),
            ("/detail/object/size", json!("5")),
        ];
        for (field, value) in others {
            let mut other = event.clone();
            *other.pointer_mut(field).unwrap() = value;
            assert!(!matches(&other), "{field}");
        }
    }

    #[test]
    fn a_pattern_of_which_something_is_not_known_is_refused() {
        for pattern in [
            json!({}),
            json!([]),
            json!({ "source": [] }),
            json!({ "source": "aws.s3" }),
            json!({ "detail": {} }),
            json!({ "detail": { "key": [{ "prefix": "a" }] } }),
            json!({ "$or": [{ "source": ["aws.s3"] }] }),
        ] {
            assert!(Pattern::parse(&pattern).is_err(), "{pattern}");
        }
    }
}
