//! `POST /api/account/recovery-codes`.

use serde_json::json;
use share_e2e::api::local_password;
use share_e2e::second_factor::recovery_codes;
use share_e2e::{World, routes};

#[tokio::test]
async fn new_codes_take_the_place_of_the_old_ones() {
    let world = World::start().await;
    let (token, password) = (world.token("client").await, local_password("client"));
    let renew = async |code: &str| {
        world.post_as(routes::RECOVERY_CODES, &token, &json!({"code": code})).await
    };
    renew("123456").await.refused(409, "second_factor_missing");
    let factor = world.enrol(&token, &password).await;
    renew(&factor.app.wrong_code(world.now())).await.refused(403, "wrong_code");
    let code = factor.app.code(world.now());
    let by_app = recovery_codes(&renew(&code).await.is_json(201));
    renew(&code).await.refused(403, "wrong_code");
    renew(&factor.codes[0]).await.refused(403, "wrong_code");
    let by_code = recovery_codes(&renew(&by_app[0]).await.is_json(201));
    let challenge = world.challenge("client").await;
    for old in [&factor.codes[1], &by_app[0], &by_app[1]] {
        world.login_with("client", &challenge, old).await.refused(401, "invalid_code");
    }
    for new in &by_code {
        world.login_with("client", &challenge, new).await.is(200);
    }
}
