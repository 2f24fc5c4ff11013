//! The bytes of a file while they arrive.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::{FetchError, Limits};

/// The bytes of a file while they arrive. Dropping it closes the connection.
#[derive(Debug)]
pub struct Body {
    incoming: Incoming,
    /// The task that drives the connection. It ends with the set, also when the host neither reads
    /// nor closes.
    _connection: JoinSet<()>,
    limits: Limits,
    /// The offset in the file of the next byte.
    position: u64,
    /// The offset at which the file ends, when the host said so.
    end: Option<u64>,
    /// Since the speed was last looked at.
    waited: Duration,
    received: u64,
}

impl Body {
    pub(crate) fn new(
        incoming: Incoming,
        connection: JoinSet<()>,
        limits: Limits,
        position: u64,
        end: Option<u64>,
    ) -> Self {
        let (waited, received) = (Duration::ZERO, 0);
        Self { incoming, _connection: connection, limits, position, end, waited, received }
    }

    /// The next bytes, or `None` after the last ones. Dropping the future loses none.
    ///
    /// A body without a length that ends with its connection may be cut short by anyone between,
    /// which only TLS notices.
    ///
    /// # Errors
    /// [`BrokeOff`](FetchError::BrokeOff), also when there are fewer or more bytes than the host
    /// said; [`TooSlow`](FetchError::TooSlow); [`TooLarge`](FetchError::TooLarge). After an error
    /// the body is of no more use.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        loop {
            let asked = Instant::now();
            let frame = timeout(self.limits.idle, self.incoming.frame())
                .await
                .map_err(|_| FetchError::TooSlow)?;
            let data = match frame {
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
                None if self.end.is_none_or(|end| end == self.position) => return Ok(None),
                Some(Err(_)) | None => return Err(FetchError::BrokeOff),
            };
            self.count(&data)?;
            self.check_speed(asked.elapsed(), &data)?;
            if !data.is_empty() {
                return Ok(Some(data));
            }
        }
    }

    fn count(&mut self, data: &Bytes) -> Result<(), FetchError> {
        self.position += length(data);
        if self.end.is_some_and(|end| self.position > end) {
            return Err(FetchError::BrokeOff);
        }
        if self.position > self.limits.max_bytes {
            return Err(FetchError::TooLarge(self.limits.max_bytes));
        }
        Ok(())
    }

    /// A window at a time, because an average over the whole lets a host that began fast drip for
    /// hours.
    fn check_speed(&mut self, waited: Duration, data: &Bytes) -> Result<(), FetchError> {
        self.waited += waited;
        self.received += length(data);
        if self.waited < self.limits.speed_window {
            return Ok(());
        }
        let expected = self.waited.as_millis() * u128::from(self.limits.min_speed) / 1_000;
        if u128::from(self.received) < expected {
            return Err(FetchError::TooSlow);
        }
        (self.waited, self.received) = (Duration::ZERO, 0);
        Ok(())
    }
}

fn length(data: &Bytes) -> u64 {
    data.len() as u64
}
