//! `exeat redact`: stdin to stdout, with confidential values replaced.

use super::{
    ConfigArgs, Outcome,
    reader::{Reader, Reading},
};
use exeat::{
    content::Document,
    finding::{Evidence, Finding},
    policy::{Action, Redaction, Whereabouts},
    redact::{self, DigestKey},
    text::Span,
};
use std::{
    cell::Cell,
    io::{self, Read, Write},
};

/// Copy stdin to stdout with confidential values replaced
///
/// Replaces every finding that the policy would log, redact or block in a post to an unlisted site, save passages that only read as a
/// whole like an internal paper. Bytes that are not
/// UTF-8 are copied as they are. Input beyond inspect.max_memory_bytes is worked on in pieces that end at line ends.
/// A number in JSON is replaced by a string, so that JSON stays JSON.
///
/// Exit status: 0 done, 2 an error; with --exit-code 1 if something was replaced. A filter that did its work has not
/// failed, so without the option a pipeline goes on (as with sed, and git diff without its --exit-code).
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    /// What stands in place of a value [default: what the policy says, else label]
    #[arg(long, value_enum)]
    redaction: Option<How>,
    /// End with status 1 if something was replaced
    #[arg(long)]
    exit_code: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum How {
    /// [EMAIL]
    Label,
    /// j***@e******.com
    Mask,
    /// [EMAIL:3f2a9c], equal for equal values within one run
    Hash,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let config = args.config.load()?;
    let filter = Filter {
        reader: Reader::of(&config)?,
        redaction: args.redaction.map(|how| match how {
            How::Label => Redaction::Label,
            How::Mask => Redaction::Mask,
            How::Hash => Redaction::Hash,
        }),
        // Of one run: a hash that outlived it could be tried against guesses.
        key: DigestKey::new(random_key()?),
        replaced: Cell::new(false),
    };
    filter.copy(io::stdin().lock(), io::stdout().lock(), config.inspect.max_memory_bytes)?;
    Ok(if args.exit_code && filter.replaced.get() { Outcome::Found } else { Outcome::Clean })
}

/// A key that nobody knows, from the operating system.
fn random_key() -> anyhow::Result<[u8; 32]> {
    let mut key = [0; 32];
    aws_lc_rs::rand::fill(&mut key).map_err(|error| anyhow::anyhow!("no random numbers from the operating system: {error}"))?;
    Ok(key)
}

struct Filter {
    reader: Reader,
    redaction: Option<Redaction>,
    key: DigestKey,
    replaced: Cell<bool>,
}

/// Whether the value is a number of its own behind `"key":`, or in an array: what replaces it has to be quoted.
fn is_json_number(text: &str, span: Span) -> bool {
    let is_number = span.slice(text).bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    let before = text.get(..span.start()).unwrap_or_default().trim_ascii_end();
    let after = text.get(span.end()..).unwrap_or_default().trim_ascii_start();
    let behind_key = || before.strip_suffix(':').is_some_and(|before| before.trim_ascii_end().ends_with('"'));
    is_number && after.starts_with([',', '}', ']']) && (behind_key() || before.ends_with(['[', ',']) && is_in_array(before, after))
}

/// Whether the nearest brackets around are those of an array, with nothing in it that prose has.
fn is_in_array(before: &str, after: &str) -> bool {
    let is_item = |char: char| char.is_ascii_digit() || char.is_ascii_whitespace() || matches!(char, ',' | '.' | '-' | '"');
    before.trim_end_matches(is_item).ends_with(['[', ']']) && after.trim_start_matches(is_item).starts_with([']', '['])
}

impl Filter {
    /// Copies `from` to `to`, holding at most about `most` bytes.
    fn copy(&self, mut from: impl Read, mut to: impl Write, most: usize) -> io::Result<()> {
        let mut held = Vec::new();
        loop {
            let room = most.saturating_sub(held.len()).max(1);
            let read = from.by_ref().take(u64::try_from(room).unwrap_or(u64::MAX)).read_to_end(&mut held)?;
            if read < room {
                return self.write(&held, &mut to).and_then(|()| to.flush());
            }
            // A line longer than all memory is cut where it stands.
            let end = memchr::memrchr(b'\n', &held).map_or(held.len(), |newline| newline + 1);
            let rest = held.split_off(end);
            self.write(&held, &mut to)?;
            held = rest;
        }
    }

    fn write(&self, bytes: &[u8], to: &mut impl Write) -> io::Result<()> {
        for chunk in bytes.utf8_chunks() {
            to.write_all(self.redact(chunk.valid()).as_bytes())?;
            to.write_all(chunk.invalid())?;
        }
        Ok(())
    }

    fn redact(&self, text: &str) -> String {
        let document = Document::plain(text);
        let Reading { findings, mut verdict, .. } = self.reader.read(&document, Whereabouts::Unknown, &[]);
        // Values are replaced; a passage that reads like an internal paper is no value.
        let is_value = |finding: &Finding| finding.evidence != Evidence::Model || !finding.label.is_under("business");
        for (decision, finding) in verdict.decisions.iter_mut().zip(&findings) {
            if !is_value(finding) {
                decision.action = Action::Allow;
            }
        }
        for decision in verdict.decisions.iter_mut().filter(|decision| decision.action != Action::Allow) {
            decision.action = Action::Redact;
            decision.redaction = self.redaction.unwrap_or(decision.redaction);
        }
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for edit in redact::edits(&document, &findings, &verdict, &self.key) {
            out.push_str(text.get(done..edit.span.start()).unwrap_or_default());
            if is_json_number(text, edit.span) {
                out.push_str(&serde_json::Value::from(edit.replacement.as_str()).to_string());
            } else {
                out.push_str(&edit.replacement);
            }
            done = edit.span.end();
            self.replaced.set(true);
        }
        out.push_str(text.get(done..).unwrap_or_default());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use exeat::config::{Config, Overrides};

    fn filtered(input: &[u8], redaction: Option<Redaction>, most: usize) -> Vec<u8> {
        let filter = Filter {
            reader: Reader::of(&Config::load(None, &Overrides::default()).expect("defaults")).expect("shipped rules"),
            redaction,
            key: DigestKey::new([1; 32]),
            replaced: Cell::new(false),
        };
        let mut out = Vec::new();
        filter.copy(input, &mut out, most).expect("memory");
        out
    }

    #[test]
    fn values_are_replaced_and_the_rest_stays_to_the_byte() {
        let text = "联系人 jane.roe@corp-mail.com\r\n\tok \u{1F600}\n";
        let out = String::from_utf8(filtered(text.as_bytes(), None, 1 << 20)).expect("text");
        assert_eq!(out, "联系人 [EMAIL]\r\n\tok \u{1F600}\n");
        let masked = String::from_utf8(filtered(text.as_bytes(), Some(Redaction::Mask), 1 << 20)).expect("text");
        assert_eq!(masked, "联系人 j*******@c********.com\r\n\tok \u{1F600}\n".replace("j*******", "j***.***"));
    }

    #[test]
    fn json_stays_json() {
        let text = r#"{"card": 4539578763621486, "note": "card 4539578763621486, thanks", "more": [1, 4539578763621486]}"#;
        let out = filtered(text.as_bytes(), None, 1 << 20);
        let expected = r#"{"card": "[CARD]", "note": "card [CARD], thanks", "more": [1, "[CARD]"]}"#;
        assert_eq!(String::from_utf8(out).expect("text"), expected);
        let prose = "pay with card 4539578763621486, [see card 4539578763621486], ok";
        assert_eq!(filtered(prose.as_bytes(), None, 1 << 20), b"pay with card [CARD], [see card [CARD]], ok");
    }

    #[test]
    fn bytes_that_are_no_text_pass_as_they_are() {
        let bytes = [b"\xff\xfe a \x80".as_slice(), b" jane.roe@corp-mail.com \xc3"].concat();
        assert_eq!(filtered(&bytes, None, 1 << 20), [b"\xff\xfe a \x80".as_slice(), b" [EMAIL] \xc3"].concat());
    }

    #[test]
    fn a_stream_larger_than_memory_is_cut_at_line_ends() {
        let line = "write to jane.roe@corp-mail.com today\n";
        let out = String::from_utf8(filtered(line.repeat(50).as_bytes(), None, 100)).expect("text");
        assert_eq!(out, "write to [EMAIL] today\n".repeat(50));
    }
}
