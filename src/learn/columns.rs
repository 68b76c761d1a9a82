//! What the columns of a table are good for.
//!
//! The rules of `detect` and the headings say what a column holds. Values that say enough by themselves count alone; one column tells the rows
//! apart; others count beside it, unless they have so few different values (a city, a department) that they say nothing.

use super::{Reason, rows::Sheet};
use crate::{
    detect::{self, Detectors},
    knowledge::{Digester, Shape, cell},
};
use std::{collections::HashSet, ops::ControlFlow};

/// What a column is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Its values say enough by themselves, and count beside the primary one.
    Alone,
    /// It tells rows apart.
    Primary,
    /// It counts beside the primary one.
    Beside,
    /// It says too little.
    Left,
}

/// Rows that are looked at to tell.
const SAMPLE: usize = 2000;
/// Cells of a column that are shown to the rules.
const SHOWN: usize = 40;

/// What a sample of a column came to.
#[derive(Debug, Default)]
struct Column {
    filled: usize,
    /// Cells that hold enough to be looked for.
    usable: usize,
    numbers: usize,
    /// Cells with both letters and digits.
    codes: usize,
    /// Words of the usable cells.
    words: usize,
    distinct: HashSet<u64>,
    shown: Vec<String>,
}

/// The role of each column of a sheet.
pub(super) fn roles(sheet: &Sheet, primary: Option<&str>, digester: &Digester, detectors: &Detectors) -> Result<Vec<Role>, Reason> {
    let mut columns: Vec<Column> = sheet.header.iter().map(|_| Column::default()).collect();
    let mut rows = 0;
    sheet.rows(&mut |cells| {
        for (column, cell) in columns.iter_mut().zip(cells) {
            column.add(digester, cell);
        }
        rows += 1;
        if rows < SAMPLE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    let named = match primary {
        Some(name) => {
            let is = |heading: &String| heading.trim().eq_ignore_ascii_case(name.trim());
            Some(sheet.header.iter().position(is).ok_or_else(|| Reason::NoSuchColumn(name.to_owned()))?)
        }
        None => None,
    };
    let mut roles: Vec<Role> =
        sheet.header.iter().zip(&columns).map(|(heading, column)| column.role(&heading.to_lowercase(), detectors)).collect();
    let guessed = || {
        let fitness = |index: usize| {
            let (column, heading) = (columns.get(index)?, sheet.header.get(index)?.to_lowercase());
            let is_name = NAMES.iter().any(|name| heading.contains(name));
            // Names are best; short phrases that differ from row to row will do.
            let fit = f64::from(u8::from(is_name)) + column.variety() - column.words as f64 / column.usable.max(1) as f64 / 20.0;
            (roles.get(index) == Some(&Role::Beside) && column.numbers * 2 < column.usable && column.variety() > 0.2)
                .then_some((index, fit))
        };
        (0..columns.len()).filter_map(fitness).max_by(|a, b| a.1.total_cmp(&b.1)).map(|(index, _)| index)
    };
    let primary = named.or_else(guessed);
    if let Some(role) = primary.and_then(|index| roles.get_mut(index)) {
        *role = Role::Primary;
    } else {
        // Nothing stands beside nothing.
        roles.iter_mut().filter(|role| **role == Role::Beside).for_each(|role| *role = Role::Left);
    }
    if roles.iter().all(|role| *role == Role::Left) { Err(Reason::NoColumn) } else { Ok(roles) }
}

impl Column {
    fn add(&mut self, digester: &Digester, cell: &str) {
        let cell = cell.trim();
        if cell.is_empty() {
            return;
        }
        self.filled += 1;
        let text = detect::as_read(cell);
        let Some(form) = cell::forms(digester, &text, &mut Vec::new()).into_iter().next() else { return };
        self.usable += 1;
        match form.shape {
            Shape::Number(_) => self.numbers += 1,
            Shape::Phrase { words, .. } => {
                self.words += words as usize;
                let has = |is: fn(&char) -> bool| cell.chars().any(|char| is(&char));
                let letters = cell.chars().filter(char::is_ascii_alphanumeric).count();
                let is_code = has(char::is_ascii_digit) && has(char::is_ascii_alphabetic) && letters >= 8 && cell.chars().count() <= 40;
                self.codes += usize::from(is_code && cell.is_ascii() && !cell.contains(' ') && words <= 6);
            }
        }
        self.distinct.insert(form.digest);
        if self.shown.len() < SHOWN {
            self.shown.push(cell.to_owned());
        }
    }

    /// How different the values are: 1 if no two are equal.
    fn variety(&self) -> f64 {
        self.distinct.len() as f64 / self.usable.max(1) as f64
    }

    fn role(&self, heading: &str, detectors: &Detectors) -> Role {
        let mostly = |count: usize| count * 10 >= self.usable * 7;
        let many = self.usable > 50;
        if self.usable * 2 < self.filled.max(1) || self.usable == 0 || (many && self.variety() < 0.02) {
            return Role::Left;
        }
        if (!many || self.variety() > 0.3) && self.says_enough(heading, mostly(self.numbers), mostly(self.codes), detectors) {
            return Role::Alone;
        }
        if many && self.variety() < 0.1 { Role::Left } else { Role::Beside }
    }

    /// Whether a value of the column by itself is no accident.
    fn says_enough(&self, heading: &str, numbers: bool, codes: bool, detectors: &Detectors) -> bool {
        let is_headed = KEYS.iter().any(|key| heading.contains(key)) && !heading.contains("date") && !heading.contains("日期");
        if codes && (is_headed || self.variety() > 0.9) || numbers && is_headed && self.digits() >= 8 {
            return true;
        }
        let is_known = |cell: &&String| {
            let found = detectors.scan(&format!("{heading}: {cell}\n")).findings;
            found.iter().any(|finding| ENOUGH.iter().any(|label| finding.label.is_under(label)))
        };
        self.shown.iter().filter(is_known).count() * 10 >= self.shown.len() * 6
    }

    /// Digits of a typical cell.
    fn digits(&self) -> usize {
        let digits: usize = self.shown.iter().map(|cell| cell.bytes().filter(u8::is_ascii_digit).count()).sum();
        digits / self.shown.len().max(1)
    }
}

/// Kinds of data of which one value is enough.
const ENOUGH: [&str; 8] =
    ["id", "finance.card", "finance.iban", "finance.account", "personal.phone", "personal.email", "personal.plate", "secret"];
/// Headings of such columns.
const KEYS: [&str; 23] = [
    "身份证",
    "证件",
    "护照",
    "手机",
    "电话",
    "邮箱",
    "卡号",
    "账号",
    "帐号",
    "编号",
    "passport",
    "phone",
    "mobile",
    "tel",
    "email",
    "e-mail",
    "account",
    "iban",
    "card",
    "ssn",
    "number",
    "contract",
    "订单",
];
/// Headings of columns that tell rows apart.
const NAMES: [&str; 14] =
    ["姓名", "名字", "名称", "客户", "公司", "联系人", "员工", "患者", "name", "customer", "company", "client", "employee", "patient"];
