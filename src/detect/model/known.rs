//! What was read before. A stretch that comes again is known as a whole, at the speed of its digest; one that has grown, by its windows.

use super::{
    fields::{Stretch, masked},
    look::Read,
};
use crate::{
    content::Document,
    finding::{Finding, Label},
};
use quick_cache::sync::Cache;
use std::{hash::BuildHasher, ops::Range, sync::Arc};

/// What a text is known by.
pub(super) type Key = [u8; 16];

/// What was found in a stretch, in bytes from its start.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// How many windows it was read in.
    pub(super) windows: usize,
    pub(super) spans: Vec<Found>,
    pub(super) passages: Vec<Found>,
}

#[derive(Debug)]
pub(super) struct Found {
    pub(super) range: Range<usize>,
    pub(super) label: Label,
    pub(super) confidence: f32,
}

/// Everything that is known, by keyed digests: nothing of a text is kept.
pub(super) struct Memory {
    pub(super) windows: Cache<Key, Arc<Read>>,
    pub(super) stretches: Cache<Key, Arc<Known>>,
    secret: [u8; 32],
}

/// Windows remembered: a hundred bytes each, their findings, and 768 bytes more where a pack has a head. As many stretches.
const REMEMBERED: usize = 100_000;

impl Memory {
    /// Empty, under a new key.
    pub(super) fn new() -> Self {
        let seed = std::hash::RandomState::new();
        let seed: Vec<u8> = (0..4).flat_map(|number| seed.hash_one(number).to_le_bytes()).collect();
        Self {
            windows: Cache::new(REMEMBERED),
            stretches: Cache::new(REMEMBERED),
            secret: blake3::derive_key("exeat 2026 model windows", &seed),
        }
    }

    /// What a window is known by.
    pub(super) fn window(&self, text: &str) -> Key {
        cut(&blake3::keyed_hash(&self.secret, text.as_bytes()))
    }

    /// What a stretch is known by: its text, and all that decides how it is prepared.
    pub(super) fn stretch(&self, document: &Document<'_>, findings: &[Finding], stretch: &Stretch) -> Key {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        if let Some(segment) = document.segments().get(stretch.segment) {
            hasher.update(&[segment.syntax as u8]);
            for mask in masked(findings, stretch) {
                let inside = [mask.start.saturating_sub(stretch.range.start), mask.end - stretch.range.start];
                inside.iter().for_each(|at| _ = hasher.update(&at.to_le_bytes()));
            }
            hasher.update(&[u8::MAX]); // no text begins so
            hasher.update(segment.text.get(stretch.range.clone()).unwrap_or_default().as_bytes());
        }
        cut(&hasher.finalize())
    }
}

fn cut(digest: &blake3::Hash) -> Key {
    digest.as_bytes().first_chunk().copied().unwrap_or_default()
}
