//! The bytes of an answer, whole or streamed.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use share_model::ByteRange;

/// Why a streamed body broke off.
pub type BodyError = Box<dyn Error + Send + Sync>;

/// An answer's body. One type for all endpoints, so that each can be buffered or streamed.
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

/// A body of these bytes.
pub fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A body of a part of these bytes, which have it.
pub fn part_of(bytes: &Bytes, part: ByteRange) -> Body {
    let [first, last] = [part.first, part.last].map(|at| usize::try_from(at).unwrap_or(usize::MAX));
    whole(bytes.slice(first..=last))
}

/// A body of `length` bytes that is read while it is sent.
///
/// `report` is called once with the number of bytes sent, when no more will be: before the last one
/// goes out, which waits until it has returned, so that a receiver of all bytes can rely on what it
/// has done; before the body breaks off, when the source does; and in the background when the
/// receiver has gone away. A source of another length breaks off.
pub fn reporting<B, R, F>(source: B, length: u64, report: R) -> Body
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BodyError>,
    R: FnOnce(u64) -> F + Send + Unpin + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let (report, last_byte) = (Some(report), None);
    let reporting = ReportingBody { source, length, sent: 0, last_byte, report, ending: None };
    reporting.boxed_unsync()
}

struct ReportingBody<B, R, F>
where
    R: FnOnce(u64) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    source: B,
    length: u64,
    sent: u64,
    /// Held back until the source has ended well.
    last_byte: Option<Bytes>,
    /// Until it has been called.
    report: Option<R>,
    /// From then on.
    ending: Option<Ending<F>>,
}

/// The report under way, and what is sent after it.
struct Ending<F> {
    report: Pin<Box<F>>,
    last: Option<Result<Bytes, BodyError>>,
}

impl<B, R, F> ReportingBody<B, R, F>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BodyError>,
    R: FnOnce(u64) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    /// Starts the report: after `sent` bytes, the last of which may be in `last`, there will be no
    /// more.
    fn end(&mut self, sent: u64, last: Result<Bytes, BodyError>) {
        self.sent = sent;
        if let Some(report) = self.report.take() {
            let report = Box::pin(report(sent));
            self.ending = Some(Ending { report, last: Some(last) });
        }
    }

    /// The next bytes to send, when they come before the end.
    fn poll_source(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let frame = ready!(Pin::new(&mut self.source).poll_frame(context));
        let piece = match frame.map(|frame| frame.map(Frame::into_data)) {
            Some(Ok(Ok(piece))) => piece,
            // Trailers say nothing here.
            Some(Ok(Err(_))) => Bytes::new(),
            Some(Err(error)) => {
                self.end(self.sent, Err(error.into()));
                return Poll::Ready(None);
            }
            None => {
                match self.last_byte.take() {
                    Some(last) => self.end(self.length, Ok(last)),
                    None => self.end(self.sent, Err("the source is too short".into())),
                }
                return Poll::Ready(None);
            }
        };
        let held = u64::from(self.last_byte.is_some());
        let left = self.length - self.sent - held;
        if piece.len() as u64 > left {
            self.end(self.sent, Err("the source is too long".into()));
            return Poll::Ready(None);
        }
        let mut piece = piece;
        if piece.len() as u64 == left && left > 0 {
            // Only at its end does the source say whether its checksum is right.
            self.last_byte = Some(piece.split_off(piece.len() - 1));
        }
        self.sent += piece.len() as u64;
        Poll::Ready(Some(piece))
    }
}

impl<B, R, F> HttpBody for ReportingBody<B, R, F>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BodyError>,
    R: FnOnce(u64) -> F + Unpin,
    F: Future<Output = ()> + Send + 'static,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        while self.ending.is_none() {
            match ready!(self.poll_source(context)) {
                Some(piece) if !piece.is_empty() => {
                    return Poll::Ready(Some(Ok(Frame::data(piece))));
                }
                _ => {}
            }
        }
        let Some(Ending { report, last }) = &mut self.ending else { return Poll::Ready(None) };
        if last.is_some() {
            ready!(report.as_mut().poll(context));
        }
        Poll::Ready(last.take().map(|last| last.map(Frame::data)))
    }
}

impl<B, R, F> Drop for ReportingBody<B, R, F>
where
    R: FnOnce(u64) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    /// The receiver has gone away, unless everything is done: the report is made all the same.
    fn drop(&mut self) {
        let not_begun = self.report.take().map(|report| Box::pin(report(self.sent)));
        let under_way = self.ending.take().filter(|ending| ending.last.is_some());
        let report = not_begun.or(under_way.map(|ending| ending.report));
        if let (Some(report), Ok(runtime)) = (report, tokio::runtime::Handle::try_current()) {
            runtime.spawn(report);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};
    use tokio::sync::oneshot;

    type Pieces = VecDeque<Result<&'static str, BodyError>>;

    /// A source of these pieces.
    struct Source(Pieces);

    impl HttpBody for Source {
        type Data = Bytes;
        type Error = BodyError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
            let piece = self.0.pop_front();
            Poll::Ready(piece.map(|it| it.map(|it| Frame::data(Bytes::from_static(it.as_bytes())))))
        }
    }

    /// What comes of a body of `length` bytes from these pieces, whether it breaks off, and the
    /// reports.
    async fn read(length: u64, pieces: Pieces) -> (String, bool, Vec<u64>) {
        let reports = Arc::new(Mutex::new(Vec::new()));
        let report = {
            let reports = Arc::clone(&reports);
            move |sent| async move { reports.lock().unwrap().push(sent) }
        };
        let mut body = reporting(Source(pieces), length, report);
        let (mut text, mut broken) = (String::new(), false);
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => {
                    text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
                }
                Err(_) => broken = true,
            }
        }
        drop(body);
        let reports = reports.lock().unwrap().clone();
        (text, broken, reports)
    }

    #[tokio::test]
    async fn a_whole_source_comes_through_with_one_report_of_its_length() {
        let whole = read(5, VecDeque::from([Ok("ab"), Ok(""), Ok("cde")])).await;
        assert_eq!(whole, ("abcde".to_owned(), false, vec![5]));
        let empty = read(0, VecDeque::new()).await;
        assert!(empty.0.is_empty());
        assert_eq!(empty.2, [0]);
    }

    #[tokio::test]
    async fn a_source_that_fails_breaks_off_after_a_report_of_what_was_sent() {
        let broken = read(5, VecDeque::from([Ok("ab"), Err("gone".into()), Ok("cde")])).await;
        assert_eq!(broken, ("ab".to_owned(), true, vec![2]));
        // Only at its end does the source say whether its checksum is right.
        let wrong = read(2, VecDeque::from([Ok("ab"), Err("checksum".into())])).await;
        assert_eq!(wrong, ("a".to_owned(), true, vec![1]));
    }

    #[tokio::test]
    async fn a_source_of_another_length_breaks_off() {
        let short = read(5, VecDeque::from([Ok("ab")])).await;
        assert_eq!(short, ("ab".to_owned(), true, vec![2]));
        let long = read(3, VecDeque::from([Ok("ab"), Ok("cd")])).await;
        assert_eq!(long, ("ab".to_owned(), true, vec![2]));
    }

    #[tokio::test]
    async fn a_receiver_that_goes_away_still_gives_a_report() {
        let (sender, receiver) = oneshot::channel();
        let report = move |sent| async move { sender.send(sent).unwrap() };
        let source = Source(VecDeque::from([Ok("ab"), Ok("cde")]));
        let mut body = reporting(source, 5, report);
        assert!(body.frame().await.unwrap().is_ok());
        drop(body);
        assert_eq!(receiver.await, Ok(2));
    }
}
