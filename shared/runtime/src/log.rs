//! The log of a Lambda function: a JSON object a line, with metrics where there is something to
//! count.

use std::fmt::{Debug, Write as _};
use std::io::Write as _;

use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// The namespace of the metrics in CloudWatch.
const NAMESPACE: &str = "SecureFileShare";

/// Writes events to standard output from now on. `function` is the function's name.
pub(crate) fn start(function: String) {
    tracing_subscriber::registry().with(JsonLines { function }).init();
}

struct JsonLines {
    function: String,
}

impl<S: Subscriber> Layer<S> for JsonLines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // The libraries' own chatter begins at DEBUG.
        if *event.metadata().level() > Level::INFO {
            return;
        }
        let mut line = Line(Map::new());
        line.0.insert("timestamp".to_owned(), crate::clock().to_string().into());
        line.0.insert("level".to_owned(), event.metadata().level().as_str().into());
        line.0.insert("function".to_owned(), self.function.as_str().into());
        event.record(&mut line);
        if let Some(Value::String(metric)) = line.0.remove("metric").filter(|it| it != "") {
            line.count(&metric);
        }
        let mut text = String::new();
        // Writing to a string cannot fail; a closed standard output is nobody's to report.
        let _ = writeln!(text, "{}", Value::Object(line.0));
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
    }
}

struct Line(Map<String, Value>);

impl Line {
    /// Makes the line a document of CloudWatch's Embedded Metric Format.
    fn count(&mut self, metric: &str) {
        let directive = json!({
            "Timestamp": crate::clock().as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["function"]],
                "Metrics": [{ "Name": metric, "Unit": "Count" }],
            }],
        });
        self.0.insert("_aws".to_owned(), directive);
        self.0.insert(metric.to_owned(), 1.into());
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}
