//! The bytes of an answer, whole or streamed.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};

/// Why a streamed body broke off.
pub type BodyError = Box<dyn Error + Send + Sync>;

/// An answer's body. One type for all endpoints, so that each can be buffered or streamed.
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

/// A body of these bytes.
pub fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A body of `length` bytes that is read while it is sent.
///
/// `report` is told how many bytes have been handed over, once, when no more will be: before the
/// last one goes out, which waits until it has returned, so that whoever has them all can rely on
/// what it has done; before the body breaks off, when the source does; and in the background when
/// the receiver has gone away. A source of another length breaks off.
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

/// The report under way, and what comes after it until that has been handed over too.
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
    /// Begins the report: after `sent` bytes, the last of which may be in `last`, there
    /// will be no more.
    fn end(&mut self, sent: u64, last: Result<Bytes, BodyError>) {
        self.sent = sent;
        if let Some(report) = self.report.take() {
            let report = Box::pin(report(sent));
            self.ending = Some(Ending { report, last: Some(last) });
        }
    }

    /// The next bytes to hand over, when they come before the end.
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
    /// The receiver has gone away, unless everything is done: the report is not given up.
    fn drop(&mut self) {
        let not_begun = self.report.take().map(|report| Box::pin(report(self.sent)));
        let under_way = self.ending.take().filter(|ending| ending.last.is_some());
        let report = not_begun.or(under_way.map(|ending| ending.report));
        if let (Some(report), Ok(runtime)) = (report, tokio::runtime::Handle::try_current()) {
            runtime.spawn(report);
        }
    }
}
