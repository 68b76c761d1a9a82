//! The clients that people use, each told of the proxy the way its own manual says.

use crate::{
    exeat::{CARD, Exeat, curl, run, tool},
    origin::{Kind, Origin},
};
use std::{fs, process::Command};

fn python(exeat: &Exeat, script: &str, url: &str) -> String {
    run(Command::new(tool("venv/bin/python"))
        .args(["-c", script, url])
        .env("HTTPS_PROXY", exeat.proxy_url())
        .env("HTTP_PROXY", exeat.proxy_url())
        .env("REQUESTS_CA_BUNDLE", exeat.ca())
        .env("SSL_CERT_FILE", exeat.ca())
        .env("NO_PROXY", "")
        .env("no_proxy", ""))
}

#[test]
fn curl_gets_100_continue_from_us_and_trailers_from_the_origin() {
    let exeat = Exeat::start();
    let origin = Origin::start(&Kind::https_h1());
    let file = exeat.path("large.txt");
    fs::write(&file, "all quiet on the western front\n".repeat(100_000)).expect("written");
    let data = format!("@{}", file.display());
    let out = run(curl(&exeat).args([
        "--http1.1",
        "-H",
        "Expect: 100-continue",
        "--data-binary",
        &data,
        "-w",
        "\n%{http_code}",
        &origin.url("/echo"),
    ]));
    assert!(out.ends_with("200"), "{}", out.get(out.len().saturating_sub(200)..).unwrap_or_default());
    assert_eq!(origin.seen()[0].body.len(), 3_100_000);
    assert!(!origin.seen()[0].headers.contains_key("expect"));
    let trailers = run(curl(&exeat).args(["--http1.1", "-i", "--raw", "-H", "TE: trailers", &origin.url("/trailers")]));
    assert!(trailers.to_ascii_lowercase().contains("x-checksum: abc"), "{trailers}");
}

#[test]
fn curl_uploads_a_chunked_body_and_gzip_is_read() {
    let exeat = Exeat::start();
    let origin = Origin::start(&Kind::https());
    let plain = exeat.path("card.json");
    fs::write(&plain, format!("{{\"note\":\"charge my visa card {CARD} today\"}}")).expect("written");
    run(Command::new("gzip").arg("-k").arg(&plain));
    let data = format!("@{}.gz", plain.display());
    let sent = ["-H", "content-type: application/json", "-H", "content-encoding: gzip", "-H", "transfer-encoding: chunked", "--http1.1"];
    run(curl(&exeat).args(sent).args(["--data-binary", &data, &origin.url("/echo")]));
    let seen = origin.seen().remove(0);
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(&seen.body[..]), &mut text).expect("still gzip");
    assert!(text.starts_with("{\"note\":\"charge my visa card [") && !text.contains("4539"), "{text}");
}

#[test]
fn python_requests_and_httpx_pass_and_are_redacted() {
    let exeat = Exeat::start();
    let origin = Origin::start(&Kind::https());
    let script = "import requests,sys; r=requests.post(sys.argv[1], json={'q':'weather in 杭州'}); assert r.status_code==200, r.text; print(r.json()['body'])";
    assert!(python(&exeat, script, &origin.url("/echo")).contains("\\u676d\\u5dde"));
    let card = format!(
        "import httpx,sys,os; c=httpx.Client(http2=True, proxy=os.environ['HTTPS_PROXY']); r=c.post(sys.argv[1], json={{'q':'charge my visa card {CARD}'}}); print(r.status_code, r.http_version, r.headers['x-exeat-request'])"
    );
    let out = python(&exeat, &card, &origin.url("/echo"));
    assert!(out.starts_with("200 HTTP/2 "), "{out}");
    assert!(!origin.has_seen(CARD));
}

#[test]
fn node_fetch_with_a_proxy_agent_passes() {
    let exeat = Exeat::start();
    let origin = Origin::start(&Kind::https_h1());
    let script = "const {fetch, ProxyAgent} = require('undici'); fetch(process.argv[1], {dispatcher: new ProxyAgent(process.env.HTTPS_PROXY), method: 'POST', body: JSON.stringify({a: '你好'})}).then(async r => console.log(r.status, (await r.json()).body))";
    let out = run(Command::new("node")
        .args(["-e", script, &origin.url("/echo")])
        .env("NODE_PATH", tool("node_modules"))
        .env("NODE_EXTRA_CA_CERTS", exeat.ca())
        .env("HTTPS_PROXY", exeat.proxy_url()));
    assert_eq!(out.trim(), "200 {\"a\":\"你好\"}");
}

#[test]
fn pip_and_npm_install_from_an_index_over_https() {
    let exeat = Exeat::start();
    let site = exeat.path("site");
    let package = exeat.path("pkg");
    fs::create_dir_all(site.join("simple/exeat-demo")).expect("made");
    fs::create_dir_all(&package).expect("made");
    fs::write(package.join("pyproject.toml"), "[build-system]\nrequires=['setuptools']\nbuild-backend='setuptools.build_meta'\n[project]\nname='exeat-demo'\nversion='1.0'\n[tool.setuptools]\npy-modules=['exeat_demo']\n").expect("written");
    fs::write(package.join("exeat_demo.py"), "answer = 42\n").expect("written");
    let pip = || {
        let mut pip = Command::new(tool("venv/bin/python"));
        pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "--isolated"]);
        pip
    };
    run(pip().args(["wheel", "--no-deps", "--no-build-isolation", "-w"]).arg(site.join("simple/exeat-demo")).arg(&package));
    let wheel = fs::read_dir(site.join("simple/exeat-demo"))
        .expect("dir")
        .flatten()
        .next()
        .expect("a wheel")
        .file_name()
        .into_string()
        .expect("name");
    fs::write(site.join("simple/exeat-demo/index.html"), format!("<!DOCTYPE html><a href=\"{wheel}\">{wheel}</a>")).expect("written");

    fs::create_dir_all(exeat.path("npm/package")).expect("made");
    fs::write(exeat.path("npm/package/package.json"), r#"{"name":"exeat-demo","version":"1.0.0","main":"index.js"}"#).expect("written");
    fs::write(exeat.path("npm/package/index.js"), "module.exports = 42\n").expect("written");
    run(Command::new("tar").arg("-C").arg(exeat.path("npm")).arg("-czf").arg(site.join("exeat-demo-1.0.0.tgz")).arg("package"));

    let origin = Origin::start(&Kind { file_root: Some(site.clone()), ..Kind::https() });
    run(pip()
        .args(["install", "--no-deps", "--target"])
        .arg(exeat.path("installed"))
        .args(["--proxy", &exeat.proxy_url(), "--index-url", &origin.url("/files/simple/"), "exeat-demo"])
        .arg("--cert")
        .arg(exeat.ca())
        .env("REQUESTS_CA_BUNDLE", exeat.ca())
        .env("NO_PROXY", "")
        .env("no_proxy", ""));
    assert!(exeat.path("installed/exeat_demo.py").exists());

    let manifest = format!(
        r#"{{"name":"exeat-demo","dist-tags":{{"latest":"1.0.0"}},"versions":{{"1.0.0":{{"name":"exeat-demo","version":"1.0.0","dist":{{"tarball":"{}"}}}}}}}}"#,
        origin.url("/files/exeat-demo-1.0.0.tgz")
    );
    fs::create_dir_all(site.join("registry")).expect("made");
    fs::write(site.join("registry/exeat-demo"), manifest).expect("written");
    fs::create_dir_all(exeat.path("app")).expect("made");
    fs::write(exeat.path("app/package.json"), "{}").expect("written");
    run(Command::new("npm")
        .current_dir(exeat.path("app"))
        .args(["install", "--silent", "--no-audit", "--no-fund", "--no-save", "exeat-demo"])
        .args([
            "--registry",
            &origin.url("/files/registry/"),
            "--https-proxy",
            &exeat.proxy_url(),
            "--proxy",
            &exeat.proxy_url(),
            "--noproxy",
            "",
        ])
        .arg("--cafile")
        .arg(exeat.ca())
        .arg("--cache")
        .arg(exeat.path("npm-cache")));
    assert!(exeat.path("app/node_modules/exeat-demo/index.js").exists());
}

#[test]
fn websocket_messages_are_read_redacted_and_refused() {
    let exeat = Exeat::start();
    let script = format!(
        r#"
import asyncio, sys, websockets
from websockets.asyncio.server import serve
from websockets.asyncio.client import connect
seen = []
async def echo(ws):
    async for message in ws:
        seen.append(message)
        await ws.send(message)
async def main():
    async with serve(echo, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"ws://127.0.0.1:{{port}}/chat", proxy=sys.argv[1]) as client:
            assert "permessage-deflate" in client.response.headers["Sec-WebSocket-Extensions"]
            await client.send("hello 你好" * 50)
            assert await client.recv() == "hello 你好" * 50
            await client.send("charge my visa card {CARD} today")
            answer = await client.recv()
            assert answer.startswith("charge my visa card [") and "4539" not in answer, answer
            await client.send(bytes(range(256)) * 100)
            assert await client.recv() == bytes(range(256)) * 100
            await client.send(b"\x00\xff charge my visa card {CARD} today \xfe")
            try:
                await client.recv()
                raise SystemExit("bytes that cannot be changed were let through")
            except websockets.ConnectionClosed as closed:
                assert closed.rcvd.code == 1008, closed
    assert not any(b"{CARD}" in (m.encode() if isinstance(m, str) else m) for m in seen)
asyncio.run(main())
"#
    );
    run(Command::new(tool("venv/bin/python")).args(["-c", &script, &exeat.proxy_url()]));
    let actions: Vec<_> = exeat.events().iter().map(|event| event["action"].clone()).collect();
    assert!(actions.contains(&"block".into()) && actions.contains(&"redact".into()), "{actions:?}");
}
