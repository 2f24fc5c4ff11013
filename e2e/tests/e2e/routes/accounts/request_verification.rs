//! `POST /api/account/verification`.

use serde_json::json;
use share_e2e::{Answer, World, routes};

const ADDRESS: &str = "early@example.org";
const PASSWORD: &str = "a password for early";

async fn sign_up(world: &World) {
    let body = json!({"username": "early", "email": ADDRESS, "password": PASSWORD});
    world.post(routes::SIGNUP, &body).await.is(201);
}

async fn again(world: &World, address: &str) -> Answer {
    world.post(routes::VERIFICATION, &json!({"email": address})).await
}

async fn verify(world: &World, token: &str) -> Answer {
    world.post(&routes::verify_page(token), &json!({"password": PASSWORD})).await
}

#[tokio::test]
async fn a_new_link_replaces_the_one_before_and_lasts_for_another_day() {
    let (world, mails) = World::with_mails().await;
    sign_up(&world).await;
    let older = mails.newest(ADDRESS).token(routes::VERIFY_PAGE).to_owned();
    world.pass(24 * 60 * 60 - 60);
    again(&world, "Early@Example.org").await.is(202);
    let newer = mails.newest(ADDRESS).token(routes::VERIFY_PAGE).to_owned();
    let user = world.store.user_named("early").await;
    let end = Some(world.now().as_second() + 24 * 60 * 60);
    let [account, name] = world.store.forgotten_at(&user, "early").await;
    assert!(account == name && name <= end && name > end.map(|it| it - 10), "{account:?} {name:?}");
    verify(&world, &older).await.refused(404, "verification_unknown");
    world.pass(24 * 60 * 60 - 60);
    verify(&world, &newer).await.is(200);
    world.login("client", ("email", ADDRESS), PASSWORD).await.is(200);
    assert_eq!(world.store.forgotten_at(&user, "early").await, [None, None]);
    again(&world, ADDRESS).await.is(202);
    assert_eq!(mails.newest(ADDRESS).subject, "Your e-mail address is verified");
}

#[tokio::test]
async fn every_address_gets_the_same_answer_and_a_mail() {
    let (world, mails) = World::with_mails().await;
    sign_up(&world).await;
    let mut answers = Vec::new();
    for (address, subject) in [
        (ADDRESS, "Verify your e-mail address"),
        ("client@example.com", "Your e-mail address is verified"),
        ("nobody@example.org", "No account with this e-mail address"),
    ] {
        let answer = again(&world, address).await;
        let mail = mails.newest(address);
        assert_eq!(mail.subject, subject);
        assert_eq!(mail.text.contains("token="), address == ADDRESS, "{mail:?}");
        let mut headers = answer.is(202).headers.clone();
        headers.remove("date");
        answers.push((headers, answer.text()));
    }
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
}

#[tokio::test]
async fn a_link_that_a_stranger_asks_for_holds_no_address_against_its_owner() {
    let (world, mails) = World::with_mails().await;
    let thief = json!({"username": "thief", "email": "client@example.com", "password": PASSWORD});
    world.post(routes::SIGNUP, &thief).await.is(201);
    again(&world, "client@example.com").await.is(202);
    let mail = mails.newest("client@example.com");
    assert!(mail.subject == "Your e-mail address is verified", "{mail:?}");
    world.login("client", ("email", "client@example.com"), "local-client-password").await.is(200);
}

#[tokio::test]
async fn how_long_a_name_is_taken_does_not_tell_whether_the_address_is_known() {
    let (world, _mails) = World::with_mails().await;
    let mut ends = Vec::new();
    for (name, address) in [("early", ADDRESS), ("decoy", "client@example.com")] {
        let body = json!({"username": name, "email": address, "password": PASSWORD});
        world.post(routes::SIGNUP, &body).await.is(201);
    }
    world.pass(23 * 60 * 60);
    for (name, address) in [("early", ADDRESS), ("decoy", "client@example.com")] {
        again(&world, address).await.is(202);
        let user = world.store.user_named(name).await;
        ends.push(world.store.forgotten_at(&user, name).await);
    }
    world.pass(60 * 60 + 60);
    for name in ["early", "decoy"] {
        let body = json!({"username": name, "email": "third@example.org", "password": PASSWORD});
        world.post(routes::SIGNUP, &body).await.refused(409, "username_taken");
    }
    let [early, decoy] = [ends[0], ends[1]].map(|[account, name]| {
        assert!(account.is_some() && account == name, "{ends:?}");
        account.unwrap()
    });
    // The clock goes on with each request.
    assert!((0..5).contains(&(decoy - early)), "{ends:?}");
}

#[tokio::test]
async fn a_sign_up_that_has_lapsed_gets_no_further_link() {
    let (world, mails) = World::with_mails().await;
    sign_up(&world).await;
    world.pass(24 * 60 * 60);
    again(&world, ADDRESS).await.is(202);
    assert_eq!(mails.newest(ADDRESS).subject, "No account with this e-mail address");
}
