//! The store, seen from behind.

use std::collections::BTreeMap;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_sdk_dynamodb::types::AttributeValue;

/// Every record of every table and every object of the bucket, as text.
#[derive(Debug, PartialEq, Eq, Clone)]
pub struct Snapshot {
    /// Records by table.
    pub tables: BTreeMap<String, Vec<String>>,
    /// Keys of the bucket.
    pub objects: Vec<String>,
}

impl Snapshot {
    /// The number of records in a table.
    pub fn count(&self, table: &str) -> usize {
        self.tables[table].len()
    }
}

type Variables = BTreeMap<String, String>;

async fn sdk(variables: &Variables) -> aws_config::SdkConfig {
    let id = &variables["AWS_ACCESS_KEY_ID"];
    let secret = &variables["AWS_SECRET_ACCESS_KEY"];
    let loader = aws_config::defaults(BehaviorVersion::latest()).region(Region::new("us-east-1"));
    loader.credentials_provider(Credentials::from_keys(id, secret, None)).load().await
}

/// A DynamoDB client for the server's tables.
pub async fn dynamodb(variables: &Variables) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::config::Builder::from(&sdk(variables).await)
        .endpoint_url(&variables["AWS_ENDPOINT_URL_DYNAMODB"]);
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

/// An S3 client for the server's bucket.
pub async fn s3(variables: &Variables) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(&sdk(variables).await)
        .endpoint_url(&variables["AWS_ENDPOINT_URL_S3"])
        .force_path_style(true);
    aws_sdk_s3::Client::from_conf(config.build())
}

/// Reads everything.
pub async fn snapshot(variables: &Variables) -> Snapshot {
    let (dynamodb, s3) = (dynamodb(variables).await, s3(variables).await);
    let mut tables = BTreeMap::new();
    for table in ["UsersTable", "FilesTable", "TokensTable", "AuditTable"] {
        let pages = dynamodb.scan().table_name(table).into_paginator().items().send();
        let items = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        let mut texts: Vec<_> = items.into_iter().map(text).collect();
        texts.sort();
        tables.insert(table.to_owned(), texts);
    }
    let mut objects = Vec::new();
    let mut pages = s3.list_objects_v2().bucket(&variables["FILES_BUCKET"]).into_paginator().send();
    while let Some(page) = pages.next().await {
        objects.extend(page.unwrap().contents().iter().filter_map(|it| it.key.clone()));
    }
    objects.sort();
    Snapshot { tables, objects }
}

fn text(item: std::collections::HashMap<String, AttributeValue>) -> String {
    format!("{:?}", item.into_iter().collect::<BTreeMap<_, _>>())
}
