//! What a server does to those who watch it when it stops, starts again and
//! forgets, and when a kind goes. For that it must be a server of one's own.

use std::path::PathBuf;
use std::time::Instant;

use http::Method;
use serde_json::{Value, json};
use v9s::records::{Kind, Vm};
use v9s::store::{Freshness, Summary};

use super::DEFINITIONS;
use super::faults::{speaks_of, stale};
use crate::support::apiserver::ApiServer;
use crate::support::cluster::Cluster;
use crate::support::embedded::Embedded;
use crate::support::kubeconfig::Kubeconfig;
use crate::support::live::{Live, Moment, within};
use crate::support::objects::{fleet_in, vm};
use crate::support::proxy::Proxy;
use crate::support::suite;
use crate::support::{deadline, poll};

/// A name in words, and what is to be done to the server.
type OwnCase = (&'static str, fn(&mut dyn OnesOwn));

/// A server that a case may stop, kill and start again.
trait OnesOwn {
    fn cluster(&self) -> &Cluster;
    fn url(&self) -> String;
    fn kubeconfig(&self, user: &str) -> PathBuf;
    fn stop(&mut self);
    fn kill(&mut self);
    fn start(&mut self);
    fn compact(&mut self);
}

impl OnesOwn for ApiServer {
    fn cluster(&self) -> &Cluster {
        self.cluster()
    }
    fn url(&self) -> String {
        self.url().to_owned()
    }
    fn kubeconfig(&self, user: &str) -> PathBuf {
        self.kubeconfig(user)
    }
    fn stop(&mut self) {
        self.stop();
    }
    fn kill(&mut self) {
        self.kill();
    }
    fn start(&mut self) {
        self.start();
    }
    fn compact(&mut self) {
        self.compact();
    }
}

impl OnesOwn for Embedded {
    fn cluster(&self) -> &Cluster {
        self.cluster()
    }
    fn url(&self) -> String {
        self.url()
    }
    fn kubeconfig(&self, user: &str) -> PathBuf {
        self.kubeconfig(user)
    }
    fn stop(&mut self) {
        self.stop();
        // A client that holds old connections must have noticed that they are gone: what is not asked for twice, such as
        // the making of an object, would fail on one of them.
        let noticed = || {
            let asked = self.cluster().request(Method::GET, "/version", None);
            asked.is_err_and(|why| why.to_string().contains("(Connect)")).then_some(())
        };
        poll(deadline(), noticed).expect("the end of the server to be noticed");
    }
    fn kill(&mut self) {
        OnesOwn::stop(self);
    }
    fn start(&mut self) {
        self.start();
    }
    fn compact(&mut self) {
        Self::compact(self);
    }
}

/// One after the other on one server, each in a namespace of its own.
const CASES: &[OwnCase] = &[
    ("it stops in order and starts again", |server| {
        let cluster = server.cluster().clone();
        let machines = cluster.create_many(["a", "b", "c"].map(|name| vm("restart", name)));
        let mut live = Live::new(&server.kubeconfig("admin"));
        live.open(Kind::Vm, within(&["restart"]));
        live.until_live(&[Kind::Vm]);
        // Somebody with fewer rights looks on: a server that starts refuses them at first.
        cluster.create(vm("shop", "web"));
        let mut shop = Live::new(&server.kubeconfig("shop"));
        let kinds = [Kind::Vm, Kind::Pod, Kind::Claim, Kind::DataVolume];
        kinds.iter().for_each(|&kind| shop.open(kind, within(&["shop"])));
        shop.until_live(&kinds[..3]);
        let installed = shop.discovery.served("cdi.kubevirt.io", "datavolumes").is_some();
        let wanted = if installed { Summary::Live } else { Summary::Absent };
        let as_wanted = |shop: &Live| shop.store.freshness(Kind::DataVolume) == wanted;
        shop.until("what is not installed here to be absent", as_wanted);
        let mark = live.mark();
        server.stop();
        let why = stale(&mut live, Kind::Vm, "refuses connections");
        speaks_of(&why, &server.url());
        assert_eq!(live.store.len(Kind::Vm), 3);
        server.start();
        cluster.create(vm("restart", "d"));
        cluster.delete(&machines[0]);
        live.until("what happened after the restart", |live| live.names(Kind::Vm) == ["b", "c", "d"]);
        live.until_live(&[Kind::Vm]);
        assert!(live.fewest(mark, Kind::Vm) >= 2, "{}", live.summary());
        shop.until("the watch to be cut", |shop| !shop.stale(0, Kind::Vm).is_empty());
        shop.until_live(&kinds[..3]);
        assert_eq!(shop.names(Kind::Vm), ["web"]);
        let denied =
            |moment: &Moment| matches!(moment.freshness, Some(Freshness::Denied { .. } | Freshness::Absent));
        assert!(!kinds[..3].iter().any(|&kind| shop.since(0, kind).any(denied)), "{}", shop.summary());
        shop.until("the kind that is installed or absent to be so again", as_wanted);
    }),
    ("it forgets what happened while a watch was cut", |server| {
        let cluster = server.cluster().clone();
        let machines = cluster.create_many(["a", "b", "c", "d"].map(|name| vm("forgets", name)));
        let (mut proxy, mut live) = through(server);
        live.open(Kind::Vm, within(&["forgets"]));
        live.until_live(&[Kind::Vm]);
        let mark = live.mark();
        proxy.refuse();
        proxy.cut();
        stale(&mut live, Kind::Vm, "");
        cluster.delete(&machines[0]);
        cluster.patch(&machines[1], json!({"status": {"printableStatus": "Starting"}}));
        cluster.create(vm("forgets", "e"));
        server.compact();
        server.kill();
        server.start();
        // The list that ends the old watch cannot be older than this.
        cluster.create(vm("forgets", "f"));
        proxy.accept_again();
        live.until("what happened meanwhile", |live| {
            live.names(Kind::Vm) == ["b", "c", "d", "e", "f"]
                && &*live.row::<Vm>("forgets", "b").status == "Starting"
        });
        live.until_live(&[Kind::Vm]);
        let forgot = live.stale(mark, Kind::Vm).into_iter().find(|why| why.contains("history"));
        speaks_of(forgot.unwrap_or_else(|| panic!("{}", live.summary())), &proxy.url());
        assert!(live.fewest(mark, Kind::Vm) >= 3, "{}", live.summary());
        // Live is said once: when all is there.
        let is_live = |moment: &&Moment| moment.freshness == Some(Freshness::Live);
        assert_eq!(live.since(mark, Kind::Vm).filter(is_live).count(), 1, "{}", live.summary());
        // And the new watch works.
        cluster.delete(&machines[1]);
        live.until("a later change", |live| !live.has(Kind::Vm, "forgets", "b"));
    }),
    ("it forgets the list that is being read", |server| {
        const MANY: usize = 90;
        let cluster = server.cluster().clone();
        let machines = cluster.create_many(fleet_in(&["pages"], MANY));
        let (proxy, mut live) = through(server);
        let before = proxy.bytes_to_clients();
        live.open(Kind::Vm, within(&["pages"]));
        live.until_live(&[Kind::Vm]);
        let whole = usize::try_from(proxy.bytes_to_clients() - before).unwrap();
        drop(live);

        // The second page is cut, and its repetition falls silent while the server forgets.
        let (mut proxy, mut live) = through(server);
        proxy.limit_bytes(whole * 3 / 4);
        proxy.refuse();
        live.open(Kind::Vm, within(&["pages"]));
        stale(&mut live, Kind::Vm, "");
        proxy.hold();
        proxy.accept_again();
        let mark = live.mark();
        cluster.delete(&machines[0]);
        cluster.create(vm("pages", "new"));
        server.compact();
        server.kill();
        server.start();
        proxy.cut();
        proxy.release();
        live.until_live(&[Kind::Vm]);
        let stale = live.stale(mark, Kind::Vm);
        assert!(stale.iter().any(|why| why.contains("history")), "{}", live.summary());
        assert_eq!(live.store.len(Kind::Vm), MANY);
        let gone = machines[0]["metadata"]["name"].as_str().unwrap();
        assert!(live.has(Kind::Vm, "pages", "new") && !live.has(Kind::Vm, "pages", gone));
        assert!(live.fewest(mark, Kind::Vm) >= 50, "{}", live.summary());
    }),
    ("a kind that is watched goes, and comes again", |server| {
        let cluster = server.cluster().clone();
        cluster.create_many([vm("kinds", "web"), vm("kinds", "db")]);
        let mut live = Live::new(&server.kubeconfig("admin"));
        live.open(Kind::Vm, within(&["kinds"]));
        live.until_live(&[Kind::Vm]);
        let definition: Value = DEFINITIONS[0].json();
        cluster.delete(&definition);
        live.until("the kind to be absent", |live| live.store.freshness(Kind::Vm) == Summary::Absent);
        assert!(live.store.is_empty(Kind::Vm), "{}", live.summary());
        cluster.wait_gone(&definition);
        cluster.apply_open(&DEFINITIONS[..1]);
        // The feed has ended; the kind is asked for anew.
        cluster.create(vm("kinds", "again"));
        live.open(Kind::Vm, within(&["kinds"]));
        live.until_live(&[Kind::Vm]);
        assert_eq!(live.names(Kind::Vm), ["again"]);
    }),
];

#[test]
fn on_a_server_of_ones_own() {
    if let Some(mut server) = ApiServer::own() {
        server.cluster().apply_open(&DEFINITIONS[..1]);
        let title = server.title();
        run(&title, &mut server, CASES);
    }
}

#[test]
fn on_an_embedded_server_of_ones_own() {
    let (of_definitions, others): (Vec<OwnCase>, Vec<OwnCase>) =
        CASES.iter().partition(|(name, _)| name.starts_with("a kind that is watched goes"));
    assert_eq!(
        of_definitions.len(),
        1,
        "the kinds of the embedded server are fixed, so one case is left out"
    );
    run("the embedded server", &mut Embedded::new(), &others);
}

fn run(title: &str, server: &mut dyn OnesOwn, cases: &[OwnCase]) {
    for (name, case) in cases {
        let began = Instant::now();
        println!("{title}, its own: {name} ...");
        case(server);
        println!("{title}, its own: {name} ... ok ({:.2} s)", began.elapsed().as_secs_f64());
    }
    suite::report(&format!("{title}, stopped and started: {} cases ran, 0 failed", cases.len()));
}

fn through(server: &dyn OnesOwn) -> (Proxy, Live) {
    let proxy = Proxy::to(&server.url());
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = Kubeconfig::read(&server.kubeconfig("admin")).server(&proxy.url());
    let live = Live::new(&kubeconfig.write(folder.path(), "through-proxy"));
    (proxy, live)
}
