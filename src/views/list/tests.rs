//! Lists: cursor, marks, filters, order.

use std::time::Duration;

use super::filtered::SLICE;
use super::*;
use crate::records::{Kind, Other, Record, Vmi, decode};
use crate::store::{Batch, Coverage, Freshness, Health, Namespaces, Selection, Stored};
use crate::views::column;
use crate::views::table_view;

fn put<R: Stored>(store: &mut Store, selection: Selection, objects: &[String])
where
    crate::records::Records: From<Vec<R>>,
{
    let coverage = Coverage { namespaces: Namespaces::All, selection };
    let mut touched = Touched::default();
    let plans = store.cover(R::KIND, coverage, &mut touched);
    let records: Vec<R> = objects.iter().map(|object| decode(object.as_bytes()).unwrap().record).collect();
    store.apply(Batch::of(plans[0].id, 0, records), Now::at(0), &mut touched);
}

#[test]
fn the_cursor_of_a_table_stays_on_its_row_when_the_object_has_a_record_too() {
    let object =
        |name: &str| format!(r#"{{"metadata":{{"name":"{name}","namespace":"shop","uid":"{name}"}}}}"#);
    let row = |name: &str| format!(r#"{{"cells":["{name}"],"object":{}}}"#, object(name));
    let mut store = Store::new(crate::explain::STATES);
    put::<Vmi>(&mut store, Selection::All, &["b", "c"].map(object));
    put::<Other>(&mut store, Selection::Table("x".into()), &["b", "c"].map(row));
    let view = || table_view("x", true, None);
    let mut list = List::new(view(), None, &store, Now::at(0));
    list.go(Motion::Last, &store);
    let under = |list: &List, store: &Store| store.meta(list.selected().unwrap()).unwrap().name.clone();
    assert_eq!(under(&list, &store), "c");
    put::<Other>(&mut store, Selection::Table("x".into()), &["a"].map(row));
    list.show_as(view(), &store, Now::at(0));
    assert_eq!((under(&list, &store).as_str(), list.place()), ("c", 2));
    assert_eq!(Other::KIND, list.selected().unwrap().kind());
}

fn object(name: &str) -> String {
    format!(r#"{{"metadata":{{"name":"{name}","namespace":"shop","uid":"{name}"}}}}"#)
}

struct Stage {
    store: Store,
    list: List,
    feed: crate::store::FeedId,
}

impl Stage {
    fn new(names: &[&str]) -> Self {
        let mut store = Store::new(crate::explain::STATES);
        let coverage = Coverage { namespaces: Namespaces::All, selection: Selection::All };
        let feed = store.cover(Kind::Vmi, coverage, &mut Touched::default())[0].id;
        let list = List::new(ViewRef::Of(&VIEW), None, &store, Now::at(0));
        let mut stage = Self { store, list, feed };
        stage.says(names, &[]);
        stage
    }

    fn says(&mut self, names: &[&str], gone: &[&str]) {
        let records: Vec<Vmi> =
            names.iter().map(|name| decode(object(name).as_bytes()).unwrap().record).collect();
        let mut batch = Batch::of(self.feed, 0, records);
        batch.gone = gone.iter().map(|name| Uid::parse(name)).collect();
        let mut touched = Touched::default();
        self.store.apply(batch, Now::at(0), &mut touched);
        self.list.touched(&touched, &self.store, Now::at(0));
    }

    fn names(&self, ids: &[Id]) -> String {
        let names: Vec<&str> = ids.iter().map(|&id| self.store.meta(id).unwrap().name.as_str()).collect();
        names.join(" ")
    }

    fn filter(&mut self, text: &str) {
        self.list.set_filter(Filter::parse(text), &self.store, Now::at(0));
    }

    fn cursor(&self) -> String {
        self.names(&self.list.selected().into_iter().collect::<Vec<_>>())
    }

    fn act(&mut self, act: impl FnOnce(&mut List, &Store)) {
        act(&mut self.list, &self.store);
    }

    fn mark(&mut self, place: usize) {
        self.list.select(place, &self.store);
        self.list.toggle_mark(&self.store);
    }
}

/// VMIs by name; those that begin with `x` are broken.
static VIEW: crate::views::View<Vmi> = crate::views::View {
    name: "machines",
    aliases: &[],
    rows: &[Kind::Vmi],
    partners: &[],
    shown: |_| true,
    state: |vmi, _| crate::store::State {
        health: if vmi.meta.name.starts_with('x') { Health::Failed } else { Health::Well },
        ..crate::store::State::default()
    },
    columns: &[column::name(), column::namespace().wide(), column::age()],
    sort: Sort::Name,
    open: crate::views::Open::Nothing,
    related: &[],
};

#[test]
fn marks_stay_with_their_objects() {
    let mut stage = Stage::new(&["a", "b", "c", "d", "e"]);
    stage.mark(1);
    stage.mark(0);
    stage.mark(0);
    stage.mark(3);
    assert_eq!(stage.names(&stage.list.marked()), "b d");
    assert_eq!(stage.cursor(), "d", "the cursor stays");
    stage.says(&["aa", "b"], &[]);
    assert_eq!(stage.names(&stage.list.marked()), "b d");
    stage.filter("d");
    let counts = stage.list.counts();
    assert_eq!((counts.shown, counts.total, counts.marked, counts.hidden), (1, 6, 2, 1));
    assert_eq!(stage.names(&stage.list.chosen()), "b d", "hidden ones count");
    stage.says(&["f"], &["b"]);
    assert_eq!(stage.names(&stage.list.marked()), "d");
    assert_eq!((stage.list.counts().marked, stage.list.counts().hidden), (1, 0));
    // The place of the one that went is used by another object.
    stage.says(&["b2"], &[]);
    assert_eq!(stage.names(&stage.list.marked()), "d");
    stage.list.clear_marks();
    assert_eq!(stage.names(&stage.list.chosen()), "d", "the row under the cursor");
}

#[test]
fn marks_and_faults_stay_while_another_namespace_is_shown() {
    let mut stage = Stage::new(&["a", "b"]);
    let other = |name: &str| {
        let object = format!(r#"{{"metadata":{{"name":"{name}","namespace":"mail","uid":"{name}"}}}}"#);
        decode::<Vmi>(object.as_bytes()).unwrap().record
    };
    let batch = Batch::of(stage.feed, 0, vec![other("xm"), other("m")]).and(Freshness::Live);
    let mut touched = Touched::default();
    stage.store.apply(batch, Now::at(0), &mut touched);
    stage.list.touched(&touched, &stage.store, Now::at(0));
    let all: Vec<Id> = stage.list.rows().to_vec();
    for (at, id) in all.iter().enumerate() {
        if ["a", "xm"].contains(&stage.store.meta(*id).unwrap().name.as_str()) {
            stage.mark(at);
        }
    }
    stage.act(|list, store| list.show_faults(true, store, Now::at(0)));
    let show = |stage: &mut Stage, namespace: Option<&str>| {
        let before = stage.list.without_rows();
        let namespace = namespace.map(Word::new);
        stage.list = List::new(ViewRef::Of(&VIEW), namespace, &stage.store, Now::at(0));
        stage.list.go_on(&before, &stage.store, Now::at(0));
    };
    show(&mut stage, Some("mail"));
    let counts = stage.list.counts();
    assert_eq!((counts.shown, counts.total, counts.marked, counts.elsewhere), (1, 2, 1, 1));
    assert_eq!(stage.names(&stage.list.chosen()), "xm", "what is not in the list is not acted on");
    show(&mut stage, Some("none"));
    assert_eq!((stage.list.chosen().len(), stage.list.counts().elsewhere), (0, 2));
    show(&mut stage, None);
    stage.act(|list, store| list.show_faults(false, store, Now::at(0)));
    assert_eq!((stage.names(&stage.list.marked()).as_str(), stage.list.counts().elsewhere), ("a xm", 0));
    // Gone is gone.
    stage.says(&[], &["a"]);
    assert_eq!((stage.names(&stage.list.marked()).as_str(), stage.list.counts().elsewhere), ("xm", 0));
}

#[test]
fn a_range_goes_to_the_nearest_mark() {
    let mut stage = Stage::new(&["a", "b", "c", "d", "e", "f"]);
    let Stage { store, list, .. } = &mut stage;
    list.select(2, store);
    list.mark_range(store);
    assert!(list.marked().is_empty(), "without a mark nothing happens");
    list.toggle_mark(store);
    list.select(0, store);
    list.mark_range(store);
    assert_eq!(list.marked().len(), 3, "from the nearest below");
    list.select(4, store);
    list.mark_range(store);
    assert_eq!(list.marked().len(), 5, "from the nearest above");
    list.unmark(list.rows()[0], store);
    assert_eq!(list.marked().len(), 4);
}

#[test]
fn only_faults_can_be_shown() {
    let mut stage = Stage::new(&["a", "x1", "b", "x10", "x2"]);
    assert_eq!(stage.list.counts().faults, 3);
    stage.act(|list, store| list.show_faults(true, store, Now::at(0)));
    assert_eq!(stage.names(stage.list.rows()), "x1 x2 x10");
    stage.filter("1");
    assert_eq!(stage.names(stage.list.rows()), "x1 x10");
    stage.says(&["x11", "c1"], &["x1"]);
    assert_eq!(stage.names(stage.list.rows()), "x10 x11");
    assert_eq!((stage.list.counts().faults, stage.list.total()), (3, 6));
    stage.act(|list, store| list.show_faults(false, store, Now::at(0)));
    assert_eq!(stage.names(stage.list.rows()), "c1 x10 x11");
}

#[test]
fn the_cursor_stays_on_its_object_whatever_is_filtered_and_sorted() {
    let mut stage = Stage::new(&["a", "b", "web-1", "web-2", "z"]);
    stage.act(|list, store| list.select(3, store));
    stage.filter("web");
    assert_eq!((stage.cursor().as_str(), stage.list.place()), ("web-2", 1));
    stage.filter("web-2");
    stage.filter("");
    assert_eq!((stage.cursor().as_str(), stage.list.place()), ("web-2", 3));
    stage.act(|list, store| list.sort_by(0, store, Now::at(0)));
    assert_eq!(stage.names(stage.list.rows()), "z web-2 web-1 b a");
    assert_eq!(stage.cursor(), "web-2");
}

#[test]
fn many_rows_are_looked_through_in_turns() {
    let names: Vec<String> = (0..SLICE * 2 + 10).map(|n| format!("vm-{n}")).collect();
    let mut stage = Stage::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
    stage.filter("7$");
    let first = stage.list.rows().len();
    assert!(first > 0 && first < names.len() / 10, "{first}");
    assert_eq!(stage.list.next_change(Now::at(0)), Some(Duration::ZERO));
    stage.says(&["new-7"], &["vm-7", "vm-17"]);
    stage.filter("[67]7$");
    stage.act(|list, store| list.finish(store, Now::at(0)));
    let want = names.iter().filter(|name| name.ends_with("67") || name.ends_with("77")).count();
    assert_eq!((stage.list.rows().len(), stage.list.next_change(Now::at(0))), (want, None));
    stage.filter("7$");
    // Another order meanwhile: what is still to be looked through goes on in it.
    stage.act(|list, store| list.sort_by(0, store, Now::at(0)));
    assert_eq!(stage.list.next_change(Now::at(0)), Some(Duration::ZERO));
    stage.act(|list, store| list.finish(store, Now::at(0)));
    let want: Vec<&String> = names.iter().rev().filter(|name| name.ends_with('7')).collect();
    assert_eq!(stage.list.rows().len(), want.len() - 1, "vm-7 is called new-7 by now, and vm-17 is gone");
    assert!(stage.names(&stage.list.rows()[..2]).starts_with(want[0].as_str()));
    // Words are found in one scan once every row has its text.
    stage.filter("7");
    let want = names.iter().filter(|name| name.contains('7')).count() - 1;
    assert_eq!((stage.list.rows().len(), stage.list.next_change(Now::at(0))), (want, None));
}

#[test]
fn hidden_columns_are_not_searched() {
    let mut stage = Stage::new(&["a"]);
    stage.filter("shop");
    assert_eq!(stage.list.counts().shown, 0);
    stage.act(|list, store| list.set_layout(true, None, store, Now::at(0)));
    assert_eq!(stage.list.counts().shown, 1);
}
