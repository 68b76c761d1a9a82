//! Problem documents and the error objects of the APIs whose clients show them.
//!
//! Paths are looked at before hosts: gateways and self-hosted servers speak a vendor's API under other names, and some
//! vendors speak another's under theirs.

use super::{
    Language, Rendered, RequestFacts,
    notice::Notice,
    shape::{is_write, starts_with},
};
use crate::finding::Gap;
use http::{HeaderName, StatusCode, header};
use serde_json::{Value, json};

/// An API with an error object of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Api {
    /// OpenAI and the many that speak its API.
    OpenAi,
    Anthropic,
    /// Gemini, Vertex AI and other Google APIs (google.rpc.Status).
    Google,
    /// Gemini's streaming call without `alt=sse`: the answer is an array.
    GoogleArray,
    /// Alibaba Cloud Model Studio, native.
    DashScope,
    /// Tencent Cloud API 3.0.
    Tencent,
    Mistral,
    Ollama,
    Cohere,
    HuggingFace,
    /// AWS JSON protocols: Bedrock and others.
    Aws,
    /// S3 and what speaks like it: OSS, COS, OBS, GCS.
    ObjectStore,
    /// OCI distribution: docker, podman, containerd, helm.
    Registry,
    /// The npm registry: npm, pnpm, yarn, bun.
    Npm,
    /// The crates.io web API.
    Crates,
    /// The Connect protocol.
    Connect,
}

impl Api {
    pub(super) fn of(facts: &RequestFacts<'_>) -> Option<Self> {
        Self::by_path(facts).or_else(|| Self::by_host(facts)).or_else(|| Self::by_client(facts))
    }

    fn by_path(facts: &RequestFacts<'_>) -> Option<Self> {
        if facts.headers.contains_key("connect-protocol-version") || starts_with(facts.header(header::CONTENT_TYPE), "application/connect+")
        {
            return Some(Self::Connect);
        }
        let path = facts.uri.path();
        let path = path.strip_suffix('/').unwrap_or(path);
        if path == "/v2"
            || path.starts_with("/v2/") && ["/manifests/", "/blobs/", "/tags/", "/referrers/"].iter().any(|part| path.contains(part))
        {
            return Some(Self::Registry);
        }
        if let Some(call) = path.rsplit_once(':').map(|(_, call)| call) {
            match call {
                "streamGenerateContent" if !facts.uri.query().unwrap_or_default().contains("alt=sse") => return Some(Self::GoogleArray),
                "generateContent" | "streamGenerateContent" | "countTokens" | "embedContent" | "batchEmbedContents" | "generateAnswer" => {
                    return Some(Self::Google);
                }
                _ => {}
            }
        }
        if !is_write(facts.method) {
            return None;
        }
        const OPENAI: [&str; 10] = [
            "/chat/completions",
            "/v1/completions",
            "/v1/responses",
            "/v1/embeddings",
            "/v1/moderations",
            "/v1/files",
            "/v1/images/generations",
            "/v1/images/edits",
            "/v1/audio/transcriptions",
            "/v1/audio/translations",
        ];
        const ANTHROPIC: [&str; 4] = ["/v1/messages", "/v1/messages/count_tokens", "/v1/messages/batches", "/v1/complete"];
        const OLLAMA: [&str; 6] = ["/api/chat", "/api/generate", "/api/embed", "/api/embeddings", "/api/create", "/api/push"];
        if ANTHROPIC.iter().any(|end| path.ends_with(end)) {
            return Some(Self::Anthropic);
        }
        // An Anthropic client names the version of its API on every path; /v1/files is both vendors'.
        if facts.headers.contains_key("anthropic-version") {
            return Some(Self::Anthropic);
        }
        if OPENAI.iter().any(|end| path.ends_with(end)) {
            return Some(if facts.host.ends_with("mistral.ai") { Self::Mistral } else { Self::OpenAi });
        }
        // Many web applications have an /api/chat of their own; a browser says that it is one.
        if OLLAMA.contains(&path) && !facts.headers.contains_key("sec-fetch-mode") {
            return Some(Self::Ollama);
        }
        None
    }

    fn by_host(facts: &RequestFacts<'_>) -> Option<Self> {
        const HOSTS: [(&str, Api); 47] = [
            ("api.openai.com", Api::OpenAi),
            ("openai.azure.com", Api::OpenAi),
            ("services.ai.azure.com", Api::OpenAi),
            ("models.ai.azure.com", Api::OpenAi),
            ("models.github.ai", Api::OpenAi),
            ("githubcopilot.com", Api::OpenAi),
            ("api.deepseek.com", Api::OpenAi),
            ("api.moonshot.cn", Api::OpenAi),
            ("api.moonshot.ai", Api::OpenAi),
            ("open.bigmodel.cn", Api::OpenAi),
            ("api.z.ai", Api::OpenAi),
            ("api.groq.com", Api::OpenAi),
            ("api.together.xyz", Api::OpenAi),
            ("api.fireworks.ai", Api::OpenAi),
            ("api.cerebras.ai", Api::OpenAi),
            ("api.x.ai", Api::OpenAi),
            ("api.perplexity.ai", Api::OpenAi),
            ("api.siliconflow.cn", Api::OpenAi),
            ("api.siliconflow.com", Api::OpenAi),
            ("ark.cn-beijing.volces.com", Api::OpenAi),
            ("api.lingyiwanwu.com", Api::OpenAi),
            ("api.baichuan-ai.com", Api::OpenAi),
            ("api.stepfun.com", Api::OpenAi),
            ("api.minimax.chat", Api::OpenAi),
            ("api.minimaxi.com", Api::OpenAi),
            ("qianfan.baidubce.com", Api::OpenAi),
            ("spark-api-open.xf-yun.com", Api::OpenAi),
            ("api.hunyuan.cloud.tencent.com", Api::OpenAi),
            ("api.anthropic.com", Api::Anthropic),
            ("generativelanguage.googleapis.com", Api::Google),
            ("aiplatform.googleapis.com", Api::Google),
            ("cloudcode-pa.googleapis.com", Api::Google),
            ("dashscope.aliyuncs.com", Api::DashScope),
            ("dashscope-intl.aliyuncs.com", Api::DashScope),
            ("dashscope-us.aliyuncs.com", Api::DashScope),
            ("tencentcloudapi.com", Api::Tencent),
            ("api.mistral.ai", Api::Mistral),
            ("codestral.mistral.ai", Api::Mistral),
            ("api.cohere.com", Api::Cohere),
            ("api.cohere.ai", Api::Cohere),
            ("huggingface.co", Api::HuggingFace),
            ("api-inference.modelscope.cn", Api::OpenAi),
            ("storage.googleapis.com", Api::ObjectStore),
            ("myqcloud.com", Api::ObjectStore),
            ("registry.npmjs.org", Api::Npm),
            ("registry.npmmirror.com", Api::Npm),
            ("openrouter.ai", Api::OpenAi),
        ];
        let host = facts.host;
        let under = |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        if host.ends_with("-aiplatform.googleapis.com") {
            return Some(Self::Google);
        }
        if under("amazonaws.com") || under("amazonaws.com.cn") {
            let first = host.split(".amazonaws.").next().unwrap_or_default();
            let store = first.split('.').any(|part| part == "s3" || part.starts_with("s3-"));
            return Some(if store { Self::ObjectStore } else { Self::Aws });
        }
        if under("aliyuncs.com") && host.split('.').any(|part| part.starts_with("oss-")) {
            return Some(Self::ObjectStore);
        }
        HOSTS.iter().find(|(domain, _)| under(domain)).map(|&(_, api)| api)
    }

    fn by_client(facts: &RequestFacts<'_>) -> Option<Self> {
        const CLIENTS: [(&str, Api); 13] = [
            ("npm/", Api::Npm),
            ("pnpm/", Api::Npm),
            ("yarn/", Api::Npm),
            ("bun/", Api::Npm),
            ("docker/", Api::Registry),
            ("docker-client/", Api::Registry),
            ("containerd/", Api::Registry),
            ("buildkit/", Api::Registry),
            ("containers/", Api::Registry),
            ("skopeo/", Api::Registry),
            ("helm/", Api::Registry),
            ("ollama/", Api::Ollama),
            ("ollama-python/", Api::Ollama),
        ];
        let agent = facts.header(header::USER_AGENT);
        if starts_with(agent, "cargo") && facts.uri.path().starts_with("/api/v1/") {
            return Some(Self::Crates);
        }
        CLIENTS.iter().find(|(start, _)| starts_with(agent, start)).map(|&(_, api)| api)
    }

    pub(super) fn render(self, notice: &Notice<'_>, facts: &RequestFacts<'_>) -> Rendered {
        let asked = Language::asked(facts.headers);
        let text = notice.in_asked(asked);
        let status = notice.status;
        let id = notice.request_id;
        let slug = notice.slug.replace('-', "_");
        let mut headers: Vec<(HeaderName, String)> = Vec::new();
        let body = match self {
            Self::OpenAi => {
                headers.push((HeaderName::from_static("x-request-id"), id.to_owned()));
                no_retry(status, &mut headers);
                json!({ "error": { "message": text, "type": openai_type(status), "param": null, "code": slug } })
            }
            Self::Anthropic => {
                headers.push((HeaderName::from_static("request-id"), id.to_owned()));
                no_retry(status, &mut headers);
                json!({ "type": "error", "error": { "type": anthropic_type(status), "message": text }, "request_id": id })
            }
            Self::Google => google(notice, &text),
            Self::GoogleArray => json!([google(notice, &text)]),
            Self::DashScope => json!({ "code": dashscope_code(status), "message": text, "request_id": id }),
            Self::Tencent => {
                json!({ "Response": { "Error": { "Code": "UnauthorizedOperation", "Message": text }, "RequestId": id } })
            }
            Self::Mistral => {
                json!({ "object": "error", "message": text, "type": openai_type(status), "param": null, "code": slug, "request_id": id })
            }
            Self::Ollama => json!({ "error": text }),
            Self::Cohere => json!({ "id": id, "message": text }),
            Self::HuggingFace => {
                // huggingface_hub shows these headers before any body.
                headers.push((HeaderName::from_static("x-error-code"), slug));
                headers.push((HeaderName::from_static("x-error-message"), notice.paragraph(Language::English)));
                json!({ "error": text })
            }
            Self::Aws => {
                headers.push((HeaderName::from_static("x-amzn-requestid"), id.to_owned()));
                headers.push((HeaderName::from_static("x-amzn-errortype"), aws_type(status).to_owned()));
                json!({ "__type": aws_type(status), "message": text })
            }
            Self::ObjectStore => {
                let code = if status == StatusCode::SERVICE_UNAVAILABLE { "ServiceUnavailable" } else { "AccessDenied" };
                let body = format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{}</Message><RequestId>{}</RequestId></Error>\n",
                    super::page::escape(&text),
                    super::page::escape(id)
                );
                return Rendered { status, content_type: "application/xml", language: None, body: body.into_bytes(), headers };
            }
            Self::Registry => json!({ "errors": [{ "code": "DENIED", "message": text, "detail": { "request_id": id } }] }),
            // npm prints `error`, yarn and bun fall back to it; `success` is what `npm publish` looks at first.
            Self::Npm => json!({ "success": false, "error": text, "message": text, "request_id": id }),
            Self::Crates => json!({ "errors": [{ "detail": text }] }),
            Self::Connect => json!({ "code": connect_code(status), "message": text }),
        };
        Rendered { status, content_type: "application/json", language: asked, body: body.to_string().into_bytes(), headers }
    }
}

/// The problem document of any other client (RFC 9457), with both languages in it.
pub(super) fn problem(notice: &Notice<'_>, facts: &RequestFacts<'_>) -> Rendered {
    let language = Language::asked(facts.headers).unwrap_or_default();
    let kinds: Vec<Value> = notice
        .kinds
        .iter()
        .map(|kind| json!({ "label": kind.label, "name": { "en": kind.name.en, "zh": kind.name.zh }, "place": kind.place }))
        .collect();
    let both = |words: &super::Words| json!({ "en": words.en, "zh": words.zh });
    let (en, zh) = (notice.paragraph(Language::English), notice.paragraph(Language::Chinese));
    let detail = match language {
        Language::English => &en,
        Language::Chinese => &zh,
    };
    let mut body = json!({
        "type": format!("urn:exeat:{}", notice.slug),
        "title": notice.title.say(language),
        "status": notice.status.as_u16(),
        "detail": detail,
        "instance": format!("urn:exeat:request:{}", notice.request_id),
        // What many clients show, whatever the media type.
        "message": detail,
        "detail_en": en,
        "detail_zh": zh,
        "request_id": notice.request_id,
    });
    if let Some(members) = body.as_object_mut() {
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                members.insert(name.to_owned(), value);
            }
        };
        put("kinds", (!kinds.is_empty()).then_some(Value::Array(kinds)));
        put("gap", notice.gap.map(Gap::name).map(Value::from));
        put("policy", notice.rule.map(Value::from));
        put("policy_message", notice.message.map(both));
        put("not_redacted_because", notice.unredactable.map(both));
        put("contact", notice.contact.map(Value::from));
        put("retry_after_seconds", notice.retry_after.map(Value::from));
    }
    Rendered {
        status: notice.status,
        content_type: "application/problem+json",
        language: Some(language),
        body: body.to_string().into_bytes(),
        headers: Vec::new(),
    }
}

/// google.rpc.Status with the two details that Google's clients print.
fn google(notice: &Notice<'_>, text: &str) -> Value {
    let status = match notice.status {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY => "UNAVAILABLE",
        StatusCode::GATEWAY_TIMEOUT | StatusCode::REQUEST_TIMEOUT => "DEADLINE_EXCEEDED",
        StatusCode::BAD_REQUEST => "INVALID_ARGUMENT",
        _ => "PERMISSION_DENIED",
    };
    json!({ "error": {
        "code": notice.status.as_u16(),
        "message": text,
        "status": status,
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": notice.slug.replace('-', "_").to_ascii_uppercase(),
                "domain": "exeat",
                "metadata": { "request_id": notice.request_id },
            },
            { "@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": notice.request_id },
        ],
    }})
}

/// The SDKs of OpenAI and Anthropic obey this before they look at the status.
fn no_retry(status: StatusCode, headers: &mut Vec<(HeaderName, String)>) {
    if status.is_client_error() {
        headers.push((HeaderName::from_static("x-should-retry"), "false".to_owned()));
    }
}

fn openai_type(status: StatusCode) -> &'static str {
    if status.is_client_error() { "invalid_request_error" } else { "server_error" }
}

fn anthropic_type(status: StatusCode) -> &'static str {
    match status {
        StatusCode::FORBIDDEN => "permission_error",
        StatusCode::SERVICE_UNAVAILABLE => "overloaded_error",
        StatusCode::GATEWAY_TIMEOUT => "timeout_error",
        other if other.is_client_error() => "invalid_request_error",
        _ => "api_error",
    }
}

fn dashscope_code(status: StatusCode) -> &'static str {
    match status {
        StatusCode::FORBIDDEN => "AccessDenied",
        StatusCode::SERVICE_UNAVAILABLE => "ServiceUnavailable",
        StatusCode::GATEWAY_TIMEOUT | StatusCode::REQUEST_TIMEOUT => "RequestTimeOut",
        other if other.is_client_error() => "InvalidParameter",
        _ => "InternalError",
    }
}

fn aws_type(status: StatusCode) -> &'static str {
    match status {
        StatusCode::SERVICE_UNAVAILABLE => "ServiceUnavailableException",
        other if other.is_client_error() => "AccessDeniedException",
        _ => "InternalServerException",
    }
}

fn connect_code(status: StatusCode) -> &'static str {
    match status {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY => "unavailable",
        StatusCode::GATEWAY_TIMEOUT | StatusCode::REQUEST_TIMEOUT => "deadline_exceeded",
        StatusCode::BAD_REQUEST => "invalid_argument",
        _ => "permission_denied",
    }
}
