//! What `exeat learn` tells: progress, and the page at the end.

use super::promotion;
use crate::cli::language::choose;
use exeat::{
    knowledge::signer::Signer,
    learn::{ColumnReport, Evaluation, FEWEST, FEWEST_PUBLIC, HeadReport, Learnt, NoHead, Progress, Role, Share, Trial, Unread},
    words::Language,
};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

/// What is told to whoever goes without public documents.
pub(super) fn without_public(language: Language) -> String {
    choose(
        language,
        "WARNING: without public documents of the same kind, the head cannot tell the company's own from what everybody writes about the \
         same matters. Expect it to take most of such text for the company's. Name some with --public."
            .to_owned(),
        "警告：没有同类公开文档，分类头无法区分公司内容与他人就同一主题所写的内容，多数此类文本会被误认。请用 --public 提供同类公开文档。"
            .to_owned(),
    )
}

/// Whose pack it is now, and how to take no other's.
pub(super) fn signed(language: Language, signer: Signer) -> String {
    choose(
        language,
        format!("It is signed. To take only what the same key signed:  [knowledge] signers = [\"{signer}\"]"),
        format!("已签名。只接受同一密钥签名的数据包：[knowledge] signers = [\"{signer}\"]"),
    )
}

/// What is told to whoever goes on with somebody else's pack.
pub(super) fn other_signer(language: Language, earlier: Signer, signer: Signer) -> String {
    choose(
        language,
        format!("The earlier pack is signed by {earlier}; the updated one will be by {signer}. Go on only if you know whose it is."),
        format!("旧数据包的签名者是 {earlier}；更新后将由 {signer} 签名。请确认其来源可信。"),
    )
}

/// What is told to whoever signs what the configuration at hand refuses.
pub(super) fn unnamed(language: Language, signer: Signer) -> String {
    choose(
        language,
        format!("WARNING: knowledge.signers does not name {signer}, so the pack is refused under this configuration. Add it there."),
        format!("警告：knowledge.signers 未列出 {signer}，按此配置该数据包会被拒绝。请将其加入。"),
    )
}

/// What is being done, in a line.
pub(in crate::cli) fn said(language: Language, progress: Progress<'_>) -> String {
    match progress {
        Progress::Source(path, done) => format!("{}: {done}", path.display()),
        Progress::Model(done, of) => {
            choose(language, format!("the model reads excerpts: {done} of {of}"), format!("模型阅读摘录：{done}/{of}"))
        }
        Progress::Training => choose(language, "training the head".to_owned(), "训练分类头".to_owned()),
    }
}

/// A line that says what is being read, on a terminal.
pub(in crate::cli) fn progress() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(120));
    bar.with_style(ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()))
}

/// A source that was left out, and why.
pub(in crate::cli) fn left_out(language: Language, unread: &Unread) -> String {
    format!("{}: {}", unread.path.display(), unread.reason.words().say(language))
}

/// The page that says what was learnt, how well it does, and what it costs.
pub(super) fn report(
    language: Language,
    learnt: &Learnt,
    evaluation: &Evaluation,
    trials: &[Trial],
    took: Duration,
    memory: usize,
) -> String {
    let mut lines = Vec::new();
    for table in &learnt.tables {
        let (title, rows, cells, left) = (&table.title, table.rows, table.cells, table.left);
        lines.push(match table.columns.as_slice() {
            [] => choose(
                language,
                format!("{title}: {cells} of {rows} listed words; {left} say too little"),
                format!("{title}：学习词条 {cells}/{rows}；{left} 条信息量过少"),
            ),
            _ => choose(
                language,
                format!("{title}: {rows} rows, {cells} cells; {left} rows say too little or are damaged"),
                format!("{title}：{rows} 行，{cells} 个单元格；{left} 行信息量过少或已损坏"),
            ),
        });
        lines.extend(table.columns.iter().map(|column| format!("  {}", describe(language, column))));
    }
    if learnt.documents + learnt.unchanged + learnt.forgotten > 0 {
        let Learnt { documents, unchanged, forgotten, characters, .. } = learnt;
        lines.push(choose(
            language,
            format!("documents: {documents} learnt ({characters} characters), {unchanged} unchanged, {forgotten} forgotten"),
            format!("文档：新学 {documents} 份（{characters} 字符），未变 {unchanged} 份，移除 {forgotten} 份"),
        ));
    }
    if learnt.public > 0 {
        let (public, held) = (learnt.public, learnt.held_out.len());
        lines.push(choose(
            language,
            format!("public documents: {public} left out of it, {held} of them tried instead"),
            format!("公开文档：{public} 份不计入，其中 {held} 份用于测试误报"),
        ));
    }
    if learnt.documents + learnt.unchanged > 0 {
        lines.extend(head(language, &learnt.head));
    }
    lines.extend(learnt.reviews.into_iter().flat_map(|reviews| promotion::reviews(language, reviews)));
    lines.push(String::new());
    lines.extend(figures(language, evaluation));
    lines.extend(promotion::beside(language, trials));
    lines.push(String::new());
    let (seconds, megabytes) = (took.as_secs_f64(), megabytes(memory));
    lines.push(choose(
        language,
        format!("It took {seconds:.1} s, and takes {megabytes} of memory in use."),
        format!("用时 {seconds:.1} 秒，使用时占内存 {megabytes}。"),
    ));
    if !learnt.unread.is_empty() {
        lines.push(choose(language, "\nLeft out:".to_owned(), "\n未能学习：".to_owned()));
        lines.extend(learnt.unread.iter().map(|unread| format!("  {}", left_out(language, unread))));
    }
    lines.push(String::new());
    lines.join("\n") + "\n"
}

fn describe(language: Language, column: &ColumnReport) -> String {
    let role = match column.role {
        Role::Alone => choose(language, "counts alone", "单独即可判定"),
        Role::Primary => choose(language, "tells rows apart", "用于区分各行"),
        Role::Beside => choose(language, "counts beside it", "与其同现时计入"),
        Role::Left => choose(language, "left out: too few different values, or too short", "不计入：取值过少或过短"),
    };
    format!("{}: {role}", column.heading)
}

/// What the head turned out to be worth, or why there is none.
fn head(language: Language, head: &Result<HeadReport, NoHead>) -> Vec<String> {
    let report = match head {
        Ok(report) => report,
        Err(reason) => return vec![no_head(language, *reason)],
    };
    let HeadReport { documents, public, features, false_positives, .. } = report;
    let percent = false_positives * 100.0;
    let mut lines = vec![choose(
        language,
        format!("new text: a head trained on {documents} documents against {public} public ones; it weighs {features} words"),
        format!("新内容：分类头以 {documents} 份文档对照 {public} 份公开文档训练，含 {features} 个词项"),
    )];
    let rows = [
        (choose(language, "the company's own passages, held out: found", "公司留出段落：命中"), report.found),
        (choose(language, "public passages, held out: false alarms", "公开留出段落：误报"), report.public_alarms),
        (choose(language, "ordinary passages, held out: false alarms", "普通留出段落：误报"), report.ordinary_alarms),
    ];
    lines.extend(rows.into_iter().filter_map(|(what, share)| share_line(&format!("  {what}"), share)));
    let membership = report.membership;
    lines.push(choose(
        language,
        format!("  it tells documents that it was trained on from held-out ones: {membership:.3} (0.5 is not at all)"),
        format!("  可区分训练文档与留出文档的程度：{membership:.3}（0.5 为完全不可区分）"),
    ));
    let (needed, of) = (report.needed(), report.alarms().of);
    lines.push(match report.shows_rate() {
        true => choose(
            language,
            format!("  set for {percent} % false alarms, which the held-out passages show"),
            format!("  按误报率 {percent} % 设定，留出段落证实了这一点"),
        ),
        false if of < needed => choose(
            language,
            format!("  set for {percent} % false alarms; {of} held-out passages are too few to show that: it takes {needed}"),
            format!("  按误报率 {percent} % 设定；留出段落仅 {of} 段，不足以证实，至少需要 {needed} 段"),
        ),
        false => choose(
            language,
            format!("  set for {percent} % false alarms, which the held-out passages do not show"),
            format!("  按误报率 {percent} % 设定，但留出段落未能证实"),
        ),
    });
    lines
}

fn no_head(language: Language, reason: NoHead) -> String {
    match reason {
        NoHead::Few(count) => choose(
            language,
            format!("new text: no head; it takes {FEWEST} documents with text to speak of, and there are {count}"),
            format!("新内容：未训练分类头；至少需要 {FEWEST} 份有实质内容的文档，现有 {count} 份"),
        ),
        NoHead::NoPublic(count) => choose(
            language,
            format!(
                "new text: no head; it takes {FEWEST_PUBLIC} public documents of the same kind, and there are {count}: name them with --public, \
                 or go without them (--without-public) and bear the false alarms"
            ),
            format!(
                "新内容：未训练分类头；至少需要 {FEWEST_PUBLIC} 份同类公开文档，现有 {count} 份：请用 --public 提供，或用 --without-public 并承受误报"
            ),
        ),
        NoHead::NoModel => choose(
            language,
            "new text: no head, since the model is off (inspect.model)".to_owned(),
            "新内容：模型已关闭（inspect.model），未训练分类头".to_owned(),
        ),
    }
}

/// A figure with its interval; `None` of nothing.
pub(in crate::cli) fn share_line(what: &str, share: Share) -> Option<String> {
    let Share { hits, of } = share;
    let [value, low, high] = share.interval()?;
    Some(format!("{what}: {hits} {of} {value:.4} [{low:.4},{high:.4}]"))
}

/// What was tried and what came of it, with intervals.
pub(in crate::cli) fn figures(language: Language, evaluation: &Evaluation) -> Vec<String> {
    let Evaluation { verbatim, tenth, three_tenths, broken_lines, rows, alarms } = evaluation;
    let rows_of = [
        (choose(language, "excerpts of 300 characters, as they are", "300 字摘录，原样"), verbatim),
        (choose(language, "  lines broken as in a PDF", "  按 PDF 方式断行"), broken_lines),
        (choose(language, "  10 % of the words changed", "  改动 10 % 的词"), tenth),
        (choose(language, "  30 % of the words changed", "  改动 30 % 的词"), three_tenths),
        (choose(language, "rows of tables", "表格行"), rows),
        (choose(language, "false alarms, public excerpts of 300 characters", "误报：公开文档 300 字摘录"), &alarms.excerpts),
        (choose(language, "false alarms, whole public documents", "误报：公开文档全文"), &alarms.texts),
    ];
    let mut lines =
        vec![choose(language, "tried: found, of, share [95 % interval]".to_owned(), "测试项：命中 总数 比例 [95 % 区间]".to_owned())];
    lines.extend(rows_of.into_iter().filter_map(|(what, share)| share_line(&format!("  {what}"), *share)));
    if alarms.texts.of == 0 {
        lines.push(choose(
            language,
            "  false alarms: not measured; name documents of the same kind with --public".to_owned(),
            "  误报：未测量；请用 --public 提供同类公开文档".to_owned(),
        ));
    }
    lines
}

pub(super) fn megabytes(bytes: usize) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
