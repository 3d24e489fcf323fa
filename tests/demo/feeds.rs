//! Faults that take longer to notice than a person would look at the screen: the program's own feeds, in a hurry.

use std::time::Duration;

use v9s::cluster::feed::Timing;
use v9s::records::Kind;
use v9s::store::Summary;

use crate::support::embedded::Embedded;
use crate::support::live::{Live, within};
use crate::support::objects::vm;

#[test]
fn a_watch_that_falls_silent_is_noticed_and_watched_anew() {
    let embedded = Embedded::new();
    let put = |name: &str| embedded.server().put(vm("shop", name).stored(1).into()).unwrap();
    put("a");
    let short = Duration::from_secs(1);
    let timing = Timing { answer: short, watch: short, silence: short };
    let mut live = Live::new(&embedded.kubeconfig("admin")).with_timing(timing);
    live.open(Kind::Vm, within(&["shop"]));
    live.until_live(&[Kind::Vm]);
    let mark = live.mark();
    // Whether it meets the open watch or the next one: the head of the answer comes, and then nothing.
    let fault = embedded.fault("silence=0,resource=vms,times=1");
    embedded.await_met(fault, 1);
    put("b");
    live.until("the silence to be noticed", |live| !live.stale(mark, Kind::Vm).is_empty());
    let why = live.stale(mark, Kind::Vm)[0].to_owned();
    let silent = format!("The connection to {} has been silent for ", embedded.url());
    assert!(why.starts_with(&silent) && why.contains("Is the network up"), "{why}");
    live.until("the machine made meanwhile", |live| live.has(Kind::Vm, "shop", "b"));
    live.until("the feed to be well", |live| live.store.freshness(Kind::Vm) == Summary::Live);
    assert_eq!(live.fewest(mark, Kind::Vm), 1);
}
