//! A real browser, told of the proxy by the PAC file alone, that posts a form, a `fetch()` and a file, and shows the block page.
//!
//! Browsers never send loopback names through a proxy, so the origin has another name here, which only the parent proxy behind
//! Exeat can resolve: the way of companies whose proxies are chained.

use crate::{
    exeat::{CARD, Exeat, Setup, run, tool},
    origin::{Kind, Origin},
};
use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::Command,
    thread,
};

/// A parent proxy that takes every tunnel to `origin`.
fn parent(origin: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = listener.local_addr().expect("address");
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || tunnel(client, origin));
        }
    });
    address
}

fn tunnel(mut client: TcpStream, origin: SocketAddr) -> std::io::Result<()> {
    let head = crate::wire::read_head(&mut client);
    assert!(head.starts_with("CONNECT "), "{head}");
    let mut server = TcpStream::connect(origin)?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut up_from, mut up_to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || copy(&mut up_from, &mut up_to));
    copy(&mut server, &mut client)
}

fn copy(from: &mut TcpStream, to: &mut TcpStream) -> std::io::Result<()> {
    let mut bytes = [0; 16 << 10];
    loop {
        let count = from.read(&mut bytes)?;
        if count == 0 {
            return to.shutdown(std::net::Shutdown::Write);
        }
        to.write_all(&bytes[..count])?;
    }
}

const SCRIPT: &str = r#"
const { chromium } = require('playwright-core');
const [pac, spki, profile, url, card, file, shot] = process.argv.slice(1);
(async () => {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM, locale: 'zh-CN',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
      '--disable-sync', `--proxy-pac-url=${pac}`, `--ignore-certificate-errors-spki-list=${spki}`],
  });
  const page = await context.newPage();
  await page.goto(url);
  const out = { title: await page.title() };
  out.fetch = await page.evaluate(async card => {
    const answer = await fetch('/echo', { method: 'POST', body: JSON.stringify({ note: `charge my visa card ${card} today` }), headers: { 'content-type': 'application/json' } });
    return { status: answer.status, type: answer.headers.get('content-type'), body: await answer.text() };
  }, card);
  out.clean = await page.evaluate(async () => (await (await fetch('/echo', { method: 'POST', body: '你好' })).json()).body);
  await page.setInputFiles('#file', file);
  const [upload] = await Promise.all([page.waitForNavigation(), page.click('#upload')]);
  out.upload = upload.status();
  await page.goto(url);
  await page.fill('#note', `charge my visa card ${card} today`);
  const [posted] = await Promise.all([page.waitForNavigation(), page.click('#send')]);
  out.form = { status: posted.status(), text: await page.innerText('body') };
  await page.screenshot({ path: shot });
  await context.close();
  console.log(JSON.stringify(out));
})().catch(error => { console.error(error); process.exit(1); });
"#;

#[test]
fn chromium_posts_and_shows_the_block_page() {
    let site = tempfile::tempdir().expect("dir");
    fs::write(
        site.path().join("form.html"),
        r#"<!DOCTYPE html><title>form</title><form action="/echo" method="post"><input id="note" name="note"><button id="send">send</button></form>
<form action="/echo" method="post" enctype="multipart/form-data"><input id="file" type="file" name="file"><button id="upload">upload</button></form>"#,
    )
    .expect("written");
    let origin = Origin::start(&Kind { file_root: Some(site.path().to_owned()), ..Kind::https() });
    let upstream = format!("[upstream]\nextra_roots = [\"origin-ca.pem\"]\nparent = \"http://{}\"\n", parent(origin.address));
    let policy = "[[rule]]\nname = \"no cards\"\nwhen = { label = [\"finance.card\"], confidence = 0.8 }\naction = \"block\"\nmessage = { en = \"Cards stay here.\", zh = \"银行卡号不得外发。\" }\n";
    let exeat = Exeat::start_with(&Setup { config: &upstream, policy: Some(policy), ..Setup::default() });

    let spki = run(Command::new("sh").args([
        "-c",
        "openssl x509 -in \"$0\" -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | openssl base64 -A",
        &exeat.path("state/intermediate.pem").display().to_string(),
    ]));
    let file = exeat.path("cards.txt");
    fs::write(&file, format!("charge my visa card {CARD} today\n")).expect("written");
    let artefacts = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-artefacts");
    fs::create_dir_all(&artefacts).expect("made");
    let chromium =
        ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].into_iter().find(|path| Path::new(path).exists());
    let out = run(Command::new("node")
        .args(["-e", SCRIPT, &format!("http://{}/proxy.pac", exeat.admin), spki.trim()])
        .arg(exeat.path("profile"))
        .args([&format!("https://origin.test:{}/files/form.html", origin.address.port()), CARD])
        .arg(&file)
        .arg(artefacts.join("block-page.png"))
        .env("NODE_PATH", tool("node_modules"))
        .env("CHROMIUM", chromium.expect("a Chromium; tests/run installs it")));
    let out: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(out["title"], "form");
    assert_eq!(out["clean"], "你好");
    assert_eq!((out["fetch"]["status"].as_u64(), out["fetch"]["type"].as_str()), (Some(403), Some("application/problem+json")), "{out}");
    assert_eq!(out["upload"], 403);
    assert_eq!(out["form"]["status"], 403);
    let page = out["form"]["text"].as_str().expect("text");
    assert!(page.contains("银行卡号不得外发。") && page.contains("no cards"), "{page}");
    assert!(!origin.has_seen(CARD));
}
