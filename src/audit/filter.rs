//! Which events a query is about, as SQL.

use super::record::{Id, Outcome};
use rusqlite::ToSql;

/// Which events; what is not set matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// From this millisecond since 1970 on.
    pub from: Option<u64>,
    /// Before this millisecond since 1970.
    pub to: Option<u64>,
    /// This user.
    pub user: Option<String>,
    /// This host; `*.example.com` matches every name below.
    pub host: Option<String>,
    /// This outcome.
    pub action: Option<Outcome>,
    /// A finding with this label or one below it.
    pub label: Option<String>,
    /// This text, in any case, anywhere in the record.
    pub q: Option<String>,
}

/// Conditions on `events e`, with their values.
#[derive(Default)]
pub(super) struct Conditions {
    sql: Vec<String>,
    values: Vec<Box<dyn ToSql>>,
}

impl Conditions {
    pub(super) fn add(&mut self, sql: impl Into<String>, value: impl ToSql + 'static) {
        self.sql.push(sql.into());
        self.values.push(Box::new(value));
    }

    pub(super) fn of(filter: &Filter) -> Self {
        let mut conditions = Self::default();
        // Ids begin with their time, so one index serves the range, the order and the cursor.
        if let Some(from) = filter.from {
            conditions.add("e.id >= ?", Id::floor(from).to_bytes());
        }
        if let Some(to) = filter.to {
            conditions.add("e.id < ?", Id::floor(to).to_bytes());
        }
        if let Some(user) = &filter.user {
            conditions.add("e.user = ?", user.clone());
        }
        match filter.host.as_deref().map(|host| (host, host.strip_prefix("*."))) {
            Some((_, Some(domain))) => {
                let pattern = format!("%.{}", escaped(domain));
                let condition = r"(e.host LIKE ?1 ESCAPE '\' OR e.id IN (SELECT id FROM hosts WHERE host LIKE ?1 ESCAPE '\'))";
                conditions.add(condition, pattern);
            }
            Some((host, None)) => {
                conditions.add("(e.host = ?1 OR e.id IN (SELECT id FROM hosts WHERE host = ?1))", host.to_ascii_lowercase());
            }
            None => {}
        }
        if let Some(action) = filter.action {
            conditions.add("e.action = ?", action.name());
        }
        if let Some(label) = &filter.label {
            let label = label.trim_end_matches('.');
            // "/" is the character after ".": the range holds all that is below the label.
            conditions.add("e.id IN (SELECT id FROM labels WHERE label = ?", label.to_owned());
            conditions.add("label >= ?", format!("{label}."));
            conditions.add("label < ?", format!("{label}/"));
            let joined = conditions.sql.split_off(conditions.sql.len() - 3);
            if let [is, from, to] = joined.as_slice() {
                conditions.sql.push(format!("{is} OR ({from} AND {to}))"));
            }
        }
        if let Some(q) = &filter.q {
            conditions.add(r"e.json LIKE ? ESCAPE '\'", format!("%{}%", escaped(q)));
        }
        conditions
    }

    pub(super) fn clause(&self) -> String {
        if self.sql.is_empty() { String::new() } else { format!(" WHERE {}", self.sql.join(" AND ")) }
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &dyn ToSql> {
        self.values.iter().map(AsRef::as_ref)
    }
}

/// `text` with the wildcards of `LIKE` made literal.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_")
}
