//! The Users table: accounts, and the claims that make names and addresses unique.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, Update};
use serde_dynamo::{from_item, to_item};
use share_model::{EmailAddress, User, UserId, Username};

use crate::transaction::{Outcome, Write, commit};
use crate::{Platform, StartError, StoreError};

type Item = HashMap<String, AttributeValue>;

/// The Users table.
///
/// Three kinds of record share the key `pk`: `user#<id>` is the account; `name#<lower case>` and
/// `mail#<lower case>` claim a name or address for the account that their `user_id` names.
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

    /// Puts a new account, its claims and `with_it` in one transaction, or nothing.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn create(
        &self,
        user: &User,
        with_it: Vec<Write>,
    ) -> Result<Registration, StoreError> {
        let mut writes = self.account(user)?;
        writes.push(self.claim(mail_key(&user.email), user.id)?);
        writes.extend(with_it);
        match commit(&self.client, "create a user", writes).await? {
            Outcome::Committed => Ok(Registration::Done),
            Outcome::Refused(places) if places.contains(&NAME_CLAIM) => {
                Ok(Registration::UsernameTaken)
            }
            Outcome::Refused(_) => Ok(Registration::EmailKnown),
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
        with_it: Vec<Write>,
    ) -> Result<Registration, StoreError> {
        // Asked first, so that both cases take one look-up and one transaction. The condition
        // decides when two sign up at the same moment.
        if self.get(mail_key(&user.email)).await?.is_none() {
            let registration = self.create(user, with_it).await?;
            if registration != Registration::EmailKnown {
                return Ok(registration);
            }
        }
        match commit(&self.client, "create a decoy", self.account(user)?).await? {
            Outcome::Committed => Ok(Registration::EmailKnown),
            Outcome::Refused(_) => Ok(Registration::UsernameTaken),
        }
    }

    /// The account and its name's claim, in this order.
    fn account(&self, user: &User) -> Result<Vec<Write>, StoreError> {
        let mut item: Item = to_item(user).map_err(StoreError::during("write a user"))?;
        item.insert("pk".to_owned(), AttributeValue::S(user_key(user.id)));
        Ok(vec![self.put_new(item)?, self.claim(name_key(&user.username), user.id)?])
    }

    fn claim(&self, key: String, owner: UserId) -> Result<Write, StoreError> {
        self.put_new(HashMap::from([
            ("pk".to_owned(), AttributeValue::S(key)),
            ("user_id".to_owned(), AttributeValue::S(owner.to_string())),
        ]))
    }

    fn put_new(&self, item: Item) -> Result<Write, StoreError> {
        let put = Put::builder().table_name(&self.table).set_item(Some(item));
        let put = put.condition_expression("attribute_not_exists(pk)").build();
        Ok(put.map_err(StoreError::during("write the Users table"))?.into())
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

    /// Marks the account's address as proven.
    ///
    /// # Errors
    /// Never in practice: only if a key were missing.
    pub fn verification(&self, id: UserId) -> Result<Write, StoreError> {
        let update = self.update(id).update_expression("SET verified = :yes").build();
        Ok(update.map_err(StoreError::during("verify a user"))?.into())
    }

    /// Sets the account's password, and marks its address as proven: the invitation came there.
    ///
    /// # Errors
    /// Never in practice: only if a key were missing.
    pub fn first_password(&self, id: UserId, hash: String) -> Result<Write, StoreError> {
        let update = self
            .update(id)
            .update_expression("SET verified = :yes, password_hash = :hash")
            .expression_attribute_values(":hash", AttributeValue::S(hash))
            .build();
        Ok(update.map_err(StoreError::during("set a password"))?.into())
    }

    fn update(&self, id: UserId) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(user_key(id)))
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
    }
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
