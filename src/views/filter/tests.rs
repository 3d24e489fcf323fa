//! What filters mean, as tables.

use proptest::prelude::*;

use super::*;
use crate::model::Now;
use crate::records::{Records, Vm, decode};
use crate::store::{Batch, Coverage, Freshness, Namespaces, Store, Stored, Touched};
use crate::views::{List, ViewRef, find};

const NOW: i64 = 1_767_355_200;

fn put<R: Stored>(store: &mut Store, objects: &[String])
where
    Records: From<Vec<R>>,
{
    let mut touched = Touched::default();
    let plans = store.cover(R::KIND, Coverage::all(Namespaces::All), &mut touched);
    let records: Vec<R> = objects.iter().map(|object| decode(object.as_bytes()).unwrap().record).collect();
    store.apply(Batch::of(plans[0].id, 0, records).and(Freshness::Live), Now::at(NOW), &mut touched);
}

fn machine(name: &str, namespace: &str, age: &str, labels: &str, spec: &str, status: &str) -> String {
    let created = crate::model::Time::from_seconds(NOW - crate::model::parse_span(age).unwrap()).unwrap();
    format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"{namespace}","uid":"{name}","creationTimestamp":"{created}","labels":{labels}}},
        "spec":{{"runStrategy":"Always","template":{{"spec":{{"domain":{spec}}}}}}},"status":{{"printableStatus":"{status}"}}}}"#
    )
}

fn fleet() -> (Store, List) {
    let mut store = Store::new(crate::explain::STATES);
    put::<Vm>(
        &mut store,
        &[
            machine(
                "web-2",
                "shop",
                "1h",
                r#"{"app":"web"}"#,
                r#"{"cpu":{"cores":2},"memory":{"guest":"4Gi"}}"#,
                "Running",
            ),
            machine(
                "web-10",
                "shop",
                "2d",
                r#"{"app":"web","tier":"front"}"#,
                r#"{"cpu":{"cores":12},"memory":{"guest":"8Gi"},"devices":{"gpus":[{"name":"g"}],"hostDevices":null}}"#,
                "Migrating",
            ),
            machine(
                "db",
                "lab",
                "30d",
                r#"{"app":"db"}"#,
                r#"{"cpu":{"cores":8},"memory":{"guest":"16Gi"}}"#,
                "ErrorUnschedulable",
            ),
            machine("build", "lab", "5m", "null", "{}", "Stopped"),
        ],
    );
    let list = List::new(ViewRef::Of(find("vms").unwrap()), None, &store, Now::at(NOW));
    (store, list)
}

fn names(list: &List, store: &Store) -> Vec<String> {
    list.rows().iter().map(|&id| store.meta(id).unwrap().name.to_string()).collect()
}

#[test]
fn expressions_say_which_rows_are_shown() {
    let (store, mut list) = fleet();
    let all = "build db web-2 web-10";
    for (expression, want) in [
        ("", all),
        ("web", "web-2 web-10"),
        ("WEB", "web-2 web-10"),
        ("web shop", "web-2 web-10"),
        ("web lab", ""),
        ("^shop.*2$|^lab", "build db"),
        ("web-[0-9]{2}", "web-10"),
        ("web.1", "web-10"),
        ("!web", "build db"),
        ("!web !build", "db"),
        ("!web-1.", "build db web-2"),
        ("-0", ""),
        ("-1", "web-10"),
        (r#""shop web""#, "web-2 web-10"),
        (r#""shop web-2""#, "web-2"),
        (r#""state:nothing""#, ""),
        ("name:web", "web-2 web-10"),
        ("name=web-2", "web-2"),
        ("name!=web-2", "build db web-10"),
        ("-name:web", "build db"),
        ("!name:web", "build db"),
        ("ns:shop", "web-2 web-10"),
        ("namespace=lab", "build db"),
        ("state:Running,Stopped", "build web-2"),
        ("state:migr", "web-10"),
        ("state:run", "web-2"),
        ("state:Sched", ""),
        ("state:unsched,STOP", "build db"),
        ("state:*able", "db"),
        ("state:e*able", "db"),
        ("-state:run", "build db web-10"),
        ("name:web-*", "web-2 web-10"),
        ("name:w*1*", "web-10"),
        ("name=*-2", "web-2"),
        ("name!=web-*", "build db"),
        ("name:*", all),
        ("gpu:none", "build db web-2"),
        ("gpu:true", "web-10"),
        ("agent:none", all),
        ("migratable:n/a", all),
        ("age-of-state>1s", ""),
        ("-state:Running", "build db web-10"),
        ("cpu>2", "db web-10"),
        ("cpu>=2", "db web-2 web-10"),
        ("cpu<8", "build web-2"),
        ("cpu<=8", "build db web-2"),
        ("cpu:2", "web-2"),
        ("cpu=2,12", "web-2 web-10"),
        ("cpu!=2", "build db web-10"),
        ("memory>=8Gi", "db web-10"),
        ("mem>=8Gi", "db web-10"),
        ("memory>4gib", "db web-10"),
        ("memory:4Gi", "web-2"),
        ("age<2h", "build web-2"),
        ("age>=2d", "db web-10"),
        ("age>1d12h", "db web-10"),
        ("name>web-2", "web-10"),
        ("has:memory", "db web-2 web-10"),
        ("-has:memory", "build"),
        ("has:gpu", "web-10"),
        ("has:device", ""),
        ("-l app=web", "web-2 web-10"),
        ("-l app==web,tier=front", "web-10"),
        ("-l app!=web", "build db"),
        ("-l app in (web, db),!tier", "db web-2"),
        ("-l app notin (web)", "build db"),
        ("-l app", "db web-2 web-10"),
        ("-l !app", "build"),
        ("-l app = web ns:shop cpu>2", "web-10"),
        ("!-l app=web", "build db"),
        ("app=web", "web-2 web-10"),
        ("app!=web", "build db"),
        ("-f w1", "web-10"),
        ("-f swe", "web-2 web-10"),
        ("-f ", all),
        ("ns:shop cpu>2 -l app=web !build", "web-10"),
    ] {
        list.set_filter(Filter::default(), &store, Now::at(NOW));
        list.set_filter(Filter::parse(expression), &store, Now::at(NOW));
        assert_eq!(names(&list, &store).join(" "), want, "{expression:?} {:?}", list.filter_error());
        let unfinished = list.filter_error().is_some_and(|error| error.unfinished);
        assert_eq!(list.filter_error().is_some(), unfinished, "{expression:?}");
        // Letter by letter it comes to the same.
        list.set_filter(Filter::default(), &store, Now::at(NOW));
        for (end, _) in expression.char_indices().skip(1) {
            list.set_filter(Filter::parse(&expression[..end]), &store, Now::at(NOW));
        }
        list.set_filter(Filter::parse(expression), &store, Now::at(NOW));
        if !unfinished {
            assert_eq!(names(&list, &store).join(" "), want, "{expression:?} typed");
        }
    }
}

#[test]
fn what_cannot_be_read_says_where_and_hides_nothing() {
    let (store, mut list) = fleet();
    for (expression, at, why, unfinished) in [
        ("web [a", 4..6, "is no regular expression", false),
        ("cpu>", 0..4, "cpu> needs a value.", true),
        ("cpu> x", 0..4, "cpu> needs a value.", false),
        ("state:Running,", 0..14, "state: needs a value.", true),
        ("cpu>1,2", 0..7, "cpu> takes one value.", false),
        ("cpu>many", 0..8, "cpu is compared with numbers, which \"many\" is not.", false),
        ("memory>=lots", 0..12, "sizes such as 8Gi", false),
        ("x age<2", 2..7, "spans of time such as 2h", false),
        ("zone>3", 0..6, "There is no column \"zone\" in vms.", false),
        ("zone:x web", 0..6, "There is no column \"zone\" in vms; in quotes it is plain text.", false),
        (
            "pref=x preferences:x",
            7..20,
            "There is no column \"preferences\" in vms; did you mean preference?",
            false,
        ),
        ("mmory>2", 0..7, "; did you mean memory?", false),
        ("live-migratable-moves:no", 0..24, "; did you mean moves?", false),
        ("has:wings", 0..9, "There is no column \"wings\" in vms; has: takes reason, cpu, memory,", false),
        ("\"web", 0..4, "The closing quote is missing.", true),
        ("!", 0..1, "! needs a text", true),
        ("-f", 0..2, "-f needs letters", true),
        ("-l", 2..2, "-l needs a label selector", true),
        ("-l app in (web", 3..14, "stand in parentheses", true),
        ("-l app in (web;)", 3..16, "stand in parentheses", false),
        ("-l size > 3", 3..9, "not compared by size", false),
    ] {
        list.set_filter(Filter::parse("db"), &store, Now::at(NOW));
        list.set_filter(Filter::parse(expression), &store, Now::at(NOW));
        let error = list.filter_error().unwrap_or_else(|| panic!("{expression:?} is read"));
        assert!(error.why.contains(why), "{expression:?}: {}", error.why);
        assert_eq!((error.at.clone(), error.unfinished), (at, unfinished), "{expression:?} {error}");
        assert_eq!(names(&list, &store).join(" "), "build db web-2 web-10", "{expression:?}");
        assert_eq!(list.filter().text, expression);
    }
    let error = FilterError::new(3..7, "x");
    assert_eq!(error.pointed("東 cpu>"), "東 cpu>\n  ^^^^");
}

#[test]
fn a_filter_by_age_changes_with_time() {
    let (store, mut list) = fleet();
    list.set_filter(Filter::parse("age<2h"), &store, Now::at(NOW));
    assert_eq!(names(&list, &store), ["build", "web-2"]);
    let wait = list.next_change(Now::at(NOW)).unwrap();
    assert_eq!(wait.as_secs(), 3600, "web-2 is two hours old then");
    list.expire(&store, Now::at(NOW + 3599));
    assert_eq!(names(&list, &store), ["build", "web-2"]);
    list.expire(&store, Now::at(NOW + 3600));
    assert_eq!(names(&list, &store), ["build"]);
    list.set_filter(Filter::parse("age>1h"), &store, Now::at(NOW));
    assert_eq!(names(&list, &store), ["db", "web-10"]);
    assert_eq!(list.next_change(Now::at(NOW)).unwrap().as_secs(), 1);
    list.expire(&store, Now::at(NOW + 1));
    assert_eq!(names(&list, &store), ["db", "web-2", "web-10"]);
}

#[test]
fn rows_that_come_with_time_come_to_a_narrower_filter_too() {
    let (store, mut list) = fleet();
    list.set_filter(Filter::parse("age>2h"), &store, Now::at(NOW));
    assert_eq!(names(&list, &store), ["db", "web-10"]);
    list.set_filter(Filter::parse("age>2h web"), &store, Now::at(NOW));
    assert_eq!(names(&list, &store), ["web-10"]);
    for _ in 0..2 {
        // First it is two hours old, a second later older than that.
        let wait = list.next_change(Now::at(NOW)).expect("web-2 comes with time").as_secs();
        list.expire(&store, Now::at(NOW + i64::try_from(wait).unwrap()));
    }
    assert_eq!(names(&list, &store), ["web-2", "web-10"]);
}

#[test]
fn chips_are_the_terms() {
    let chips = |text: &str| Filter::parse(text).chips();
    assert_eq!(chips("web  state:Running,Stopped !x"), ["web", "state:Running,Stopped", "!x"]);
    assert_eq!(chips("-l app in (a, b)  !node:n1"), ["-l app in (a,b)", "-node:n1"]);
    assert_eq!(chips("[ "), ["[ "]);
}

#[test]
fn what_could_be_typed_next_is_offered() {
    let (store, list) = fleet();
    let offers = |typed: &str| -> Vec<String> {
        complete(typed, typed.len(), &list, &store, Now::at(NOW))
            .into_iter()
            .map(|one| {
                let whole = format!("{}{}", &typed[..one.at.start], one.text);
                one.rows.map_or(whole.clone(), |rows| format!("{whole} {rows}"))
            })
            .collect()
    };
    assert_eq!(offers("mem"), ["memory>", "mem-used>", "mem%>"]);
    assert!(offers("").contains(&"state:".to_owned()) && offers("").contains(&"has:".to_owned()));
    assert_eq!(offers("web -nam"), ["web -namespace:", "web -name:"]);
    assert_eq!(offers("ns:"), ["ns:lab 2", "ns:shop 2"]);
    assert_eq!(offers("ns:shop,l"), ["ns:shop,lab 2"]);
    assert_eq!(offers("state:st"), ["state:Stopped 1"]);
    assert_eq!(offers("has:mem"), ["has:memory", "has:mem-used", "has:mem%"]);
    assert_eq!(offers("age<"), Vec::<String>::new());
    assert_eq!(offers("nothing:"), Vec::<String>::new());
}

#[test]
fn what_fits_is_offered_however_many_others_there_are() {
    let mut store = Store::new(crate::explain::STATES);
    let names = (0..2_100).map(|n| format!("web-{n}")).chain(["zeta".to_owned()]);
    let machines: Vec<String> =
        names.map(|name| machine(&name, "shop", "1h", "null", "{}", "Running")).collect();
    put::<Vm>(&mut store, &machines);
    let list = List::new(ViewRef::Of(find("vms").unwrap()), None, &store, Now::at(NOW));
    let offers = |typed: &str| complete(typed, typed.len(), &list, &store, Now::at(NOW));
    let texts = |typed: &str| offers(typed).into_iter().map(|one| (one.text, one.rows)).collect::<Vec<_>>();
    assert_eq!(texts("name:zet"), [("zeta".to_owned(), Some(1))]);
    assert_eq!(texts("ns:"), [("shop".to_owned(), Some(2_101))]);
    assert_eq!((offers("name:").len(), offers("name:")[0].rows), (50, None));
}

#[test]
fn filters_are_kept_under_names() {
    let (mut saved, bad) =
        Saved::parse("# mine\nbig = cpu>2 memory>=8Gi\n\nslow=age>1d\n no line\nx y = a\nz = [\n");
    let lines: Vec<String> = bad.iter().map(ToString::to_string).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].starts_with("line 5, column 1: A saved filter is written as"), "{lines:?}");
    assert!(lines[1].starts_with("line 6, column 7: \"x y\" cannot be the name"), "{lines:?}");
    assert!(lines[2].starts_with("line 7, column 5: "), "{lines:?}");
    assert_eq!(saved.print(), "big = cpu>2 memory>=8Gi\nslow = age>1d\n");
    assert_eq!(Saved::parse(&saved.print()), (saved.clone(), Vec::new()));
    let (store, mut list) = fleet();
    for (text, want) in [("@big", "db web-10"), ("web @big", "web-10"), ("@slow !db", "web-10")] {
        list.set_filter(Filter::with(text, &saved), &store, Now::at(NOW));
        assert_eq!((names(&list, &store).join(" ").as_str(), &*list.filter().text), (want, text));
    }
    let error = Filter::with("web @gone", &saved).error().cloned().unwrap();
    assert_eq!((error.at.clone(), error.unfinished), (4..9, true), "{error}");
    assert!(saved.set("two words", "x").is_err() && saved.set("x", "[").is_err());
    // One that names another one says what that says.
    saved.set("both", "@slow !db").unwrap();
    assert!(saved.print().contains("both = age>1d !db\n"), "{}", saved.print());
    assert!(saved.set("none", "@gone").is_err() && saved.set("not", "!@big").is_err());
    // What is wrong is named, and hides nothing.
    saved.set("odd", "cpu>abc").unwrap();
    list.set_filter(Filter::with("web @odd", &saved), &store, Now::at(NOW));
    let error = list.filter_error().cloned().unwrap();
    assert_eq!((error.at, names(&list, &store).len()), (4..8, 4));
    assert_eq!(error.why, "In @odd: cpu is compared with numbers, which \"abc\" is not.");
    assert!(saved.remove("big") && !saved.remove("big"));
}

#[test]
fn filters_of_the_config_are_no_part_of_the_file() {
    let mut saved = Saved::default();
    saved.give("big", "cpu>2").unwrap();
    assert!(saved.give("bad", "[").is_err());
    assert_eq!((saved.print().as_str(), saved.iter().collect::<Vec<_>>()), ("", vec![("big", "cpu>2")]));
    let (store, mut list) = fleet();
    let mut shown = |text: &str, saved: &Saved| {
        list.set_filter(Filter::with(text, saved), &store, Now::at(NOW));
        (names(&list, &store).join(" "), list.filter_error().map(|error| error.why.clone()))
    };
    assert_eq!(shown("@big", &saved), ("db web-10".to_owned(), None));
    let (rows, why) = shown("@bad", &saved);
    assert_eq!(rows, "build db web-2 web-10");
    assert!(why.is_some_and(|why| why.starts_with("In @bad of the config: ")));
    saved.set("big", "cpu>8").unwrap();
    assert_eq!(shown("@big", &saved), ("web-10".to_owned(), None));
    assert!(saved.remove("big"));
    assert_eq!(shown("@big", &saved), ("db web-10".to_owned(), None));
}

/// Texts that look like filters.
fn expressions() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "web", "-", "!", "\"", "\\", ":", "=", "!=", ">", "<=", ",", " ", "  ", "-l ", "-f ", "(", ")", "in",
        " notin ", "state", "cpu", "2", "8Gi", "[", "*", ".", "@", "é", "東", "/", "has:", "age<2h",
        "app=web",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_was_read_is_written_so_that_it_reads_the_same(text in prop_oneof![expressions(), ".{0,20}"]) {
        let filter = Filter::parse(&text);
        if filter.error().is_none() {
            let written = filter.to_string();
            let again = Filter::parse(&written);
            prop_assert_eq!(again.error(), None, "{:?}", written);
            prop_assert_eq!(again.to_string(), written);
            prop_assert_eq!(again.chips(), filter.chips());
        }
    }

    #[test]
    fn a_value_that_is_offered_means_itself(value in r#"[a,"\\ :=ü]{1,8}"#) {
        if let Some(text) = parse::typed_value(&value) {
            let typed = Filter::parse(&format!("name:{text}"));
            prop_assert_eq!(typed.error(), None, "{:?}", text);
            let read = parse::terms(&format!("name:{text}"), &Saved::default());
            let What::Key { values, .. } = &read.terms[0].what else { panic!("{text:?} is no value") };
            prop_assert_eq!(values, &vec![value]);
        } else {
            prop_assert!(value.contains('\\'), "{:?}", value);
        }
    }

    #[test]
    fn nothing_that_is_typed_panics(text in prop_oneof![expressions(), ".{0,20}"], cursor in 0_usize..30) {
        let (store, mut list) = fleet();
        list.set_filter(Filter::parse(&text), &store, Now::at(NOW));
        if let Some(error) = list.filter_error() {
            prop_assert!(error.at.start <= error.at.end && error.at.end <= text.len(), "{:?}", error);
            error.pointed(&text);
        }
        for offer in complete(&text, cursor, &list, &store, Now::at(NOW)) {
            prop_assert!(text.get(offer.at).is_some());
        }
    }
}
