//! `DELETE /api/account/totp`.

use share_e2e::World;
use share_e2e::api::local_password;

#[tokio::test]
async fn password_and_code_together_remove_the_factor_and_neither_does_alone() {
    let world = World::start().await;
    let (token, password) = (world.token("client").await, local_password("client"));
    let missing = world.delete_totp(&token, &password, "123456").await;
    missing.refused(409, "second_factor_missing");
    world.create_totp(&token, &password).await;
    let pending = world.delete_totp(&token, &password, "123456").await;
    pending.refused(409, "second_factor_missing");

    let factor = world.enrol(&token, &password).await;
    let now = world.now();
    let (right, wrong) = (factor.app.code(now), factor.app.wrong_code(now));
    let delete = async |password: &str, code: &str| world.delete_totp(&token, password, code).await;
    delete("not the password", &right).await.refused(403, "wrong_password");
    delete(&password, &wrong).await.refused(403, "wrong_code");
    world.challenge("client").await;
    delete(&password, &right).await.is_empty(204);
    world.login("client", ("username", "client"), &password).await.is(200);
    delete(&password, &right).await.refused(409, "second_factor_missing");
}

#[tokio::test]
async fn a_recovery_code_does_for_who_has_lost_the_app_and_a_new_app_can_be_set_up() {
    let world = World::start().await;
    let (token, password) = (world.token("ops").await, local_password("ops"));
    let factor = world.enrol(&token, &password).await;
    world.delete_totp(&token, &password, &factor.codes[3]).await.is_empty(204);
    let factor = world.enrol(&token, &password).await;
    let challenge = world.challenge("ops").await;
    world.login_with("ops", &challenge, &factor.app.code(world.now())).await.is(200);
}

#[tokio::test]
async fn a_role_that_needs_a_factor_keeps_it() {
    let world = World::start_with(&[("REQUIRE_SECOND_FACTOR", "ops, admin")]).await;
    let (token, password) = (world.token("client").await, local_password("client"));
    let factor = world.enrol(&token, &password).await;
    let code = factor.app.code(world.now());
    world.delete_totp(&token, &password, &code).await.is_empty(204);

    let (token, app) = world.enrol_by_challenge("ops").await;
    world.pass(30);
    let answer = world.delete_totp(&token, &local_password("ops"), &app.code(world.now())).await;
    answer.refused(403, "second_factor_demanded");
    world.challenge("ops").await;
}
