//! `audit_list`: who did what to which file or account, page by page, or as CSV.

use jiff::Timestamp;
use share_contract::{AuditEntry, Operation, operations};
use share_http::{
    Answer, ApiError, Authenticator, Csv, Endpoint, Paging, PublicUrl, Request, with_query,
};
use share_model::{Invalid, Subject, UserId};
use share_store::{Audit, EventQuery, Platform, StartError};

use crate::audit_entry::entry;

/// Lines of a page of CSV, at most: less than 3 MB, and so less than an answer of Lambda.
const CSV_LINES: usize = 10_000;

/// Pages of the index that are read for a page of CSV, at most. Each is up to 1 MB of lines, of
/// which the query may leave none.
const CSV_READS: usize = 20;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ListAudit {
    authenticator: Authenticator,
    audit: Audit,
    public_url: PublicUrl,
}

impl Endpoint for ListAudit {
    const NAME: &'static str = "ListAudit";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::AUDIT_LIST];
    type Json = Vec<AuditEntry>;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            audit: Audit::connect(platform)?,
            public_url: PublicUrl::read(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<Vec<AuditEntry>>, ApiError> {
        self.authenticator.caller(request).await?; // 401, 403
        let (query, path) = read(request)?; // 400
        let paging = Paging::read(request, path, None, self.authenticator.keys())?; // 400
        if request.wants_csv() {
            return self.csv(&query, &paging, request).await;
        }
        let page = self.audit.events(&query, paging.limit, paging.cursor.as_ref()).await?; // 503
        paging.answer(page.map(entry), &self.public_url, request)
    }
}

impl ListAudit {
    async fn csv(
        &self,
        query: &EventQuery,
        paging: &Paging<'_>,
        request: &Request,
    ) -> Result<Answer<Vec<AuditEntry>>, ApiError> {
        let mut csv = Csv::new(&["at", "subject", "action", "actor", "request_id", "detail"]);
        let mut next = paging.cursor.clone();
        let mut room = CSV_LINES;
        for _ in 0..CSV_READS {
            let page = self.audit.events(query, room, next.as_ref()).await?; // 503
            for AuditEntry { at, subject, action, actor, request_id, detail } in
                page.records.into_iter().map(entry)
            {
                let detail = detail.unwrap_or_default();
                csv.line(&[&at, &subject, &action, &actor.to_string(), &request_id, &detail]);
                room -= 1;
            }
            next = page.next;
            if next.is_none() || room == 0 {
                break;
            }
        }
        paging.answer_csv(csv, next.as_ref(), &self.public_url, request)
    }
}

/// What is asked for, and the address of that list, without a page.
fn read(request: &Request) -> Result<(EventQuery, String), ApiError> {
    let after = request.query_parameter("after", moment)?;
    let query = EventQuery {
        subject: request.query_parameter("subject", Subject::parse)?,
        actor: request.query_parameter("actor", str::parse::<UserId>)?,
        action: request.query_parameter("action", action)?,
        after,
        before: request.query_parameter("before", |text| match moment(text)? {
            before if after.is_some_and(|after| before <= after) => {
                Err(Invalid::because("must be later than after"))
            }
            before => Ok(before),
        })?,
    };
    let names = ["subject", "actor", "action", "after", "before"];
    Ok((query, with_query("/api/admin/audit", &names.map(|name| (name, request.query(name))))))
}

fn moment(text: &str) -> Result<Timestamp, Invalid> {
    let moment = text.parse().ok().filter(|moment| *moment >= Timestamp::UNIX_EPOCH);
    moment.ok_or_else(|| Invalid::because("must be a moment such as 2026-05-01T00:00:00Z"))
}

/// The name of an action. It may be one that has no line yet.
fn action(text: &str) -> Result<String, Invalid> {
    let fits = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    if text.is_empty() || text.len() > 64 || !text.chars().all(fits) {
        return Err(Invalid::because("must be the name of an action, such as session_begun"));
    }
    Ok(text.to_owned())
}
