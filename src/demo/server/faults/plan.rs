//! Which faults a request or an open stream meets: pure, times are arguments.

use std::time::{Duration, Instant};

use http::{Method, Uri};

use super::spec::{Fault, FaultKind, names};
use crate::demo::server::kinds::Kind;
use crate::demo::server::route::{Query, Route, verb};

/// The number of a fault that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultId(u64);

/// What faults choose requests by.
#[derive(Clone, Debug, Default)]
pub(super) struct About {
    verb: &'static str,
    /// Whether it asks for a further page of a list.
    continued: bool,
    kind: Option<Kind>,
    namespace: Option<String>,
}

impl About {
    pub(super) fn of(method: &Method, uri: &Uri) -> Self {
        let Ok(Route::Objects(target)) = Route::parse(uri.path()) else {
            return Self { verb: "get", ..Self::default() };
        };
        let query = Query::parse(uri.query().unwrap_or_default());
        let verb = verb(method, &target, &query);
        let continued = verb == "list" && query.get("continue").is_some();
        Self { verb, continued, kind: Some(target.kind), namespace: target.namespace }
    }

    pub(super) fn is_watch(&self) -> bool {
        self.verb == "watch"
    }
}

/// The faults that were asked for, in that order.
#[derive(Debug, Default)]
pub(super) struct Plan {
    asked: Vec<Asked>,
    last: u64,
}

#[derive(Debug)]
struct Asked {
    id: FaultId,
    fault: Fault,
    begins: Instant,
    ends: Option<Instant>,
    met: u32,
}

/// What a request meets: all the delays there are, and the first of the other faults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Met {
    pub(super) latency: Duration,
    pub(super) fault: Option<(FaultId, FaultKind)>,
}

/// What an open stream meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Running {
    /// This happens to it.
    Meets(FaultId, FaultKind),
    /// It ends, because what it is answered with when it comes back has changed.
    Ends,
    /// Nothing, until this time if there is one.
    Nothing(Option<Instant>),
}

impl Plan {
    pub(super) fn add(&mut self, fault: Fault, now: Instant) -> FaultId {
        self.last += 1;
        let id = FaultId(self.last);
        let begins = now + fault.after;
        let ends = fault.lasts.map(|lasts| begins + lasts);
        self.asked.push(Asked { id, fault, begins, ends, met: 0 });
        id
    }

    pub(super) fn remove(&mut self, id: FaultId) {
        self.asked.retain(|asked| asked.id != id);
    }

    pub(super) fn clear(&mut self) {
        self.asked.clear();
    }

    /// How often a fault was met, for as long as it is not taken away.
    pub(super) fn met(&self, id: FaultId) -> u32 {
        self.asked.iter().find(|asked| asked.id == id).map_or(0, |asked| asked.met)
    }

    pub(super) fn request(&mut self, about: &About, now: Instant) -> Met {
        let mut met = Met::default();
        for asked in self.asked.iter_mut().filter(|asked| asked.concerns(about, now)) {
            match asked.fault.kind {
                FaultKind::Latency(latency) => met.latency = met.latency.saturating_add(latency),
                kind if met.fault.is_none() => met.fault = Some((asked.id, kind)),
                _ => continue,
            }
            asked.met += 1;
        }
        met
    }

    /// `known` are the faults that the stream has met.
    pub(super) fn running(&mut self, about: &About, known: &[FaultId], now: Instant) -> Running {
        let mut again = None;
        for asked in self.asked.iter_mut().filter(|asked| asked.chooses(about) && asked.is_left()) {
            if known.contains(&asked.id) || matches!(asked.fault.kind, FaultKind::Latency(_)) {
                continue;
            }
            if asked.begins > now {
                again = again.into_iter().chain([asked.begins]).min();
            } else if asked.is_on(now) {
                if asked.fault.kind.is_status() {
                    return Running::Ends;
                }
                asked.met += 1;
                return Running::Meets(asked.id, asked.fault.kind);
            }
        }
        Running::Nothing(again)
    }
}

impl Asked {
    fn concerns(&self, about: &About, now: Instant) -> bool {
        self.is_on(now) && self.is_left() && self.chooses(about)
    }

    fn is_on(&self, now: Instant) -> bool {
        self.begins <= now && self.ends.is_none_or(|ends| now < ends)
    }

    fn is_left(&self) -> bool {
        self.fault.times.is_none_or(|times| self.met < times)
    }

    fn chooses(&self, about: &About) -> bool {
        let Fault { kind, verb, resource, namespace, .. } = &self.fault;
        let of_kind = match kind {
            FaultKind::Drop => about.verb == "watch",
            FaultKind::Gone => matches!(about.verb, "list" | "watch"),
            _ => true,
        };
        let of_verb = match verb {
            Some("continue") => about.continued,
            Some(verb) => about.verb == *verb,
            None => true,
        };
        let named = |name: &String| about.kind.is_some_and(|kind| names(kind, name));
        of_kind
            && of_verb
            && resource.as_ref().is_none_or(named)
            && namespace.as_ref().is_none_or(|name| about.namespace.as_ref() == Some(name))
    }
}

impl FaultKind {
    /// Whether it is told by the status of an answer only. (Watches are told of 410 in a line.)
    fn is_status(self) -> bool {
        matches!(self, Self::Unauthorized | Self::TooMany(_) | Self::Failed | Self::Unavailable(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "GET /apis/kubevirt.io/v1/namespaces/shop/virtualmachines?limit=50";
    const NEXT: &str = "GET /apis/kubevirt.io/v1/namespaces/shop/virtualmachines?limit=50&continue=x";
    const WATCH: &str = "GET /apis/kubevirt.io/v1/virtualmachines?watch=1";
    const PODS: &str = "GET /api/v1/pods?watch=true";
    const POD: &str = "GET /api/v1/namespaces/lab/pods/a";
    const LOG: &str = "GET /api/v1/namespaces/lab/pods/a/log?follow=true";
    const CREATE: &str = "POST /apis/kubevirt.io/v1/namespaces/lab/virtualmachines";
    const GROUPS: &str = "GET /apis";
    const ALL: [&str; 8] = [LIST, NEXT, WATCH, PODS, POD, LOG, CREATE, GROUPS];

    fn about(request: &str) -> About {
        let (method, uri) = request.split_once(' ').unwrap();
        About::of(&method.parse().unwrap(), &uri.parse().unwrap())
    }

    fn plan(specs: &[&str], now: Instant) -> Plan {
        let mut plan = Plan::default();
        for spec in specs {
            plan.add(spec.parse().unwrap(), now);
        }
        plan
    }

    #[test]
    fn faults_choose_requests() {
        let now = Instant::now();
        let cases: [(&str, &[&str]); 13] = [
            ("500", &ALL),
            ("drop", &[WATCH, PODS]),
            ("410", &[LIST, NEXT, WATCH, PODS]),
            ("500,verb=list", &[LIST, NEXT]),
            ("500,verb=continue", &[NEXT]),
            ("500,verb=watch", &[WATCH, PODS]),
            ("500,verb=get", &[POD, LOG, GROUPS]),
            ("500,verb=create", &[CREATE]),
            ("500,resource=pods", &[PODS, POD, LOG]),
            ("500,resource=vm", &[LIST, NEXT, WATCH, CREATE]),
            ("500,resource=virtualmachines.kubevirt.io", &[LIST, NEXT, WATCH, CREATE]),
            ("500,namespace=shop", &[LIST, NEXT]),
            ("500,namespace=lab,verb=get", &[POD, LOG]),
        ];
        for (spec, wanted) in cases {
            let met: Vec<&str> = ALL
                .into_iter()
                .filter(|request| plan(&[spec], now).request(&about(request), now).fault.is_some())
                .collect();
            assert_eq!(met, wanted, "{spec}");
        }
    }

    #[test]
    fn faults_have_their_time_and_number() {
        let start = Instant::now();
        let mut plan = plan(&["500,after=5s,for=10s,times=2"], start);
        let mut at =
            |seconds: u64| plan.request(&about(LIST), start + Duration::from_secs(seconds)).fault.is_some();
        assert_eq!([4, 5, 14, 14].map(&mut at), [false, true, true, false]);
        let mut plan = self::plan(&["500,for=10s"], start);
        let mut at =
            |seconds: u64| plan.request(&about(LIST), start + Duration::from_secs(seconds)).fault.is_some();
        assert_eq!([0, 9, 10].map(&mut at), [true, true, false]);
    }

    #[test]
    fn delays_add_up_and_the_first_of_the_others_counts() {
        let now = Instant::now();
        let mut plan = plan(&["latency=1s", "500,times=1", "latency=200ms,verb=list", "401"], now);
        let met = plan.request(&about(LIST), now);
        assert_eq!((met.latency.as_millis(), met.fault.unwrap().1), (1200, FaultKind::Failed));
        let met = plan.request(&about(WATCH), now);
        assert_eq!((met.latency.as_millis(), met.fault.unwrap().1), (1000, FaultKind::Unauthorized));
        plan.clear();
        assert_eq!(plan.request(&about(LIST), now), Met::default());
    }

    #[test]
    fn open_streams_meet_what_begins_and_wait_for_what_will() {
        let now = Instant::now();
        let later = now + Duration::from_secs(5);
        for (spec, wanted) in [
            ("drop", Running::Meets(FaultId(1), FaultKind::Drop)),
            ("cut=7", Running::Meets(FaultId(1), FaultKind::Cut(7))),
            ("410", Running::Meets(FaultId(1), FaultKind::Gone)),
            ("silence", Running::Meets(FaultId(1), FaultKind::Silence(None))),
            ("garbage", Running::Meets(FaultId(1), FaultKind::Garbage)),
            ("503", Running::Ends),
            ("401", Running::Ends),
            ("503,verb=list", Running::Nothing(None)),
            ("latency=1s", Running::Nothing(None)),
            ("drop,resource=pods", Running::Nothing(None)),
            ("drop,times=0", Running::Nothing(None)),
            ("drop,after=5s", Running::Nothing(Some(later))),
        ] {
            assert_eq!(plan(&[spec], now).running(&about(WATCH), &[], now), wanted, "{spec}");
        }
        let mut plan = plan(&["garbage,times=3,for=6s", "drop,after=5s", "drop,after=9s"], now);
        let watch = about(WATCH);
        assert_eq!(plan.running(&watch, &[], now), Running::Meets(FaultId(1), FaultKind::Garbage));
        assert_eq!(plan.met(FaultId(1)), 1);
        assert_eq!(plan.running(&watch, &[FaultId(1)], now), Running::Nothing(Some(later)));
        assert_eq!(plan.running(&watch, &[FaultId(1)], later), Running::Meets(FaultId(2), FaultKind::Drop));
        plan.remove(FaultId(2));
        let end = now + Duration::from_secs(9);
        assert_eq!(plan.running(&watch, &[FaultId(1)], later), Running::Nothing(Some(end)));
    }
}
