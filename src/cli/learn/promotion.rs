//! What `exeat learn --update` tells of reviews, and of the new pack beside the earlier one.

use crate::cli::language::choose;
use exeat::{
    learn::{Reviews, Share, Trial, Tried},
    words::Language,
};

/// What reviewers called false and is left out.
pub(super) fn reviews(language: Language, reviews: Reviews) -> Vec<String> {
    let Reviews { values, passages, texts, untraced } = reviews;
    let mut lines = Vec::new();
    if values + passages + texts > 0 {
        lines.push(choose(
            language,
            format!("reviews: left out as false: values {values}, passages of documents {passages}, texts about other matters {texts}"),
            format!("复核：按误报剔除：值 {values} 项，文档片段 {passages} 段，其他主题的文本 {texts} 段"),
        ));
    }
    if untraced > 0 {
        lines.push(choose(
            language,
            format!(
                "reviews: {untraced} left no trace to learn from (too long, or made under another key or version); they stay dismissed \
                 where they were"
            ),
            format!("复核：{untraced} 项没有可供学习的痕迹（过长，或由其他密钥或版本产生）；它们仅在原处继续不再报告"),
        ));
    }
    lines
}

/// The trials of the new pack beside the earlier one.
pub(super) fn beside(language: Language, trials: &[Trial]) -> Vec<String> {
    if trials.is_empty() {
        return Vec::new();
    }
    let title =
        choose(language, "beside the earlier pack: found then, found now, of".to_owned(), "与旧数据包相比：原命中 现命中 总数".to_owned());
    let row = |trial: &Trial| format!("  {}: {} {} {}", name(language, trial.texts), trial.earlier.hits, trial.new.hits, trial.new.of);
    [title].into_iter().chain(trials.iter().map(row)).collect()
}

/// Why the update is not written, and how it is all the same.
pub(super) fn refused(language: Language, trials: &[Trial]) -> String {
    let percent = |share: Share| share.hits as f64 * 100.0 / share.of.max(1) as f64;
    let worse = trials.iter().filter(|trial| trial.is_worse()).map(|trial| {
        let Trial { texts, earlier, new } = *trial;
        let (before, now) = (percent(earlier), percent(new));
        let (name, hits, of) = (name(language, texts), new.hits, new.of);
        choose(
            language,
            format!("{name}: {hits} of {of} found ({now:.1} %), {} before ({before:.1} %)", earlier.hits),
            format!("{name}：命中 {hits}/{of}（{now:.1} %），此前 {}（{before:.1} %）", earlier.hits),
        )
    });
    let figures = worse.collect::<Vec<_>>().join(choose(language, "; ", "；"));
    choose(
        language,
        format!(
            "the updated pack is worse than the earlier one, which stays as it is: {figures}. At most one point less may be found, and no false \
             alarm more be raised. Look at what was dismissed (GET /api/v1/audit/dismissed), name more documents or public ones, or write it \
             all the same with --force"
        ),
        format!(
            "更新后的数据包不如旧包，旧包保持不变：{figures}。命中率最多可下降一个百分点，误报不得增加。请检查被标为误报的内容（GET \
             /api/v1/audit/dismissed），补充文档或公开文档；如仍要写入，请加 --force"
        ),
    )
}

fn name(language: Language, texts: Tried) -> String {
    match texts {
        Tried::Stretches => choose(language, "stretches of documents, 50 words or 100 characters", "文档片段（50 词或 100 字）"),
        Tried::Rows => choose(language, "rows of tables", "表格行"),
        Tried::OwnPassages => choose(language, "the company's own passages, held out", "公司留出段落"),
        Tried::PublicTexts => choose(language, "false alarms, public documents held back", "误报：留出的公开文档"),
        Tried::OtherPassages => choose(language, "false alarms, other passages held out", "误报：其他留出段落"),
    }
    .to_owned()
}
