//! The ways in which a destination cannot be reached.

use super::reply::CertificateFault;
use http::StatusCode;
use rustls::CertificateError;
use std::{io, net::IpAddr};

/// Why a destination could not be reached.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// Its name has no address.
    #[error("the name cannot be resolved")]
    Dns(#[source] io::Error),
    /// Its address is private, and not allowed.
    #[error("the destination is inside a private network")]
    Private(IpAddr),
    /// It is this proxy or its admin port.
    #[error("the destination is the proxy itself")]
    Loop,
    /// No connection.
    #[error("no connection could be made")]
    Connect(#[source] io::Error),
    /// Its certificate is not to be trusted.
    #[error("the certificate is not to be trusted: {0}")]
    Certificate(CertificateFault),
    /// TLS failed otherwise.
    #[error("no TLS connection could be made")]
    Tls(#[source] io::Error),
    /// The parent proxy refused.
    #[error("the parent proxy answered {0}")]
    Parent(StatusCode),
    /// HTTP failed.
    #[error("the connection broke before an answer came")]
    Http(#[from] hyper::Error),
    /// It took too long to connect.
    #[error("no connection in time")]
    TimedOut,
    /// It took too long to answer.
    #[error("no answer in time")]
    AnswerTimedOut,
}

impl UpstreamError {
    /// What a failed TLS handshake says.
    pub(super) fn of_tls(error: io::Error) -> Self {
        let fault = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).and_then(|error| match error {
            rustls::Error::InvalidCertificate(fault) => Some(match fault {
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => CertificateFault::Expired,
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => CertificateFault::NotYetValid,
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => CertificateFault::WrongName,
                CertificateError::UnknownIssuer => CertificateFault::UnknownIssuer,
                CertificateError::Revoked => CertificateFault::Revoked,
                _ => CertificateFault::Invalid,
            }),
            _ => None,
        });
        match fault {
            Some(fault) => UpstreamError::Certificate(fault),
            None => UpstreamError::Tls(error),
        }
    }
}
