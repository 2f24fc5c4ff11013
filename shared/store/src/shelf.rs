//! The Shelf table: which files each audience sees.
//!
//! An entry holds what a list shows, so that a page is one Query for each audience to which its
//! reader belongs. The pages of several audiences are read at the same time, and merged by
//! the position of their entries.

use std::cmp::Reverse;

use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use share_auth::PageCursor;
use share_contract::FileSort;
use share_contract::settings::SHELF_TABLE;
use share_model::{Audience, FileId, FileRecord, User, UserId};

use crate::table::{Condition, List, Table, text};
use crate::{Page, Platform, StartError, StoreError};

/// The index in which an audience's entries are in the order of the files' names.
const BY_NAME: &str = "shelf_by_name";

/// The Shelf table.
pub struct Shelf {
    table: Table,
}

/// Which files, in which order, and from where on.
pub struct ShelfQuery<'a> {
    /// How many at most.
    pub limit: usize,
    /// After which entry. It need not be there any more.
    pub cursor: Option<&'a PageCursor>,
    /// In which order.
    pub sort: FileSort,
    /// What their names contain, as `caseless` makes it.
    pub search: Option<&'a str>,
}

/// An entry, and its place in the list.
#[derive(Deserialize)]
struct Entry<T> {
    position: String,
    name_key: Option<String>,
    #[serde(default)]
    expires_at: Option<Timestamp>,
    #[serde(flatten)]
    file: T,
}

impl Shelf {
    /// # Errors
    /// When `SHELF_TABLE` is not set.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { table: Table::connect(platform, &SHELF_TABLE)? })
    }

    /// A page of the files that are for `client`, without those whose time is over at `now`.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn for_client(
        &self,
        client: &User,
        query: &ShelfQuery<'_>,
        now: Timestamp,
    ) -> Result<Page<FileRecord>, StoreError> {
        let page = self.page::<FileRecord>(&Audience::of_client(client), query).await?;
        let live = |entry: &Entry<FileRecord>| entry.expires_at.is_none_or(|end| end > now);
        let records = page.records.into_iter().filter(live).map(|entry| entry.file).collect();
        Ok(Page { records, next: page.next })
    }

    /// A page of the files that `uploader` has uploaded, whatever their state.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn of_uploader(
        &self,
        uploader: UserId,
        query: &ShelfQuery<'_>,
    ) -> Result<Page<FileId>, StoreError> {
        self.ids(&Audience::Uploader(uploader), query).await
    }

    /// A page of the files of which `audience` has an entry.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(crate) async fn ids(
        &self,
        audience: &Audience,
        query: &ShelfQuery<'_>,
    ) -> Result<Page<FileId>, StoreError> {
        #[derive(Deserialize)]
        struct Nothing {}
        let page = self.page::<Nothing>(std::slice::from_ref(audience), query).await?;
        let id = |entry: Entry<Nothing>| {
            let id = entry.position.rsplit('#').next().and_then(|id| id.parse().ok());
            id.ok_or_else(|| StoreError::because("list files", "an entry names no file"))
        };
        let records = page.records.into_iter().map(id).collect::<Result<_, _>>()?;
        Ok(Page { records, next: page.next })
    }

    async fn page<T: DeserializeOwned>(
        &self,
        audiences: &[Audience],
        query: &ShelfQuery<'_>,
    ) -> Result<Page<Entry<T>>, StoreError> {
        let (by_name, backwards) = match query.sort {
            FileSort::Newest => (false, true),
            FileSort::Oldest => (false, false),
            FileSort::Name => (true, false),
            FileSort::NameBackwards => (true, true),
        };
        let key: &[&str] = if by_name { &["name_key", "position"] } else { &["position"] };
        let place = |cursor: &PageCursor| -> Vec<String> {
            key.iter().map(|name| cursor.0.get(*name).cloned().unwrap_or_default()).collect()
        };
        let before = |one: &Vec<String>, other: &Vec<String>| {
            if backwards { one > other } else { one < other }
        };
        let pages = audiences.iter().map(async |audience| {
            let whose = Condition::new("audience = :audience");
            let list = List {
                index: by_name.then_some(BY_NAME),
                key,
                condition: whose.with(":audience", text(audience.key())),
                filter: query.search.map(|search| {
                    Condition::new("contains(search_name, :search)").with(":search", text(search))
                }),
                newest_first: backwards,
            };
            // The same place in each audience, whether or not it has an entry there.
            let start = query.cursor.map(|cursor| {
                let mut start = cursor.clone();
                start.0.insert("audience".to_owned(), audience.key());
                start
            });
            self.table.page::<Entry<T>>(list, query.limit, start.as_ref()).await
        });
        let mut entries: Vec<(Vec<String>, Entry<T>)> = Vec::new();
        // How far every audience's page reaches.
        let mut reach: Option<Vec<String>> = None;
        for page in try_join_all(pages).await? {
            if let Some(end) = page.next.as_ref().map(place)
                && reach.as_ref().is_none_or(|reach| before(&end, reach))
            {
                reach = Some(end);
            }
            entries.extend(page.records.into_iter().map(|entry| {
                let name_key = entry.name_key.clone().filter(|_| by_name);
                let place = name_key.into_iter().chain([entry.position.clone()]).collect();
                (place, entry)
            }));
        }
        if backwards {
            entries.sort_by(|one, other| Reverse(&one.0).cmp(&Reverse(&other.0)));
        } else {
            entries.sort_by(|one, other| one.0.cmp(&other.0));
        }
        // A file can be for somebody in more ways than one.
        entries.dedup_by(|one, other| one.0 == other.0);
        entries.retain(|entry| reach.as_ref().is_none_or(|reach| !before(reach, &entry.0)));
        if entries.len() > query.limit {
            entries.truncate(query.limit);
            reach = entries.last().map(|(place, _)| place.clone());
        }
        let named = |place: Vec<String>| {
            PageCursor(key.iter().map(|name| (*name).to_owned()).zip(place).collect())
        };
        let records = entries.into_iter().map(|(_, entry)| entry).collect();
        Ok(Page { records, next: reach.map(named) })
    }
}
