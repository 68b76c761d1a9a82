//! Bytes on the wire, for what no well-behaved client sends.

use crate::exeat::Exeat;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

/// A plain connection to the proxy.
pub fn connect(exeat: &Exeat) -> TcpStream {
    let stream = TcpStream::connect(exeat.proxy).expect("connected");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("set");
    stream.set_nodelay(true).expect("set");
    stream
}

/// A tunnel to `authority`, not yet used.
pub fn tunnel(exeat: &Exeat, authority: &str) -> TcpStream {
    let mut stream = connect(exeat);
    write!(stream, "CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n").expect("sent");
    let head = read_head(&mut stream);
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    stream
}

/// A client that trusts `exeat` and offers `alpn`.
pub fn client_config(exeat: &Exeat, alpn: &[&[u8]]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(exeat.ca()).expect("the root")).expect("added");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    config
}

/// TLS as `name` inside a tunnel, offering `alpn`.
pub fn tls(exeat: &Exeat, stream: TcpStream, name: &str, alpn: &[&[u8]]) -> StreamOwned<ClientConnection, TcpStream> {
    let config = client_config(exeat, alpn);
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).expect("a connection"), stream)
}

/// Reads up to and including the empty line.
pub fn read_head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            Ok(_) => break,
            Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&head)),
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// Everything until the other side closes.
pub fn read_all(stream: &mut impl Read) -> String {
    let mut all = Vec::new();
    // A peer that closes without TLS close_notify has closed as well.
    let _ = stream.read_to_end(&mut all);
    String::from_utf8_lossy(&all).into_owned()
}

/// The content of a chunked body.
pub fn dechunk(body: &str) -> String {
    let mut rest = body;
    let mut out = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).expect("a chunk size");
        if size == 0 {
            break;
        }
        out += &after[..size];
        rest = after[size..].strip_prefix("\r\n").expect("a chunk end");
    }
    out
}
