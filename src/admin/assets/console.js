// The console: one page over the API under /api/v1. Text from the server goes in as text nodes, never as HTML.
"use strict";

const WORDS = {
  en: {
    signIn: "Sign in", token: "Token", tokenHelp: "The first token is in the file admin.token of the state directory.", signOut: "Sign out",
    badToken: "This token is not valid.", other: "中文", events: "Events", overview: "Overview", try: "Try a text", integrity: "Integrity", tokens: "Tokens", learnt: "Learnt data",
    from: "From", to: "To", user: "User", host: "Host", action: "Action", label: "Kind of data", q: "Text in the record", search: "Search", clear: "Clear",
    any: "any", live: "Live", export: "Export CSV", time: "Time", who: "From", where: "To", what: "What", policy: "Decided by", none: "Nothing matches.",
    noneYet: "Nothing has been recorded yet.", more: "Show more", block: "blocked", redact: "redacted", log: "logged", bypass: "not read", allow: "allowed",
    close: "Close", client: "Client", also: "Also named", method: "Method", path: "Path digest", bytes: "Body", duration: "Inspection", gaps: "Could not be read",
    findings: "Found", noFindings: "No findings.", digestHelp: "Equal text has the same digest. The text itself is not kept.", review: "Review", note: "Note (do not repeat the value)",
    confirmed: "Confirmed", falsePositive: "False alarm", by: "by", adminOnly: "An admin's token is needed to review.", all: "Events", clean: "Clean exchanges",
    byLabel: "Kinds of data (findings)", byHost: "Destinations", byUser: "Users", overTime: "Events over time", unnamed: "(no name)", days: (n) => `${n} days`, day: "24 hours",
    tryHelp: "What would the proxy do with this text, posted to this site? Nothing is sent and nothing is recorded.", text: "Text", url: "Sent to", inspect: "Inspect",
    suppressed: "Seen and left alone", would: "The proxy would", wouldBlock: "block it", wouldRedact: "send it redacted", wouldLog: "let it pass and record it", wouldAllow: "let it pass",
    redacted: "What would be sent", verify: "Check the chain", verifying: "Checking…", intact: "The chain is intact.", broken: "The chain is broken.",
    verifyHelp: "Every record, review and token is chained to the one before it with a key. A record that was changed, removed or put in from outside breaks the chain.",
    records: (n) => `${n} records checked.`, removed: (n) => `${n} older ones were removed by retention.`, head: "Last link", at: "At record number", confidence: "sure",
    omitted: (n) => `and ${n} more`, contentType: "Format", setUp: "Set up a device",
    tokensHelp: "A token lets a person or a program read the audit (viewer) or also review events and manage tokens (admin). Give each its own: what is done with it is recorded under its name.",
    tokenName: "For whom or what", role: "Role", viewer: "Viewer", admin: "Admin", create: "Create token", created: "Created", revoke: "Revoke", firstToken: "in the file admin.token",
    copyNow: "Copy it now: it is not shown again.", copy: "Copy", copied: "Copied", sureToRevoke: (name) => `Revoke the token of “${name}”? Whatever uses it stops working at once.`, notAdmin: "An admin's token is needed to see and manage tokens.",
    packs: "Packs in force", noPacks: "No pack is in force. “exeat learn” makes one of the company's own tables and documents.", name: "Name", signedBy: "Signed by", learntAt: "Learnt", tables: "Tables and lists", documents: "Documents", memory: "Memory",
    newText: "New text (head)", noHead: "No head: only tables, lists and passages are found.",
    headState: { active: "at work", stale: "stale", model_off: "model off" },
    headHelp: { stale: "It was trained with another model than reads here, and finds nothing until “exeat learn --update” trains it again.", model_off: "It finds nothing while the model is off (inspect.model)." },
    trainedOn: (own, known) => `${own} documents against ${known} public ones`, trainedUnknown: "This pack does not say what it was trained on.",
    threshold: (at, rate) => `threshold ${at}, set for ${rate} % false alarms`, foundOf: (hits, of, share, low, high) => `found ${hits} of ${of} held-out passages: ${share} % [${low}–${high}]`,
    dismissed: "Dismissed as false alarms", noDismissed: "Nothing is dismissed. A review that calls an event a false alarm dismisses what was found in it.", digest: "Digest", why: "Why", event: "Event",
    dismissedHelp: "The same text is not raised again under the same kind. “exeat learn --update” leaves out of a pack what it found; what is taken back here is raised again at once, and by a pack from its next update on.",
    joins: "Next update", learnable: { true: "leaves it out", false: "–" }, takeBack: "Take back", sureToTakeBack: (label) => `Raise this text again (${label})?`,
    reason: { test_value: "a published sample value", sign_in: "the site's own sign-in", signed_link: "part of a signed link", placeholder: "a placeholder", allowed: "on the allow-list", dismissed: "a reviewer called it false",
      repeated_or_sequential_digits: "repeated or sequential digits", uuid: "a UUID", hash: "a hash", timestamp: "a time", version: "a version number", url_path: "part of a URL's path" },
    gap: { encrypted: "encrypted", unknown_encoding: "unknown encoding", opaque_tunnel: "neither TLS nor HTTP", too_large: "too large", overloaded: "overloaded",
      timed_out: "timed out", malformed: "malformed", media: "image, audio or video", model_skipped: "without the model", panicked: "internal error", unrecorded: "not recorded" },
  },
  zh: {
    signIn: "登录", token: "令牌", tokenHelp: "首个令牌在状态目录的 admin.token 文件中。", signOut: "退出",
    badToken: "令牌无效。", other: "English", events: "事件", overview: "概览", try: "试一段文本", integrity: "完整性", tokens: "令牌", learnt: "已学数据",
    from: "起始时间", to: "截止时间", user: "用户", host: "主机", action: "处置", label: "数据类型", q: "记录中的文字", search: "查询", clear: "清除",
    any: "不限", live: "实时", export: "导出 CSV", time: "时间", who: "来源", where: "去向", what: "内容", policy: "依据", none: "没有符合条件的事件。",
    noneYet: "还没有任何记录。", more: "显示更多", block: "已拦截", redact: "已脱敏", log: "已记录", bypass: "未读取", allow: "放行",
    close: "关闭", client: "客户端", also: "其他名称", method: "方法", path: "路径摘要", bytes: "请求体", duration: "检查用时", gaps: "无法读取",
    findings: "发现", noFindings: "没有发现。", digestHelp: "相同的文本摘要相同；文本本身不会留存。", review: "复核", note: "备注（请勿写入原始内容）",
    confirmed: "确认属实", falsePositive: "误报", by: "复核人", adminOnly: "复核需要管理员令牌。", all: "事件", clean: "未发现问题的请求",
    byLabel: "数据类型（发现数）", byHost: "去向", byUser: "用户", overTime: "事件随时间的变化", unnamed: "（未具名）", days: (n) => `${n} 天`, day: "24 小时",
    tryHelp: "把这段文本提交到该网站时，代理会怎么做？不会真正发送，也不会留下记录。", text: "文本", url: "发送到", inspect: "检查",
    suppressed: "看到但未计入", would: "代理会", wouldBlock: "拦截", wouldRedact: "脱敏后发送", wouldLog: "放行并记录", wouldAllow: "放行",
    redacted: "实际发送的内容", verify: "校验链条", verifying: "正在校验……", intact: "链条完整。", broken: "链条已断。",
    verifyHelp: "每条记录、复核与令牌变更都用密钥与前一条相连。任何来自外部的修改、删除或插入都会使链条断裂。",
    records: (n) => `已校验 ${n} 条记录。`, removed: (n) => `另有 ${n} 条更早的记录已按保存期限删除。`, head: "末端摘要", at: "位于第几条", confidence: "把握",
    omitted: (n) => `另有 ${n} 项`, contentType: "格式", setUp: "设置设备",
    tokensHelp: "令牌供人员或程序读取审计记录（查看者），或另可复核事件、管理令牌（管理员）。请为每个使用方单独创建：其操作会以该令牌的名称留存。",
    tokenName: "使用方", role: "角色", viewer: "查看者", admin: "管理员", create: "创建令牌", created: "创建时间", revoke: "吊销", firstToken: "位于 admin.token 文件",
    copyNow: "请立即复制，之后不再显示。", copy: "复制", copied: "已复制", sureToRevoke: (name) => `确定吊销“${name}”的令牌吗？正在使用它的程序会立即失效。`, notAdmin: "查看和管理令牌需要管理员令牌。",
    packs: "生效中的数据包", noPacks: "没有生效的数据包。exeat learn 可由公司自有表格和文档生成。", name: "名称", signedBy: "签名者", learntAt: "学习时间", tables: "表格与词表", documents: "文档", memory: "内存",
    newText: "新内容（分类头）", noHead: "没有分类头：仅识别表格、词表和文档片段。",
    headState: { active: "生效中", stale: "已失效", model_off: "模型已关闭" },
    headHelp: { stale: "它由其他模型训练，不起作用，直到 exeat learn --update 重新训练。", model_off: "模型关闭（inspect.model）期间不起作用。" },
    trainedOn: (own, known) => `以 ${own} 份文档对照 ${known} 份公开文档训练`, trainedUnknown: "该数据包未记录训练情况。",
    threshold: (at, rate) => `阈值 ${at}，按误报率 ${rate} % 设定`, foundOf: (hits, of, share, low, high) => `留出段落命中 ${hits}/${of}：${share} % [${low}–${high}]`,
    dismissed: "已标为误报", noDismissed: "没有标为误报的内容。将事件复核为误报后，其中的发现会列在这里。", digest: "摘要", why: "原因", event: "事件",
    dismissedHelp: "相同文本不再以同一类型报告。exeat learn --update 会将其从发现它的数据包中剔除；在此撤回后立即恢复报告，数据包则自下次更新起恢复。",
    joins: "下次更新", learnable: { true: "将剔除", false: "–" }, takeBack: "撤回", sureToTakeBack: (label) => `恢复报告此文本（${label}）吗？`,
    reason: { test_value: "公开的示例值", sign_in: "网站自身的登录信息", signed_link: "签名链接的一部分", placeholder: "占位符", allowed: "在白名单中", dismissed: "复核为误报",
      repeated_or_sequential_digits: "重复或连续的数字", uuid: "UUID", hash: "哈希值", timestamp: "时间", version: "版本号", url_path: "网址路径的一部分" },
    gap: { encrypted: "已加密", unknown_encoding: "未知编码", opaque_tunnel: "既非 TLS 也非 HTTP", too_large: "过大", overloaded: "过载",
      timed_out: "超时", malformed: "格式有误", media: "图像、音频或视频", model_skipped: "模型未参与", panicked: "内部错误", unrecorded: "未能记录" },
  },
};

let language = localStorage.getItem("language") || (navigator.language.startsWith("zh") ? "zh" : "en");
let token = sessionStorage.getItem("token") || "";
let identity = null;
let view = "events";
let filters = {};
let live = null; // AbortController of the open stream
const say = (key, ...values) => {
  const word = WORDS[language][key];
  return typeof word === "function" ? word(...values) : word;
};

/** An element: attributes, listeners (onclick: …) and children; strings become text. */
function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value") element.value = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function mark() {
  const box = h("span", { class: "mark" });
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const set = { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" };
  for (const [key, value] of Object.entries(set)) svg.setAttribute(key, value);
  for (const d of ["M12 3 4 6v6c0 5 3.4 8 8 9 4.6-1 8-4 8-9V6z", "M9 12h6m-2.5-2.5L15 12l-2.5 2.5"]) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  box.append(svg, "Exeat");
  return box;
}

/** Calls the API; throws an Error with the problem's detail. */
async function api(path, options = {}) {
  const headers = { Authorization: `Bearer ${token}`, ...(options.body ? { "Content-Type": "application/json" } : {}) };
  const response = await fetch(`/api/v1${path}`, { ...options, headers });
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  if (response.status === 401) signOut();
  throw new Error(problem.detail || response.statusText);
}
const json = async (path, options) => (await api(path, options)).json();
const query = (values) => new URLSearchParams(Object.entries(values).filter(([, value]) => value)).toString();

function signOut() {
  live?.abort();
  live = null;
  token = "";
  identity = null;
  sessionStorage.removeItem("token");
  render();
}

function switchLanguage() {
  language = language === "en" ? "zh" : "en";
  localStorage.setItem("language", language);
  render();
}

function signInView() {
  const error = h("p", { class: "error", role: "alert", hidden: true });
  const input = h("input", { type: "password", autocomplete: "current-password", placeholder: say("token"), "aria-label": say("token"), required: true });
  const submit = async (event) => {
    event.preventDefault();
    token = input.value.trim();
    try {
      await enter();
      sessionStorage.setItem("token", token);
    } catch (problem) {
      const shown = document.querySelector(".error");
      shown.textContent = problem.message || say("badToken");
      shown.hidden = false;
    }
  };
  return h("div", { class: "sign-in" }, mark(), h("p", {}, say("tokenHelp")),
    h("form", { onsubmit: submit }, input, h("button", { class: "main" }, say("signIn"))), error,
    h("div", { class: "foot" }, h("a", { href: "/" }, say("setUp")), h("button", { class: "plain", onclick: switchLanguage }, say("other"))));
}

function render() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  const app = document.getElementById("app");
  if (!identity) return app.replaceChildren(signInView());
  live?.abort();
  live = null;
  const tabs = ["events", "overview", "try", "learnt", "integrity", "tokens"].map((name) =>
    h("button", { role: "tab", "aria-selected": String(view === name), onclick: () => { view = name; render(); } }, say(name)));
  const bar = h("div", { class: "bar" }, mark(), h("div", { class: "tabs", role: "tablist" }, tabs),
    h("span", { class: "who" }, `${identity.name} · ${say(identity.role)}`),
    h("button", { class: "plain", onclick: switchLanguage }, say("other")), h("button", { class: "plain", onclick: signOut }, say("signOut")));
  const views = { events: eventsView, overview: overviewView, try: tryView, learnt: learntView, integrity: integrityView, tokens: tokensView };
  app.replaceChildren(bar, h("main", { class: "view" }, views[view]()));
}

const localTime = (text) => new Date(text).toLocaleString(language === "zh" ? "zh-CN" : "en-GB", { dateStyle: "medium", timeStyle: "medium" });
const number = (value) => value.toLocaleString(language === "zh" ? "zh-CN" : "en-GB");
const tag = (action) => h("span", { class: `tag ${action}` }, say(action));

const gapChip = (gap) => h("span", { class: "chip gap", title: gap }, WORDS[language].gap[gap] || gap);

/** What people call the data that a rule finds, by the rule's id and by its label; both can have gone since. */
let names = new Map();
const nameOf = (...keys) => names.get(keys.find((key) => names.has(key)))?.[language] || keys[keys.length - 1];
async function learnNames() {
  const { rules } = await json("/rules");
  names = new Map();
  for (const rule of rules.reverse()) names.set(rule.label, rule.name).set(rule.id, rule.name); // the first rule names its label
}

function eventsView() {
  const body = h("tbody");
  const table = h("table", {}, h("thead", {}, h("tr", {}, ["time", "who", "where", "action", "what", "policy"].map((key) => h("th", {}, say(key))))), body);
  const empty = h("div", { class: "empty", hidden: true });
  const more = h("div", { class: "more", hidden: true }, h("button", { onclick: () => load(true) }, say("more")));
  const detail = h("aside", { class: "card detail", hidden: true });
  const split = h("div", { class: "split" }, h("div", { class: "card" }, h("div", { class: "scroll" }, table), empty, more), detail);
  let cursor = null;

  const field = (name, attributes = {}) => h("label", { class: attributes.type && "long" }, say(name), h("input", { name, value: filters[name] || "", ...attributes }));
  const action = h("select", { name: "action" }, ["", "log", "redact", "block", "bypass"].map((value) =>
    h("option", { value, selected: filters.action === value }, value ? say(value) : say("any"))));
  const liveButton = h("button", { type: "button", class: "live", onclick: () => toggleLive() }, say("live"));
  const form = h("form", { class: "filters", onsubmit: (event) => { event.preventDefault(); read(); render(); } },
    field("from", { type: "datetime-local" }), field("to", { type: "datetime-local" }), field("user"), h("label", {}, say("action"), action),
    field("label", { placeholder: "secret" }), field("host", { placeholder: "*.example.com" }), field("q"),
    h("div", { class: "buttons" }, h("button", { class: "main" }, say("search")), h("button", { type: "button", onclick: () => { filters = {}; render(); } }, say("clear"))),
    h("div", { class: "buttons" }, liveButton, h("button", { type: "button", onclick: download }, say("export"))));

  function read() {
    filters = Object.fromEntries([...new FormData(form)].filter(([, value]) => value));
  }
  function asked() {
    const instant = (text) => (text ? new Date(text).toISOString() : "");
    return { ...filters, from: instant(filters.from), to: instant(filters.to) };
  }
  async function load(next) {
    try {
      const page = await json(`/audit/events?${query({ ...asked(), limit: 50, cursor: next ? cursor : "" })}`);
      cursor = page.next_cursor;
      body.append(...page.events.map((event) => row(event)));
      more.hidden = !cursor;
      empty.hidden = body.childElementCount > 0;
      empty.textContent = Object.keys(filters).length ? say("none") : say("noneYet");
    } catch (problem) {
      empty.hidden = false;
      empty.textContent = problem.message;
    }
  }
  function row(event, isNew) {
    const labels = [...new Set(event.findings.map((finding) => finding.label))];
    const shown = labels.slice(0, 4).map((label) => h("span", { class: "chip", title: nameOf(label) }, label));
    const line = h("tr", { class: isNew ? "row new" : "row", tabindex: 0, onclick: () => open(event, line), onkeydown: (key) => { if (key.key === "Enter") open(event, line); } },
      h("td", { class: "time" }, localTime(event.time)),
      h("td", {}, event.user || event.client, event.user ? h("span", { class: "sub" }, event.client) : null),
      h("td", {}, event.host, h("span", { class: "sub" }, [event.method, ...(event.also || [])].join(" · "))),
      h("td", {}, tag(event.action)),
      h("td", {}, shown, labels.length > 4 ? h("span", { class: "soft" }, `+${labels.length - 4} `) : null, event.gaps.map((gap) => gapChip(gap)),
        event.review ? h("span", { class: "sub" }, say(event.review.verdict === "confirmed" ? "confirmed" : "falsePositive")) : null),
      h("td", { class: "soft" }, event.policy || ""));
    return line;
  }
  function open(event, line) {
    body.querySelectorAll(".open").forEach((other) => other.classList.remove("open"));
    line.classList.add("open");
    split.classList.add("with-detail");
    detail.hidden = false;
    const close = () => { detail.hidden = true; split.classList.remove("with-detail"); line.classList.remove("open"); };
    const changed = (reviewed) => { const fresh = row(reviewed); line.replaceWith(fresh); open(reviewed, fresh); };
    detail.replaceChildren(...detailOf(event, close, changed));
  }
  async function toggleLive() {
    if (live) {
      live.abort();
      live = null;
      return liveButton.classList.remove("on");
    }
    const mine = live = new AbortController();
    liveButton.classList.add("on");
    const { from, to, ...rest } = asked(); // what comes is of now
    let last = "";
    while (!mine.signal.aborted) {
      try {
        const response = await fetch(`/api/v1/audit/stream?${query(rest)}`, {
          headers: { Authorization: `Bearer ${token}`, ...(last ? { "Last-Event-ID": last } : {}) }, signal: mine.signal });
        if (!response.ok) throw new Error(response.statusText);
        for await (const { id, data } of serverSentEvents(response.body)) {
          last = id;
          body.prepend(row(JSON.parse(data), true));
          empty.hidden = true;
          while (body.childElementCount > 500) body.lastElementChild.remove();
        }
      } catch (problem) {
        if (mine.signal.aborted) return;
      }
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
  async function download() {
    read();
    const blob = await (await api(`/audit/export?${query({ ...asked(), format: "csv" })}`)).blob();
    const url = URL.createObjectURL(blob);
    h("a", { href: url, download: "exeat-audit.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }
  load(false);
  return [form, split];
}

/** Reads a text/event-stream; comments (keep-alives) have no data and are skipped. */
async function* serverSentEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
      const event = {};
      for (const line of text.slice(0, end).split("\n")) {
        const colon = line.indexOf(":");
        if (colon > 0) event[line.slice(0, colon)] = line.slice(colon + 1).replace(/^ /, "");
      }
      if (event.data) yield event;
    }
  }
}

function detailOf(event, close, changed) {
  const pair = (key, value) => [h("dt", {}, say(key)), h("dd", {}, value)];
  const size = event.bytes < 1024 ? `${event.bytes} B` : event.bytes < 1 << 20 ? `${(event.bytes / 1024).toFixed(1)} KiB` : `${(event.bytes / (1 << 20)).toFixed(1)} MiB`;
  return [
    h("h2", {}, h("span", {}, tag(event.action), " ", event.host), h("button", { class: "plain", onclick: close, "aria-label": say("close") }, "✕")),
    h("dl", {},
      pair("time", localTime(event.time)), h("dt", {}, "ID"), h("dd", {}, h("code", {}, event.id)),
      event.user ? pair("user", event.user) : [], pair("client", event.client), event.also ? pair("also", event.also.join(", ")) : [], pair("method", event.method), pair("policy", event.policy || "–"),
      event.path_digest ? pair("path", h("code", {}, event.path_digest)) : [], pair("bytes", size), pair("duration", `${event.duration_ms} ms`),
      event.gaps.length ? pair("gaps", event.gaps.map((gap) => gapChip(gap))) : []),
    h("h3", {}, say("findings")),
    event.findings.length ? event.findings.map(foundBox) : h("p", { class: "soft" }, say("noFindings")),
    event.findings_omitted ? h("p", { class: "soft" }, say("omitted", event.findings_omitted)) : null,
    event.findings.length ? h("p", { class: "soft" }, say("digestHelp")) : null,
    h("h3", {}, say("review")),
    ...reviewBox(event, changed),
  ].filter(Boolean).flat();
}

function foundBox(finding) {
  return h("div", { class: "found" },
    h("div", { class: "top" }, h("b", {}, nameOf(finding.detector, finding.label)), finding.action ? tag(finding.action) : h("span", { class: "soft" }, `${Math.round(finding.confidence * 100)}% ${say("confidence")}`)),
    h("span", { class: "chip" }, finding.label), h("div", {}, h("code", {}, finding.place)),
    h("div", { class: "soft" }, finding.detector, " · ", h("code", {}, finding.digest)));
}

function reviewBox(event, changed) {
  const told = event.review && h("div", { class: "told" },
    h("b", {}, say(event.review.verdict === "confirmed" ? "confirmed" : "falsePositive")), ` · ${say("by")} ${event.review.reviewer} · ${localTime(event.review.time)}`,
    event.review.note ? h("div", {}, event.review.note) : null);
  if (identity.role !== "admin") return [told, h("p", { class: "soft" }, say("adminOnly"))];
  const note = h("textarea", { rows: 2, maxlength: 2000, placeholder: say("note"), "aria-label": say("note") });
  const error = h("p", { class: "error", hidden: true });
  const send = async (verdict) => {
    try {
      changed(await json(`/audit/events/${event.id}/review`, { method: "POST", body: JSON.stringify({ verdict, note: note.value }) }));
    } catch (problem) {
      error.textContent = problem.message;
      error.hidden = false;
    }
  };
  return [told, h("div", { class: "review" }, note, h("div", { class: "buttons" },
    h("button", { onclick: () => send("confirmed") }, say("confirmed")), h("button", { onclick: () => send("false_positive") }, say("falsePositive"))), error)];
}

let days = 7;
function overviewView() {
  const content = h("div");
  const choose = (count) => h("button", { class: days === count ? "on" : "", onclick: () => { days = count; render(); } }, count === 1 ? say("day") : say("days", count));
  const show = (key, value) => { filters = { [key]: value }; view = "events"; render(); };
  const load = async () => {
    const bucket = days <= 7 ? "hour" : "day";
    const from = new Date(Date.now() - days * 86400000).toISOString();
    const sum = (by) => json(`/audit/summary?${query({ by, bucket, from })}`);
    try {
      const [actions, labels, hosts, users] = await Promise.all(["action", "label", "host", "user"].map(sum));
      const count = (key) => actions.totals.find((total) => total.key === key)?.count || 0;
      const card = (name, value) => h("div", { class: "card" }, h("b", {}, number(value)), h("span", { class: "soft" }, name));
      content.replaceChildren(
        h("div", { class: "cards" }, card(say("all"), actions.events), card(say("block"), count("block")), card(say("redact"), count("redact")),
          card(say("log"), count("log")), card(say("clean"), actions.clean)),
        h("div", { class: "panels" }, chart(actions, bucket, Date.parse(from)),
          bars(say("byLabel"), labels.totals, (key) => show("label", key)), bars(say("byHost"), hosts.totals, (key) => show("host", key)),
          bars(say("byUser"), users.totals, (key) => key && show("user", key))));
    } catch (problem) {
      content.replaceChildren(h("p", { class: "error" }, problem.message));
    }
  };
  load();
  return [h("div", { class: "head" }, h("div", { class: "buttons" }, [1, 7, 30, 180].map(choose))), content];
}

function bars(title, totals, show) {
  const most = Math.max(1, ...totals.map((total) => total.count));
  const lines = totals.slice(0, 10).map(({ key, count }) => {
    const fill = h("div", { class: "fill" });
    fill.style.width = `${(100 * count) / most}%`;
    return h("button", { class: "line", onclick: () => show(key) }, h("span", {}, key || say("unnamed")), h("span", {}, number(count)), h("div", { class: "track" }, fill));
  });
  return h("div", { class: "card panel" }, h("h3", {}, title), lines.length ? lines : h("p", { class: "soft" }, "–"));
}

function chart(summary, bucket, from) {
  const length = bucket === "hour" ? 3600000 : 86400000;
  const counts = new Map(summary.buckets.map((one) => [Date.parse(one.start), one.counts]));
  const starts = [];
  for (let start = Math.floor(from / length) * length; start <= Date.now(); start += length) starts.push(start);
  const sum = (of) => Object.values(of || {}).reduce((a, b) => a + b, 0);
  const most = Math.max(1, ...starts.map((start) => sum(counts.get(start))));
  const columns = starts.map((start) => {
    const of = counts.get(start) || {};
    const column = h("div", { title: `${localTime(start)}: ${sum(of)}` });
    for (const action of ["log", "bypass", "redact", "block"]) {
      if (!of[action]) continue;
      const piece = h("i", { class: action });
      piece.style.height = `${(100 * of[action]) / most}%`;
      column.append(piece);
    }
    return column;
  });
  const day = (time) => new Date(time).toLocaleDateString(language === "zh" ? "zh-CN" : "en-GB", { month: "short", day: "numeric" });
  const legend = h("span", { class: "legend" }, ["block", "redact", "log", "bypass"].map(tag));
  return h("div", { class: "card panel wide" }, h("div", { class: "head" }, h("h3", {}, say("overTime")), legend), h("div", { class: "chart" }, columns),
    h("div", { class: "axis" }, h("span", {}, day(starts[0])), h("span", {}, day(starts[Math.floor(starts.length / 2)])), h("span", {}, day(starts[starts.length - 1]))));
}

function tryView() {
  const text = h("textarea", { rows: 12, name: "text", required: true });
  const url = h("input", { name: "url", type: "url", value: "https://chat.example.com/" });
  const type = h("select", {}, ["text/plain; charset=utf-8", "application/json", "application/x-www-form-urlencoded", "application/xml"].map((value) => h("option", { value }, value)));
  const result = h("div", { class: "card", hidden: true });
  const submit = async (event) => {
    event.preventDefault();
    result.hidden = false;
    try {
      const plain = type.selectedIndex === 0;
      const bytes = new TextEncoder().encode(text.value);
      const encoded = () => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
      const trial = plain ? { text: text.value, url: url.value } : { body_base64: encoded(), content_type: type.value, url: url.value };
      result.replaceChildren(...reportOf(await json("/inspect", { method: "POST", body: JSON.stringify(trial) }), plain ? bytes : null));
    } catch (problem) {
      result.replaceChildren(h("p", { class: "error" }, problem.message));
    }
  };
  return h("div", { class: "try" },
    h("div", { class: "card" }, h("form", { onsubmit: submit }, h("p", { class: "soft" }, say("tryHelp")), h("label", {}, say("text"), text),
      h("div", { class: "two" }, h("label", {}, say("url"), url), h("label", {}, say("contentType"), type)), h("div", {}, h("button", { class: "main" }, say("inspect"))))), result);
}

/** `bytes` is the text that was tried, where offsets of findings are offsets in it. */
function reportOf(report, bytes) {
  const would = { block: "wouldBlock", redact: "wouldRedact", log: "wouldLog", allow: "wouldAllow" }[report.action];
  const heading = (key) => h("h3", {}, say(key));
  const body = report.findings.filter((finding) => finding.place === "body");
  return [
    h("h2", {}, h("span", {}, tag(report.action), ` ${say("would")} ${say(would)}`)),
    report.policy ? h("p", { class: "soft" }, `${say("policy")}: ${report.policy}${report.reason ? ` · ${report.reason}` : ""}`) : null,
    bytes && body.length ? marked(bytes, body) : null,
    report.redacted_text !== undefined ? [heading("redacted"), h("pre", { class: "marked" }, report.redacted_text)] : null,
    heading("findings"), report.findings.length ? report.findings.map(foundBox) : h("p", { class: "soft" }, say("noFindings")),
    report.suppressed.length ? [heading("suppressed"), report.suppressed.map((one) => h("div", {}, h("code", {}, one.detector), ` · ${WORDS[language].reason[one.reason] || one.reason}`))] : null,
    report.gaps.length ? [heading("gaps"), report.gaps.map((gap) => gapChip(gap))] : null,
  ].flat(2).filter(Boolean);
}

function marked(bytes, findings) {
  const decode = (from, to) => new TextDecoder().decode(bytes.subarray(from, to));
  const box = h("pre", { class: "marked" });
  let at = 0;
  for (const finding of [...findings].sort((a, b) => a.start - b.start)) {
    if (finding.start < at) continue;
    box.append(decode(at, finding.start), h("mark", { title: finding.label }, decode(finding.start, finding.end)));
    at = finding.end;
  }
  box.append(decode(at, bytes.length));
  return box;
}

function integrityView() {
  const result = h("div");
  const button = h("button", { class: "main", onclick: async () => {
    button.disabled = true;
    result.replaceChildren(h("p", { class: "soft" }, say("verifying")));
    try {
      const told = await json("/audit/verify");
      result.replaceChildren(
        h("p", { class: `result ${told.intact ? "good" : "bad"}` }, say(told.intact ? "intact" : "broken")),
        h("p", {}, say("records", number(told.events + (told.notes || 0))), " ", told.removed_by_retention ? say("removed", number(told.removed_by_retention)) : ""),
        told.intact ? h("p", { class: "soft" }, `${say("head")}: `, h("code", {}, told.head)) : h("p", { class: "error" }, `${say("at")} ${told.broken_at.number}: ${told.cause}`));
    } catch (problem) {
      result.replaceChildren(h("p", { class: "error" }, problem.message));
    }
    button.disabled = false;
  } }, say("verify"));
  return h("div", { class: "card verify" }, h("p", { class: "soft" }, say("verifyHelp")), result, button);
}

function tokensView() {
  if (identity.role !== "admin") return h("div", { class: "card verify" }, h("p", { class: "soft" }, say("notAdmin")));
  const body = h("tbody");
  const error = h("p", { class: "error", role: "alert", hidden: true });
  const made = h("div", { class: "made", hidden: true });
  const attempt = async (work) => {
    try {
      error.hidden = true;
      await work();
    } catch (problem) {
      error.textContent = problem.message;
      error.hidden = false;
    }
  };
  const load = async () => {
    const { tokens } = await json("/tokens");
    body.replaceChildren(...tokens.map((one) => h("tr", {},
      h("td", {}, one.name), h("td", {}, say(one.role)), h("td", { class: "time" }, one.created ? localTime(one.created) : say("firstToken")),
      h("td", { class: "end" }, one.created ? h("button", { onclick: () => revoke(one) }, say("revoke")) : null))));
  };
  const revoke = (one) => confirm(say("sureToRevoke", one.name)) && attempt(async () => {
    await api(`/tokens/${encodeURIComponent(one.id)}`, { method: "DELETE" });
    await load();
  });
  const name = h("input", { name: "name", required: true, maxlength: 64 });
  const role = h("select", { name: "role" }, ["viewer", "admin"].map((value) => h("option", { value }, say(value))));
  const create = (event) => {
    event.preventDefault();
    attempt(async () => {
      const answer = await json("/tokens", { method: "POST", body: JSON.stringify({ name: name.value, role: role.value }) });
      const copy = h("button", { type: "button", onclick: async () => { await navigator.clipboard.writeText(answer.token); copy.textContent = say("copied"); } }, say("copy"));
      made.replaceChildren(h("p", {}, h("b", {}, answer.name), " · ", say("copyNow")), h("div", { class: "buttons" }, h("code", {}, answer.token), navigator.clipboard ? copy : null));
      made.hidden = false;
      name.value = "";
      await load();
    });
  };
  attempt(load);
  return h("div", { class: "tokens" },
    h("div", { class: "card" }, h("p", { class: "soft" }, say("tokensHelp")),
      h("form", { class: "filters", onsubmit: create }, h("label", { class: "long" }, say("tokenName"), name), h("label", {}, say("role"), role),
        h("div", { class: "buttons" }, h("button", { class: "main" }, say("create")))), made, error),
    h("div", { class: "card" }, h("div", { class: "scroll" },
      h("table", {}, h("thead", {}, h("tr", {}, h("th", {}, say("tokenName")), h("th", {}, say("role")), h("th", {}, say("created")), h("th"))), body))));
}

const percent = (share) => (100 * share).toLocaleString(language === "zh" ? "zh-CN" : "en-GB", { maximumFractionDigits: 1 });

/** What the company taught, and what of all findings reviewers called false. */
function learntView() {
  const packs = h("div"), dismissed = h("div");
  const detail = h("aside", { class: "card detail", hidden: true });
  const split = h("div", { class: "split" }, h("div", { class: "card" }, dismissed), detail);
  const fill = (box, load) => load().catch((problem) => box.replaceChildren(h("p", { class: "error" }, problem.message)));
  fill(packs, async () => packs.replaceChildren(packsTable((await json("/knowledge")).packs)));

  const notes = new Map(); // by event; what it was reviewed with is kept there
  const eventOf = (id) => notes.get(id) || notes.set(id, json(`/audit/events/${id}`)).get(id);
  const close = () => { detail.hidden = true; split.classList.remove("with-detail"); };
  const open = async (id) => {
    split.classList.add("with-detail");
    detail.hidden = false;
    const again = () => { notes.delete(id); close(); show(); };
    detail.replaceChildren(...await eventOf(id).then((event) => detailOf(event, close, again), (problem) => [h("p", { class: "error" }, problem.message)]));
  };
  const takeBack = (one) => confirm(say("sureToTakeBack", one.label)) && fill(dismissed, async () => {
    await api(`/audit/dismissed/${encodeURIComponent(one.digest)}`, { method: "DELETE" });
    await show();
  });
  const row = (one) => {
    const why = h("td", { class: "soft" });
    // The event can have gone since, and with it the note.
    eventOf(one.event).then((event) => { why.textContent = event.review?.note || "–"; }, () => { why.textContent = "–"; });
    return h("tr", {}, h("td", { class: "time" }, localTime(one.time), h("span", { class: "sub" }, `${say("by")} ${one.reviewer}`)), h("td", { class: "digest" }, h("span", { class: "chip", title: nameOf(one.label) }, one.label), h("span", { class: "sub" }, h("code", {}, one.digest))),
      why, h("td", { class: "soft" }, WORDS[language].learnable[one.learnable]),
      h("td", { class: "end" }, h("button", { onclick: () => open(one.event) }, say("event")), identity.role === "admin" ? [" ", h("button", { onclick: () => takeBack(one) }, say("takeBack"))] : null));
  };
  async function show() {
    const all = (await json("/audit/dismissed")).dismissed.sort((a, b) => b.time.localeCompare(a.time));
    if (!all.length) return dismissed.replaceChildren(h("div", { class: "empty" }, say("noDismissed")));
    const body = h("tbody");
    const more = h("div", { class: "more" }, h("button", { onclick: () => add() }, say("more")));
    const add = () => { body.append(...all.splice(0, 50).map(row)); more.hidden = !all.length; };
    add();
    dismissed.replaceChildren(h("div", { class: "scroll" },
      h("table", {}, h("thead", {}, h("tr", {}, ["time", "what", "why", "joins"].map((key) => h("th", {}, say(key))), h("th"))), body)), more);
  }
  fill(dismissed, show);
  return [h("h3", { class: "first" }, say("packs")), h("div", { class: "card" }, packs), h("h3", {}, say("dismissed")), h("p", { class: "soft" }, say("dismissedHelp")), split];
}

function packsTable(packs) {
  if (!packs.length) return h("div", { class: "empty" }, say("noPacks"));
  const head = (of) => {
    if (!of) return h("td", { class: "soft" }, say("noHead"));
    const { found } = of, help = WORDS[language].headHelp[of.state];
    const line = (text) => h("span", { class: "sub" }, text);
    return h("td", {}, h("span", { class: `tag ${of.state === "active" ? "log" : of.state === "stale" ? "block" : "bypass"}` }, WORDS[language].headState[of.state]), help ? line(help) : null,
      line(of.documents === null ? say("trainedUnknown") : say("trainedOn", number(of.documents), number(of.public))),
      line(say("threshold", of.threshold.toFixed(2), percent(of.false_positives))),
      found ? line(say("foundOf", number(found.hits), number(found.of), percent(found.share), percent(found.low), percent(found.high))) : null);
  };
  const row = (pack) => h("tr", {}, h("td", {}, h("b", {}, pack.name), h("span", { class: "sub", title: pack.signer }, `${say("signedBy")} `, h("code", {}, `${pack.signer.slice(0, 8)}…`))), h("td", { class: "time" }, localTime(pack.created)), h("td", {}, number(pack.tables)), h("td", {}, number(pack.documents)),
    h("td", { class: "time" }, `${(pack.bytes / 1e6).toFixed(1)} MB`), head(pack.head));
  return h("div", { class: "scroll" }, h("table", {},
    h("thead", {}, h("tr", {}, ["name", "learntAt", "tables", "documents", "memory", "newText"].map((key) => h("th", {}, say(key))))), h("tbody", {}, packs.map(row))));
}

async function enter() {
  const who = await json("/whoami");
  await learnNames();
  identity = who;
  render();
}

if (token) enter().catch(() => render());
else render();
