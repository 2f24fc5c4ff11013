//! What the log says of requests that are refused.

use std::fmt::Debug;
use std::sync::{Mutex, Once};

use serde_json::{Map, Value, json};
use share_e2e::access_token::AccessToken;
use share_e2e::{Answer, World, routes};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// The lines about requests to all servers of these tests since somebody began to read them.
static LINES: Mutex<Vec<Map<String, Value>>> = Mutex::new(Vec::new());

struct Lines;

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line(Map::new());
        event.record(&mut line);
        if line.0.contains_key("code") {
            LINES.lock().unwrap().push(line.0);
        }
    }
}

struct Line(Map<String, Value>);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }
}

fn read_the_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let lines = tracing_subscriber::registry().with(LevelFilter::INFO).with(Lines);
        tracing::subscriber::set_global_default(lines).unwrap();
    });
}

/// For whom the line about this refusal was, as far as it says.
fn named(answer: &Answer) -> Option<String> {
    let request = format!("{:?}", answer.json()["request_id"].as_str().unwrap());
    let lines = LINES.lock().unwrap();
    let of_request = |line: &&Map<String, Value>| line.get("request_id") == Some(&json!(request));
    let line = lines.iter().find(of_request).unwrap();
    assert_eq!(line["code"], format!("{:?}", answer.code()), "{line:?}");
    for text in ["client", "example.com", "nobody"] {
        let says = |value: &Value| value.as_str().unwrap().contains(text);
        let said = line.iter().filter(|(name, value)| *name != "path" && says(value));
        assert_eq!(said.count(), 0, "{line:?}");
    }
    line.get("user").map(|user| user.as_str().unwrap().to_owned())
}

#[tokio::test]
async fn the_line_of_a_refused_login_has_the_id_of_the_account_and_no_name() {
    read_the_log();
    let world = World::start().await;
    let token = world.token("client").await;
    let user = Some(AccessToken::read(&token).user());
    let guess = async |who| named(&world.login("client", who, "a wrong password").await);
    assert_eq!(guess(("username", "client")).await, user);
    assert_eq!(guess(("email", "client@example.com")).await, user);
    assert_eq!(guess(("username", "nobody")).await, None);
    assert_eq!(guess(("email", "nobody@example.com")).await, None);

    let factor = world.enrol(&token, "local-client-password").await;
    let challenge = world.challenge("client").await;
    let wrong = factor.app.wrong_code(world.now());
    assert_eq!(named(&world.login_with("client", &challenge, &wrong).await), user);
    assert_eq!(named(&world.login_with("client", "no challenge", &wrong).await), None);
}

#[tokio::test]
async fn the_line_of_a_request_that_is_not_for_the_account_has_its_id() {
    read_the_log();
    let world = World::start().await;
    let token = world.token("client").await;
    let user = Some(AccessToken::read(&token).user());
    assert_eq!(named(&world.get(routes::AUDIT, &token).await), user, "wrong_role");
    let body = json!({"current": "a wrong password", "new": "a password of my own"});
    assert_eq!(named(&world.post_as(routes::PASSWORD, &token, &body).await), user);
    assert_eq!(named(&world.get(routes::AUDIT, "").await), None);
    world.store.set_active(user.as_ref().unwrap(), false).await;
    assert_eq!(named(&world.get(routes::LIST_FILES, &token).await), user, "account_disabled");
}
