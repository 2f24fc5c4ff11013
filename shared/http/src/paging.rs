//! Lists that come page by page.

use http::{StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use share_auth::{PageCursor, SigningKeys};
use share_contract::{FileSort, UserSort};
use share_model::{GroupName, Invalid, Role, UserId, UserState, caseless};
use share_store::Page;

use crate::{Answer, ApiError, Csv, PublicUrl, Request, whole};

/// Records on a page when the caller does not say.
const DEFAULT_LIMIT: usize = 50;

/// What stands for itself in the value of a parameter: letters, digits, and what orders are named
/// with.
const IN_A_QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// Which page a request asks for.
pub struct Paging<'a> {
    path: String,
    list: String,
    keys: &'a SigningKeys,
    /// Records on the page, at most.
    pub limit: usize,
    /// Where the page begins.
    pub cursor: Option<PageCursor>,
}

impl<'a> Paging<'a> {
    /// Reads `limit` and `cursor` from the query of a request for the list at `path`, which has the
    /// rest of the query. A cursor is good for that list only, and for that of `owner` where each
    /// caller has one.
    ///
    /// # Errors
    /// 400 when one of them is not as it must be.
    pub fn read(
        request: &Request,
        path: String,
        owner: Option<UserId>,
        keys: &'a SigningKeys,
    ) -> Result<Self, ApiError> {
        let list = owner.map_or(path.clone(), |owner| format!("{path} of {owner}"));
        let open = |text: &str| PageCursor::open(text, &list, keys);
        let limit = request.query_parameter("limit", limit)?.unwrap_or(DEFAULT_LIMIT);
        let cursor = request.query_parameter("cursor", open)?;
        Ok(Self { path, list, keys, limit, cursor })
    }

    /// The page, with the address of the next one in a `Link` header (RFC 8288).
    ///
    /// # Errors
    /// 503 when nothing says where the API is.
    pub fn answer<T>(
        &self,
        page: Page<T>,
        public_url: &PublicUrl,
        request: &Request,
    ) -> Result<Answer<Vec<T>>, ApiError> {
        let answer = Answer::ok(page.records);
        let Some(next) = page.next else { return Ok(answer) };
        let next = self.address_of(&next, public_url, request)?;
        Ok(answer.with(header::LINK, format!("<{next}>; rel=\"next\"")))
    }

    /// The page as CSV, with the address of the next one in a `Link` header, and in the first field
    /// of a last line, for those who only see the file.
    ///
    /// # Errors
    /// 503 when nothing says where the API is.
    pub fn answer_csv<T>(
        &self,
        mut csv: Csv,
        next: Option<&PageCursor>,
        public_url: &PublicUrl,
        request: &Request,
    ) -> Result<Answer<T>, ApiError> {
        let next = next.map(|next| self.address_of(next, public_url, request)).transpose()?;
        if let Some(next) = &next {
            csv.line(&[&format!("continued at {next}")]);
        }
        let answer = Answer::bytes(StatusCode::OK, whole(csv.into_text()))
            .with(header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present");
        Ok(match next {
            Some(next) => answer.with(header::LINK, format!("<{next}>; rel=\"next\"")),
            None => answer,
        })
    }

    fn address_of(
        &self,
        next: &PageCursor,
        public_url: &PublicUrl,
        request: &Request,
    ) -> Result<String, ApiError> {
        let cursor = next.seal(&self.list, self.keys);
        let and = if self.path.contains('?') { '&' } else { '?' };
        let path = format!("{}{and}limit={}&cursor={cursor}", self.path, self.limit);
        public_url.of(request, &path)
    }
}

/// Which files a list shows, and in which order.
pub struct FileQuery {
    /// In which order.
    pub sort: FileSort,
    /// What their names contain, without regard to case.
    pub search: Option<String>,
    /// The same as it was given.
    given: Option<String>,
}

impl FileQuery {
    /// Reads `q` and `sort` from the query of a request.
    ///
    /// # Errors
    /// 400 when one of them is not as it must be.
    pub fn read(request: &Request) -> Result<Self, ApiError> {
        let given = request.query_parameter("q", search)?;
        let sort = request.query_parameter("sort", FileSort::parse)?;
        let search = given.as_deref().map(caseless);
        Ok(Self { sort: sort.unwrap_or_default(), search, given })
    }

    /// The address of the list at `path` that shows these files, as [`Paging::read`] takes it.
    #[must_use]
    pub fn of(&self, path: &str) -> String {
        let sort = (self.sort != FileSort::default()).then(|| self.sort.as_str());
        with_query(path, &[("q", self.given.as_deref()), ("sort", sort)])
    }
}

/// Which accounts a list shows, and in which order.
pub struct UserListQuery {
    /// In which order.
    pub sort: UserSort,
    /// What their names or addresses contain, without regard to case.
    pub search: Option<String>,
    /// Only those of this role.
    pub role: Option<Role>,
    /// Only those in this state.
    pub state: Option<UserState>,
    /// Only those in the group of this name.
    pub group: Option<GroupName>,
    /// What was searched for, as it was given.
    given: Option<String>,
}

impl UserListQuery {
    /// Reads `q`, `role`, `state`, `group` and `sort` from the query of a request.
    ///
    /// # Errors
    /// 400 when one of them is not as it must be.
    pub fn read(request: &Request) -> Result<Self, ApiError> {
        let given = request.query_parameter("q", search)?;
        let role = request.query_parameter("role", Role::parse)?;
        let state = request.query_parameter("state", UserState::parse)?;
        let sort = request.query_parameter("sort", UserSort::parse)?;
        let search = given.as_deref().map(caseless);
        let group = request.query_parameter("group", str::parse)?;
        Ok(Self { sort: sort.unwrap_or_default(), search, role, state, group, given })
    }

    /// The address of the list at `path` that shows these accounts, as [`Paging::read`] takes it.
    #[must_use]
    pub fn of(&self, path: &str) -> String {
        let sort = (self.sort != UserSort::default()).then(|| self.sort.as_str());
        let (role, state) = (self.role.map(Role::as_str), self.state.map(UserState::as_str));
        let search = ("q", self.given.as_deref());
        let group = self.group.as_ref().map(GroupName::as_str);
        let (role, state) = (("role", role), ("state", state));
        with_query(path, &[search, role, state, ("group", group), ("sort", sort)])
    }
}

/// `path` with those of these parameters that have a value.
#[must_use]
pub fn with_query(path: &str, parameters: &[(&str, Option<&str>)]) -> String {
    let given = parameters.iter().filter_map(|(name, value)| Some((name, (*value)?)));
    let parts: Vec<_> = given
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, IN_A_QUERY)))
        .collect();
    if parts.is_empty() { path.to_owned() } else { format!("{path}?{}", parts.join("&")) }
}

fn search(text: &str) -> Result<String, Invalid> {
    match text.chars().count() {
        1..=100 => Ok(text.to_owned()),
        _ => Err(Invalid::because("must have 1 to 100 characters")),
    }
}

fn limit(text: &str) -> Result<usize, Invalid> {
    match text.parse() {
        Ok(limit @ 1..=100) => Ok(limit),
        _ => Err(Invalid::because("must be a number from 1 to 100")),
    }
}
