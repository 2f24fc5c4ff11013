//! The embedded DynamoDB behind a port, for a second server over the same store.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use axum::serve::ListenerExt;
use share_local::DynamoDb;
use tokio::net::TcpListener;

/// Serves `dynamodb` on a loopback port, and gives its address.
pub async fn open(dynamodb: DynamoDb) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let listener = listener.tap_io(|socket| socket.set_nodelay(true).unwrap());
    let router = Router::new().fallback(answer).with_state(dynamodb);
    tokio::spawn(axum::serve(listener, router).into_future());
    url
}

async fn answer(
    State(dynamodb): State<DynamoDb>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<axum::body::Body> {
    let target = headers.get("x-amz-target").map_or("", |it| it.to_str().unwrap());
    dynamodb.answer(target, &body).map(Into::into)
}
