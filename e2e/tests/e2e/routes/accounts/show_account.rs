//! `GET /api/account`.

use share_e2e::access_token::AccessToken;
use share_e2e::{World, routes};

#[tokio::test]
async fn an_account_is_shown_to_its_owner_without_its_secrets() {
    let world = World::start().await;
    for role in ["client", "ops", "admin"] {
        let token = world.token(role).await;
        let account = world.get(routes::ACCOUNT, &token).await.is_json(200);
        assert_eq!(account["id"], AccessToken::read(&token).user());
        assert_eq!(account["username"], role);
        assert_eq!(account["email"], format!("{role}@example.com"));
        assert_eq!(account["role"], role);
        assert_eq!(account["second_factor"], false);
        let mut fields: Vec<_> = account.as_object().unwrap().keys().collect();
        fields.sort();
        assert_eq!(fields, ["created_at", "email", "id", "role", "second_factor", "username"]);
    }
}
