//! Columns: what a cell says, what it is sorted by, and when it is shown.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::net::IpAddr;

use bitflags::bitflags;

use crate::model::{Age, Now, Time, Word, format_bytes};
use crate::records::{Kind, Meta, Usage};
use crate::store::{At, Part, Row, SortKey, State};

/// What a column holds; says how it is aligned, compared and written as data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Text.
    Text,
    /// The word of a state; the screen puts the sign of the row's health before it.
    State,
    /// Why a row is in its state: sorted by the name of the cause, shown and written in words.
    Reason,
    /// A number.
    Number,
    /// Processors in thousandths; written as data they are whole processors.
    Millis,
    /// A size in bytes.
    Bytes,
    /// A moment, shown as how long ago it was.
    Age,
}

/// When a column is shown while no set is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Always.
    Always,
    /// In the wide form.
    Wide,
    /// Where rows of several namespaces are shown, whatever set is chosen.
    Namespaces,
}

bitflags! {
    /// Column sets for a task, one of which can be chosen instead of the default one.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Sets: u8 {
        /// What is wrong, and since when.
        const TRIAGE = 1;
        /// Processors, memory and storage: asked for, used, free.
        const CAPACITY = 1 << 1;
        /// Addresses, nodes, ways to the guest.
        const NETWORK = 1 << 2;
        /// Disks, claims, classes and how far they are.
        const STORAGE = 1 << 3;
    }
}

impl Sets {
    /// Every set by its name, in the order in which a key goes through them.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("triage", Self::TRIAGE),
        ("capacity", Self::CAPACITY),
        ("network", Self::NETWORK),
        ("storage", Self::STORAGE),
    ];
}

/// Which columns of a view are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The wide form; a set has no other than its own columns.
    pub wide: bool,
    /// Whether rows of several namespaces are shown.
    pub many: bool,
    /// The chosen set; none is the default.
    pub set: Option<Sets>,
}

/// A column, for those who do not know the row type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// The title, in upper case.
    pub title: Cow<'static, str>,
    /// What it holds.
    pub holds: Holds,
    /// When it is shown while no set is chosen.
    pub shown: Shown,
    /// The sets it is in.
    pub sets: Sets,
    /// The kind that fills it and is not served by every cluster (metrics): without any the column is not shown.
    pub needs: Option<Kind>,
    /// The most columns of the screen that it takes.
    pub widest: u16,
    /// Down to so many columns it gives way to a long text behind it, a name in its middle; 0 where it does not.
    pub gives: u16,
    /// What the help says of it; empty where the title says it all.
    pub about: &'static str,
}

impl Heading {
    /// Whether the column is shown where what it needs is served.
    pub fn is_in(&self, layout: Layout) -> bool {
        match (self.shown, layout.set) {
            (Shown::Namespaces, _) => layout.many,
            (_, Some(set)) => self.sets.intersects(set),
            (Shown::Always, None) => true,
            (Shown::Wide, None) => layout.wide,
        }
    }
}

/// A column of a view whose rows are `R`.
pub struct Column<R: Row> {
    /// The title, in upper case.
    pub title: &'static str,
    /// What it holds.
    pub holds: Holds,
    /// When it is shown while no set is chosen.
    pub shown: Shown,
    /// The sets it is in.
    pub sets: Sets,
    /// The kind that fills it and is not served by every cluster.
    pub needs: Option<Kind>,
    /// The most columns of the screen that it takes.
    pub widest: u16,
    /// See [`Heading::gives`].
    pub gives: u16,
    /// See [`Heading::about`].
    pub about: &'static str,
    /// The kind of other rows whose states its cells read, which are kept for that.
    pub reads_states_of: Option<Kind>,
    /// Writes the cell; called for visible rows only.
    pub text: TextOf<R>,
    /// What it is sorted by and what data output holds; never formats.
    pub key: KeyOf<R>,
    /// What stands where there is no value.
    pub nothing: &'static str,
    /// Which part of the row's state it says, instead of text and key of its own.
    pub part: Option<StatePart>,
}

/// A part of the state of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatePart {
    /// The word, with how far it is.
    Word,
    /// Why.
    Reason,
    /// Since when.
    Since,
}

/// What a column is sorted by and what data output holds.
type KeyOf<R> = for<'a> fn(At<'a, R>, Now) -> SortKey<'a>;
/// Writes a cell.
type TextOf<R> = for<'a> fn(At<'a, R>, Now, &mut String);

impl<R: Row> Column<R> {
    const fn new(title: &'static str, holds: Holds, widest: u16, key: KeyOf<R>) -> Self {
        let (shown, sets, needs) = (Shown::Always, Sets::empty(), None);
        let (text, nothing, part) = (no_text, "<none>", None);
        let (gives, about, reads_states_of) = (0, "", None);
        Self {
            title,
            holds,
            shown,
            sets,
            needs,
            widest,
            gives,
            about,
            reads_states_of,
            text,
            key,
            nothing,
            part,
        }
    }

    /// A column of text.
    pub const fn text(title: &'static str, widest: u16, key: KeyOf<R>) -> Self {
        Self::new(title, Holds::Text, widest, key)
    }

    const fn of_state(title: &'static str, holds: Holds, widest: u16, part: StatePart) -> Self {
        let column = Self::new(title, holds, widest, |_, _| SortKey::Nothing);
        Self { part: Some(part), ..column }.within(Sets::all())
    }

    /// A column of moments.
    pub const fn age(title: &'static str, key: KeyOf<R>) -> Self {
        Self::new(title, Holds::Age, 10, key).or("<unknown>")
    }

    /// A column of numbers.
    pub const fn number(title: &'static str, key: KeyOf<R>) -> Self {
        Self::new(title, Holds::Number, 10, key)
    }

    /// A column of processors in thousandths.
    pub const fn millis(title: &'static str, key: KeyOf<R>) -> Self {
        Self::new(title, Holds::Millis, 10, key)
    }

    /// A column of sizes.
    pub const fn bytes(title: &'static str, key: KeyOf<R>) -> Self {
        Self::new(title, Holds::Bytes, 10, key)
    }

    /// The same column with a text of its own beside its key.
    pub const fn written(mut self, text: TextOf<R>) -> Self {
        self.text = text;
        self
    }

    /// The same column, which gives way to a long text behind it.
    pub const fn giving_way(mut self, gives: u16) -> Self {
        self.gives = gives;
        self
    }

    /// The same column with what the help says of it.
    pub const fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// The same column with another word where there is no value.
    pub const fn or(mut self, nothing: &'static str) -> Self {
        self.nothing = nothing;
        self
    }

    /// The same column, shown only in the wide form.
    pub const fn wide(mut self) -> Self {
        self.shown = Shown::Wide;
        self
    }

    /// The same column, in these sets as well.
    pub const fn within(mut self, sets: Sets) -> Self {
        self.sets = self.sets.union(sets);
        self
    }

    /// The same column, shown only where this kind is served.
    pub const fn needing(mut self, kind: Kind) -> Self {
        self.needs = Some(kind);
        self
    }

    /// The same column, whose cells read the states of other rows.
    pub const fn reading_states_of(mut self, kind: Kind) -> Self {
        self.reads_states_of = Some(kind);
        self
    }

    /// The same column, shown only where rows of several namespaces are.
    pub const fn many(mut self) -> Self {
        self.shown = Shown::Namespaces;
        self
    }
}

/// Marks columns whose text is their key written out.
fn no_text<R: Row>(_: At<'_, R>, _: Now, _: &mut String) {}

/// The name of the object; every view of objects begins with it.
pub(super) const fn name<R: Row>() -> Column<R> {
    Column::<R>::text("NAME", 63, |at, _| SortKey::Text(&at.meta().name)).within(Sets::all())
}

/// Its namespace.
pub(super) const fn namespace<R: Row>() -> Column<R> {
    Column::<R>::text("NAMESPACE", 40, |at, _| word(at.meta().namespace)).or("-").many()
}

/// Its state: the word, with how far it is.
pub(super) const fn state<R: Row>() -> Column<R> {
    Column::of_state("STATE", Holds::State, 28, StatePart::Word)
}

/// Why it is in that state.
pub(super) const fn reason<R: Row>() -> Column<R> {
    let column = Column::of_state("REASON", Holds::Reason, 60, StatePart::Reason);
    let text = |at: At<'_, R>, now: Now, out: &mut String| {
        crate::explain::reason(at.store(), at.id(), now, out);
    };
    Column { sets: Sets::TRIAGE, text, ..column }
}

/// Since when it is in that state.
pub(super) const fn since<R: Row>() -> Column<R> {
    let column = Column::of_state("IN STATE", Holds::Age, 10, StatePart::Since);
    Column { sets: Sets::TRIAGE, ..column }
}

/// How old it is.
pub(super) const fn age<R: Row>() -> Column<R> {
    Column::<R>::age("AGE", |at, _| time(at.meta().created)).within(Sets::TRIAGE)
}

/// The key of a moment.
pub(super) fn time(time: Option<Time>) -> SortKey<'static> {
    time.map_or(SortKey::Nothing, |time| SortKey::Number(time.seconds()))
}

/// The key of a word; an empty one is no value.
pub(super) fn word(word: Word) -> SortKey<'static> {
    if word.is_empty() { SortKey::Nothing } else { SortKey::Text(word.as_str()) }
}

/// The key of a text; an empty one is no value.
pub(super) fn text(text: &str) -> SortKey<'_> {
    if text.is_empty() { SortKey::Nothing } else { SortKey::Text(text) }
}

/// The key of a size in bytes; zero is no value.
pub(super) fn size(bytes: u64) -> SortKey<'static> {
    count(i64::try_from(bytes).unwrap_or(i64::MAX))
}

/// The key of a number; zero is no value.
pub(super) fn count(number: impl Into<i64>) -> SortKey<'static> {
    match number.into() {
        0 => SortKey::Nothing,
        number => SortKey::Number(number),
    }
}

/// The key of a yes or a no.
pub(super) fn yes_no(yes: bool) -> SortKey<'static> {
    SortKey::Text(if yes { "yes" } else { "no" })
}

/// The key of a condition that is True, False or not told.
pub(super) fn told(yes: bool, no: bool) -> SortKey<'static> {
    if yes || no { yes_no(yes) } else { SortKey::Nothing }
}

/// The key of what keeps a guest from being moved while it runs, by the reason that its condition gives.
pub(super) fn held_by(reason: Word) -> SortKey<'static> {
    text(crate::explain::causes::held_by(reason))
}

/// The key of a number that a partner has; zero is no value.
pub(super) fn part_key<T: TryInto<i64>>(part: Part<T>) -> SortKey<'static> {
    match part.here().map(TryInto::try_into) {
        None | Some(Ok(0)) => SortKey::Nothing,
        Some(number) => SortKey::Number(number.unwrap_or(i64::MAX)),
    }
}

/// The key of an address: the number that an IPv4 address is; IPv6 comes behind.
pub(super) fn address(address: Option<IpAddr>) -> SortKey<'static> {
    match address {
        None => SortKey::Nothing,
        Some(IpAddr::V4(address)) => SortKey::Number(i64::from(address.to_bits())),
        Some(IpAddr::V6(_)) => SortKey::Number(i64::MAX),
    }
}

/// The key of a part of a state.
pub(super) fn state_key(state: &State, part: StatePart) -> SortKey<'static> {
    match part {
        StatePart::Word => word(state.word),
        StatePart::Reason => word(state.reason),
        StatePart::Since => time(state.since),
    }
}

/// Writes a part of the state of a row.
pub(super) fn write_state(state: &State, part: StatePart, meta: &Meta, now: Now, out: &mut String) {
    match part {
        StatePart::Word => {
            out.push_str(if state.word.is_empty() { "Unknown" } else { &state.word });
            if let Some(progress) = state.progress {
                let _ = write!(out, " {}%", progress / 10);
            }
            if state.provisional {
                out.push('…');
            }
        }
        StatePart::Reason => match meta.broken() {
            Some(why) => out.push_str(why),
            None if state.reason.is_empty() => out.push('-'),
            None => out.push_str(&state.reason),
        },
        StatePart::Since => write_key(time(state.since), Holds::Age, "<unknown>", now, out),
    }
}

/// Writes a value that has no text of its own, or `nothing` where there is none.
pub(super) fn write_key(key: SortKey<'_>, holds: Holds, nothing: &str, now: Now, out: &mut String) {
    let _ = match (key, holds) {
        (SortKey::Nothing, _) => fmt::Write::write_str(out, nothing),
        (SortKey::Text(text), _) => out.write_str(text),
        (SortKey::Number(seconds), Holds::Age) => write!(out, "{}", Age(now.wall - seconds)),
        (SortKey::Number(bytes), Holds::Bytes) => {
            format_bytes(bytes.unsigned_abs(), out);
            Ok(())
        }
        (SortKey::Number(number), _) => write!(out, "{number}"),
    };
}

/// Writes a word, or that there is none.
pub(super) fn write_word(word: Word, out: &mut String) {
    out.push_str(if word.is_empty() { "<none>" } else { &word });
}

/// Writes what a partner says, or why it says nothing.
pub(super) fn partner<T>(part: Part<T>, out: &mut String, write: impl FnOnce(T, &mut String)) {
    match part {
        Part::Here(partner) => write(partner, out),
        Part::None => out.push_str("<none>"),
        Part::Loading => out.push('…'),
        Part::Denied => out.push_str("<denied>"),
    }
}

/// Processors in use, where metrics are served.
pub(super) const fn cpu_used<R: Row>(
    kind: Kind,
    key: for<'a> fn(At<'a, R>, Now) -> SortKey<'a>,
    text: for<'a> fn(At<'a, R>, Now, &mut String),
) -> Column<R> {
    let column = Column::<R>::millis("CPU USED", key).written(text).needing(kind).within(Sets::CAPACITY);
    column.or("n/a").about("what the metrics API measures, in thousandths of a processor")
}

/// Memory in use, where metrics are served.
pub(super) const fn memory_used<R: Row>(
    kind: Kind,
    key: for<'a> fn(At<'a, R>, Now) -> SortKey<'a>,
    text: for<'a> fn(At<'a, R>, Now, &mut String),
) -> Column<R> {
    let column = Column::<R>::bytes("MEM USED", key).written(text).needing(kind).within(Sets::CAPACITY);
    column
        .or("n/a")
        .about("what the metrics API measures; of a machine that of its launcher, the guest and what runs it")
}

/// The key of processors in use.
pub(super) fn cpu_key(usage: Part<Usage>) -> SortKey<'static> {
    part_key(usage.map(|usage| usage.cpu))
}

/// The key of memory in use.
pub(super) fn memory_key(usage: Part<Usage>) -> SortKey<'static> {
    part_key(usage.map(|usage| usage.memory))
}

/// Writes processors in use; nothing where there is no measurement.
pub(super) fn write_cpu(usage: Part<Usage>, out: &mut String) {
    if !matches!(usage, Part::None) {
        partner(usage, out, |usage, out| _ = write!(out, "{}m", usage.cpu));
    }
}

/// Writes memory in use; nothing where there is no measurement.
pub(super) fn write_memory(usage: Part<Usage>, out: &mut String) {
    if !matches!(usage, Part::None) {
        partner(usage, out, |usage, out| format_bytes(usage.memory, out));
    }
}

/// The key of a part of a whole in hundredths.
pub(super) fn percent(part: SortKey<'_>, whole: SortKey<'_>) -> SortKey<'static> {
    match (part, whole) {
        (SortKey::Number(part), SortKey::Number(whole)) if whole > 0 => {
            SortKey::Number(part.saturating_mul(100) / whole)
        }
        _ => SortKey::Nothing,
    }
}

/// Writes a number that may not be known.
pub(super) fn write_part<T: fmt::Display>(part: Part<T>, out: &mut String) {
    partner(part, out, |value, out| _ = write!(out, "{value}"));
}

/// Writes the number in `key`, which counts records of a kind, unless these are not known.
pub(super) fn write_members<R: Row>(at: At<'_, R>, kind: Kind, key: SortKey<'_>, out: &mut String) {
    if !at.knows(kind) {
        out.push('…');
    } else if let SortKey::Number(number) = key {
        let _ = write!(out, "{number}");
    }
}

/// Writes an address, or that there is none.
pub(super) fn write_address(address: Option<IpAddr>, out: &mut String) {
    match address {
        Some(address) => _ = write!(out, "{address}"),
        None => out.push_str("<none>"),
    }
}

/// Writes thousandths of processors as Kubernetes does: `8`, `7500m`.
pub(super) fn write_millis(millis: u32, out: &mut String) {
    let _ = match millis {
        0 => out.write_str("<none>"),
        whole if whole % 1000 == 0 => write!(out, "{}", whole / 1000),
        millis => write!(out, "{millis}m"),
    };
}
