use super::*;
use crate::model::Name;
use crate::records::{DataVolume, Namespace, Other, Pod, Record, Vm, Vmi};

const NOW: i64 = 1_800_000_000;

fn object(name: &str, uid: &str, owner: Option<&str>) -> String {
    let owner = owner
        .map_or(String::new(), |uid| format!(r#","ownerReferences":[{{"uid":"{uid}","controller":true}}]"#));
    format!(r#"{{"metadata":{{"name":"{name}","namespace":"shop","uid":"{uid}"{owner}}}}}"#)
}

fn record<R: Record>(json: &str) -> R
where
    Records: From<Vec<R>>,
{
    crate::records::decode(json.as_bytes()).unwrap().record
}

/// A store with what a test needs to feed it.
struct World {
    store: Store,
    touched: Touched,
}

impl World {
    fn new() -> Self {
        Self { store: Store::new(&[]), touched: Touched::default() }
    }

    fn cover(&mut self, kind: Kind) -> FeedId {
        self.cover_with(kind, Selection::All)[0]
    }

    fn cover_with(&mut self, kind: Kind, selection: Selection) -> Vec<FeedId> {
        let coverage = Coverage { namespaces: Namespaces::All, selection };
        self.store.cover(kind, coverage, &mut self.touched).into_iter().map(|plan| plan.id).collect()
    }

    fn apply(&mut self, batch: Batch) -> Vec<String> {
        self.touched.clear();
        let before: Vec<(Id, Name)> = Kind::ALL
            .iter()
            .flat_map(|&kind| self.store.ids(kind))
            .map(|id| (id, self.store.meta(id).unwrap().name.clone()))
            .collect();
        self.store.apply(batch, Now::at(NOW), &mut self.touched);
        let name = |id: &Id| match self.store.meta(*id) {
            Some(meta) => meta.name.to_string(),
            None => format!("-{}", before.iter().find(|(old, _)| old == id).unwrap().1),
        };
        let mut names: Vec<String> = self.touched.ids.iter().map(name).collect();
        names.sort();
        names
    }

    fn names(&self, kind: Kind) -> Vec<String> {
        let mut names: Vec<String> =
            self.store.ids(kind).iter().map(|&id| self.store.meta(id).unwrap().name.to_string()).collect();
        names.sort();
        names
    }

    fn vm(&self, name: &str) -> At<'_, Vm> {
        let key = crate::records::name_key(Kind::Vm, Word::new("shop"), name);
        At::new(&self.store, self.store.find_key(key).unwrap()).unwrap()
    }
}

fn batch<R: Record>(feed: FeedId, round: u8, objects: &[String]) -> Batch
where
    Records: From<Vec<R>>,
{
    Batch::of(feed, round, objects.iter().map(|json| record::<R>(json)).collect::<Vec<R>>())
}

fn gone(feed: FeedId, records: impl Into<Records>, uid: &str) -> Batch {
    Batch { gone: vec![Uid::parse(uid)], ..Batch::of(feed, 0, records) }
}

#[test]
fn a_change_touches_everything_above_it_whatever_the_order_of_arrival() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]] {
        let mut world = World::new();
        let (vms, vmis, pods) = (world.cover(Kind::Vm), world.cover(Kind::Vmi), world.cover(Kind::Pod));
        for part in order {
            match part {
                0 => world.apply(batch::<Vm>(vms, 0, &[object("web", "1", None)])),
                1 => world.apply(batch::<Vmi>(vmis, 0, &[object("web-i", "2", Some("1"))])),
                _ => world.apply(batch::<Pod>(pods, 0, &[object("web-p", "3", Some("2"))])),
            };
        }
        let changed = r#"{"metadata":{"name":"web-p","namespace":"shop","uid":"3","deletionTimestamp":"2026-01-01T00:00:00Z",
            "ownerReferences":[{"uid":"2"}]}}"#;
        assert_eq!(
            world.apply(batch::<Pod>(pods, 0, &[changed.into()])),
            ["web", "web-i", "web-p"],
            "{order:?}"
        );
        assert_eq!(
            world.apply(batch::<Pod>(pods, 0, &[changed.into()])),
            Vec::<String>::new(),
            "nothing changed"
        );
        assert_eq!(world.apply(gone(vmis, Vec::<Vmi>::new(), "2")), ["-web-i", "web", "web-p"]);
        assert_eq!(world.apply(gone(pods, Vec::<Pod>::new(), "3")), ["-web-p"]);
    }
}

#[test]
fn a_partner_that_is_not_loaded_is_not_a_partner_that_does_not_exist() {
    let mut world = World::new();
    let vms = world.cover(Kind::Vm);
    world.apply(batch::<Vm>(vms, 0, &[object("web", "1", None)]).and(Freshness::Live));
    assert_eq!(world.vm("web").vmi().here().map(At::id), None);
    assert!(matches!(world.vm("web").vmi(), Part::Loading), "nobody asked");
    let vmis = world.cover(Kind::Vmi);
    assert!(matches!(world.vm("web").vmi(), Part::Loading), "asked");
    world.apply(batch::<Vmi>(vmis, 0, &[]).and(Freshness::Syncing { seen: 0 }));
    assert!(matches!(world.vm("web").vmi(), Part::Loading), "listing");
    world.apply(batch::<Vmi>(vmis, 0, &[]).and(Freshness::Live));
    assert!(world.touched.all, "rows read differently now");
    assert!(matches!(world.vm("web").vmi(), Part::None), "listed");
    world.apply(batch::<Vmi>(vmis, 0, &[]).and(Freshness::Denied { why: "no".into() }));
    assert!(matches!(world.vm("web").vmi(), Part::Denied));
    world.apply(batch::<Vmi>(vmis, 0, &[]).and(Freshness::Absent));
    assert!(matches!(world.vm("web").vmi(), Part::None), "no such kind, so none of it");
}

#[test]
fn disks_named_by_a_machine_are_its_parts_even_when_they_come_later_or_again() {
    let mut world = World::new();
    let (vms, disks) = (world.cover(Kind::Vm), world.cover(Kind::DataVolume));
    let vm = r#"{"metadata":{"name":"web","namespace":"shop","uid":"1"},"spec":{"template":{"spec":{"volumes":[{"dataVolume":{"name":"root"}}]}}}}"#;
    world.apply(batch::<Vm>(vms, 0, &[vm.into()]));
    assert_eq!(
        world.apply(batch::<DataVolume>(disks, 0, &[object("root", "2", Some("1"))])),
        ["root", "web"]
    );
    assert_eq!(world.vm("web").disks().count(), 1, "named by both, and one disk all the same");
    assert_eq!(world.apply(gone(disks, Vec::<DataVolume>::new(), "2")), ["-root", "web"]);
    assert_eq!(world.vm("web").disks().count(), 0);
    assert_eq!(world.apply(batch::<DataVolume>(disks, 0, &[object("root", "3", None)])), ["root", "web"]);
    // The machine names no disk any more: the link goes with the name.
    world.apply(batch::<Vm>(vms, 0, &[object("web", "1", None)]));
    assert_eq!(world.vm("web").disks().count(), 0);
}

#[test]
fn a_new_list_keeps_the_rows_and_sweeps_what_it_did_not_see() {
    let mut world = World::new();
    let vms = world.cover(Kind::Vm);
    let all: Vec<String> = ["a", "b", "c"].iter().map(|name| object(name, name, None)).collect();
    world.apply(batch::<Vm>(vms, 1, &all).and(Freshness::Live));
    world.apply(batch::<Vm>(vms, 2, &all[..1]).and(Freshness::Syncing { seen: 1 }));
    assert_eq!(world.names(Kind::Vm), ["a", "b", "c"], "rows stay while the new list runs");
    world.apply(batch::<Vm>(vms, 2, &all[1..2]));
    assert_eq!(world.apply(batch::<Vm>(vms, 2, &[]).and(Freshness::Live)), ["-c"]);
    world.apply(
        batch::<Vm>(vms, 2, &[]).and(Freshness::Stale { since: Now::at(0).instant, why: "away".into() }),
    );
    world.apply(batch::<Vm>(vms, 2, &[]).and(Freshness::Live));
    assert_eq!(world.names(Kind::Vm), ["a", "b"], "a link that came back sweeps nothing");
}

#[test]
fn a_wider_coverage_takes_the_rows_over() {
    let mut world = World::new();
    let narrow = world.cover_with(Kind::Pod, Selection::Partners);
    assert_eq!(narrow.len(), Kind::Pod.info().partners.len().max(1));
    for &feed in &narrow {
        world.apply(
            batch::<Pod>(feed, 0, &[object(&format!("p{}", feed.0), &feed.0.to_string(), None)])
                .and(Freshness::Live),
        );
    }
    let before = world.names(Kind::Pod);
    let wide = world.cover(Kind::Pod);
    assert_eq!(world.names(Kind::Pod), before);
    world.apply(batch::<Pod>(
        wide,
        0,
        &[object("x", "x", None), object("p1", &narrow[0].0.to_string(), None)],
    ));
    // The old feed still tells of its rows, but does not take back what the new one has seen.
    world.apply(gone(narrow[0], Vec::<Pod>::new(), &narrow[0].0.to_string()));
    assert!(world.names(Kind::Pod).contains(&"p1".to_owned()));
    assert_eq!(world.store.take_ended(), []);
    world.apply(batch::<Pod>(wide, 0, &[]).and(Freshness::Live));
    assert_eq!(world.names(Kind::Pod), ["p1", "x"]);
    assert_eq!(world.store.take_ended(), narrow);
    assert_eq!(
        world.apply(batch::<Pod>(narrow[0], 0, &[object("late", "late", None)])),
        Vec::<String>::new()
    );
}

#[test]
fn a_wider_coverage_that_is_refused_takes_no_rows_away() {
    let mut world = World::new();
    let names = ["shop"].map(Word::new).into_iter().collect();
    let narrow =
        world.store.cover(Kind::Vm, Coverage::all(Namespaces::Only(names)), &mut world.touched)[0].id;
    world.apply(batch::<Vm>(narrow, 0, &[object("web", "1", None)]).and(Freshness::Live));
    let wide = world.cover(Kind::Vm);
    world.apply(batch::<Vm>(wide, 0, &[]).and(Freshness::Denied { why: "no".into() }));
    assert_eq!(world.names(Kind::Vm), ["web"]);
    assert_eq!(world.store.take_ended(), []);
    world.apply(batch::<Vm>(narrow, 0, &[object("db", "2", None)]));
    assert_eq!(world.names(Kind::Vm), ["db", "web"], "it still tells of changes");
}

#[test]
fn one_kind_fed_by_several_namespaces_is_known_namespace_by_namespace() {
    let mut world = World::new();
    let vms = world.cover(Kind::Vm);
    world.apply(batch::<Vm>(vms, 0, &[object("web", "1", None)]).and(Freshness::Live));
    let names = ["shop", "lab"].map(Word::new).into_iter().collect();
    let coverage = Coverage::all(Namespaces::Only(names));
    let plans = world.store.cover(Kind::Vmi, coverage, &mut world.touched);
    let of = |name: &str| plans.iter().find(|plan| plan.scope.namespace == Some(Word::new(name))).unwrap().id;
    world.apply(batch::<Vmi>(of("lab"), 0, &[]).and(Freshness::Live));
    assert!(matches!(world.vm("web").vmi(), Part::Loading));
    world.apply(batch::<Vmi>(of("shop"), 0, &[]).and(Freshness::Live));
    assert!(matches!(world.vm("web").vmi(), Part::None));
    assert_eq!(world.store.freshness(Kind::Vmi), Summary::Live);
}

#[test]
fn owners_in_a_circle_do_no_harm() {
    let mut world = World::new();
    let vms = world.cover(Kind::Vm);
    let circle = [
        object("a", "1", Some("2")),
        object("b", "2", Some("3")),
        object("c", "3", Some("1")),
        object("d", "4", Some("4")),
    ];
    assert_eq!(world.apply(batch::<Vm>(vms, 0, &circle)), ["a", "b", "c", "d"]);
    let changed = r#"{"metadata":{"name":"b","namespace":"shop","uid":"2","ownerReferences":[{"uid":"3"}]},"status":{"created":true}}"#;
    assert_eq!(world.apply(batch::<Vm>(vms, 0, &[changed.into()])), ["a", "b", "c"]);
    for uid in ["1", "2", "3", "4"] {
        world.apply(gone(vms, Vec::<Vm>::new(), uid));
    }
    assert_eq!(world.names(Kind::Vm), Vec::<String>::new());
}

#[test]
fn an_object_made_again_under_its_name_is_another_one() {
    let mut world = World::new();
    let (vms, vmis) = (world.cover(Kind::Vm), world.cover(Kind::Vmi));
    world.apply(batch::<Vm>(vms, 0, &[object("web", "old", None)]));
    world.apply(batch::<Vmi>(vmis, 0, &[object("web", "life", Some("old"))]).and(Freshness::Live));
    world.apply(gone(vms, Vec::<Vm>::new(), "old"));
    world.apply(batch::<Vm>(vms, 0, &[object("web", "new", None)]));
    assert!(matches!(world.vm("web").vmi(), Part::None), "the old life is not its life");
}

#[test]
fn local_rows_come_the_same_way() {
    let mut world = World::new();
    let feed = world.cover(Kind::Context);
    let names = ["a", "b"].map(crate::records::Context::named).into_iter().collect::<Vec<_>>();
    assert_eq!(world.apply(Batch::of(feed, 0, names).and(Freshness::Live)), ["a", "b"]);
    assert_eq!(world.store.freshness(Kind::Context), Summary::Live);
}

#[test]
fn an_object_may_be_a_record_and_a_row_of_the_servers_table() {
    let mut world = World::new();
    let table = world.cover_with(Kind::Other, Selection::Table("virtualmachineinstances".into()))[0];
    let vmis = world.cover(Kind::Vmi);
    let pods = world.cover(Kind::Pod);
    let row = |name| {
        let object = object(name, "i", None);
        Batch::of(table, 0, vec![record::<Other>(&format!(r#"{{"cells":["{name}"],"object":{object}}}"#))])
    };
    assert_eq!(world.apply(row("web")), ["web"]);
    assert_eq!(world.apply(batch::<Vmi>(vmis, 0, &[object("web", "i", None)])), ["web"]);
    // Neither is taken for the other, whoever came first.
    assert_eq!(world.apply(batch::<Vmi>(vmis, 0, &[object("web", "i", None)])), [""; 0]);
    assert_eq!(world.apply(row("web")), [""; 0]);
    assert_eq!((world.names(Kind::Vmi).len(), world.names(Kind::Other).len()), (1, 1));
    assert_eq!(world.store.find(Uid::parse("i")).unwrap().kind(), Kind::Vmi);
    // Parts belong to the record.
    world.apply(batch::<Pod>(pods, 0, &[object("launcher", "p", Some("i"))]));
    let pod = world.store.find(Uid::parse("p")).unwrap();
    assert_eq!(world.store.wholes(pod).map(Id::kind).collect::<Vec<_>>(), [Kind::Vmi]);
    // And each goes for itself.
    world.apply(gone(vmis, Vec::<Vmi>::new(), "i"));
    assert_eq!((world.names(Kind::Vmi).len(), world.names(Kind::Other).len()), (0, 1));
    assert_eq!(world.store.find(Uid::parse("i")).unwrap().kind(), Kind::Other);
    world.apply(gone(table, Vec::<Other>::new(), "i"));
    assert_eq!(world.names(Kind::Other).len(), 0);
}

#[test]
fn the_rows_of_another_resource_are_not_shown_as_this_one() {
    let mut world = World::new();
    let feed = world.cover_with(Kind::Other, Selection::Table("configmaps".into()))[0];
    let row: Other = record(r#"{"cells":["a",3,null],"object":{"metadata":{"name":"a","uid":"1"}}}"#);
    world.apply(Batch::of(feed, 0, vec![row]).and(Freshness::Live));
    assert_eq!(world.store.len(Kind::Other), 1);
    let secrets = world.cover_with(Kind::Other, Selection::Table("secrets".into()));
    assert_eq!(world.store.len(Kind::Other), 0);
    assert_eq!(world.store.take_ended(), [feed]);
    // What its server still had to say comes late.
    let late: Other = record(r#"{"cells":["b"],"object":{"metadata":{"name":"b","uid":"2"}}}"#);
    let columns: TableColumns = [].into();
    let late = Batch { columns: Some(columns), ..Batch::of(feed, 0, vec![late]) };
    assert_eq!(world.apply(late), [""; 0]);
    assert!(world.store.columns().is_none());
    // And it does not stand for what may not be listed.
    let why = "no".into();
    world.apply(Batch::of(secrets[0], 0, Vec::<Other>::new()).and(Freshness::Denied { why }));
    assert!(matches!(world.store.freshness(Kind::Other), Summary::Denied { .. }));
    assert_eq!(world.store.take_ended(), []);
}

/// A machine counts its instances and disks: how many there are, how many of them are late, and what is not known of them.
const SUMS: &[(Kind, StateFn)] = &[
    (Kind::Vm, |store, id, now| {
        let late = store.parts(id).filter(|&part| &*store.state(part, now).word == "late").count();
        let known = |kind| match store.known(kind, Word::new("shop")) {
            Part::Denied => "denied",
            Part::Loading => "loading",
            _ => "known",
        };
        let (parts, instances) = (store.parts(id).count(), known(Kind::Vmi));
        State { word: Word::new(&format!("{parts} parts, {late} late, {instances}")), ..State::default() }
    }),
    (Kind::Vmi, |_, _, now| {
        let late = now.wall >= NOW + 60;
        let recheck = if late { None } else { Time::from_seconds(NOW + 60) };
        State { word: Word::new(if late { "late" } else { "due" }), recheck, ..State::default() }
    }),
];

impl World {
    /// Machines and instances on screen, whose states are those of [`SUMS`]: one machine with its instance.
    fn summing() -> (Self, [FeedId; 2]) {
        let mut world = Self { store: Store::new(SUMS), touched: Touched::default() };
        world.store.keep_states(&[Kind::Vm, Kind::Vmi], Now::at(NOW));
        let feeds = [world.cover(Kind::Vm), world.cover(Kind::Vmi)];
        world.apply(batch::<Vm>(feeds[0], 0, &[object("web", "1", None)]).and(Freshness::Live));
        world.apply(batch::<Vmi>(feeds[1], 0, &[object("web-i", "2", Some("1"))]).and(Freshness::Live));
        (world, feeds)
    }

    fn state(&self, name: &str) -> String {
        self.store.state(self.vm(name).id(), Now::at(NOW)).word.to_string()
    }
}

#[test]
fn what_only_time_makes_late_is_seen_in_everything_above_it() {
    let (mut world, _) = World::summing();
    assert_eq!(world.state("web"), "1 parts, 0 late, known");
    assert_eq!(world.store.next_recheck(), Time::from_seconds(NOW + 60));
    world.touched.clear();
    world.store.recheck(Now::at(NOW + 60), &mut world.touched);
    assert_eq!(world.state("web"), "1 parts, 1 late, known");
    let machine = world.vm("web").id();
    assert!(world.touched.ids.contains(&machine), "its row is drawn anew");
    assert_eq!(world.store.next_recheck(), None);
}

#[test]
fn what_may_no_longer_be_read_is_no_longer_asserted() {
    let (mut world, [machines, instances]) = World::summing();
    world.apply(batch::<Vm>(machines, 0, &[object("db", "3", None)]));
    assert_eq!(world.state("db"), "0 parts, 0 late, known");
    let denied = || Freshness::Denied { why: "no".into() };
    world.apply(batch::<Vmi>(instances, 0, &[]).and(denied()));
    assert!(world.touched.all, "also of machines that had none");
    assert_eq!(
        (world.state("db"), world.state("web")),
        ("0 parts, 0 late, denied".into(), "0 parts, 0 late, denied".into())
    );
    world.apply(batch::<Vmi>(instances, 0, &[]).and(denied()));
    assert!(!world.touched.all, "nothing new");
    world.apply(batch::<Vmi>(instances, 1, &[]).and(Freshness::Live));
    assert_eq!(world.state("db"), "0 parts, 0 late, known");
    world.apply(batch::<Vmi>(instances, 2, &[]).and(Freshness::Live));
    assert!(!world.touched.all, "the same list once more says nothing new of what is not in it");
}

#[test]
fn what_is_forgotten_is_no_longer_asserted() {
    let (mut world, [_, instances]) = World::summing();
    world.touched.clear();
    world.store.forget(&[Kind::Vmi], Now::at(NOW), &mut world.touched);
    assert_eq!(world.store.take_ended(), [instances]);
    assert_eq!(world.state("web"), "0 parts, 0 late, loading");
    assert!(world.touched.all);
}

#[test]
fn members_come_in_the_order_of_their_places() {
    let mut world = World::new();
    let (nodes, vmis) = (world.cover(Kind::Node), world.cover(Kind::Vmi));
    world.apply(batch::<crate::records::Node>(nodes, 0, &[r#"{"metadata":{"name":"n","uid":"n"}}"#.into()]));
    let guest = |name: &str| {
        format!(
            r#"{{"metadata":{{"name":"{name}","namespace":"shop","uid":"{name}"}},"status":{{"nodeName":"n"}}}}"#
        )
    };
    world.apply(batch::<Vmi>(vmis, 0, &["a", "b", "c", "d"].map(guest)));
    world.apply(gone(vmis, Vec::<Vmi>::new(), "b"));
    world.apply(gone(vmis, Vec::<Vmi>::new(), "a"));
    world.apply(batch::<Vmi>(vmis, 0, &["e", "f"].map(guest)));
    let node = world.store.find(Uid::parse("n")).unwrap();
    let members = world.store.members(Kind::Vmi, node);
    assert_eq!(members.len(), 4);
    assert!(members.is_sorted(), "{members:?}");
}

proptest::proptest! {
    /// Whatever comes in whatever order: in the end the links are those that the records ask for.
    #[test]
    fn links_do_not_depend_on_the_order(steps in proptest::collection::vec((0_u8..6, 0_u8..7, proptest::bool::ANY), 0..60)) {
        let mut world = World::new();
        let feed = world.cover(Kind::Namespace);
        let mut alive = std::collections::BTreeMap::new();
        for (slot, owner, dies) in steps {
            let (uid, owner) = (slot.to_string(), owner.to_string());
            if dies {
                world.apply(gone(feed, Vec::<Namespace>::new(), &uid));
                alive.remove(&uid);
            } else {
                world.apply(batch::<Namespace>(feed, 0, &[object(&uid, &uid, Some(&owner))]));
                alive.insert(uid, owner);
            }
        }
        for (uid, owner) in &alive {
            let id = world.store.find(Uid::parse(uid)).unwrap();
            let wholes: Vec<_> = world.store.wholes(id).map(|id| world.store.meta(id).unwrap().name.to_string()).collect();
            let wanted: Vec<_> = alive.keys().filter(|other| *other == owner && *other != uid).cloned().collect();
            proptest::prop_assert_eq!(wholes, wanted);
            let parts = world.store.parts(id).count();
            proptest::prop_assert_eq!(parts, alive.iter().filter(|(part, of)| *of == uid && *part != uid).count());
        }
    }
}
