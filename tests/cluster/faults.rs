//! A network that breaks between the program and the server.

use std::time::Duration;

use serde_json::json;
use v9s::cluster::feed::Timing;
use v9s::records::{Kind, Vm};
use v9s::store::Summary;

use crate::support::live::{Live, within};
use crate::support::objects::{fleet_in, pod, vm};
use crate::support::proxy::Proxy;
use crate::support::suite::{Case, Env};

pub(super) const CASES: &[Case] = &[
    ("faults: a network that falls silent is noticed", |env| {
        let ns = env.namespace.as_str();
        env.cluster.create_many([vm(ns, "a"), vm(ns, "b")]);
        let short = Duration::from_secs(1);
        let timing = Timing { answer: short, watch: short, silence: short };
        let (proxy, live) = through(env);
        let mut live = live.with_timing(timing);
        live.open(Kind::Vm, within(&[ns]));
        live.until_live(&[Kind::Vm]);
        let mark = live.mark();
        proxy.hold();
        let why = stale(&mut live, Kind::Vm, "");
        assert!(why.contains("has been silent for") || why.contains("did not answer"), "{why}");
        speaks_of(&why, &proxy.url());
        env.cluster.create(vm(ns, "c"));
        // The old connections are as dead as before, and new ones work.
        proxy.cut();
        proxy.release();
        live.until("the machine made meanwhile", |live| live.has(Kind::Vm, ns, "c"));
        live.until_live(&[Kind::Vm]);
        assert_eq!(live.fewest(mark, Kind::Vm), 2);
    }),
    ("faults: a list that is cut off goes on", |env| {
        let ns = env.namespace.as_str();
        env.cluster.create_many(fleet_in(&[ns], 120));
        let (proxy, mut live) = through(env);
        let before = proxy.bytes_to_clients();
        live.open(Kind::Vm, within(&[ns]));
        live.until_live(&[Kind::Vm]);
        let whole = usize::try_from(proxy.bytes_to_clients() - before).unwrap();
        drop(live);

        // The second page is the longer one: the cut comes in the middle of it.
        let (proxy, mut live) = through(env);
        proxy.limit_bytes(whole * 2 / 3);
        live.open(Kind::Vm, within(&[ns]));
        let why = stale(&mut live, Kind::Vm, "");
        speaks_of(&why, &proxy.url());
        assert!((50..120).contains(&live.store.len(Kind::Vm)), "{}", live.summary());
        let mark = live.mark();
        live.until_live(&[Kind::Vm]);
        assert_eq!(live.store.len(Kind::Vm), 120);
        assert!(live.fewest(mark, Kind::Vm) >= 50);
    }),
    ("faults: a list of one page that is cut off begins again", |env| {
        let ns = env.namespace.as_str();
        env.cluster.create_many(fleet_in(&[ns], 20));
        let (proxy, mut live) = through(env);
        proxy.limit_bytes(9_000);
        live.open(Kind::Vm, within(&[ns]));
        stale(&mut live, Kind::Vm, "");
        live.until_live(&[Kind::Vm]);
        assert_eq!(live.store.len(Kind::Vm), 20);
    }),
    ("faults: a watch that is cut goes on where it was", |env| {
        let ns = env.namespace.as_str();
        let machines = env.cluster.create_many(["a", "b", "c"].map(|name| vm(ns, name)));
        let (mut proxy, mut live) = through(env);
        live.open(Kind::Vm, within(&[ns]));
        live.until_live(&[Kind::Vm]);
        for round in 0..3 {
            let mark = live.mark();
            // Nothing gets through until all has happened.
            proxy.refuse();
            proxy.cut();
            let why = stale(&mut live, Kind::Vm, "");
            speaks_of(&why, &proxy.url());
            let word = format!("Round{round}");
            env.cluster.patch(&machines[0], json!({"status": {"printableStatus": word}}));
            let (old, new) = (vm(ns, &format!("new-{}", round - 1)), vm(ns, &format!("new-{round}")));
            env.cluster.delete(&old);
            env.cluster.create(new);
            proxy.accept_again();
            live.until("what happened meanwhile", |live| {
                *live.row::<Vm>(ns, "a").status == *word
                    && live.has(Kind::Vm, ns, &format!("new-{round}"))
                    && !live.has(Kind::Vm, ns, &format!("new-{}", round - 1))
            });
            live.until_live(&[Kind::Vm]);
            assert!(live.fewest(mark, Kind::Vm) >= 3, "{}", live.summary());
            // The watch has gone on: nothing was listed again.
            let listed = live.since(mark, Kind::Vm).map(|moment| moment.records).sum::<usize>();
            assert!(listed < 6, "{}", live.summary());
        }
    }),
    ("faults: a server that refuses for a while is told of and comes back", |env| {
        let ns = env.namespace.as_str();
        env.cluster.create(vm(ns, "web"));
        let (mut proxy, mut live) = through(env);
        live.open(Kind::Vm, within(&[ns]));
        live.until_live(&[Kind::Vm]);
        let mark = live.mark();
        proxy.refuse();
        proxy.cut();
        let why = stale(&mut live, Kind::Vm, "refuses connections");
        speaks_of(&why, &proxy.url());
        assert!(why.contains("Is it running"), "{why}");
        proxy.accept_again();
        live.until_live(&[Kind::Vm]);
        env.cluster.delete(&vm(ns, "web"));
        live.until("a change", |live| live.store.is_empty(Kind::Vm));
        assert!(!live.stale(mark, Kind::Vm).is_empty());
    }),
    ("faults: a server that is away from the beginning", |env| {
        let ns = env.namespace.as_str();
        env.cluster.create(vm(ns, "web"));
        let (mut proxy, mut live) = through(env);
        proxy.refuse();
        proxy.cut();
        live.open(Kind::Vm, within(&[ns]));
        stale(&mut live, Kind::Vm, "refuses connections");
        proxy.accept_again();
        live.until_live(&[Kind::Vm]);
        assert_eq!(live.names(Kind::Vm), ["web"]);
    }),
    ("faults: two kinds lose their watches together and both come back", |env| {
        let ns = env.namespace.as_str();
        let objects = env.cluster.create_many([vm(ns, "web"), pod(ns, "web")]);
        let (mut proxy, mut live) = through(env);
        let kinds = [Kind::Vm, Kind::Pod];
        kinds.iter().for_each(|&kind| live.open(kind, within(&[ns])));
        live.until_live(&kinds);
        let mark = live.mark();
        // A watch that is not open yet when all are cut is refused.
        proxy.refuse();
        proxy.cut();
        live.until("both to be stale", |live| kinds.iter().all(|&kind| !live.stale(mark, kind).is_empty()));
        proxy.accept_again();
        live.until_live(&kinds);
        assert!(kinds.iter().all(|&kind| live.fewest(mark, kind) == 1));
        objects.iter().for_each(|object| env.cluster.delete(object));
        live.until("the end of the machine", |live| live.store.is_empty(Kind::Vm));
    }),
    ("faults: what the connection carried is not lost with a second cut", |env| {
        // A cut in the middle of what a watch tells, at whatever byte.
        let ns = env.namespace.as_str();
        env.cluster.create(vm(ns, "web"));
        let (proxy, mut live) = through(env);
        live.open(Kind::Vm, within(&[ns]));
        live.until_live(&[Kind::Vm]);
        for (round, bytes) in [100, 1_000, 2_500].into_iter().enumerate() {
            let mark = live.mark();
            proxy.limit_bytes(bytes);
            let word = format!("Word{round}");
            env.cluster.patch(&vm(ns, "web"), json!({"status": {"printableStatus": word}}));
            live.until("the change", |live| *live.row::<Vm>(ns, "web").status == *word);
            env.cluster.create(vm(ns, &format!("more-{round}")));
            live.until("the next", |live| live.has(Kind::Vm, ns, &format!("more-{round}")));
            assert!(live.fewest(mark, Kind::Vm) >= 1);
        }
        live.until_live(&[Kind::Vm]);
    }),
];

/// A network to the server, and the administrator at its other end.
fn through(env: &Env) -> (Proxy, Live) {
    let proxy = Proxy::to(&env.user("admin").url());
    let kubeconfig = env.user("admin").server(&proxy.url()).write(env.folder(), "through-proxy");
    let live = Live::new(&kubeconfig);
    (proxy, live)
}

/// Waits until a kind is stale for a reason that contains these words, and returns it.
pub(super) fn stale(live: &mut Live, kind: Kind, words: &str) -> String {
    live.until(&format!("{kind:?} to be stale: {words}"), |live| {
        matches!(live.store.freshness(kind), Summary::Stale { .. })
            && live.trouble(kind).is_some_and(|why| why.contains(words))
    });
    live.trouble(kind).unwrap().to_string()
}

/// Checks that a sentence names the server and says what can be done.
pub(super) fn speaks_of(why: &str, server: &str) {
    assert!(why.contains(server), "The server is not named in: {why}");
    let sentences = why.replace(server, "SERVER");
    let sentences = sentences.split_inclusive(['.', '?']).filter(|part| part.trim().contains(' ')).count();
    assert!(sentences >= 2, "There is no advice in: {why}");
}
