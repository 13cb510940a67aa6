//! The body of a request that was answered before it had been read, as most refusals are. A client that is still
//! sending looks for the answer when it has sent everything; if the connection were closed on what it sends, the
//! reset would destroy the answer on its way. So the rest is read and thrown away, within bounds.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes};
use http::{HeaderMap, header};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tokio::{runtime::Handle, time};

#[derive(Debug, Clone, Copy)]
pub(crate) struct UnreadLimits {
    pub bytes_max: u64,
    pub deadline: Duration,
}

/// The body as the services get it. A request without one costs nothing.
pub(crate) fn body_of(request_headers: &HeaderMap, incoming: Incoming, limits: UnreadLimits) -> Body {
    if incoming.is_end_stream() {
        return Body::empty();
    }
    let waits = request_headers
        .get(header::EXPECT)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    Body::new(RequestBody { unread: Some(incoming), is_being_sent: !waits, limits })
}

struct RequestBody {
    /// `None` once there is nothing left to read.
    unread: Option<Incoming>,
    /// A client that waits for `100 Continue` sends nothing before the body is asked for.
    is_being_sent: bool,
    limits: UnreadLimits,
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.is_being_sent = true;
        let Some(unread) = &mut self.unread else { return Poll::Ready(None) };
        let frame = Pin::new(unread).poll_frame(context);
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            self.unread = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.unread.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.unread.as_ref().map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let Some(unread) = self.unread.take().filter(|unread| self.is_being_sent && !unread.is_end_stream())
        else {
            return;
        };
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(discard(unread, self.limits));
        }
    }
}

/// When this ends early, the connection is closed on the client.
async fn discard(mut unread: Incoming, limits: UnreadLimits) {
    let mut bytes_left = limits.bytes_max;
    let discarded = time::timeout(limits.deadline, async {
        while let Some(frame) =
            std::future::poll_fn(|context| Pin::new(&mut unread).poll_frame(context)).await
        {
            let Ok(frame) = frame else { return true };
            let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
            let Some(left) = bytes_left.checked_sub(bytes) else { return false };
            bytes_left = left;
        }
        true
    });
    if !discarded.await.unwrap_or(false) {
        tracing::debug!("a client was cut off that went on sending after its answer");
    }
}
