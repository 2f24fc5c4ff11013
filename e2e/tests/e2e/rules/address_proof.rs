//! An address belongs to whoever proves it, from that moment on. A sign-up that nobody has proven is
//! in nobody's way.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use share_e2e::api::password_for;
use share_e2e::scene::token_of;
use share_e2e::{Answer, World, routes, send};

use crate::SERVER;

const ADDRESS: &str = "owner@example.org";

/// Signs up as `name` with the owner's address; gives the answer.
async fn try_sign_up(world: &World, name: &str, password: &str) -> Answer {
    let body = json!({"username": name, "email": ADDRESS, "password": password});
    world.post(routes::SIGNUP, &body).await
}

/// The same; gives the address that proves it.
async fn sign_up(world: &World, name: &str, password: &str) -> String {
    try_sign_up(world, name, password).await.is(201).field("verification_url")
}

#[tokio::test]
async fn of_several_sign_ups_with_one_address_the_first_that_is_proven_has_it() {
    let world = World::start().await;
    let attackers = sign_up(&world, "mallory", "a password of mallory").await;
    let owners = sign_up(&world, "owner", "a password of the owner").await;
    world.open(&owners).await.is(200);
    let by_email = async |password| world.login("client", ("email", ADDRESS), password).await;
    by_email("a password of the owner").await.is(200);
    by_email("a password of mallory").await.refused(401, "invalid_credentials");

    let before = world.stored().await;
    let page = world.url(&routes::verify_page(token_of(&attackers)));
    for _ in 0..2 {
        world.open(&attackers).await.refused(409, "email_taken");
        let answer = world.http.post(&page).json(&json!({"password": "a password of mallory"}));
        send(answer).await.refused(409, "email_taken");
    }
    world.unchanged(&before).await;
    let login = world.login("client", ("username", "mallory"), "a password of mallory").await;
    login.refused(403, "email_not_verified");
    // And its owner can still have it deleted.
    send(world.http.post(&page).json(&json!({"decline": "yes"}))).await.is(200);
    by_email("a password of the owner").await.is(200);
}

#[tokio::test]
async fn a_sign_up_with_the_same_name_and_address_replaces_the_older_one_and_its_token() {
    let world = World::start().await;
    let first = sign_up(&world, "owner", "a password of mallory").await;
    let between = world.stored().await;
    let second = sign_up(&world, "Owner", "a password of the owner").await;
    let after = world.stored().await;
    assert_eq!(after.user_records(), between.user_records(), "one account, one name");
    assert_eq!(after.link_records(), between.link_records(), "one token");
    world.open(&first).await.refused(404, "verification_unknown");
    let by_name = async |password| world.login("client", ("username", "owner"), password).await;
    by_name("a password of mallory").await.refused(401, "invalid_credentials");
    by_name("a password of the owner").await.refused(403, "email_not_verified");
    world.open(&second).await.is(200);
    by_name("a password of the owner").await.is(200);
    // What is proven is not replaced.
    let before = world.stored().await;
    let answer = try_sign_up(&world, "owner", "a password of mallory").await;
    answer.refused(409, "username_taken");
    world.unchanged(&before).await;
}

#[tokio::test]
async fn whoever_signs_up_with_another_address_waits_for_the_name() {
    let world = World::start().await;
    sign_up(&world, "owner", "a password of the owner").await;
    let before = world.stored().await;
    let body = json!({"username": "Owner", "email": "mallory@example.org",
        "password": "a password of mallory"});
    world.post(routes::SIGNUP, &body).await.refused(409, "username_taken");
    world.unchanged(&before).await;
}

#[tokio::test]
async fn a_sign_up_expires_with_all_that_it_holds_unless_it_is_proven() {
    let world = World::start().await;
    let url = sign_up(&world, "owner", "a password of the owner").await;
    let user = world.store.user_named("owner").await;
    let [account, name] = world.store.forgotten_at(&user, "owner").await;
    let day = world.now().as_second() + 24 * 60 * 60;
    assert!(account.is_some_and(|at| (day - 1..=day).contains(&at)), "{account:?}, {day}");
    assert_eq!(name, account);
    world.open(&url).await.is(200);
    assert_eq!(world.store.forgotten_at(&user, "owner").await, [None, None]);
}

#[tokio::test]
async fn an_invitation_takes_the_name_of_a_sign_up_and_loses_to_who_proves_the_address() {
    let world = World::start().await;
    let squatters = world.sign_up("olga").await;
    let other = sign_up(&world, "mallory", "a password of mallory").await;
    let data = world.stop().await;
    let invite = |name: &str, address: &str| {
        let finished = SERVER.run(&["create-account", name, address], data.path());
        assert_eq!(finished.code, Some(0), "{}", finished.err);
        let link = finished.out.split_whitespace().find(|it| it.contains("/set-password?"));
        token_of(link.unwrap()).to_owned()
    };
    let olgas = invite("Olga", "olga@example.com");
    let owners = invite("owner", ADDRESS);
    let server = SERVER.start(data.path());
    let api = &server.api;
    let accept = async |token: &str| {
        let request = api.request(Method::POST, &routes::set_password(token));
        send(request.json(&json!({"password": "a password of my own"}))).await
    };
    let verify = async |url: &str| {
        let path = format!("{}?token={}", routes::VERIFY_EMAIL, token_of(url));
        send(api.request(Method::GET, &path)).await
    };
    verify(&squatters).await.refused(404, "verification_unknown");
    accept(&olgas).await.is(200);
    api.login("ops", ("username", "olga"), "a password of my own").await.is(200);
    // A name in an invitation yields to no sign-up.
    let body = json!({"username": "owner", "email": ADDRESS, "password": "a password of mallory"});
    api.post(routes::SIGNUP, &body).await.refused(409, "username_taken");

    verify(&other).await.is(200);
    accept(&owners).await.refused(409, "email_taken");
    api.login("client", ("email", ADDRESS), "a password of mallory").await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sign_ups_with_one_address_that_are_proven_at_the_same_moment_one_wins() {
    let world = World::start().await;
    for round in 0..10 {
        let address = format!("contested{round}@example.org");
        let urls = join_all((0..8).map(async |rival| {
            let name = format!("rival{round}-{rival}");
            let body = json!({"username": name, "email": address, "password": "a long password"});
            world.post(routes::SIGNUP, &body).await.is(201).field("verification_url")
        }));
        let urls = urls.await;
        let answers = join_all(urls.iter().map(|url| world.open(url))).await;
        let won = answers.iter().filter(|answer| answer.status == 200).count();
        let lost = answers.iter().filter(|answer| answer.code() == "email_taken").count();
        assert_eq!((won, lost), (1, 7), "round {round}: {answers:?}");
        world.login("client", ("email", &address), "a long password").await.is(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_proof_and_a_refusal_at_the_same_moment_one_wins() {
    let world = World::start().await;
    for round in 0..20 {
        let name = format!("racer{round}");
        let url = world.sign_up(&name).await;
        let page = world.url(&routes::verify_page(token_of(&url)));
        let decline = send(world.http.post(&page).json(&json!({"decline": "yes"})));
        let (proof, refusal) = tokio::join!(world.open(&url), decline);
        assert_ne!(proof.status == 200, refusal.status == 200, "{proof:?} {refusal:?}");
        let login = world.login("client", ("username", &name), &password_for(&name)).await;
        assert_eq!(login.status == 200, proof.status == 200, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_proof_and_a_sign_up_that_replaces_it_at_the_same_moment_one_wins() {
    let world = World::start().await;
    for round in 0..20 {
        let name = format!("racer{round}");
        let url = world.sign_up(&name).await;
        let newer = json!({"username": name, "email": format!("{name}@example.org"),
            "password": "a newer password"});
        let (proof, newer) = tokio::join!(world.open(&url), world.post(routes::SIGNUP, &newer));
        if proof.status == 200 {
            newer.refused(409, "username_taken");
            let login = world.login("client", ("username", &name), &password_for(&name)).await;
            login.is(200);
        } else {
            world.open(&url).await.refused(404, "verification_unknown");
            world.open(&newer.is(201).field("verification_url")).await.is(200);
            let login = world.login("client", ("username", &name), "a newer password").await;
            login.is(200);
        }
    }
}
