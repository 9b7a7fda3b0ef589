//! A dialled or accepted connection: a socket of either network, or one of many streams over a socket, plain or with
//! TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use super::address::Address;
#[cfg(feature = "mux")]
use super::mux::MuxStream;
use super::socket::UnixSocket;
use crate::sys::os;

/// A connection on which bytes can be sent.
#[derive(Debug)]
pub(crate) enum Stream {
    Unix(UnixSocket),
    Tcp(TcpStream),
    #[cfg(feature = "auto-mtls")]
    Tls(Box<tokio_rustls::TlsStream<Stream>>),
    /// One of many over one socket.
    #[cfg(feature = "mux")]
    Mux(MuxStream),
}

impl Stream {
    /// Over one of tokio's sockets.
    ///
    /// # Errors
    ///
    /// As [`UnixSocket::new`].
    pub(crate) fn unix(socket: UnixStream) -> io::Result<Self> {
        UnixSocket::new(socket).map(Self::Unix)
    }

    /// Connects once, without a timeout of its own: Unix sockets answer at once, TCP after as long as the system
    /// tries. Dropping the future gives up.
    pub(crate) async fn connect(address: &Address) -> io::Result<Self> {
        match address {
            Address::Unix(path) => Self::unix(UnixStream::connect(path).await?),
            Address::Abstract(name) => match os::abstract_path(name) {
                Some(path) => Self::unix(UnixStream::connect(path).await?),
                None => Err(io::Error::new(io::ErrorKind::Unsupported, "only Linux has abstract socket names")),
            },
            Address::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                Ok(Self::Tcp(stream))
            }
        }
    }
}

/// Passes a method of the IO traits on to the connection.
macro_rules! socket {
    ($this:ident . $method:ident ( $($argument:expr),* )) => {
        match $this.get_mut() {
            Stream::Unix(socket) => Pin::new(socket).$method($($argument),*),
            Stream::Tcp(socket) => Pin::new(socket).$method($($argument),*),
            #[cfg(feature = "auto-mtls")]
            Stream::Tls(stream) => Pin::new(stream).$method($($argument),*),
            #[cfg(feature = "mux")]
            Stream::Mux(stream) => Pin::new(stream).$method($($argument),*),
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        socket!(self.poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        socket!(self.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        socket!(self.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Unix(_) | Self::Tcp(_) => true,
            #[cfg(feature = "auto-mtls")]
            Self::Tls(_) => true,
            #[cfg(feature = "mux")]
            Self::Mux(_) => false,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        socket!(self.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        socket!(self.poll_shutdown(cx))
    }
}
