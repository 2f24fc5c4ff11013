//! What is limited, and that nobody is locked out by what others do.
//!
//! Requests from 127.0.0.1 have no source that counts, as with `cargo run`. Those from other
//! addresses of this machine have.

use futures_util::future::join_all;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use share_e2e::answer::Answer;
use share_e2e::api::{Api, local_password, password_for};
use share_e2e::mail_server::MailServer;
use share_e2e::store::new_secret;
use share_e2e::{Ops, Scene, World, routes, send};
use share_model::limits::{
    DOWNLOAD_MAILS, FILE_MAILS, GUESSES_FROM_SOURCE, GUESSES_OF_NAME, GUESSES_OF_NAME_FROM_SOURCE,
    INVITATION_MAILS, LINKS, Limit, MAILS_FROM_SOURCE, RESET_MAILS, SIGNUP_MAILS,
    SIGNUPS_FROM_SOURCE, TOKENS_FROM_SOURCE, UPLOADS, VERIFICATION_MAILS,
};
use tempfile::TempDir;

use crate::SERVER;

/// How many ask at the same moment.
const CLIENTS: usize = 64;

/// Where a stranger and the owner of an account are.
const STRANGER: &str = "127.0.0.2";
const OWNER: &str = "127.0.0.3";

const CLIENT: (&str, &str) = ("username", "client");

/// A world at the beginning of a day and of an hour, so that no test lasts into the next one.
async fn world() -> World {
    let world = World::start().await;
    world.begin_day();
    world
}

async fn guess(api: &Api, who: (&str, &str)) -> Answer {
    api.login("client", who, "a wrong password").await
}

async fn right(api: &Api) -> Answer {
    api.login("client", CLIENT, &local_password("client")).await
}

async fn change_password(api: &Api, access: &str, current: &str) -> Answer {
    let body = json!({"current": current, "new": "a password of my own"});
    api.post_as(routes::PASSWORD, access, &body).await
}

/// That `limit` lets `whom` do what it limits, so and so often in all, and then no more until the
/// next window.
async fn limits(
    world: &World,
    limit: &Limit,
    whom: &str,
    code: &str,
    attempt: impl AsyncFn() -> Answer,
    done: u16,
) {
    world.store.set_count(limit, whom, limit.most - 2, world.now()).await;
    attempt().await.is(done);
    assert_eq!(world.store.count(limit, whom, world.now()).await, u64::from(limit.most) - 1);
    attempt().await.is(done);
    let before = world.stored().await;
    let left = limit.window_end(world.now()) - world.now().as_second();
    assert_eq!(attempt().await.limited(code), left);
    world.unchanged(&before).await;
    world.pass(left - 1);
    assert_eq!(attempt().await.limited(code), 1);
    world.pass(1);
    attempt().await.is(done);
    assert_eq!(world.store.count(limit, whom, world.now()).await, 1);
}

#[tokio::test]
async fn after_ten_wrong_passwords_each_further_one_waits_twice_as_long_and_a_right_one_too() {
    let world = world().await;
    let stranger = world.from(STRANGER);
    for _ in 0..10 {
        guess(&stranger, CLIENT).await.refused(401, "invalid_credentials");
    }
    for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
        assert_eq!(guess(&stranger, CLIENT).await.limited("too_many_guesses"), wait);
        assert_eq!(right(&stranger).await.limited("too_many_guesses"), wait);
        world.pass(wait - 1);
        assert_eq!(right(&stranger).await.limited("too_many_guesses"), 1);
        world.pass(1);
        guess(&stranger, CLIENT).await.refused(401, "invalid_credentials");
    }
    world.pass(300);
    right(&stranger).await.is(200);
    right(&stranger).await.is(200);
}

#[tokio::test]
async fn a_right_password_does_not_count() {
    let world = world().await;
    let api = world.from(STRANGER);
    for _ in 0..12 {
        right(&api).await.is(200);
    }
    let (now, both) = (world.now(), format!("{STRANGER} client"));
    assert_eq!(world.store.count(&GUESSES_FROM_SOURCE, STRANGER, now).await, 0);
    assert_eq!(world.store.count(&GUESSES_OF_NAME, "client", now).await, 0);
    assert_eq!(world.store.count(&GUESSES_OF_NAME_FROM_SOURCE, &both, now).await, 0);
}

#[tokio::test]
async fn strangers_cannot_keep_out_the_owner_of_an_account() {
    let world = world().await;
    let owner = world.from(OWNER);
    // As many sources as it takes have guessed.
    world.store.set_count(&GUESSES_OF_NAME, "client", 1_000_000, world.now()).await;
    let stranger = world.from(STRANGER);
    guess(&stranger, CLIENT).await.refused(401, "invalid_credentials");
    guess(&stranger, CLIENT).await.limited("too_many_guesses");
    right(&stranger).await.limited("too_many_guesses");
    for _ in 0..3 {
        right(&owner).await.is(200);
    }
    // The owner's own mistakes cost a second, then two.
    guess(&owner, CLIENT).await.refused(401, "invalid_credentials");
    assert_eq!(right(&owner).await.limited("too_many_guesses"), 1);
    world.pass(1);
    right(&owner).await.is(200);
}

#[tokio::test]
async fn when_a_hundred_wrong_passwords_for_a_name_came_from_many_sources_each_has_one_guess() {
    let world = world().await;
    world.store.set_count(&GUESSES_OF_NAME, "client", 98, world.now()).await;
    for (source, guesses) in [("127.0.0.4", 2), ("127.0.0.5", 1), ("127.0.0.6", 1)] {
        let api = world.from(source);
        for _ in 0..guesses {
            guess(&api, CLIENT).await.refused(401, "invalid_credentials");
        }
        if guesses == 1 {
            assert_eq!(guess(&api, CLIENT).await.limited("too_many_guesses"), 1, "{source}");
        }
    }
    guess(&world.from("127.0.0.5"), ("username", "ops")).await.refused(401, "invalid_credentials");
}

#[tokio::test]
async fn strangers_cannot_keep_the_owner_from_what_needs_the_password_again() {
    let world = world().await;
    // Also at the owner's own address.
    let api = world.from(STRANGER);
    let access = right(&api).await.is(200).field("access");
    let both = format!("{STRANGER} client");
    let now = world.now();
    world.store.set_count(&GUESSES_OF_NAME, "client", 1_000_000, now).await;
    world.store.set_count(&GUESSES_OF_NAME_FROM_SOURCE, &both, 10_000, now).await;
    world.store.set_count(&GUESSES_FROM_SOURCE, STRANGER, 100, now).await;
    right(&api).await.limited("too_many_guesses");
    change_password(&api, &access, &local_password("client")).await.is(204);
}

#[tokio::test]
async fn a_session_has_ten_wrong_passwords_a_day_from_all_sources_and_another_one_has_its_own() {
    let world = world().await;
    let thief = world.from(STRANGER);
    let access = right(&thief).await.is(200).field("access");
    for source in [STRANGER, "127.0.0.4"].into_iter().cycle().take(10) {
        let api = world.from(source);
        change_password(&api, &access, "a wrong password").await.refused(403, "wrong_password");
    }
    for wait in [1, 2, 4] {
        let guess = async || change_password(&thief, &access, "a wrong password").await;
        assert_eq!(guess().await.limited("too_many_guesses"), wait);
        world.pass(wait);
        guess().await.refused(403, "wrong_password");
    }
    let own = right(&world.from(OWNER)).await.is(200).field("access");
    let right = local_password("client");
    assert_eq!(change_password(&thief, &access, &right).await.limited("too_many_guesses"), 8);
    change_password(&thief, &own, &right).await.is(204);
}

#[tokio::test]
async fn a_source_has_a_hundred_wrong_passwords_an_hour_whatever_the_names() {
    let world = world().await;
    let stranger = world.from(STRANGER);
    let number = std::cell::Cell::new(0);
    let attempt = async || {
        number.set(number.get() + 1);
        guess(&stranger, ("username", &format!("nobody{}", number.get()))).await
    };
    limits(&world, &GUESSES_FROM_SOURCE, STRANGER, "too_many_guesses", attempt, 401).await;
    world.store.set_count(&GUESSES_FROM_SOURCE, STRANGER, 100, world.now()).await;
    right(&stranger).await.limited("too_many_guesses");
    right(&world.from(OWNER)).await.is(200);
}

#[tokio::test]
async fn names_and_addresses_that_nobody_has_count_as_others_do() {
    let world = world().await;
    let mut answers = Vec::new();
    let unknown =
        [("username", "nobody"), ("email", "nobody@example.com"), ("username", "no name")];
    let known = [CLIENT, ("email", "client@example.com")];
    for (number, who) in known.into_iter().chain(unknown).enumerate() {
        let api = world.from(&format!("127.0.1.{}", number + 1));
        let mut told = Vec::new();
        for _ in 0..12 {
            let answer = guess(&api, who).await;
            told.push((answer.status, answer.code(), answer.header("retry-after").to_owned()));
        }
        answers.push(told);
    }
    assert_eq!(answers[0].last().unwrap().1, "too_many_guesses");
    assert!(answers.iter().all(|told| *told == answers[0]), "{answers:#?}");
}

#[tokio::test]
async fn a_name_is_one_name_however_it_is_written() {
    let world = world().await;
    let api = world.from(STRANGER);
    for who in ["client", "CLIENT", "Client"].into_iter().cycle().take(10) {
        guess(&api, ("username", who)).await.refused(401, "invalid_credentials");
    }
    guess(&api, ("username", "cLIENT")).await.limited("too_many_guesses");
    guess(&api, ("username", "other")).await.refused(401, "invalid_credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_wrong_passwords_at_the_same_moment_exactly_ten_are_compared() {
    let world = world().await;
    let api = world.from(STRANGER);
    let answers = join_all((0..CLIENTS).map(|_| guess(&api, CLIENT))).await;
    let compared = answers.iter().filter(|it| it.code() == "invalid_credentials").count();
    let refused = answers.iter().filter(|it| it.code() == "too_many_guesses").count();
    assert_eq!((compared, refused), (10, CLIENTS - 10));
    let both = format!("{STRANGER} client");
    let now = world.now();
    assert_eq!(world.store.count(&GUESSES_OF_NAME_FROM_SOURCE, &both, now).await, 10);
    assert_eq!(world.store.count(&GUESSES_FROM_SOURCE, STRANGER, now).await, 10);
    assert_eq!(world.store.count(&GUESSES_OF_NAME, "client", now).await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_links_at_the_same_moment_exactly_as_many_are_made_as_are_left() {
    let scene = Scene::in_world(world().await).await;
    let client = scene.store.user_named("client").await;
    scene.store.set_count(&LINKS, &client, LINKS.most - 40, scene.now()).await;
    let before = scene.stored().await.link_records();
    let path = routes::generate_link(&scene.file);
    let terms = json!({});
    let ask = |_| scene.post_as(&path, &scene.client, &terms);
    let answers = join_all((0..CLIENTS).map(ask)).await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|it| it.status == 201);
    assert_eq!(made.len(), 40);
    for answer in refused {
        answer.limited("too_many_links");
    }
    assert_eq!(scene.stored().await.link_records(), before + 80, "a link and a token each");
}

#[tokio::test]
async fn a_request_whose_clock_is_behind_that_of_the_one_before_is_not_refused() {
    let scene = Scene::in_world(world().await).await;
    let client = scene.store.user_named("client").await;
    let ahead = scene.now() + jiff::SignedDuration::from_secs(60);
    scene.store.set_count(&LINKS, &client, 5, ahead).await;
    scene.plain_link().await;
}

#[tokio::test]
async fn an_account_makes_ten_thousand_links_a_day() {
    let mut scene = Scene::in_world(world().await).await;
    let client = scene.store.user_named("client").await;
    let path = routes::generate_link(&scene.file);
    scene.store.set_count(&LINKS, &client, 9_999, scene.now()).await;
    scene.post_as(&path, &scene.client, &json!({})).await.is(201);
    let by_body = json!({"file_id": scene.file});
    let before = scene.stored().await;
    for (path, body) in [(&*path, &json!({})), (routes::GENERATE_LINK_BY_BODY, &by_body)] {
        let left = LINKS.window_end(scene.now()) - scene.now().as_second();
        let wait = scene.post_as(path, &scene.client, body).await.limited("too_many_links");
        assert_eq!(wait, left);
    }
    scene.unchanged(&before).await;
    let another = scene.another_client("anna").await;
    scene.post_as(&path, &another, &json!({})).await.is(201);
    scene.pass_until(LINKS.window_end(scene.now()));
    scene.client = scene.token("client").await;
    scene.post_as(&path, &scene.client, &json!({})).await.is(201);
}

#[tokio::test]
async fn an_account_begins_ten_thousand_uploads_and_imports_a_day() {
    let scene = Scene::in_world(world().await).await;
    let ops = scene.store.user_named("ops").await;
    let targets = scene.targets().await;
    for (method, path) in
        [("POST", routes::UPLOAD), ("POST", routes::UPLOADS), ("POST", routes::IMPORTS)]
    {
        let ask = async || {
            let request = scene.call(method, path, &targets).bearer_auth(&scene.ops);
            send(request).await
        };
        scene.store.set_count(&UPLOADS, &ops, 9_999, scene.now()).await;
        assert!(ask().await.status.is_success(), "{path}");
        let before = scene.stored().await;
        let left = UPLOADS.window_end(scene.now()) - scene.now().as_second();
        assert_eq!(ask().await.limited("too_many_uploads"), left, "{path}");
        scene.unchanged(&before).await;
    }
    let body = json!({"file_url": "https://127.0.0.1:9/note.txt"});
    let fetch = scene.post_as(routes::UPLOAD, &scene.ops, &body).await;
    fetch.limited("too_many_uploads");
}

#[tokio::test]
async fn a_source_signs_up_twenty_times_an_hour() {
    let world = world().await;
    let api = world.from(STRANGER);
    let number = std::cell::Cell::new(0);
    let attempt = async || {
        number.set(number.get() + 1);
        let name = format!("someone{}", number.get());
        let body = json!({"username": name, "email": format!("{name}@example.org"),
            "password": password_for(&name)});
        api.post(routes::SIGNUP, &body).await
    };
    limits(&world, &SIGNUPS_FROM_SOURCE, STRANGER, "too_many_signups", attempt, 201).await;
    world.store.set_count(&SIGNUPS_FROM_SOURCE, STRANGER, 20, world.now()).await;
    attempt().await.limited("too_many_signups");
    world.from(OWNER).sign_up("anna").await;
}

#[tokio::test]
async fn a_source_asks_twenty_times_an_hour_for_a_reset_or_another_verification_link() {
    let world = world().await;
    let stranger = world.from(STRANGER);
    let number = std::cell::Cell::new(0);
    let attempt = async || {
        number.set(number.get() + 1);
        let path = [routes::PASSWORD_RESET, routes::VERIFICATION][number.get() % 2];
        let address = format!("someone{}@example.org", number.get());
        stranger.post(path, &json!({"email": address})).await
    };
    limits(&world, &MAILS_FROM_SOURCE, STRANGER, "too_many_mails", attempt, 202).await;
    world.store.set_count(&MAILS_FROM_SOURCE, STRANGER, 20, world.now()).await;
    let known = json!({"email": "client@example.com"});
    for path in [routes::PASSWORD_RESET, routes::VERIFICATION] {
        stranger.post(path, &known).await.limited("too_many_mails");
        world.from(OWNER).post(path, &known).await.is(202);
    }
}

#[tokio::test]
async fn three_mails_a_day_of_a_reset_and_three_of_another_verification_link_go_to_an_address() {
    let (world, mails) = World::with_mails().await;
    world.begin_day();
    let sign_up = json!({"username": "early", "email": "early@example.org",
        "password": password_for("early")});
    world.post(routes::SIGNUP, &sign_up).await.is(201);
    for (path, limit) in
        [(routes::PASSWORD_RESET, &RESET_MAILS), (routes::VERIFICATION, &VERIFICATION_MAILS)]
    {
        let mut answers = Vec::new();
        for address in ["client@example.com", "early@example.org", "nobody@example.org"] {
            let mut ask = async |mailed: usize| {
                let (before, taken) = (world.stored().await, mails.mails().len());
                let answer = world.post(path, &json!({"email": address})).await;
                assert_eq!(mails.mails().len(), taken + mailed, "{address} at {path}");
                if mailed == 0 {
                    world.unchanged(&before).await;
                }
                let mut headers = answer.is(202).headers.clone();
                headers.remove("date");
                answers.push((headers, answer.text()));
            };
            // The second one, the third, and one too many.
            for (taken, mailed) in [(1, 1), (2, 1), (3, 0)] {
                world.store.set_count(limit, address, taken, world.now()).await;
                ask(mailed).await;
            }
            world.store.set_count(limit, address, 2, world.now()).await;
            ask(1).await;
            ask(0).await;
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
        // Both kinds are counted apart, and the next day anew.
        world.begin_day();
        let taken = mails.mails().len();
        world.post(path, &json!({"email": "client@example.com"})).await.is(202);
        assert_eq!(mails.mails().len(), taken + 1);
    }
}

#[tokio::test]
async fn a_source_presents_a_hundred_unknown_tokens_an_hour_and_a_right_one_whenever_it_likes() {
    let scene = world().await;
    let api = scene.from(STRANGER);
    let unknown = new_secret();
    let get = Method::GET;
    let attempt = async || send(api.request(Method::POST, &routes::verify_page(&unknown))).await;
    limits(&scene, &TOKENS_FROM_SOURCE, STRANGER, "too_many_guesses", attempt, 404).await;
    let verification = scene.sign_up("anna").await;
    let invitation = routes::set_password(&scene.invitation("otto").await);
    let (file, client) = (scene.some_file().await, scene.token("client").await);
    let link = scene.link(&file, &client).await;
    scene.store.set_count(&TOKENS_FROM_SOURCE, STRANGER, 100, scene.now()).await;
    for path in [
        routes::verify_page(&unknown),
        routes::set_password(&unknown),
        format!("{}?token={unknown}", routes::VERIFY_EMAIL),
        format!("{}?token={unknown}", routes::DOWNLOAD),
        format!("{}?token={unknown}", routes::DOWNLOAD_PAGE),
        format!("{}?token=no-token", routes::DOWNLOAD),
    ] {
        send(api.request(get.clone(), &path)).await.limited("too_many_guesses");
    }
    api.open(&verification).await.is(200);
    send(api.request(get, &invitation)).await.is_page(200);
    api.open(&link).await.is_file(b"a note");
    let own = scene.from(OWNER);
    let path = routes::verify_page(&unknown);
    send(own.request(Method::GET, &path)).await.refused(404, "verification_unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn three_mails_a_day_go_to_an_address_with_which_somebody_signs_up_and_the_answer_is_the_same()
 {
    let data = TempDir::new().unwrap();
    let mail_server = MailServer::start().await;
    let server = SERVER.start_with(&mail_server.variables(), data.path());
    let sign_ups = async |address: &str, prefix: &str| {
        let mut answers = Vec::new();
        for number in 0..4 {
            let name = format!("{prefix}{number}");
            let body = json!({"username": name, "email": address, "password": password_for(&name)});
            let answer = server.api.post(routes::SIGNUP, &body).await;
            let told: Value = answer.json();
            let told = [&told["code"], &told["message"]].map(ToString::to_string);
            answers.push((answer.status.as_u16(), told));
        }
        answers
    };
    let known = sign_ups("client@example.com", "known").await;
    let unknown = sign_ups("anna@example.org", "unknown").await;
    assert!(known.iter().chain(&unknown).all(|it| *it == known[0] && it.0 == 201), "{known:?}");
    let refused = sign_ups("refused@example.org", "refused").await;
    assert!(refused.iter().all(|it| it.0 == 503), "what fails does not count: {refused:?}");
    let to = |address| mail_server.mails().iter().filter(|mail| mail.to == address).count();
    assert_eq!((to("client@example.com"), to("anna@example.org")), (3, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn recipients_and_uploaders_get_so_many_mails_a_day_and_the_files_all_the_same() {
    let world = World::start().await;
    for (limit, address, taken) in [
        (&FILE_MAILS, "client@example.com", FILE_MAILS.most - 1),
        (&INVITATION_MAILS, "anna@example.org", INVITATION_MAILS.most - 1),
        (&INVITATION_MAILS, "otto@example.org", INVITATION_MAILS.most),
        (&DOWNLOAD_MAILS, "ops@example.com", DOWNLOAD_MAILS.most - 1),
    ] {
        // The next day too, which may begin meanwhile.
        for day in [0, 1] {
            let at = world.now() + SignedDuration::from_hours(24 * day);
            world.store.set_count(limit, address, taken, at).await;
        }
    }
    let data = world.stop().await;
    let mail_server = MailServer::start().await;
    let server = SERVER.start_with(&mail_server.variables(), data.path());
    let (ops, client) = (Ops::of(&server.api).await, server.api.token("client").await);
    let terms = json!({"recipients": ["client", "anna@example.org", "otto@example.org"],
        "notify_recipients": true, "notify": true});
    for number in 0..2 {
        let file = ops.file(&format!("{number}.txt"), &terms).await;
        let link = server.api.link(&file, &client).await;
        server.api.open(&link).await.is_file(b"a note");
    }
    mail_server.has_taken(3).await;
    let mails = mail_server.mails();
    let sent: Vec<_> = mails.iter().map(|mail| (&*mail.to, &*mail.subject)).collect();
    assert_eq!(
        sent,
        [
            ("anna@example.org", "You are invited"),
            ("client@example.com", "A file for you"),
            ("ops@example.com", "Your file was downloaded"),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_an_administrator_creates_is_never_limited() {
    let world = World::start().await;
    for limit in [&SIGNUP_MAILS, &INVITATION_MAILS] {
        world.store.set_count(limit, "anna@example.org", 1000, world.now()).await;
    }
    let data = world.stop().await;
    let finished = SERVER.run(&["create-account", "anna", "anna@example.org"], data.path());
    assert_eq!(finished.code, Some(0), "{}", finished.err);
    assert!(finished.out.contains("/set-password?token="), "{}", finished.out);
}

#[tokio::test]
async fn after_three_mails_for_a_reset_one_more_is_sent_while_the_link_of_the_last_one_is_good() {
    let (world, mails) = World::with_mails().await;
    world.begin_day();
    let (address, ask) = ("client@example.com", json!({"email": "client@example.com"}));
    let sent = async || {
        world.post(routes::PASSWORD_RESET, &ask).await.is(202);
        mails.mails().iter().filter(|mail| mail.to == address).count()
    };
    for number in 1..=3 {
        assert_eq!(sent().await, number);
    }
    assert_eq!(sent().await, 3);
    world.pass(45 * 60 - 60);
    assert_eq!(sent().await, 3);
    world.pass(60);
    let last = mails.newest(address).token(routes::RESET_PASSWORD).to_owned();
    assert_eq!(sent().await, 4);
    assert_eq!(sent().await, 4);
    let newest = mails.newest(address).token(routes::RESET_PASSWORD).to_owned();
    let reset = async |token: &str| {
        let body = json!({"token": token, "password": "a password of my own"});
        world.post(routes::PASSWORD_RESET_CONFIRM, &body).await
    };
    reset(&last).await.refused(410, "password_reset_used");
    reset(&newest).await.is(200);
}
