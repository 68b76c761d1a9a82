//! `/api/v1/audit`: pages of events, one event, sums, exports, the live stream, the chain, reviews.

use super::{Admin, Problem, dismissed::dismissals, token_routes::body_problem};
use crate::audit::{self, Bucket, By, Chain, Event, Filter, Format, Id, Identity, Outcome, Review, Summary};
use axum::{
    Extension, Json,
    body::Body,
    extract::{
        Path, Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{self, KeepAlive, Sse},
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// Every parameter that one of the routes takes, as text.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    from: Option<String>,
    to: Option<String>,
    user: Option<String>,
    host: Option<String>,
    action: Option<String>,
    label: Option<String>,
    q: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
    by: Option<String>,
    bucket: Option<String>,
    format: Option<String>,
}

type Asked = Result<Query<Parameters>, QueryRejection>;

/// How long a stream may outlive its token.
const TOKEN_CHECK: Duration = Duration::from_secs(15);
const DEFAULT_LIMIT: usize = 100;
const MOST: usize = 1000;

/// A page of events, newest first.
pub(super) async fn list(State(admin): State<Arc<Admin>>, asked: Asked) -> Result<Response, Problem> {
    let asked = parameters(asked)?;
    let filter = filter(&asked)?;
    let limit = match asked.limit.as_deref() {
        None | Some("") => DEFAULT_LIMIT,
        Some(text) => {
            text.parse().ok().filter(|limit| (1..=MOST).contains(limit)).ok_or_else(|| Problem::bad("limit is a number from 1 to 1000"))?
        }
    };
    let before = given(&asked.cursor).map(|text| cursor_id(text, &filter)).transpose()?;
    let mut events = admin.state.store.reader().page(filter.clone(), before, limit + 1).await?;
    let more = events.len() > limit;
    events.truncate(limit);
    let next = events.last().filter(|_| more).map(|last| cursor(last.id, &filter));
    let body = format!("{{\"events\":{},\"next_cursor\":{}}}", json_array(&events), json!(next));
    Ok(json_text(body))
}

/// One event.
pub(super) async fn one(State(admin): State<Arc<Admin>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let event = admin.state.store.reader().event(event_id(&id)?).await?.ok_or_else(no_event)?;
    Ok(json_text(audit::to_json(&event)))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewReview {
    verdict: ReviewVerdict,
    #[serde(default)]
    note: String,
    /// Of the findings that are meant; without it, all are.
    digests: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReviewVerdict {
    FalsePositive,
    Confirmed,
}

/// Stores what a person says about an event, over anything said before. What they call false is not raised again.
pub(super) async fn review(
    State(admin): State<Arc<Admin>>,
    Path(id): Path<String>,
    Extension(identity): Extension<Identity>,
    body: Result<Json<NewReview>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(new) = body.map_err(|rejection| body_problem(&rejection, r#"{"verdict": "false_positive", "note": "sample data"}"#))?;
    if new.note.chars().count() > 2000 {
        return Err(Problem::bad("a note has at most 2000 characters"));
    }
    let id = event_id(&id)?;
    let reader = admin.state.store.reader();
    let event = reader.event(id).await?.ok_or_else(no_event)?;
    let verdict = match new.verdict {
        ReviewVerdict::FalsePositive => "false_positive",
        ReviewVerdict::Confirmed => "confirmed",
    };
    let time = i64::try_from(Id::new().milliseconds()).unwrap_or(i64::MAX);
    let reviewer = identity.name.to_string();
    let false_finds = match (new.verdict, &new.digests) {
        (ReviewVerdict::FalsePositive, only) => dismissals(&event, only.as_deref(), &reviewer, time)?,
        (ReviewVerdict::Confirmed, None) => Vec::new(),
        (ReviewVerdict::Confirmed, Some(_)) => return Err(Problem::bad("digests say what is a false positive; leave them out")),
    };
    if !admin.state.store.review(id, Review { verdict: verdict.to_owned(), note: new.note, reviewer, time }).await? {
        return Err(no_event());
    }
    let desk = Arc::clone(&admin.state.desk);
    // What an earlier review of the event dismissed no longer counts. Both are files to be written.
    let kept = tokio::task::spawn_blocking(move || desk.restore(&id.to_string()).and_then(|()| desk.dismiss(false_finds)));
    kept.await.map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "what was dismissed could not be kept; see the log"))??;
    let event = admin.state.store.reader().event(id).await?.ok_or_else(no_event)?;
    Ok(json_text(audit::to_json(&event)))
}

/// Sums by label, host, user or action, per hour or day.
pub(super) async fn summary(State(admin): State<Arc<Admin>>, asked: Asked) -> Result<Response, Problem> {
    let asked = parameters(asked)?;
    let filter = filter(&asked)?;
    let (by, by_name) = match asked.by.as_deref() {
        Some("label") => (By::Label, "label"),
        Some("host") => (By::Host, "host"),
        Some("user") => (By::User, "user"),
        None | Some("action") => (By::Action, "action"),
        Some(_) => return Err(Problem::bad("by is one of label, host, user, action")),
    };
    let (bucket, bucket_name) = match asked.bucket.as_deref() {
        Some("hour") => (Bucket::Hour, "hour"),
        None | Some("day") => (Bucket::Day, "day"),
        Some(_) => return Err(Problem::bad("bucket is one of hour, day")),
    };
    let Summary { events, clean, totals, buckets } = admin.state.store.reader().summary(filter, by, bucket).await?;
    let totals: Vec<Value> = totals.into_iter().map(|(key, count)| json!({"key": key, "count": count})).collect();
    let buckets: Vec<Value> =
        buckets.into_iter().map(|(start, counts)| json!({"start": audit::rfc3339(start), "counts": counts})).collect();
    let body = json!({"by": by_name, "bucket": bucket_name, "events": events, "clean": clean, "totals": totals, "buckets": buckets});
    Ok(Json(body).into_response())
}

/// Every event that the filter lets through, oldest first, as a stream.
pub(super) async fn export(State(admin): State<Arc<Admin>>, asked: Asked) -> Result<Response, Problem> {
    let asked = parameters(asked)?;
    let filter = filter(&asked)?;
    let format = Format::named(asked.format.as_deref().unwrap_or("ndjson")).ok_or_else(|| Problem::bad("format is one of ndjson, csv"))?;
    let reader = admin.state.store.reader().clone();
    // The first page is read before the answer begins, so that a failure is an error and not a short file.
    let first = reader.page_up(filter.clone(), None, MOST).await?;
    let pages = stream::unfold(Some((first, true)), move |state| {
        let (reader, filter) = (reader.clone(), filter.clone());
        async move {
            let (page, is_first) = state?;
            let head = if is_first { format.head() } else { "" };
            let text = page.iter().fold(head.to_owned(), |text, event| text + &format.line(event));
            let next = match page.last() {
                Some(last) if page.len() == MOST => reader.page_up(filter, Some(last.id), MOST).await.map(|page| Some((page, false))),
                Some(_) | None => Ok(None),
            };
            match next {
                Ok(next) => Some((Ok(text), next)),
                Err(error) => Some((Err(error), None)), // breaks the transfer: a cut file must not look whole
            }
        }
    });
    let extension = match format {
        Format::Ndjson => "ndjson",
        Format::Csv => "csv",
    };
    let headers = [
        (header::CONTENT_TYPE, format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"exeat-audit.{extension}\"")),
    ];
    Ok((headers, Body::from_stream(pages)).into_response())
}

/// New events as they are stored, as server-sent events; `Last-Event-ID` takes up where a broken stream ended.
pub(super) async fn stream(
    State(admin): State<Arc<Admin>>,
    Extension(identity): Extension<Identity>,
    headers: HeaderMap,
    asked: Asked,
) -> Result<Response, Problem> {
    let filter = filter(&parameters(asked)?)?;
    let permit = Arc::clone(&admin.streams).try_acquire_owned();
    let permit =
        permit.map_err(|_| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many streams are open; close one").retry_after(10))?;
    let mut latest = admin.state.store.latest();
    let now = *latest.borrow_and_update();
    let last_seen = headers.get(HeaderName::from_static("last-event-id"));
    let after = match last_seen.map(|value| value.to_str().ok().and_then(|text| text.parse::<i64>().ok())) {
        None => now,
        Some(Some(seq)) if seq >= 0 => seq.min(now),
        Some(_) => return Err(Problem::bad("Last-Event-ID is the number of an event of this stream")),
    };
    struct Live {
        after: i64,
        ready: VecDeque<Event>,
    }
    let reader = admin.state.store.reader().clone();
    let live = Live { after, ready: VecDeque::new() };
    let events = stream::unfold((live, latest, permit), move |(mut live, mut latest, permit)| {
        let (reader, filter, admin, identity) = (reader.clone(), filter.clone(), Arc::clone(&admin), identity.clone());
        async move {
            while live.ready.is_empty() {
                if !admin.state.tokens.is_valid(&identity) {
                    return None; // revoked: the stream ends, and cannot be taken up again
                }
                let head = *latest.borrow_and_update();
                let page = reader.stored_after(live.after, filter.clone(), 200).await.ok()?;
                // A page that is not full means that all up to the head has been seen, also what the filter left out.
                live.after = if page.len() < 200 { head.max(live.after) } else { page.last().map_or(head, |last| last.seq) };
                live.after = page.last().map_or(live.after, |last| live.after.max(last.seq));
                live.ready = page.into();
                if live.ready.is_empty() {
                    // Woken now and then to look at the token; an error is the store's end.
                    if let Ok(changed) = tokio::time::timeout(TOKEN_CHECK, latest.changed()).await {
                        changed.ok()?;
                    }
                }
            }
            let event = live.ready.pop_front()?;
            let sent = sse::Event::default().event("audit").id(event.seq.to_string()).data(audit::to_json(&event));
            Some((Ok::<_, Infallible>(sent), (live, latest, permit)))
        }
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))).into_response())
}

/// Walks the chain and says whether it holds.
pub(super) async fn verify(State(admin): State<Arc<Admin>>) -> Result<Response, Problem> {
    let body = match admin.state.store.reader().verify().await? {
        Chain::Intact { events, notes, removed, head } => {
            json!({"intact": true, "events": events, "notes": notes, "removed_by_retention": removed, "head": head})
        }
        Chain::Broken { sound, seq, id, cause } => {
            json!({"intact": false, "events": sound, "broken_at": {"number": seq, "id": id}, "cause": cause})
        }
    };
    Ok(Json(body).into_response())
}

fn parameters(asked: Asked) -> Result<Parameters, Problem> {
    let Query(asked) = asked.map_err(|_| {
        Problem::bad(
            "these parameters are known: from, to, user, host, action, label, q, limit, cursor, by, bucket, format; each at most once",
        )
    })?;
    Ok(asked)
}

/// A parameter that is there and not empty: forms send empty ones for what is not set.
fn given(parameter: &Option<String>) -> Option<&str> {
    parameter.as_deref().filter(|text| !text.is_empty())
}

fn filter(asked: &Parameters) -> Result<Filter, Problem> {
    let text = |parameter: &Option<String>| match given(parameter) {
        Some(text) if text.len() > 1000 => Err(Problem::bad("a filter has at most 1000 bytes")),
        text => Ok(text.map(str::to_owned)),
    };
    let action = match given(&asked.action) {
        None => None,
        Some(name) => Some(Outcome::named(name).ok_or_else(|| Problem::bad("action is one of log, redact, block, bypass"))?),
    };
    let (from, to) = (given(&asked.from).map(time).transpose()?, given(&asked.to).map(time).transpose()?);
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(Problem::bad("from is later than to"));
    }
    Ok(Filter { from, to, user: text(&asked.user)?, host: text(&asked.host)?, action, label: text(&asked.label)?, q: text(&asked.q)? })
}

/// RFC 3339 to milliseconds since 1970, rounded up: ids hold milliseconds, and `from` is not to let an earlier one in.
fn time(text: &str) -> Result<u64, Problem> {
    let bad = || Problem::bad("a time is RFC 3339, like 2026-01-31T08:00:00Z");
    // "+" in a query is a space: an offset that was not escaped is still understood.
    let text = text
        .rsplit_once(' ')
        .filter(|(_, offset)| offset.len() == 5)
        .map(|(time, offset)| format!("{time}+{offset}"))
        .unwrap_or(text.to_owned());
    let time = OffsetDateTime::parse(&text, &Rfc3339).map_err(|_| bad())?.to_offset(UtcOffset::UTC);
    let milliseconds = time.unix_timestamp_nanos().saturating_add(999_999).div_euclid(1_000_000);
    Ok(u64::try_from(milliseconds.max(0)).unwrap_or(u64::MAX))
}

/// Where a page ended: the id, and a digest that ties it to its filter.
fn cursor(id: Id, filter: &Filter) -> String {
    let mut bytes = id.to_bytes().to_vec();
    bytes.extend(cursor_check(id, filter));
    URL_SAFE_NO_PAD.encode(bytes)
}

fn cursor_id(text: &str, filter: &Filter) -> Result<Id, Problem> {
    let bad = || Problem::bad("this cursor is not from this query; begin without one, and keep the filters while paging");
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| bad())?;
    let (id, check) = bytes.split_first_chunk::<16>().ok_or_else(bad)?;
    let id = Id::from_bytes(*id);
    if check == cursor_check(id, filter) { Ok(id) } else { Err(bad()) }
}

fn cursor_check(id: Id, filter: &Filter) -> [u8; 8] {
    let hash = blake3::hash(format!("exeat cursor 1 {id} {filter:?}").as_bytes());
    hash.as_bytes().first_chunk().copied().unwrap_or_default()
}

fn event_id(text: &str) -> Result<Id, Problem> {
    text.parse().map_err(|error: audit::BadId| Problem::bad(error.to_string()))
}

fn no_event() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is no event of this id: it was never recorded, or is past the retention")
}

fn json_array(events: &[Event]) -> String {
    let inner: Vec<String> = events.iter().map(audit::to_json).collect();
    format!("[{}]", inner.join(","))
}

fn json_text(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_with_any_offset() {
        assert_eq!(time("1970-01-01T00:00:01Z"), Ok(1000));
        assert_eq!(time("1970-01-01T08:00:01+08:00"), Ok(1000));
        assert_eq!(time("1970-01-01T08:00:01 08:00"), Ok(1000), "an unescaped plus");
        assert_eq!(time("1970-01-01T00:00:00.0000001Z"), Ok(1));
        assert_eq!(time("1950-01-01T00:00:00Z"), Ok(0));
        for bad in ["yesterday", "2026-01-01", "2026-13-01T00:00:00Z", "1", " ", "2026-01-01T00:00:00"] {
            assert!(time(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_cursor_is_only_good_for_its_own_query() {
        let (id, filter) = (Id::new(), Filter::default());
        let text = cursor(id, &filter);
        assert_eq!(cursor_id(&text, &filter), Ok(id));
        assert!(cursor_id(&text, &Filter { q: Some("x".to_owned()), ..Filter::default() }).is_err());
        for bad in ["", "x", "AAAA", text.get(1..).expect("ascii"), &format!("{text}A")] {
            assert!(cursor_id(bad, &filter).is_err(), "{bad}");
        }
    }
}
