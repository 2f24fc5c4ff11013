//! A world in which there is something to download.

use std::fs::OpenOptions;
use std::ops::Deref;

use jiff::Timestamp;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::access_token::AccessToken;
use crate::answer::{Answer, send};
use crate::api::form_with;
use crate::routes;
use crate::samples::sha256;
use crate::world::{NO_HOST, World};

/// The file to which the links of a scene lead.
pub const DIGITS: &[u8] = b"0123456789";

/// Leases as a client chooses them: 32 bytes in base64url.
pub const CHOSEN: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";
pub const OTHER: &str = "kz2tFq0Vb6mQx9sYHc4uJ7wLrE1oDg3iTnAhZpS8fUM";

/// A world with one file, and what its Client and Ops can ask of it.
pub struct Scene {
    pub world: World,
    /// Access tokens of the Client and of Ops, for a quarter of an hour.
    pub client: String,
    pub ops: String,
    /// The file's id.
    pub file: String,
}

/// What the paths of [`routes::PROTECTED`] name beside the scene's file.
pub struct Targets {
    pub link: Link,
    /// An upload without parts.
    pub upload: String,
    /// An upload whose one part is there.
    pub whole_upload: String,
    /// The account of Ops, which no admin's request of the table changes.
    pub user: String,
    /// An account that an admin can delete.
    pub deleted_user: String,
}

/// A link that the scene's Client has made.
pub struct Link {
    pub id: String,
    /// For programs.
    pub url: String,
    /// For people.
    pub page: String,
}

impl Link {
    /// The link of which its maker was told this.
    pub fn of(told: &Value) -> Self {
        let text = |name: &str| told[name].as_str().unwrap().to_owned();
        Self { id: text("id"), url: text("download_url"), page: text("page_url") }
    }

    pub fn token(&self) -> &str {
        token_of(&self.url)
    }
}

impl Scene {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub async fn start_with(variables: &[(&str, &str)]) -> Self {
        Self::in_world(World::start_with(variables).await).await
    }

    pub async fn in_world(world: World) -> Self {
        let file = world.upload("digits.txt", DIGITS).await.is(201).id();
        let (client, ops) = (world.token("client").await, world.token("ops").await);
        Self { world, client, ops, file }
    }

    /// A link to the file with these terms.
    pub async fn link(&self, terms: &Value) -> Link {
        Link::of(&self.world.link_with(&self.file, &self.client, terms).await)
    }

    /// A link to the file that works once within an hour, as links do when nothing is asked for.
    pub async fn plain_link(&self) -> Link {
        self.link(&json!({})).await
    }

    /// A GET of the file through the link, to which a test adds what it is about.
    pub fn download_request(&self, link: &Link) -> RequestBuilder {
        self.http.get(&link.url)
    }

    /// A GET with this lease and this range; a header whose value is empty is left out.
    pub async fn download(&self, link: &Link, lease: &str, range: &str) -> Answer {
        let headers = [("download-lease", lease), ("range", range)];
        let given = headers.into_iter().filter(|(_, value)| !value.is_empty());
        send(given.fold(self.download_request(link), |it, (name, value)| it.header(name, value)))
            .await
    }

    /// Redeems the link and gets its first five bytes; gives the lease.
    pub async fn begin(&self, link: &Link) -> String {
        let answer = self.download(link, "", "bytes=0-4").await;
        answer.is_part(0..5);
        answer.lease().to_owned()
    }

    /// The link as its maker's list shows it.
    pub async fn listed(&self, link: &Link) -> Value {
        let links = self.all(routes::LIST_LINKS, 100, &self.client).await;
        links.into_iter().find(|it| it["id"] == link.id).unwrap()
    }

    /// One link of each state, the oldest first, and its state.
    pub async fn links_of_every_state(&self) -> Vec<(Link, &'static str)> {
        let expired = self.link(&json!({"expires_in": 60})).await;
        self.pass(60);
        let (live, used) = (self.plain_link().await, self.plain_link().await);
        let (revoked, begun) =
            (self.plain_link().await, self.link(&json!({"max_downloads": 2})).await);
        self.download(&used, "", "").await.is(200);
        self.download(&begun, "", "").await.is(200);
        self.revoke(&revoked).await.is(204);
        vec![
            (expired, "expired"),
            (live, "live"),
            (used, "used"),
            (revoked, "revoked"),
            (begun, "live"),
        ]
    }

    /// A new upload, of a file like the scene's.
    pub async fn new_upload(&self) -> String {
        let body = json!({"filename": "digits.txt", "size": DIGITS.len()});
        let answer = self.post_as(routes::UPLOADS, &self.ops, &body).await;
        answer.is(201).field("upload_id")
    }

    pub async fn targets(&self) -> Targets {
        let (upload, whole_upload) = (self.new_upload().await, self.new_upload().await);
        let parts = routes::upload_parts(&whole_upload);
        let signed = self.post_as(&parts, &self.ops, &first_part()).await;
        let signed = &signed.is_json(200)["parts"][0];
        let put = self.http.put(signed["url"].as_str().unwrap()).body(DIGITS);
        let headers = signed["headers"].as_object().unwrap().iter();
        let put = headers.fold(put, |it, (name, value)| it.header(name, value.as_str().unwrap()));
        send(put).await.is(200);
        let user = AccessToken::read(&self.ops).user();
        let name = format!("goes{}", fastrand::u32(..));
        self.sign_up(&name).await;
        let deleted_user = self.store.user_named(&name).await;
        Targets { link: self.plain_link().await, upload, whole_upload, user, deleted_user }
    }

    /// A request to a protected route, about the scene's file and `targets`, that lacks nothing but
    /// credentials.
    pub fn call(&self, method: &str, path: &str, targets: &Targets) -> RequestBuilder {
        let id = if path.starts_with(routes::SESSIONS) {
            "current"
        } else if method == "DELETE" && path.starts_with(routes::USERS) {
            &targets.deleted_user
        } else if [routes::USERS, routes::APPROVALS, routes::INVITATIONS]
            .iter()
            .any(|it| path.starts_with(it))
        {
            &targets.user
        } else if path.starts_with(routes::COMPLETE_UPLOAD) {
            &targets.whole_upload
        } else if path.starts_with(routes::UPLOADS) {
            &targets.upload
        } else {
            &targets.link.id
        };
        let named = path
            .replace("{file_id}", &self.file)
            .replace("{id}", id)
            .replace("{name}", "board")
            .replace("{user_id}", &targets.user);
        let request = self.world.request(method.parse().unwrap(), &named);
        match (method, path) {
            (_, routes::UPLOAD | routes::UPLOAD_ALIAS) => {
                request.multipart(form_with("note.txt", b"a note"))
            }
            ("POST", routes::TOTP) => request.json(&json!({"password": "not the password"})),
            ("DELETE", routes::TOTP) => {
                request.json(&json!({"password": "not the password", "code": "123456"}))
            }
            (_, routes::CONFIRM_TOTP | routes::RECOVERY_CODES) => {
                request.json(&json!({"code": "123456"}))
            }
            (_, routes::GENERATE_LINK_BY_BODY) => request.json(&json!({"file_id": self.file})),
            (_, routes::IMPORTS) => {
                request.json(&json!({"url": format!("http://{NO_HOST}/note.txt")}))
            }
            ("POST", routes::INVITATIONS) => {
                request.json(&json!({"email": "guest@example.org", "role": "client"}))
            }
            (_, routes::GROUPS) => request.json(&json!({"name": "board"})),
            (_, routes::UPLOADS) => request.json(&json!({"filename": "note.txt", "size": 6})),
            (_, path) if path.ends_with("/parts") => request.json(&first_part()),
            (_, routes::PASSWORD) => {
                request.json(&json!({"current": "a wrong password", "new": "another password"}))
            }
            (_, routes::EMAIL) => {
                let (email, password) = ("new@example.net", "a wrong password");
                request.json(&json!({"email": email, "password": password}))
            }
            ("PATCH", path) if path.starts_with(routes::USERS) => {
                request.json(&json!({"active": true}))
            }
            ("DELETE", routes::ACCOUNT) => request.json(&json!({"password": "a guess"})),
            ("PATCH", _) => request.json(&json!({"note": "for the audit"})),
            _ => request,
        }
    }

    pub async fn revoke(&self, link: &Link) -> Answer {
        self.world.revoke(&link.id, &self.client).await
    }

    /// Every receipt of the file's links, without its hash.
    pub async fn receipts(&self) -> Vec<Value> {
        let rows = self.all(&routes::receipts(&self.file), 100, &self.ops).await;
        rows.into_iter().map(|row| row["receipt"].clone()).collect()
    }

    /// The second in which the last receipt of this event was written.
    pub async fn last(&self, event: &str) -> i64 {
        let receipts = self.receipts().await;
        second(&receipts.iter().rfind(|it| it["event"] == event).unwrap()["at"])
    }

    /// Makes the file one of `size` bytes, as no upload through the gateway is. They are not those of
    /// its digest.
    pub async fn resize(&self, size: usize) {
        let object = OpenOptions::new().write(true).open(self.object()).unwrap();
        object.set_len(size as u64).unwrap();
        self.store.set_file_size(&self.file, size).await;
    }

    /// Where the embedded S3 has the file's bytes.
    pub fn object(&self) -> std::path::PathBuf {
        self.data.path().join("objects/files").join(&self.file)
    }
}

/// The body that asks for the request of an upload's first part, whose bytes are [`DIGITS`].
fn first_part() -> Value {
    json!({"parts": [{"number": 1, "sha256": sha256(DIGITS)}]})
}

impl Deref for Scene {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

/// How many of these receipts are of this event.
pub fn count(receipts: &[Value], event: &str) -> usize {
    receipts.iter().filter(|receipt| receipt["event"] == event).count()
}

/// The second at which a moment in an answer lies.
pub fn second(moment: &Value) -> i64 {
    moment.as_str().unwrap().parse::<Timestamp>().unwrap().as_second()
}

/// The value of the query parameter `token` of an address.
pub fn token_of(url: &str) -> &str {
    url.split_once("token=").unwrap().1
}
