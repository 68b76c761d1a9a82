//! The binary under test, started with a state directory of its own on ports of its own.

use serde_json::Value;
use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;

/// A running `exeat run`, ended when dropped.
pub struct Exeat {
    child: Child,
    dir: TempDir,
    /// Where the proxy listens.
    pub proxy: SocketAddr,
    /// Where the admin server listens.
    pub admin: SocketAddr,
}

/// A value that is certainly confidential: a payment card that passes Luhn and is nobody's published sample.
pub const CARD: &str = "4539 5787 6362 1486";

/// What [`Exeat::start_with`] is told.
#[derive(Default)]
pub struct Setup<'a> {
    /// Lines of configuration below those that every test needs.
    pub config: &'a str,
    /// A policy file in place of the shipped one.
    pub policy: Option<&'a str>,
    /// PEM of a CA to trust for origins.
    pub origin_ca: Option<&'a str>,
    /// More files to put beside the configuration.
    pub files: &'a [(&'a str, &'a str)],
}

impl Exeat {
    /// Starts one that reaches loopback and trusts the origins' CA.
    pub fn start() -> Self {
        Self::start_with(&Setup::default())
    }

    /// Starts one with this set-up.
    pub fn start_with(setup: &Setup<'_>) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = |name: &str| dir.path().join(name);
        fs::write(path("origin-ca.pem"), setup.origin_ca.unwrap_or(crate::origin::ca_pem())).expect("written");
        for (name, text) in setup.files {
            fs::write(path(name), text).expect("written");
        }
        // A section may stand only once, so a test that has its own takes ours over.
        let mut config = String::new();
        if !setup.config.contains("[upstream]") {
            config += "[upstream]\nallow_private = [\"127.0.0.0/8\", \"::1/128\"]\nextra_roots = [\"origin-ca.pem\"]\n";
        }
        if let Some(policy) = setup.policy {
            fs::write(path("policy.toml"), policy).expect("written");
            config += "[policy]\nfile = \"policy.toml\"\n";
        }
        config += setup.config;
        fs::write(path("exeat.toml"), config).expect("written");

        let mut child = Command::new(env!("CARGO_BIN_EXE_exeat"))
            .args(["run", "--config"])
            .arg(path("exeat.toml"))
            .arg("--state")
            .arg(path("state"))
            .args(["--proxy", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(fs::File::create(path("stderr")).expect("created"))
            .spawn()
            .expect("exeat starts");
        // The banner comes after the ready file; it ends when the process does.
        let banner = BufReader::new(child.stdout.take().expect("piped"));
        let served = banner.lines().map_while(Result::ok).any(|line| line.contains("Ctrl-C"));
        let stderr = fs::read_to_string(path("stderr")).unwrap_or_default();
        assert!(served, "exeat did not start:\n{stderr}");
        let ready: Value = serde_json::from_str(&fs::read_to_string(path("state/ready")).expect("the ready file")).expect("JSON");
        let address = |key: &str| ready[key].as_str().expect("an address").parse().expect("host:port");
        Self { proxy: address("proxy"), admin: address("admin"), child, dir }
    }

    /// A path in the directory that holds configuration and state.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The root certificate that clients trust.
    pub fn ca(&self) -> PathBuf {
        self.path("state/ca.pem")
    }

    /// `http://host:port` of the proxy.
    pub fn proxy_url(&self) -> String {
        format!("http://{}", self.proxy)
    }

    /// The answer of the admin server to a GET with the admin's token.
    pub fn get(&self, path: &str) -> Value {
        let token = fs::read_to_string(self.path("state/admin.token")).expect("a token");
        let (status, body) = self.admin_request(&format!("GET {path} HTTP/1.1\r\nAuthorization: Bearer {}\r\n", token.trim()), "");
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
    }

    /// Status and body of an admin request with this head (without `Host` and the empty line).
    pub fn admin_request(&self, head: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.admin).expect("connected");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
        write!(stream, "{head}Host: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", self.admin, body.len()).expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let is_chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        (status, if is_chunked { crate::wire::dechunk(body) } else { body.to_owned() })
    }

    /// All audit events, newest first.
    pub fn events(&self) -> Vec<Value> {
        self.get("/api/v1/audit/events")["events"].as_array().expect("events").clone()
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("stderr")).unwrap_or_default()
    }

    /// Sends a signal and waits for the end.
    pub fn signal(&mut self, signal: &str) -> std::process::ExitStatus {
        let sent = Command::new("kill").args([signal, &self.pid().to_string()]).status().expect("kill runs");
        assert!(sent.success());
        self.child.wait().expect("ended")
    }
}

impl Drop for Exeat {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- exeat's log ---\n{}", self.log());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end; its standard output. Panics with everything it said if it fails.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{out}\n{err}", output.status);
    out.into_owned()
}

/// `curl` through `exeat`, quiet but for errors, trusting its root.
pub fn curl(exeat: &Exeat) -> Command {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "60", "--proxy", &exeat.proxy_url(), "--cacert"]).arg(exeat.ca());
    curl.env_remove("no_proxy").env_remove("NO_PROXY");
    curl
}

/// A file of the test tools that `tests/run` installs.
pub fn tool(name: &str) -> PathBuf {
    let tools =
        std::env::var_os("EXEAT_TEST_TOOLS").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools"), PathBuf::from);
    let path = tools.join(name);
    assert!(path.exists(), "{} is not there; run tests/run once, it installs what the tests need", path.display());
    path
}
