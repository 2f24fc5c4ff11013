//! A server that others can kill, over a DynamoDB whose answers can be lost.

use std::collections::BTreeMap;

use serde_json::json;
use share_e2e::api::password_for;
use share_e2e::mail_server::MailServer;
use share_e2e::process::Process;
use share_e2e::proxy::Proxy;
use share_e2e::{World, routes};
use tempfile::TempDir;

use crate::SERVER;

/// The requests to DynamoDB that write.
const WRITES: &str = "DynamoDB_20120810.TransactWriteItems|DynamoDB_20120810.PutItem|\
                      DynamoDB_20120810.UpdateItem|DynamoDB_20120810.DeleteItem";

/// A server of its own, its store, and its mails.
pub(super) struct Stage {
    /// A server over the same store, in no proxy's way.
    pub(super) engines: World,
    pub(super) proxy: Proxy,
    pub(super) mails: MailServer,
    pub(super) server: Process,
    variables: BTreeMap<String, String>,
    data: TempDir,
}

/// A Client who has logged in.
pub(super) struct Person {
    pub(super) email: String,
    pub(super) password: String,
    pub(super) access: String,
    pub(super) refresh: String,
}

fn front(variables: &BTreeMap<String, String>, data: &TempDir) -> Process {
    let any = "127.0.0.1:0".parse().unwrap();
    // The store that it asks at its start is in this process.
    tokio::task::block_in_place(|| SERVER.front(any, data.path(), variables))
}

impl Stage {
    pub(super) async fn start() -> Self {
        let (engines, mails) = (World::engines().await, MailServer::start().await);
        let mut variables = engines.server.backend().variables.clone();
        variables.remove("FILES_TABLE");
        variables.extend(engines.variables_of_store().await);
        variables.extend(mails.variables().map(|(name, it)| (name.to_owned(), it.to_owned())));
        let dynamodb = variables.get_mut("AWS_ENDPOINT_URL_DYNAMODB").unwrap();
        let proxy = Proxy::start(dynamodb, WRITES).await;
        dynamodb.clone_from(&proxy.url);
        let data = TempDir::new().unwrap();
        let server = front(&variables, &data);
        Self { engines, proxy, mails, server, variables, data }
    }

    /// Kills the server where it stands, and starts it again.
    pub(super) fn kill(&mut self) {
        tokio::task::block_in_place(|| self.server.kill());
        self.proxy.halt_at(0);
        self.server = front(&self.variables, &self.data);
    }

    /// Signs somebody up and logs them in.
    pub(super) async fn person(&self, name: &str) -> Person {
        let api = &self.server.api;
        let (email, password) = (format!("{name}@example.org"), password_for(name));
        let body = json!({"username": name, "email": email, "password": password});
        api.post(routes::SIGNUP, &body).await.is(201);
        let token = self.mails.newest(&email).token(routes::VERIFY_PAGE).to_owned();
        let proof = json!({"password": password});
        api.post(&routes::verify_page(&token), &proof).await.is(200);
        let login = api.login("client", ("username", name), &password).await;
        let (access, refresh) = (login.is(200).field("access"), login.field("refresh"));
        Person { email, password, access, refresh }
    }

    /// Asks for a link with which somebody sets a new password; gives its token.
    pub(super) async fn reset_token(&self, email: &str) -> String {
        let asked = self.server.api.post(routes::PASSWORD_RESET, &json!({"email": email})).await;
        asked.is(202);
        self.mails.newest(email).token(routes::RESET_PASSWORD).to_owned()
    }

    /// That a refresh token and an access token of a session are over.
    pub(super) async fn is_over(&self, refresh: &str, access: &str) {
        let api = &self.server.api;
        let ended = api.post(routes::REFRESH, &json!({"refresh": refresh})).await;
        ended.refused(401, "session_revoked");
        api.get(routes::ACCOUNT, access).await.refused(401, "session_revoked");
    }

    /// That a refresh token continues a session, and what it gives continues it too.
    pub(super) async fn goes_on(&self, refresh: &str) {
        let mut refresh = refresh.to_owned();
        for _ in 0..2 {
            let body = json!({"refresh": refresh});
            let next = self.server.api.post(routes::REFRESH, &body).await;
            refresh = next.is(200).field("refresh");
            self.server.api.get(routes::ACCOUNT, &next.field("access")).await.is(200);
        }
    }
}
