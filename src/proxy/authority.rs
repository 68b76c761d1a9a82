//! The certificate authority of one installation: a root that people trust, an intermediate that signs, and a cache of leaves.
//!
//! The root's key signs once in a decade, the intermediate (path length 0, RFC 5280 section 4.2.1.9) signs the leaves, and all
//! leaves share one key that lives in memory only. A leaf carries exactly the name that the client asked for.

use super::versions::Versions;
use quick_cache::sync::Cache;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SerialNumber,
};
use rustls::{
    ServerConfig,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject},
    server::{ProducesTickets, ServerSessionMemoryCache, StoresServerSessions},
};
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use time::OffsetDateTime;

/// The root certificate, for people to install.
pub const ROOT_FILE: &str = "ca.pem";
/// Its private key.
pub const ROOT_KEY_FILE: &str = "ca.key";
const INTERMEDIATE_FILE: &str = "intermediate.pem";
const INTERMEDIATE_KEY_FILE: &str = "intermediate.key";

/// Leaves kept ready: more than the hosts of a busy office at one time.
const CACHED_LEAVES: usize = 10_000;
/// Clocks of clients may be this much behind ours.
const BACKDATE: time::Duration = time::Duration::hours(24);
const ROOT_LIFE: time::Duration = time::Duration::days(3650);
const INTERMEDIATE_LIFE: time::Duration = time::Duration::days(1825);

/// Makes certificates for the names that clients connect to.
pub struct Authority {
    root: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    /// What follows the leaf in the chain.
    chain: Vec<CertificateDer<'static>>,
    leaf_key: KeyPair,
    leaf_life: time::Duration,
    leaves: Cache<String, Leaf>,
    provider: Arc<CryptoProvider>,
    tickets: Arc<dyn ProducesTickets>,
    sessions: Arc<dyn StoresServerSessions + Send + Sync>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}

/// A ready TLS configuration for one name.
#[derive(Clone)]
struct Leaf {
    any: Arc<ServerConfig>,
    http1: Arc<ServerConfig>,
    /// Taken out of the cache from here on, well before the certificate ends.
    renew_at: Instant,
}

/// Why the authority cannot work.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file cannot be read or written.
    #[error("{}: {source}; make the state directory writable for this user", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file holds something else than it should.
    #[error("{}: {cause}; put back a matching certificate and key, or remove both to have new ones made (every client must then trust the new root)", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// No certificate can be made for a name.
    #[error("no certificate can be made: {0}")]
    Mint(String),
}

impl Authority {
    /// Opens the authority in `directory`, making what is not there. A root of the company's own is used as it is when
    /// `ca.pem` and `ca.key` (PKCS#8, RSA or ECDSA) are put there before the first start.
    ///
    /// # Errors
    /// [`AuthorityError`] when files cannot be read, written or do not fit together.
    pub fn open(directory: &Path, leaf_days: u32) -> Result<Self, AuthorityError> {
        let root_pem = directory.join(ROOT_FILE);
        let root_key = directory.join(ROOT_KEY_FILE);
        if !root_pem.exists() && !root_key.exists() {
            let (certificate, key) = new_root()?;
            write_private(&root_key, key.serialize_pem().as_bytes())?;
            write_private(&root_pem, certificate.pem().as_bytes())?;
        }
        let root_issuer = load_issuer(&root_pem, &root_key)?;
        let root = load_certificate(&root_pem)?;

        let intermediate_pem = directory.join(INTERMEDIATE_FILE);
        let intermediate_key = directory.join(INTERMEDIATE_KEY_FILE);
        if !is_current(&intermediate_pem, &root) {
            let (certificate, key) = new_intermediate(&root_issuer)?;
            write_private(&intermediate_key, key.serialize_pem().as_bytes())?;
            // The root goes into the same file: it tells later whether the intermediate still belongs to it.
            write_private(&intermediate_pem, format!("{}{}", certificate.pem(), read(&root_pem)?).as_bytes())?;
        }
        let issuer = load_issuer(&intermediate_pem, &intermediate_key)?;
        let chain = vec![load_certificate(&intermediate_pem)?];

        let leaf_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(mint)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tickets = rustls::crypto::aws_lc_rs::Ticketer::new().map_err(|error| AuthorityError::Mint(error.to_string()))?;
        Ok(Self {
            root,
            issuer,
            chain,
            leaf_key,
            leaf_life: time::Duration::days(leaf_days.into()),
            leaves: Cache::new(CACHED_LEAVES),
            provider,
            tickets,
            sessions: ServerSessionMemoryCache::new(4096),
        })
    }

    /// The root certificate, DER.
    pub fn root(&self) -> &CertificateDer<'static> {
        &self.root
    }

    /// SHA-256 of the root certificate, as devices show it: upper-case hex bytes with colons.
    pub fn fingerprint(&self) -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &self.root);
        digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
    }

    /// The TLS configuration to meet a client with that wants to talk to `name` (a host name or an IP address, lower case), in one of
    /// `versions` of HTTP.
    ///
    /// # Errors
    /// [`AuthorityError::Mint`] when `name` is no name that a certificate can carry.
    pub async fn tls_for(&self, name: &str, versions: Versions) -> Result<Arc<ServerConfig>, AuthorityError> {
        match self.leaves.get(name) {
            Some(leaf) if Instant::now() < leaf.renew_at => return Ok(leaf.tls(versions)),
            Some(_) => drop(self.leaves.remove(name)),
            None => {}
        }
        // One client makes it, the others of the same moment wait for that one.
        let leaf = self.leaves.get_or_insert_async(name, async { self.mint(name) }).await?;
        Ok(leaf.tls(versions))
    }

    fn mint(&self, name: &str) -> Result<Leaf, AuthorityError> {
        let mut params = CertificateParams::new(vec![name.to_owned()]).map_err(mint)?;
        let now = OffsetDateTime::now_utc();
        params.not_before = now - BACKDATE;
        params.not_after = now + self.leaf_life;
        params.serial_number = Some(random_serial()?);
        params.distinguished_name = DistinguishedName::new();
        if name.len() <= 64 {
            params.distinguished_name.push(DnType::CommonName, name); // ub-common-name, RFC 5280 appendix A
        }
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&self.leaf_key, &self.issuer).map_err(mint)?;

        let chain = std::iter::once(certificate.der().clone()).chain(self.chain.iter().cloned()).collect();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.leaf_key.serialize_der()));
        let mut tls = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| AuthorityError::Mint(error.to_string()))?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec(), b"http/1.0".to_vec()];
        tls.ticketer = Arc::clone(&self.tickets);
        tls.session_storage = Arc::clone(&self.sessions) as _;
        let mut http1 = tls.clone();
        http1.alpn_protocols.retain(|name| name != b"h2");
        let renew_in = Duration::from_secs(u64::try_from(self.leaf_life.whole_seconds() * 3 / 4).unwrap_or(0));
        Ok(Leaf { any: Arc::new(tls), http1: Arc::new(http1), renew_at: Instant::now() + renew_in })
    }
}

impl Leaf {
    fn tls(self, versions: Versions) -> Arc<ServerConfig> {
        match versions {
            Versions::Any => self.any,
            Versions::Http1 => self.http1,
        }
    }
}

fn new_root() -> Result<(Certificate, KeyPair), AuthorityError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(mint)?;
    let mut params = ca_params("Exeat root", BasicConstraints::Unconstrained, ROOT_LIFE)?;
    params.use_authority_key_identifier_extension = false; // it is its own issuer
    Ok((params.self_signed(&key).map_err(mint)?, key))
}

fn new_intermediate(root: &Issuer<'static, KeyPair>) -> Result<(Certificate, KeyPair), AuthorityError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(mint)?;
    let params = ca_params("Exeat signing", BasicConstraints::Constrained(0), INTERMEDIATE_LIFE)?;
    Ok((params.signed_by(&key, root).map_err(mint)?, key))
}

fn ca_params(role: &str, constraints: BasicConstraints, life: time::Duration) -> Result<CertificateParams, AuthorityError> {
    let mut params = CertificateParams::default();
    let now = OffsetDateTime::now_utc();
    let serial = random_serial()?;
    params.not_before = now - BACKDATE;
    params.not_after = now + life;
    params.distinguished_name = DistinguishedName::new();
    // Two installations must not share a subject name: clients match issuers by it.
    let tag: String = serial.to_bytes().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    params.distinguished_name.push(DnType::OrganizationName, "Exeat");
    params.distinguished_name.push(DnType::CommonName, format!("{role} {tag}"));
    params.serial_number = Some(serial);
    params.is_ca = IsCa::Ca(constraints);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// 127 random bits, positive (RFC 5280 section 4.1.2.2).
fn random_serial() -> Result<SerialNumber, AuthorityError> {
    let mut bytes = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|error| AuthorityError::Mint(error.to_string()))?;
    if let Some(first) = bytes.first_mut() {
        *first = (*first & 0x7f) | 0x40; // no leading zero: DER wants the shortest form
    }
    Ok(SerialNumber::from_slice(&bytes))
}

/// Whether the intermediate's file is there, belongs to `root` and has a year left.
fn is_current(intermediate: &Path, root: &CertificateDer<'_>) -> bool {
    let Ok(chain) = CertificateDer::pem_file_iter(intermediate).and_then(Iterator::collect::<Result<Vec<_>, _>>) else { return false };
    let written = std::fs::metadata(intermediate).and_then(|meta| meta.modified()).ok().and_then(|at| at.elapsed().ok());
    let fresh = written.is_some_and(|age| age < Duration::from_secs(4 * 365 * 24 * 3600));
    fresh && chain.get(1).is_some_and(|issuer| issuer == root)
}

fn load_issuer(certificate: &Path, key: &Path) -> Result<Issuer<'static, KeyPair>, AuthorityError> {
    let content = |path: &Path, cause: String| AuthorityError::Content { path: path.to_owned(), cause };
    let pair = KeyPair::from_pem(&read(key)?).map_err(|error| content(key, format!("no private key: {error}")))?;
    let der = load_certificate(certificate)?;
    check_pair(&der, &pair).map_err(|cause| content(certificate, cause))?;
    Issuer::from_ca_cert_der(&der, pair).map_err(|error| content(certificate, format!("no CA certificate: {error}")))
}

fn check_pair(certificate: &CertificateDer<'_>, key: &KeyPair) -> Result<(), String> {
    use rcgen::PublicKeyData as _;
    let spki = key.subject_public_key_info();
    // The SubjectPublicKeyInfo stands in the certificate byte for byte.
    let fits = memchr::memmem::find(certificate.as_ref(), &spki).is_some();
    if fits { Ok(()) } else { Err("the key is not this certificate's".to_owned()) }
}

fn load_certificate(path: &Path) -> Result<CertificateDer<'static>, AuthorityError> {
    CertificateDer::from_pem_slice(read(path)?.as_bytes())
        .map_err(|error| AuthorityError::Content { path: path.to_owned(), cause: format!("no certificate: {error}") })
}

fn read(path: &Path) -> Result<String, AuthorityError> {
    std::fs::read_to_string(path).map_err(|source| AuthorityError::File { path: path.to_owned(), source })
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<(), AuthorityError> {
    crate::state::write_private(path, bytes).map_err(|source| AuthorityError::File { path: path.to_owned(), source })
}

fn mint(error: rcgen::Error) -> AuthorityError {
    AuthorityError::Mint(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_same_root_is_used_after_a_restart_and_leaves_are_cached() {
        let dir = tempfile::tempdir().expect("dir");
        let first = Authority::open(dir.path(), 30).expect("made");
        let again = Authority::open(dir.path(), 30).expect("opened");
        assert_eq!(first.root(), again.root());
        let one = again.tls_for("example.com", Versions::Any).await.expect("leaf");
        let two = again.tls_for("example.com", Versions::Any).await.expect("leaf");
        assert!(Arc::ptr_eq(&one, &two));
        let other = again.tls_for("127.0.0.1", Versions::Any).await.expect("an address is a name too");
        assert!(!Arc::ptr_eq(&one, &other));
        let old = again.tls_for("example.com", Versions::Http1).await.expect("leaf");
        assert_eq!((&*old.alpn_protocols[0], &*one.alpn_protocols[0]), (&b"http/1.1"[..], &b"h2"[..]));
    }

    #[test]
    fn a_key_that_is_not_the_roots_is_refused_by_name() {
        let dir = tempfile::tempdir().expect("dir");
        Authority::open(dir.path(), 30).expect("made");
        let stranger = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("key");
        std::fs::write(dir.path().join(ROOT_KEY_FILE), stranger.serialize_pem()).expect("write");
        let error = Authority::open(dir.path(), 30).expect_err("refused").to_string();
        assert!(error.contains("ca.pem") && error.contains("not this certificate's"), "{error}");
    }

    #[tokio::test]
    async fn a_name_that_no_certificate_can_carry_is_an_error() {
        let dir = tempfile::tempdir().expect("dir");
        let authority = Authority::open(dir.path(), 30).expect("made");
        assert!(authority.tls_for("bücher.example", Versions::Any).await.is_err());
    }
}
