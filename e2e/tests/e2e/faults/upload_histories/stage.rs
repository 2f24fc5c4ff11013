//! The server of the histories, its store, what stands between them, and its clients.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use share_e2e::answer::try_send;
use share_e2e::api::Api;
use share_e2e::process::Process;
use share_e2e::proxy::Proxy;
use share_e2e::samples::sha256;
use share_e2e::uploads::SignedPart;
use share_e2e::{Answer, World, routes};
use tempfile::TempDir;
use tokio::sync::{Mutex, RwLock};

use super::plan::{Act, Plan, What};
use crate::SERVER;

/// The server is killed each time that so many requests have been sent.
const REQUESTS_PER_LIFE: usize = 400;
/// A client gives up, and the history fails, after so many requests for one thing.
const MOST_REQUESTS: usize = 60;
/// For longer than a job leaves a file to another.
const CLAIM: i64 = 16 * 60 + 1;

pub(super) struct Stage {
    /// Whose DynamoDB and S3 the server uses.
    back: World,
    variables: BTreeMap<String, String>,
    address: SocketAddr,
    data: TempDir,
    server: RwLock<Process>,
    /// The jobs have a server of their own, which is not killed, but loses answers all the same.
    jobs: Mutex<Process>,
    _jobs_data: TempDir,
    api: Api,
    ops: String,
    client: String,
    requests: AtomicUsize,
    kills: AtomicUsize,
    available: AtomicUsize,
    aborted: AtomicUsize,
    rejected: AtomicUsize,
    proxies: [Proxy; 2],
}

/// What the clients of one upload have been told, and what they have tried.
#[derive(Default)]
struct Told {
    completed: AtomicBool,
    aborted: AtomicBool,
    delete_tried: AtomicBool,
    abort_tried: AtomicBool,
    sent: AtomicBool,
    others_tried: AtomicBool,
}

/// An upload of a history.
struct Upload {
    id: String,
    content: Vec<u8>,
    others: Vec<u8>,
    told: Told,
}

fn set(flag: &AtomicBool) {
    flag.store(true, Ordering::SeqCst);
}

fn is(flag: &AtomicBool) -> bool {
    flag.load(Ordering::SeqCst)
}

impl Stage {
    pub(super) async fn start(seed: u64) -> Self {
        let back = World::engines().await;
        let mut variables = back.server.backend().variables.clone();
        variables.remove("FILES_TABLE");
        variables.extend(back.variables_of_store().await);
        let dynamodb = Proxy::start(
            &variables["AWS_ENDPOINT_URL_DYNAMODB"],
            "DynamoDB_20120810.TransactWriteItems",
        );
        let dynamodb = dynamodb.await;
        let s3 = Proxy::start(&variables["AWS_ENDPOINT_URL_S3"], "/files/").await;
        variables.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), dynamodb.url.clone());
        variables.insert("AWS_ENDPOINT_URL_S3".to_owned(), s3.url.clone());
        let [data, jobs_data] = [(); 2].map(|()| TempDir::new().unwrap());
        let any = "127.0.0.1:0".parse().unwrap();
        let server = SERVER.front(any, data.path(), &variables);
        let jobs = SERVER.front(any, jobs_data.path(), &variables);
        let address = server.address().parse().unwrap();
        let api = Api::new(server.api.base.clone());
        let (ops, client) = (api.token("ops").await, api.token("client").await);
        dynamodb.disturb(20, 0..400, 50, seed);
        s3.cut(30, 0..300, seed);
        let [requests, kills, available, aborted, rejected] = [(); 5].map(|()| AtomicUsize::new(0));
        Self {
            back,
            variables,
            address,
            data,
            server: RwLock::new(server),
            jobs: Mutex::new(jobs),
            _jobs_data: jobs_data,
            api,
            ops,
            client,
            requests,
            kills,
            available,
            aborted,
            rejected,
            proxies: [dynamodb, s3],
        }
    }

    /// Counts a request, and kills the server in the middle of its life's last one.
    async fn count(&self) {
        if self.requests.fetch_add(1, Ordering::SeqCst) % REQUESTS_PER_LIFE == REQUESTS_PER_LIFE - 1
        {
            let mut server = self.server.write().await;
            server.kill();
            *server = SERVER.front(self.address, self.data.path(), &self.variables);
            self.kills.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// The answer to a request, unless it does not come.
    async fn send(&self, request: RequestBuilder, patience: Option<u64>) -> Option<Answer> {
        self.count().await;
        let patience = Duration::from_millis(patience.unwrap_or(60_000));
        tokio::time::timeout(patience, try_send(request)).await.ok()?.ok()
    }

    /// A request to the server about an upload.
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.api.request(method, path).bearer_auth(&self.ops)
    }

    /// Asks until the service answers something else than that it does not know.
    async fn insist(&self, request: impl Fn() -> RequestBuilder) -> Result<Answer, String> {
        for _ in 0..MOST_REQUESTS {
            match self.send(request(), None).await {
                Some(answer) if answer.status != 503 => return Ok(answer),
                // The server may be starting.
                Some(_) => {}
                None => drop(self.server.read().await),
            }
        }
        Err("there is no answer".to_owned())
    }

    async fn job(&self, function: &str, event: Value) {
        // When it fails, another run does it.
        self.jobs.lock().await.invoke_job(function, &event).await;
    }

    async fn act(&self, upload: &Upload, act: Act) -> Result<(), String> {
        let Upload { id, content, others, told } = upload;
        match act.what {
            What::Send => self.bring(upload, content, content, act.patience).await,
            What::SendOthers => {
                set(&told.others_tried);
                self.bring(upload, others, others, act.patience).await
            }
            What::SendWrong => self.bring(upload, content, others, act.patience).await,
            What::Show => {
                let show = self.request(Method::GET, &routes::upload(id));
                match self.send(show, act.patience).await {
                    Some(answer) if answer.status != 503 && answer.status != 200 => {
                        Err(format!("{answer:?}"))
                    }
                    _ => Ok(()),
                }
            }
            What::Complete => {
                let complete = self.request(Method::POST, &routes::complete_upload(id));
                let answer = self.send(complete, act.patience).await;
                match answer.as_ref().map(|it| (it.status.as_u16(), it.code())) {
                    Some((202, _)) if !is(&told.sent) && !is(&told.others_tried) => {
                        Err("it is complete without a part".to_owned())
                    }
                    Some((202, _)) => {
                        set(&told.completed);
                        Ok(())
                    }
                    None | Some((503, _)) => Ok(()),
                    Some((409, code)) if code == "upload_incomplete" => Ok(()),
                    Some((410, code)) if code == "upload_ended" && may_have_ended(told) => Ok(()),
                    _ => Err(format!("{answer:?}")),
                }
            }
            What::Abort => {
                set(&told.abort_tried);
                let abort = self.request(Method::DELETE, &routes::upload(id));
                let answer = self.send(abort, act.patience).await;
                match answer.as_ref().map(|it| (it.status.as_u16(), it.code())) {
                    Some((204, _)) => {
                        set(&told.aborted);
                        Ok(())
                    }
                    None | Some((503, _)) => Ok(()),
                    Some((409, code)) if code == "upload_completed" => Ok(()),
                    _ => Err(format!("{answer:?}")),
                }
            }
            What::Delete => {
                set(&told.delete_tried);
                let delete = self.request(Method::DELETE, &routes::file(id));
                match self.send(delete, act.patience).await {
                    Some(answer) if ![204, 404, 503].contains(&answer.status.as_u16()) => {
                        Err(format!("{answer:?}"))
                    }
                    _ => Ok(()),
                }
            }
            What::Check => {
                self.job("CheckFile", json!({"detail": {"object": {"key": id}}})).await;
                Ok(())
            }
            What::Schedules => {
                self.job("CheckFile", json!({})).await;
                self.job("RemoveFiles", json!({})).await;
                Ok(())
            }
        }
    }

    /// Asks for the request that brings a part of these bytes, and sends others or the same with it.
    async fn bring(
        &self,
        upload: &Upload,
        signed_for: &[u8],
        bytes: &[u8],
        patience: Option<u64>,
    ) -> Result<(), String> {
        let body = json!({"parts": [{"number": 1, "sha256": sha256(signed_for)}]});
        let sign = self.request(Method::POST, &routes::upload_parts(&upload.id)).json(&body);
        let Some(answer) = self.send(sign, patience).await else { return Ok(()) };
        if answer.status != 200 {
            let known = match answer.code().as_str() {
                "upload_completed" => answer.status == 409,
                "upload_ended" => answer.status == 410 && may_have_ended(&upload.told),
                _ => answer.status == 503,
            };
            return if known { Ok(()) } else { Err(format!("{answer:?}")) };
        }
        if signed_for == bytes && bytes == upload.content {
            // It may arrive without an answer.
            set(&upload.told.sent);
        }
        let signed = SignedPart::of(&answer.json()["parts"][0]);
        let put = self.send(signed.request(&self.api.http, bytes), patience).await;
        let wrong = signed_for != bytes;
        match put.map(|answer| (answer.status.as_u16(), answer.s3_code())) {
            Some((200, _)) if wrong => Err("S3 takes other bytes than were signed".to_owned()),
            Some((400, code)) if wrong && code == "BadDigest" => Ok(()),
            Some((200, _)) | None => Ok(()),
            Some((404, code)) if code == "NoSuchUpload" => Ok(()),
            other => Err(format!("the part: {other:?}")),
        }
    }

    /// Runs the history of this seed; what is wrong with it, if anything is.
    pub(super) async fn run(&self, seed: u64) -> Result<(), String> {
        let plan = Plan::of(seed);
        let serial = self.requests.load(Ordering::SeqCst);
        let content = format!("good,{seed:06},{serial:09}\n").into_bytes();
        let others = format!("evil,{seed:06},{serial:09}\n").into_bytes();
        let mut body = json!({"filename": format!("{seed}.csv"), "size": content.len()});
        if plan.promised {
            body["sha256"] = sha256(&content).into();
        }
        let begun = self.insist(|| self.request(Method::POST, routes::UPLOADS).json(&body)).await?;
        if begun.status != 201 {
            return Err(format!("{begun:?}"));
        }
        let (id, told) = (begun.upload_id(), Told::default());
        let upload = Upload { id, content, others, told };
        let actors = plan.actors.iter().map(async |acts| {
            for act in acts {
                self.act(&upload, *act).await?;
            }
            Ok::<_, String>(())
        });
        join_all(actors).await.into_iter().collect::<Result<(), _>>()?;
        self.check(&plan, &upload).await
    }

    /// Compares what has become of an upload with what its clients were told.
    async fn check(&self, plan: &Plan, upload: &Upload) -> Result<(), String> {
        let Upload { id, content, others, told } = upload;
        let mut state = String::new();
        for _ in 0..MOST_REQUESTS {
            let show = self.insist(|| self.request(Method::GET, &routes::upload(id))).await?;
            state = show.field("state");
            if state != "checking" {
                break;
            }
            // A client that sees this for long completes it once more.
            self.insist(|| self.request(Method::POST, &routes::complete_upload(id))).await?;
            self.job("CheckFile", json!({"detail": {"object": {"key": id}}})).await;
        }
        let listed = self.listed(id).await?;
        if listed.is_some() != (state == "available") {
            return Err(format!("it is {state}, and listed as {listed:?}"));
        }
        let may_be_others = is(&told.others_tried);
        let deleted = is(&told.delete_tried);
        match state.as_str() {
            "available" => {
                self.available.fetch_add(1, Ordering::SeqCst);
                let good = listed == Some(sha256(content));
                let evil = listed == Some(sha256(others)) && may_be_others && !plan.promised;
                if !good && !evil {
                    return Err(format!("it is listed as {listed:?}"));
                }
                if is(&told.aborted) {
                    return Err("it was aborted, and is available".to_owned());
                }
            }
            "rejected" => {
                self.rejected.fetch_add(1, Ordering::SeqCst);
                if !(may_be_others && plan.promised) {
                    return Err("it was rejected, and nobody has sent other bytes".to_owned());
                }
            }
            "deleted" => {
                self.aborted.fetch_add(1, Ordering::SeqCst);
                if !may_have_ended(told) {
                    return Err("nobody has ended it".to_owned());
                }
                if is(&told.completed) && !deleted {
                    return Err("it was complete, and is lost".to_owned());
                }
            }
            "uploading" => {
                if is(&told.completed) || is(&told.aborted) {
                    return Err("it was complete or aborted, and goes on".to_owned());
                }
            }
            other => return Err(format!("it is {other} for good")),
        }
        if is(&told.completed) && is(&told.aborted) && !deleted {
            return Err("it was complete and aborted".to_owned());
        }
        Ok(())
    }

    /// The digest under which a Client sees a file, when it does.
    async fn listed(&self, id: &str) -> Result<Option<String>, String> {
        let path = format!("{}?limit=100", routes::LIST_FILES);
        let mut next = Some(path);
        while let Some(page) = next {
            let page = self
                .insist(|| self.api.request(Method::GET, &page).bearer_auth(&self.client))
                .await?;
            let records = page.json();
            let found = records.as_array().into_iter().flatten().find(|it| it["id"] == *id);
            if let Some(record) = found {
                return Ok(record["sha256"].as_str().map(str::to_owned));
            }
            next = page.next().map(|url| self.back.path_of(url).to_owned());
        }
        Ok(None)
    }

    /// What has happened.
    pub(super) fn counts(&self) -> String {
        let count = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
        format!(
            "{} requests, {} collisions, {} kills, {} files, {} given up, {} rejected",
            count(&self.requests),
            self.proxies[0].collisions(),
            count(&self.kills),
            count(&self.available),
            count(&self.aborted),
            count(&self.rejected),
        )
    }

    /// Whether everything that can happen has.
    pub(super) fn was_eventful(&self) -> bool {
        let counters = [&self.kills, &self.available, &self.aborted, &self.rejected];
        self.proxies[0].collisions() > 0
            && counters.iter().all(|counter| counter.load(Ordering::SeqCst) > 0)
    }

    /// Lets the time of all uploads end, and the jobs do what is left to do. Gives what does not fit
    /// together then.
    pub(super) async fn end(self) -> Vec<String> {
        for proxy in &self.proxies {
            proxy.cut(0, 0..1, 0);
        }
        let mut jobs = self.jobs.lock().await;
        jobs.pass(8 * 24 * 60 * 60).await;
        for _ in 0..20 {
            for function in ["CheckFile", "RemoveFiles"] {
                jobs.invoke_job(function, &json!({})).await;
            }
            jobs.pass(CLAIM).await;
        }
        let mut faults = self.back.store.faults_of_files().await;
        for (file, state) in self.back.store.unsettled_files().await {
            faults.push(format!("{file} is {state} for good, or has something left"));
        }
        // An upload that S3 has begun when the server was killed or gave up has no record: the
        // bucket's rule aborts it. It has no parts.
        let parts = self.back.parts_in_s3();
        if parts > 0 {
            faults.push(format!("{parts} parts are left"));
        }
        faults
    }
}

fn may_have_ended(told: &Told) -> bool {
    is(&told.abort_tried) || is(&told.delete_tried)
}
