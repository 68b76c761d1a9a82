//! The kinds of data that the model finds, and what people call them.

use crate::{
    finding::Label,
    words::{Language, Words},
};

/// The labels with their names. Those of the token head are of a span, `business.*` of a passage.
static NAMES: [(&str, Words); 17] = [
    ("personal.name", Words::fixed("person's name", "姓名")),
    ("personal.address", Words::fixed("postal address", "住址")),
    ("org.name", Words::fixed("organisation", "机构名称")),
    ("personal.birth_date", Words::fixed("date of birth", "出生日期")),
    ("personal.handle", Words::fixed("account name", "账号名称")),
    ("personal.job_title", Words::fixed("job title", "职务")),
    ("secret.password", Words::fixed("password", "口令")),
    ("health.condition", Words::fixed("medical condition", "病情")),
    ("business.source_code", Words::fixed("source code", "源代码")),
    ("business.contract", Words::fixed("contract", "合同内容")),
    ("business.financial", Words::fixed("internal financial figures", "内部财务数据")),
    ("business.hr", Words::fixed("personnel matters", "人事信息")),
    ("business.customer", Words::fixed("customer information", "客户信息")),
    ("business.strategy", Words::fixed("business strategy", "经营战略")),
    ("business.meeting", Words::fixed("internal meeting", "内部会议内容")),
    ("business.legal", Words::fixed("legal matters", "法律事务")),
    ("business.medical", Words::fixed("medical record", "病历内容")),
];

/// The labels of all findings of the model.
pub fn labels() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(label, _)| *label)
}

/// What people call a kind of data that the model finds.
pub(in crate::detect) fn name_of(label: &Label, language: Language) -> Option<&'static str> {
    NAMES.iter().find(|(known, _)| *known == label.as_str()).map(|(_, name)| name.say(language))
}
