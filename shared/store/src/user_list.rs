//! The list of accounts for admins, in the order of names or of when their owners were last seen.
//!
//! Of the records in the Users table only accounts have all the attributes below, so only they are in
//! both indexes. An account of an earlier version gets them with its next login.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use share_auth::PageCursor;
use share_contract::UserSort;
use share_model::{GroupId, Role, User, UserId, UserState, caseless, rfc3339_millis};

use crate::table::{Condition, List, text};
use crate::transaction::Write;
use crate::users::user_key;
use crate::{Page, StoreError, Users};

/// The index in the order of names, which groups are in, too.
pub(crate) const BY_NAME: &str = "users_by_name";

/// The index in the order in which the owners were last seen.
const BY_LAST_SEEN: &str = "users_by_last_seen";

/// What the attribute `listed` of every account is.
const LISTED: &str = "user";

/// How many accounts are looked at in one step for an admin.
const ADMIN_PAGE: usize = 1000;

/// What only the indexes need of an account.
#[derive(Serialize)]
pub(crate) struct ListKeys {
    listed: &'static str,
    name_key: String,
    /// The name once more, because no filter may name an attribute of the key.
    search_name: String,
    /// When its owner was last seen, or otherwise when the account was made.
    #[serde(with = "rfc3339_millis")]
    seen_key: Timestamp,
}

/// Which accounts, in which order, and from where on.
pub struct UserQuery<'a> {
    /// How many at most.
    pub limit: usize,
    /// After which account.
    pub cursor: Option<&'a PageCursor>,
    /// In which order.
    pub sort: UserSort,
    /// What their names or addresses contain, as `caseless` makes it.
    pub search: Option<&'a str>,
    /// Only those of this role.
    pub role: Option<Role>,
    /// Only those in this state.
    pub state: Option<UserState>,
    /// Only those in this group.
    pub group: Option<GroupId>,
}

/// An account of the list, and when it lapses, in seconds since 1970.
#[derive(Deserialize)]
struct Listed {
    #[serde(flatten)]
    user: User,
    forget_at: Option<i64>,
}

impl ListKeys {
    /// Those of an account whose owner was never seen.
    pub(crate) fn of(user: &User) -> Self {
        Self {
            listed: LISTED,
            name_key: user.username.canonical(),
            search_name: caseless(user.username.as_str()),
            seen_key: user.created_at,
        }
    }
}

impl Users {
    /// A page of the accounts, without those that have lapsed at `now`. It can be short, or empty,
    /// and still have a next one.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn page(
        &self,
        query: &UserQuery<'_>,
        now: Timestamp,
    ) -> Result<Page<User>, StoreError> {
        let (index, range, backwards) = match query.sort {
            UserSort::Name => (BY_NAME, "name_key", false),
            UserSort::LastSeen => (BY_LAST_SEEN, "seen_key", true),
            UserSort::LongestUnseen => (BY_LAST_SEEN, "seen_key", false),
        };
        let list = List {
            index: Some(index),
            key: &["pk", "listed", range],
            condition: Condition::new("listed = :listed").with(":listed", text(LISTED)),
            filter: query.filter(),
            newest_first: backwards,
        };
        let page = self.table.page::<Listed>(list, query.limit, query.cursor).await?;
        let lives = |it: &Listed| it.forget_at.is_none_or(|end| end > now.as_second());
        let records = page.records.into_iter().filter(lives).map(|it| it.user).collect();
        Ok(Page { records, next: page.next })
    }

    /// An account that can be used and is an admin's, but none of `others`.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(crate) async fn another_admin(
        &self,
        others: &[UserId],
        now: Timestamp,
    ) -> Result<Option<UserId>, StoreError> {
        let mut cursor = None;
        loop {
            let query = UserQuery {
                limit: ADMIN_PAGE,
                cursor: cursor.as_ref(),
                sort: UserSort::Name,
                search: None,
                role: Some(Role::Admin),
                state: Some(UserState::Active),
                group: None,
            };
            let page = self.page(&query, now).await?;
            let admin = page.records.iter().map(|user| user.id).find(|id| !others.contains(id));
            if admin.is_some() || page.next.is_none() {
                return Ok(admin);
            }
            cursor = page.next;
        }
    }

    /// The write that notes that the owner of `user` was seen at `now`, on condition `same`.
    pub(crate) fn see(&self, user: &User, now: Timestamp, same: Condition) -> Write {
        let keys = ListKeys::of(user);
        let change = "SET last_seen_at = :now, seen_key = :now, listed = :listed, \
                      name_key = :name_key, search_name = :search_name";
        let same = same
            .with(":now", text(rfc3339_millis::text(now)))
            .with(":listed", text(keys.listed))
            .with(":name_key", text(keys.name_key))
            .with(":search_name", text(keys.search_name));
        self.table.update(&user_key(user.id), change, &same)
    }

    /// The condition that this account can be used and is an admin's.
    pub(crate) fn is_active_admin(&self, id: UserId) -> Write {
        let condition = Condition::new(
            "#role = :admin AND active = :yes AND verified = :yes \
             AND attribute_not_exists(waiting_for) AND attribute_exists(password_hash)",
        )
        .named("#role", "role")
        .with(":admin", text(Role::Admin.as_str()))
        .with(":yes", AttributeValue::Bool(true));
        self.table.check(&user_key(id), &condition)
    }
}

impl UserQuery<'_> {
    fn filter(&self) -> Option<Condition> {
        let mut parts = Vec::new();
        if self.search.is_some() {
            parts.push("(contains(search_name, :search) OR contains(email, :search))");
        }
        if self.role.is_some() {
            parts.push("#role = :role");
        }
        if self.group.is_some() {
            parts.push("contains(groups, :group)");
        }
        if let Some(state) = self.state {
            parts.push(match state {
                UserState::Active => {
                    "active = :active AND verified = :verified AND \
                     attribute_not_exists(waiting_for)"
                }
                UserState::Waiting => {
                    "active = :active AND verified = :verified AND attribute_exists(waiting_for)"
                }
                UserState::Disabled => "active = :active",
                UserState::Unverified => {
                    "active = :active AND verified = :verified AND attribute_exists(password_hash)"
                }
                UserState::Invited => {
                    "active = :active AND verified = :verified AND \
                     attribute_not_exists(password_hash)"
                }
            });
        }
        if parts.is_empty() {
            return None;
        }
        let mut filter = Condition::new(&parts.join(" AND "));
        if let Some(search) = self.search {
            filter = filter.with(":search", text(search));
        }
        if let Some(role) = self.role {
            filter = filter.named("#role", "role").with(":role", text(role.as_str()));
        }
        if let Some(group) = self.group {
            filter = filter.with(":group", text(group.to_string()));
        }
        if let Some(state) = self.state {
            filter = filter.with(":active", AttributeValue::Bool(state != UserState::Disabled));
            if state != UserState::Disabled {
                filter = filter.with(
                    ":verified",
                    AttributeValue::Bool(matches!(state, UserState::Active | UserState::Waiting)),
                );
            }
        }
        Some(filter)
    }
}
