//! Reports to text, JSON lines or SARIF.

use super::{
    Detail, Format,
    baseline::Baseline,
    examine::{Hit, Passed, Report},
    sarif::Sarif,
};
use crate::cli::{
    Outcome,
    language::{choose, counted},
};
use anyhow::Context;
use exeat::{detect::Detectors, finding::Evidence, policy::Action, words::Language};
use serde::Serialize;
use std::io::Write;

/// Takes reports and prints them.
pub(super) struct Reporter<'a, W> {
    detectors: &'a Detectors,
    format: Format,
    detail: Detail,
    language: Language,
    /// Findings that do not count.
    known: Baseline,
    /// Findings that do.
    new: Baseline,
    sources: usize,
    sarif: Sarif<'a>,
    out: W,
}

/// How it ended.
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) baseline: Baseline,
}

#[derive(Serialize)]
struct Line<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'a str>,
    line: usize,
    column: usize,
    start: usize,
    end: usize,
    label: &'a str,
    detector: &'a str,
    confidence: f32,
    evidence: Evidence,
    action: Action,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    excerpt: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    carried: &'a [(String, f32)],
}

#[derive(Serialize)]
struct PassedLine<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'a str>,
    line: usize,
    column: usize,
    start: usize,
    end: usize,
    suppressed: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

impl<'a, W: Write> Reporter<'a, W> {
    pub(super) fn new(detectors: &'a Detectors, format: Format, detail: Detail, language: Language, known: Baseline, out: W) -> Self {
        Self {
            detectors,
            format,
            detail,
            language,
            known,
            new: Baseline::default(),
            sources: 0,
            sarif: Sarif::new(detectors, language),
            out,
        }
    }

    /// Prints what a source came to.
    pub(super) fn take(&mut self, report: Report) -> anyhow::Result<()> {
        self.sources += 1;
        for gap in &report.gaps {
            eprintln!(
                "{}: {}",
                report.source.path,
                choose(self.language, format!("not read in full: {gap}"), format!("未能完整读取：{gap}"))
            );
        }
        for hit in &report.hits {
            let counts = hit.action > Action::Allow;
            if counts && self.known.take(&report.source.path, hit) {
                continue;
            }
            if counts {
                self.new.add(&report.source.path, hit);
            } else if self.detail == Detail::Findings {
                continue;
            }
            match self.format {
                Format::Text => self.text(&report, hit)?,
                Format::Jsonl => self.json(&Line {
                    path: &report.source.path,
                    commit: report.source.commit.as_deref(),
                    line: hit.at.start.0,
                    column: hit.at.start.1,
                    start: hit.at.bytes.start,
                    end: hit.at.bytes.end,
                    label: hit.label.as_str(),
                    detector: &hit.detector,
                    confidence: hit.confidence,
                    evidence: hit.evidence,
                    action: hit.action,
                    rule: hit.rule.as_deref().filter(|_| self.detail == Detail::Reasons),
                    excerpt: &hit.excerpt,
                    carried: &hit.carried,
                })?,
                Format::Sarif => self.sarif.add(&report.source, hit),
            }
        }
        if self.detail == Detail::Reasons {
            report.passed.iter().try_for_each(|passed| self.passed(&report, passed))?;
        }
        Ok(())
    }

    fn text(&mut self, report: &Report, hit: &Hit) -> anyhow::Result<()> {
        let rule = self.detectors.rules().find(|rule| rule.id == hit.detector);
        let name = rule.map(|rule| rule.name.say(self.language)).or_else(|| self.detectors.name_of(&hit.label, self.language));
        let name = name.unwrap_or(hit.label.as_str());
        let (path, action) = (place(report, hit.at.start), hit.action.name());
        writeln!(self.out, "{path}: {name} [{}] {:.2} {action}: {}", hit.label, hit.confidence, hit.excerpt).context("stdout")?;
        if self.detail == Detail::Reasons {
            let source = rule.map_or("", |rule| rule.source.as_str());
            let evidence = evidence(self.language, hit.evidence);
            let policy = hit.rule.as_deref().unwrap_or("-");
            let detector = &hit.detector;
            let words = choose(
                self.language,
                format!("    detector {detector}: {evidence}; policy rule: {policy}; source: {source}"),
                format!("    检测器 {detector}：{evidence}；策略规则：{policy}；依据：{source}"),
            );
            writeln!(self.out, "{words}").context("stdout")?;
            if !hit.carried.is_empty() {
                let carried: Vec<String> = hit.carried.iter().map(|(word, share)| format!("{word} ({share:.2})")).collect();
                let carried = carried.join(choose(self.language, ", ", "、"));
                writeln!(self.out, "    {}{carried}", choose(self.language, "carried by: ", "主要依据词语：")).context("stdout")?;
            }
        }
        Ok(())
    }

    fn passed(&mut self, report: &Report, passed: &Passed) -> anyhow::Result<()> {
        match self.format {
            Format::Text => {
                let (place, words) = (place(report, passed.at.start), choose(self.language, "no finding", "非发现"));
                let reason = reason(self.language, passed.reason);
                let detail = passed.detail.as_deref().map(|detail| choose(self.language, format!(": {detail}"), format!("：{detail}")));
                let why = format!("{reason}{}", detail.unwrap_or_default());
                let why = choose(self.language, format!(" ({why})"), format!("（{why}）"));
                writeln!(self.out, "{place}: {words}: {}{why}: {}", passed.detector, passed.excerpt).context("stdout")
            }
            Format::Jsonl => self.json(&PassedLine {
                path: &report.source.path,
                commit: report.source.commit.as_deref(),
                line: passed.at.start.0,
                column: passed.at.start.1,
                start: passed.at.bytes.start,
                end: passed.at.bytes.end,
                suppressed: &passed.detector,
                reason: passed.reason,
                detail: passed.detail.as_deref(),
            }),
            // SARIF's own suppressions are of results that a person has judged.
            Format::Sarif => Ok(()),
        }
    }

    fn json(&mut self, line: &impl Serialize) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(line)?;
        line.push(b'\n');
        self.out.write_all(&line).context("stdout")
    }

    /// Prints what is left to print.
    pub(super) fn finish(mut self) -> anyhow::Result<Ended> {
        let found = self.new.len();
        match self.format {
            Format::Sarif => self.json(&self.sarif.log())?,
            Format::Text => {
                let sources = self.sources;
                eprintln!(
                    "{}",
                    choose(
                        self.language,
                        format!("{} in {}", counted(found, "finding"), counted(sources, "source")),
                        format!("{sources} 个来源中有 {found} 项发现")
                    )
                );
            }
            Format::Jsonl => {}
        }
        self.out.flush().context("stdout")?;
        Ok(Ended { outcome: if found == 0 { Outcome::Clean } else { Outcome::Found }, baseline: self.new })
    }
}

fn place(report: &Report, (line, column): (usize, usize)) -> String {
    let path = &report.source.path;
    match &report.source.commit {
        Some(commit) => format!("{}:{path}:{line}:{column}", commit.chars().take(12).collect::<String>()),
        None => format!("{path}:{line}:{column}"),
    }
}

/// Why something is no finding, in words; a reason that is not known here says itself.
fn reason(language: Language, reason: &'static str) -> &'static str {
    const REASONS: [(&str, &str, &str); 19] = [
        ("allowed", "allowed by the company", "企业白名单"),
        ("check", "a check refuses it", "未通过校验"),
        ("dismissed", "called false by a reviewer", "经人工复核为误报"),
        ("encoded", "inside of base64", "位于 Base64 编码中"),
        ("grouped_otherwise", "its digits are grouped like another kind of number", "分组方式属于其他号码"),
        ("hash", "part of a hash", "哈希值的一部分"),
        ("no_context", "no word near says what it is", "附近没有说明性词语"),
        ("order_number", "the number of an order, a parcel or an article", "订单号、运单号或商品编号"),
        ("overlap", "a stronger finding holds it", "已被更可靠的发现覆盖"),
        ("placeholder", "a placeholder", "占位符"),
        ("public_key", "a key that is meant to be seen", "公开的密钥"),
        ("repeated_or_sequential_digits", "repeated or sequential digits", "重复或连续数字"),
        ("sign_in", "a sign-in", "登录"),
        ("signed_link", "part of a signed link", "签名链接的一部分"),
        ("table", "one of a table of numbers", "数字表的一部分"),
        ("test_value", "a published sample", "公开的示例值"),
        ("timestamp", "a time", "时间戳"),
        ("url_path", "part of a link", "链接的一部分"),
        ("version", "a version", "版本号"),
    ];
    REASONS.iter().find(|(name, ..)| *name == reason).map_or(reason, |(_, en, zh)| choose(language, en, zh))
}

fn evidence(language: Language, evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Checksum => choose(language, "its check digits fit", "校验位相符"),
        Evidence::Structure => choose(language, "its shape is telling", "结构特征明确"),
        Evidence::Exact => choose(language, "it is in the company's index", "见于企业索引"),
        Evidence::Context => choose(language, "the words around it tell", "上下文词语提示"),
        Evidence::Model => choose(language, "the model says so", "模型判定"),
    }
}
