//! Which record is a part of which: pod → VMI → VM → pool, claim → DataVolume → VM, event → object.
//!
//! One arena of nodes. Each record heads two lists: the links up to its wholes and the links down to its parts. A record
//! whose partner is not there waits by the partner's key. Owner references are hostile: they may form circles.

use std::collections::BTreeSet;

use super::Id;
use crate::model::Key;
use crate::records::Kind;

const NONE: u32 = u32::MAX;
/// The last arena index; the bit above it says which end named the other.
const MOST: u32 = (1 << 31) - 2;

#[derive(Clone, Copy, Debug)]
struct Node {
    part: Id,
    whole: Id,
    /// Next link of the same part.
    next_up: u32,
    /// Neighbours among the links of the same whole.
    next_down: u32,
    previous_down: u32,
}

#[derive(Clone, Copy, Debug)]
struct Heads {
    up: u32,
    down: u32,
}

/// The arena, the heads and those that wait.
#[derive(Debug, Default)]
pub(super) struct Links {
    nodes: Vec<Node>,
    /// Whether the whole named the part (otherwise the part named the whole), for the node of the same index.
    named_by_whole: Vec<bool>,
    free: Vec<u32>,
    heads: Vec<Vec<Heads>>,
    waiting: BTreeSet<(Key, Id)>,
    seen: hashbrown::HashSet<Id>,
}

impl Links {
    fn heads(&self, id: Id) -> Heads {
        let known = self.heads.get(id.kind() as usize).and_then(|heads| heads.get(id.slot()));
        known.copied().unwrap_or(Heads { up: NONE, down: NONE })
    }

    fn heads_mut(&mut self, id: Id) -> &mut Heads {
        let kind = id.kind() as usize;
        if self.heads.len() <= kind {
            self.heads.resize_with(Kind::ALL.len(), Vec::new);
        }
        let heads = &mut self.heads[kind];
        if heads.len() <= id.slot() {
            heads.resize(id.slot() + 1, Heads { up: NONE, down: NONE });
        }
        &mut heads[id.slot()]
    }

    pub(super) fn reserve(&mut self, kind: Kind, more: usize) {
        if self.heads.len() <= kind as usize {
            self.heads.resize_with(Kind::ALL.len(), Vec::new);
        }
        self.heads[kind as usize].reserve_exact(more);
    }

    /// Gives back what growing left over.
    pub(super) fn shrink(&mut self) {
        if self.nodes.capacity() > self.nodes.len() + self.nodes.len() / 8 {
            self.nodes.shrink_to_fit();
            self.named_by_whole.shrink_to_fit();
        }
    }

    /// Links a part to its whole; `by_whole` says who named whom.
    pub(super) fn link(&mut self, part: Id, whole: Id, by_whole: bool) {
        if part == whole || self.linked(part, whole, by_whole) {
            return;
        }
        let (next_up, next_down) = (self.heads(part).up, self.heads(whole).down);
        let node = Node { part, whole, next_up, next_down, previous_down: NONE };
        let at = match self.free.pop() {
            Some(at) => {
                self.nodes[at as usize] = node;
                self.named_by_whole[at as usize] = by_whole;
                at
            }
            None => match u32::try_from(self.nodes.len()) {
                Ok(at) if at < MOST => {
                    self.nodes.push(node);
                    self.named_by_whole.push(by_whole);
                    at
                }
                _ => return,
            },
        };
        if next_down != NONE {
            self.nodes[next_down as usize].previous_down = at;
        }
        self.heads_mut(part).up = at;
        self.heads_mut(whole).down = at;
    }

    fn linked(&self, part: Id, whole: Id, by_whole: bool) -> bool {
        self.up(part)
            .any(|at| self.nodes[at as usize].whole == whole && self.named_by_whole[at as usize] == by_whole)
    }

    /// The links of a part, as places in the arena.
    fn up(&self, part: Id) -> impl Iterator<Item = u32> + '_ {
        let mut at = self.heads(part).up;
        std::iter::from_fn(move || {
            let here = (at != NONE).then_some(at)?;
            at = self.nodes[here as usize].next_up;
            Some(here)
        })
    }

    fn down(&self, whole: Id) -> impl Iterator<Item = u32> + '_ {
        let mut at = self.heads(whole).down;
        std::iter::from_fn(move || {
            let here = (at != NONE).then_some(at)?;
            at = self.nodes[here as usize].next_down;
            Some(here)
        })
    }

    /// What `part` is a part of; one that both ends name comes twice.
    pub(super) fn wholes(&self, part: Id) -> impl Iterator<Item = Id> + '_ {
        self.up(part).map(|at| self.nodes[at as usize].whole)
    }

    /// The parts of `whole`, the latest first; one that both ends name comes twice.
    pub(super) fn parts(&self, whole: Id) -> impl Iterator<Item = Id> + '_ {
        self.down(whole).map(|at| self.nodes[at as usize].part)
    }

    fn cut(&mut self, at: u32) {
        let node = self.nodes[at as usize];
        match node.previous_down {
            NONE => self.heads_mut(node.whole).down = node.next_down,
            before => self.nodes[before as usize].next_down = node.next_down,
        }
        if node.next_down != NONE {
            self.nodes[node.next_down as usize].previous_down = node.previous_down;
        }
        let before = self.up(node.part).take_while(|&link| link != at).last();
        match before {
            None => self.heads_mut(node.part).up = node.next_up,
            Some(before) => self.nodes[before as usize].next_up = node.next_up,
        }
        self.free.push(at);
    }

    /// Cuts the links that `id` itself asked for.
    pub(super) fn cut_own(&mut self, id: Id) {
        let own: Vec<u32> = self
            .up(id)
            .filter(|&at| !self.named_by_whole[at as usize])
            .chain(self.down(id).filter(|&at| self.named_by_whole[at as usize]))
            .collect();
        own.into_iter().for_each(|at| self.cut(at));
    }

    /// Cuts all links of `id` and names those that had asked for one.
    pub(super) fn cut_all(&mut self, id: Id) -> Vec<Id> {
        let all: Vec<u32> = self.up(id).chain(self.down(id)).collect();
        let mut others = Vec::new();
        for at in all {
            let (node, by_whole) = (self.nodes[at as usize], self.named_by_whole[at as usize]);
            let asker = if by_whole { node.whole } else { node.part };
            if asker != id {
                others.push(asker);
            }
            self.cut(at);
        }
        others
    }

    /// Remembers that `id` waits for the object with this key.
    pub(super) fn wait(&mut self, key: Key, id: Id) {
        self.waiting.insert((key, id));
    }

    /// Forgets it.
    pub(super) fn stop_waiting(&mut self, key: Key, id: Id) {
        self.waiting.remove(&(key, id));
    }

    /// Those that wait for this key.
    pub(super) fn waiting_for(&self, key: Key) -> Vec<Id> {
        self.waiting.range((key, Id(0))..=(key, Id(u32::MAX))).map(|&(_, id)| id).collect()
    }

    /// Adds to `touched` what its entries from `from` on are parts of, transitively, and removes doubles.
    pub(super) fn spread(&mut self, touched: &mut Vec<Id>, from: usize) {
        let mut seen = std::mem::take(&mut self.seen);
        seen.clear();
        let mut kept = from;
        for at in from..touched.len() {
            if seen.insert(touched[at]) {
                touched.swap(kept, at);
                kept += 1;
            }
        }
        touched.truncate(kept);
        let mut at = from;
        while at < touched.len() {
            touched.extend(self.wholes(touched[at]).filter(|&whole| seen.insert(whole)));
            at += 1;
        }
        self.seen = seen;
    }
}
