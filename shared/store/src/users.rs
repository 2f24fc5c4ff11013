//! The Users table: accounts, and the claims that make names and addresses unique.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::builders::{PutBuilder, UpdateBuilder};
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, Update};
use jiff::Timestamp;
use serde_dynamo::{from_item, to_item};
use share_model::{EmailAddress, User, UserId, Username};

use crate::transaction::{CommitOutcome, Write, commit};
use crate::{Platform, StartError, StoreError};

type Item = HashMap<String, AttributeValue>;

/// The Users table.
///
/// Three kinds of record share the key `pk`: `user#<id>` is the account; `name#<lower case>` and
/// `mail#<lower case>` claim a name or address for the account that their `user_id` names. Until the
/// account has proven its address, its claims have `unproven_until`, and lapse then: nobody can
/// keep a name or an address without proof.
#[derive(Clone)]
pub struct Users {
    client: Client,
    table: String,
}

/// What became of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// The account is there.
    Done,
    /// The address belongs to somebody.
    EmailKnown,
    /// The name belongs to somebody. Nothing was written.
    UsernameTaken,
}

impl Users {
    /// The table that `USERS_TABLE` names.
    ///
    /// # Errors
    /// When the variable is not set.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        let table = platform.environment().required("USERS_TABLE")?.to_owned();
        Ok(Self { client: platform.dynamodb(), table })
    }

    /// Asks for nothing, so that the connection is open before the first request needs it.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn open_connection(&self) -> Result<(), StoreError> {
        self.get("user#nobody".to_owned()).await.map(|_| ())
    }

    /// The account with this identity, as it is now.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn by_id(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let item = self.get(user_key(id)).await?;
        item.map(from_item).transpose().map_err(StoreError::during("read a user"))
    }

    /// The account that goes by this name.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn by_username(&self, name: &Username) -> Result<Option<User>, StoreError> {
        self.by_claim(name_key(name)).await
    }

    /// The account that has claimed this address.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn by_email(&self, email: &EmailAddress) -> Result<Option<User>, StoreError> {
        self.by_claim(mail_key(email)).await
    }

    async fn by_claim(&self, claim: String) -> Result<Option<User>, StoreError> {
        let claim = self.get(claim).await?;
        let owner = claim.as_ref().map(|item| item.get("user_id").and_then(|id| id.as_s().ok()));
        // Also without a claim there is a second look-up, so that both cases take the same time.
        let key = owner.flatten().map_or("user#nobody".to_owned(), |id| format!("user#{id}"));
        let item = self.get(key).await?;
        item.map(from_item).transpose().map_err(StoreError::during("read a user"))
    }

    async fn get(&self, key: String) -> Result<Option<Item>, StoreError> {
        // Consistent, because a role taken away must be gone with the next request.
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = request.key("pk", AttributeValue::S(key)).send().await;
        Ok(answer.map_err(StoreError::during("read the Users table"))?.item)
    }

    /// Puts a new account, its claims and `with_it` in one transaction, or nothing. Its
    /// claims lapse at `unproven_until`, in seconds since 1970, unless its address is proven.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn create(
        &self,
        user: &User,
        unproven_until: i64,
        with_it: Vec<Write>,
    ) -> Result<Registration, StoreError> {
        let mut writes = self.account(user, unproven_until)?;
        writes.push(self.claim(mail_key(&user.email), user, unproven_until)?);
        writes.extend(with_it);
        match commit(&self.client, "create a user", writes).await? {
            CommitOutcome::Committed => Ok(Registration::Done),
            CommitOutcome::Refused(places) if places.contains(&NAME_CLAIM) => {
                Ok(Registration::UsernameTaken)
            }
            CommitOutcome::Refused(_) => Ok(Registration::EmailKnown),
        }
    }

    /// [`Users::create`] for a stranger, who must not learn whether the address is known.
    ///
    /// When it is, the account and the claim of its name are put all the same, but the account
    /// can never be verified. Otherwise the stranger could try the same name once more, or log in
    /// with it, and so learn that the address is known.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn register(
        &self,
        user: &User,
        unproven_until: i64,
        with_it: Vec<Write>,
    ) -> Result<Registration, StoreError> {
        // Asked first, so that both cases take one look-up and one transaction. The condition
        // decides when two sign up at the same moment.
        let claim = self.get(mail_key(&user.email)).await?;
        if claim.is_none_or(|claim| lapsed(&claim, user.created_at)) {
            let registration = self.create(user, unproven_until, with_it).await?;
            if registration != Registration::EmailKnown {
                return Ok(registration);
            }
        }
        match commit(&self.client, "create a decoy", self.account(user, unproven_until)?).await? {
            CommitOutcome::Committed => Ok(Registration::EmailKnown),
            CommitOutcome::Refused(_) => Ok(Registration::UsernameTaken),
        }
    }

    /// The account and its name's claim, in this order.
    fn account(&self, user: &User, unproven_until: i64) -> Result<Vec<Write>, StoreError> {
        let mut item: Item = to_item(user).map_err(StoreError::during("write a user"))?;
        item.insert("pk".to_owned(), AttributeValue::S(user_key(user.id)));
        let account = self.put(item).condition_expression("attribute_not_exists(pk)");
        let name = self.claim(name_key(&user.username), user, unproven_until)?;
        Ok(vec![built(account)?, name])
    }

    /// A claim, on condition that nobody has it, or that it has lapsed.
    fn claim(&self, key: String, user: &User, unproven_until: i64) -> Result<Write, StoreError> {
        let owner = AttributeValue::S(user.id.to_string());
        let mut item = HashMap::from([
            ("pk".to_owned(), AttributeValue::S(key)),
            ("user_id".to_owned(), owner),
        ]);
        if !user.verified {
            item.insert("unproven_until".to_owned(), number(unproven_until));
        }
        let free = "attribute_not_exists(pk) OR unproven_until <= :now";
        let now = number(user.created_at.as_second());
        built(self.put(item).condition_expression(free).expression_attribute_values(":now", now))
    }

    fn put(&self, item: Item) -> PutBuilder {
        Put::builder().table_name(&self.table).set_item(Some(item))
    }

    /// Takes back a registration whose mail could not be sent, so that it can be tried again.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn withdraw(
        &self,
        user: &User,
        registration: Registration,
        token: Write,
    ) -> Result<(), StoreError> {
        let mut keys = vec![user_key(user.id), name_key(&user.username)];
        // The claim of a known address is somebody else's.
        keys.extend((registration == Registration::Done).then(|| mail_key(&user.email)));
        let mut writes = vec![token];
        for key in keys {
            let delete =
                Delete::builder().table_name(&self.table).key("pk", AttributeValue::S(key));
            writes
                .push(delete.build().map_err(StoreError::during("write the Users table"))?.into());
        }
        commit(&self.client, "withdraw a registration", writes).await.map(|_| ())
    }

    /// Marks the account's address as proven, and its claims as lasting.
    ///
    /// # Errors
    /// Never in practice: only if a key were missing.
    pub fn verification(&self, user: &User) -> Result<Vec<Write>, StoreError> {
        self.prove(user, self.update(user_key(user.id)).update_expression("SET verified = :yes"))
    }

    /// Sets the account's password, and marks its address as proven: the invitation came there.
    ///
    /// # Errors
    /// Never in practice: only if a key were missing.
    pub fn first_password(&self, user: &User, hash: String) -> Result<Vec<Write>, StoreError> {
        let set = "SET verified = :yes, password_hash = :hash";
        let update = self.update(user_key(user.id)).update_expression(set);
        let hash = AttributeValue::S(hash);
        self.prove(user, update.expression_attribute_values(":hash", hash))
    }

    fn prove(&self, user: &User, account: UpdateBuilder) -> Result<Vec<Write>, StoreError> {
        let account = account
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":yes", AttributeValue::Bool(true));
        // Refused when a claim has lapsed and somebody else has it now.
        let last = |key| {
            self.update(key)
                .update_expression("REMOVE unproven_until")
                .condition_expression("user_id = :owner")
                .expression_attribute_values(":owner", AttributeValue::S(user.id.to_string()))
        };
        let claims = [name_key(&user.username), mail_key(&user.email)].map(last);
        let updates = [account].into_iter().chain(claims);
        let built = updates.map(|update| update.build().map(Write::from)).collect::<Result<_, _>>();
        built.map_err(StoreError::during("write the Users table"))
    }

    fn update(&self, key: String) -> UpdateBuilder {
        Update::builder().table_name(&self.table).key("pk", AttributeValue::S(key))
    }
}

fn built(put: PutBuilder) -> Result<Write, StoreError> {
    Ok(put.build().map_err(StoreError::during("write the Users table"))?.into())
}

fn lapsed(claim: &Item, now: Timestamp) -> bool {
    let until = claim.get("unproven_until").and_then(|until| until.as_n().ok());
    until.and_then(|until| until.parse::<i64>().ok()).is_some_and(|until| until <= now.as_second())
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Where [`Users::account`] puts the name's claim.
const NAME_CLAIM: usize = 1;

fn user_key(id: UserId) -> String {
    format!("user#{id}")
}

fn name_key(name: &Username) -> String {
    format!("name#{}", name.canonical())
}

fn mail_key(email: &EmailAddress) -> String {
    format!("mail#{}", email.as_str())
}
