//! Options, identity, roll-out and load balancers of a workload.

use super::super::fix::Fix;
use super::super::known::Lookup;
use super::super::patterns::{Link, is_name, is_port, nearest};
use super::super::rule::{Check, ERROR, Needs, Rule, WARNING, because};
use super::super::source::Spot;
use super::container::tag;

/// The most seconds of a time-out that the hosted service takes without being asked.
const LONG: i64 = 600;

/// What `extras` may hold.
const EXTRAS: &[&str] = &["affinity", "tolerations", "topologySpreadConstraints"];

/// A number of replicas, or a percentage of them.
fn is_share(text: &str) -> bool {
    let digits = text.strip_suffix('%').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn forbidden_unless_null(c: &mut Check<'_>) {
    if !c.at.missing() {
        c.forbidden();
    }
}

/// The GVC of the workload, from the document or the command line.
fn gvc<'a>(c: &Check<'a>) -> &'a str {
    c.at.document().gvc().or(c.options.gvc.as_deref()).unwrap_or_default()
}

fn geo_headers(c: &mut Check<'_>) {
    let headers = c.at.get("headers");
    let named: Vec<_> = headers.entries().filter(|(_, name)| !name.blank()).collect();
    if c.at.get("enabled").truth() == Some(true) && named.is_empty() {
        c.report(&[]);
    }
    for (at, (_, name)) in named.iter().enumerate() {
        let Some(text) = name.text() else { continue };
        let same = |(_, other): &(&str, Spot<'_>)| {
            other.text().is_some_and(|other| other.eq_ignore_ascii_case(text))
        };
        if text.chars().count() > 128 || named.iter().take(at).any(same) {
            c.report_at(name, &[]);
        }
    }
}

/// The rows.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "autoscaling-metric",
        path: "@options.autoscaling.metric",
        text: "VMs do not autoscale; metric must be \"disabled\"",
        check: |c| {
            if c.text().is_some_and(|text| text != "disabled") {
                let fix = Fix::set(&c.at, "disabled");
                c.report(&[]).fix(fix);
            }
        },
        bad: &[
            "spec.defaultOptions.autoscaling.metric: cpu",
            "spec.defaultOptions.autoscaling.metric: ''",
            "spec.localOptions: [{location: lab, autoscaling: {metric: keda}}]\nat spec.localOptions[0].autoscaling.metric",
        ],
        good: &["spec.defaultOptions.autoscaling.metric: disabled"],
        ..ERROR
    },
    Rule {
        id: "autoscaling-extras",
        path: "@options.autoscaling.{multi,keda,target,metricPercentile,maxConcurrency,scaleToZeroDelay}",
        text: "{} has no meaning for a VM",
        check: forbidden_unless_null,
        bad: &[
            "spec.defaultOptions.autoscaling: {minScale: 1, target: 95}\nat spec.defaultOptions.autoscaling.target",
            "spec.defaultOptions.autoscaling.multi: [{metric: cpu, target: 95}]",
            "spec.defaultOptions.autoscaling.keda: {triggers: []}",
            "spec.localOptions: [{location: lab, autoscaling: {scaleToZeroDelay: 300}}]\nat spec.localOptions[0].autoscaling.scaleToZeroDelay",
        ],
        good: &["spec.defaultOptions.autoscaling: {minScale: 1, maxScale: 3, keda: null}"],
        ..ERROR
    },
    Rule {
        id: "scale-integers",
        path: "@options.autoscaling.{minScale,maxScale}",
        text: "{} must be a whole number of 0 or more",
        check: |c| {
            if c.at.number().is_some() && c.at.int().is_none_or(|number| number < 0) {
                let key = c.at.key().unwrap_or_default();
                c.report(&[&key]);
            }
        },
        bad: &[
            "spec.defaultOptions.autoscaling.minScale: -1",
            "spec.defaultOptions.autoscaling.maxScale: 2.5",
            "spec.localOptions: [{location: lab, autoscaling: {minScale: 1.5}}]\nat spec.localOptions[0].autoscaling.minScale",
        ],
        good: &["spec.defaultOptions.autoscaling: {minScale: 1, maxScale: 3}"],
        ..ERROR
    },
    Rule {
        id: "scale-order",
        path: "@options.autoscaling",
        text: "minScale {} is larger than maxScale {}",
        check: |c| {
            let (least, most) = (c.at.get("minScale"), c.at.get("maxScale"));
            // Both have a default.
            let or = |spot: &Spot<'_>, default| if spot.missing() { Some(default) } else { spot.int() };
            if let (Some(min), Some(max)) = (or(&least, 1), or(&most, 5))
                && 0 <= max
                && max < min
            {
                let free = c.at.is_map() && !most.exists();
                let fix = if free { Fix::add(&c.at, "maxScale", &min.to_string()) } else { None };
                c.report_at(if least.exists() { &least } else { &most }, &[&min, &max]).fix(fix);
            }
        },
        bad: &[
            "spec.defaultOptions.autoscaling: {minScale: 3, maxScale: 2}\nat spec.defaultOptions.autoscaling.minScale",
            "spec.defaultOptions.autoscaling.minScale: 6",
            "spec.defaultOptions.autoscaling.maxScale: 0",
        ],
        good: &[
            "spec.defaultOptions.autoscaling: {minScale: 2, maxScale: 2}",
            "spec.defaultOptions.autoscaling.minScale: 5",
        ],
        ..ERROR
    },
    Rule {
        id: "options-timeout",
        path: "@options.timeoutSeconds",
        text: "timeoutSeconds {} is outside 1 to 600",
        check: |c| c.between(1, 3600),
        bad: &[
            "spec.defaultOptions.timeoutSeconds: 0",
            "spec.defaultOptions.timeoutSeconds: 3601",
            "spec.defaultOptions.timeoutSeconds: 1.5",
        ],
        good: &["spec.defaultOptions.timeoutSeconds: 600"],
        ..ERROR
    },
    Rule {
        id: "options-timeout-long",
        path: "@options.timeoutSeconds",
        text: "timeoutSeconds {} is above 600, which the hosted service may refuse",
        check: |c| {
            if let Some(seconds) = c.at.int().filter(|seconds| (LONG + 1..=3600).contains(seconds))
                && !tag(c, "cpln/timeoutSecondsOverride")
            {
                c.report(&[&seconds]);
            }
        },
        bad: &["spec.defaultOptions.timeoutSeconds: 601"],
        good: &[
            "spec.defaultOptions.timeoutSeconds: 600",
            "spec.defaultOptions.timeoutSeconds: 3600\ntags: {cpln/timeoutSecondsOverride: 'true'}",
        ],
        ..WARNING
    },
    Rule {
        id: "capacity-ai",
        path: "@options.capacityAI",
        text: "Capacity AI has no effect on VMs here",
        check: |c| {
            if c.at.truth() == Some(true) {
                let fix = Fix::bare(&c.at, "false").map(|fix| fix.labelled("write false"));
                c.report(&[]).fix(fix);
            }
        },
        bad: &["spec.defaultOptions.capacityAI: true"],
        good: &["spec.defaultOptions.capacityAI: false"],
        ..WARNING
    },
    Rule {
        id: "capacity-ai-minutes",
        path: "@options.capacityAIUpdateMinutes",
        text: "capacityAIUpdateMinutes must be at least 2",
        check: |c| c.between(2, i64::MAX),
        bad: &["spec.defaultOptions.capacityAIUpdateMinutes: 1"],
        good: &["spec.defaultOptions.capacityAIUpdateMinutes: 2"],
        ..ERROR
    },
    Rule {
        id: "local-options-location",
        path: "spec.localOptions",
        text: "each local option needs its own location",
        check: |c| {
            let locations: Vec<_> =
                c.at.items().filter(Spot::is_map).map(|option| option.get("location")).collect();
            for location in locations.iter().filter(|location| location.blank()) {
                c.report_at(location, &[]);
            }
            c.no_text_twice(locations.into_iter().filter(|location| !location.blank()));
        },
        bad: &[
            "spec.localOptions: [{debug: true}]\nat spec.localOptions[0].location",
            "spec.localOptions: [{location: lab}, {location: lab}]\nat spec.localOptions[1].location",
        ],
        good: &["spec.localOptions: [{location: lab}, {location: attic}]"],
        ..ERROR
    },
    Rule {
        id: "local-options-unknown",
        path: "spec.localOptions[].location",
        text: "location \"{}\" is not this cluster; the entry is kept but unused",
        needs: Needs::Cluster,
        check: |c| {
            if let Some(own) = c.known.location.as_deref() {
                c.text_must(|text| {
                    let name = text.rsplit_once("/location/").map_or(text, |(_, name)| name);
                    text.is_empty() || name == own
                });
            }
        },
        bad: &[
            "spec.localOptions: [{location: aws-us-west-2}]\nat spec.localOptions[0].location\nknown: {location: lab}",
        ],
        good: &[
            "spec.localOptions: [{location: lab}]\nknown: {location: lab}",
            "spec.localOptions: [{location: //location/lab}]\nknown: {location: lab}",
            "spec.localOptions: [{location: aws-us-west-2}]",
        ],
        ..WARNING
    },
    Rule {
        id: "identity-link",
        path: "spec.identityLink",
        text: "\"{}\" is not an identity link; use //identity/<name>",
        check: |c| {
            if let Some(text) = c.text().filter(|text| Link::read(text, "identity").is_none()) {
                let name = text.strip_prefix("cpln://identity/").unwrap_or(text);
                let fix = is_name(name).then(|| Fix::set(&c.at, &format!("//identity/{name}"))).flatten();
                c.report(&[&text]).fix(fix);
            }
        },
        bad: &[
            "spec.identityLink: web",
            "spec.identityLink: cpln://identity/web",
            "spec.identityLink: //secret/web",
            "spec.identityLink: ''",
        ],
        good: &[
            "spec.identityLink: //identity/web",
            "spec.identityLink: //gvc/shop/identity/web",
            "spec.identityLink: /org/acme/gvc/shop/identity/web",
        ],
        ..ERROR
    },
    Rule {
        id: "identity-not-found",
        path: "spec.identityLink",
        text: "identity \"{}\" does not exist in GVC \"{}\"",
        cel: because::OTHERS,
        needs: Needs::Cluster,
        check: |c| {
            if let Some(link) = c.text().and_then(|text| Link::read(text, "identity")) {
                let gvc = link.gvc.unwrap_or_else(|| gvc(c));
                if c.known.identity(link.name, gvc) == Lookup::Absent {
                    c.report(&[&link.name, &gvc]);
                }
            }
        },
        bad: &[
            "spec.identityLink: //identity/web\nknown: {identities: []}",
            "spec.identityLink: //identity/web\nknown: {identities: [{name: web, gvc: other}]}",
        ],
        good: &[
            "spec.identityLink: //identity/web\nknown: {identities: [{name: web, gvc: shop}]}",
            "spec.identityLink: //identity/web",
        ],
        ..ERROR
    },
    Rule {
        id: "rollout-grace",
        path: "spec.rolloutOptions.terminationGracePeriodSeconds",
        text: "terminationGracePeriodSeconds {} is outside 0 to 900",
        check: |c| {
            let most = if tag(c, "cpln/relaxGracePeriodMax") { 3600 } else { 900 };
            c.between(0, most);
        },
        bad: &[
            "spec.rolloutOptions.terminationGracePeriodSeconds: -1",
            "spec.rolloutOptions.terminationGracePeriodSeconds: 901\nunseen",
            "spec.rolloutOptions.terminationGracePeriodSeconds: 3601\ntags: {cpln/relaxGracePeriodMax: 'true'}",
        ],
        good: &[
            "spec.rolloutOptions.terminationGracePeriodSeconds: 900",
            "spec.rolloutOptions.terminationGracePeriodSeconds: 3600\ntags: {cpln/relaxGracePeriodMax: 'true'}\nunseen",
        ],
        ..ERROR
    },
    Rule {
        id: "rollout-unused",
        path: "spec.rolloutOptions.{scalingPolicy,maxSurgeReplicas}",
        text: "{} does not apply to VMs and is dropped",
        check: |c| c.unused(),
        bad: &["spec.rolloutOptions.scalingPolicy: Parallel", "spec.rolloutOptions.maxSurgeReplicas: 25%"],
        good: &["spec.rolloutOptions.minReadySeconds: 5"],
        ..WARNING
    },
    Rule {
        id: "rollout-unavailable",
        path: "spec.rolloutOptions.maxUnavailableReplicas",
        text: "maxUnavailableReplicas \"{}\" is not a number or percentage",
        check: |c| {
            if let Some(word) = c.at.word().filter(|word| !is_share(word)) {
                c.report(&[&word]);
            }
        },
        bad: &[
            "spec.rolloutOptions.maxUnavailableReplicas: half",
            "spec.rolloutOptions.maxUnavailableReplicas: '%'",
            "spec.rolloutOptions.maxUnavailableReplicas: 1.5%",
            "spec.rolloutOptions.maxUnavailableReplicas: -1\nunseen",
        ],
        good: &[
            "spec.rolloutOptions.maxUnavailableReplicas: 1",
            "spec.rolloutOptions.maxUnavailableReplicas: 25%",
        ],
        ..ERROR
    },
    Rule {
        id: "replica-direct-forbidden",
        path: "spec.loadBalancer.replicaDirect",
        text: "replicaDirect is for stateful workloads only",
        check: |c| {
            if c.at.truth() == Some(true) || c.at.get("enabled").truth() == Some(true) {
                let (at, fix) = (c.at.clone(), Fix::remove(&c.at));
                c.report_key(&at, &[]).fix(fix);
            }
        },
        bad: &["spec.loadBalancer.replicaDirect: true", "spec.loadBalancer.replicaDirect: {enabled: true}"],
        good: &[
            "spec.loadBalancer.replicaDirect: false\nunseen",
            "spec.loadBalancer.replicaDirect: {enabled: false}",
        ],
        ..ERROR
    },
    Rule {
        id: "lb-external-port",
        path: "spec.loadBalancer.direct.ports[].externalPort",
        text: "external port {} is outside 22 to 32768",
        check: |c| {
            if c.at.missing() {
                c.report(&[&"nothing"]);
            }
            c.between(22, 32768);
        },
        bad: &[
            "spec.loadBalancer.direct: {enabled: true, ports: [{externalPort: 21, protocol: TCP}]}\nat spec.loadBalancer.direct.ports[0].externalPort",
            "spec.loadBalancer.direct: {enabled: true, ports: [{externalPort: 32769, protocol: TCP}]}\nat spec.loadBalancer.direct.ports[0].externalPort",
            "spec.loadBalancer.direct: {enabled: true, ports: [{protocol: TCP}]}\nat spec.loadBalancer.direct.ports[0].externalPort",
        ],
        good: &["spec.loadBalancer.direct: {enabled: true, ports: [{externalPort: 22, protocol: TCP}]}"],
        ..ERROR
    },
    Rule {
        id: "lb-protocol",
        path: "spec.loadBalancer.direct.ports[].protocol",
        text: "load balancer protocol must be TCP or UDP",
        check: |c| {
            if c.at.missing() {
                c.report(&[]);
            }
            c.one_of(&["TCP", "UDP"]);
        },
        bad: &[
            "spec.loadBalancer.direct: {enabled: true, ports: [{externalPort: 22, protocol: tcp}]}\nat spec.loadBalancer.direct.ports[0].protocol",
            "spec.loadBalancer.direct: {enabled: true, ports: [{externalPort: 22}]}\nat spec.loadBalancer.direct.ports[0].protocol",
        ],
        good: &["spec.loadBalancer.direct: {enabled: true, ports: [{externalPort: 53, protocol: UDP}]}"],
        ..ERROR
    },
    Rule {
        id: "lb-container-port",
        path: "spec.loadBalancer.direct.ports[].containerPort",
        text: "container port {} is not allowed",
        check: |c| {
            let port = if c.at.is_map() { c.at.get("port") } else { c.at.clone() };
            if !c.at.missing() && !port.int().is_some_and(is_port) {
                c.report_at(&port, &[&port.shown()]);
            }
        },
        bad: &[
            "spec.loadBalancer.direct: {enabled: true, ports: [{externalPort: 22, protocol: TCP, containerPort: 22}]}\nat spec.loadBalancer.direct.ports[0].containerPort",
            "spec.loadBalancer.direct: {enabled: true, ports: [{externalPort: 22, protocol: TCP, containerPort: 15001}]}\nat spec.loadBalancer.direct.ports[0].containerPort",
            "spec.loadBalancer.direct: {enabled: true, ports: [{externalPort: 22, protocol: TCP, containerPort: {port: 9090}}]}\nat spec.loadBalancer.direct.ports[0].containerPort.port",
        ],
        good: &[
            "spec.loadBalancer.direct: {enabled: true, ports: [{externalPort: 22, protocol: TCP, containerPort: 8080}]}",
            "spec.loadBalancer.direct: {enabled: true, ports: [{externalPort: 22, protocol: TCP, containerPort: {port: 8080}}]}\nunseen",
        ],
        ..ERROR
    },
    Rule {
        id: "geo-headers",
        path: "spec.loadBalancer.geoLocation",
        text: "geoLocation needs at least one header, all different",
        check: geo_headers,
        bad: &[
            "spec.loadBalancer.geoLocation: {enabled: true}",
            "spec.loadBalancer.geoLocation: {enabled: true, headers: {city: x-geo, country: x-geo}}\nat spec.loadBalancer.geoLocation.headers.country",
            "spec.loadBalancer.geoLocation: {enabled: true, headers: {city: x-geo, asn: X-Geo}}\nat spec.loadBalancer.geoLocation.headers.city\nunseen",
            "spec.loadBalancer.geoLocation: {enabled: true, headers: {city: x-01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890}}\nat spec.loadBalancer.geoLocation.headers.city",
        ],
        good: &[
            "spec.loadBalancer.geoLocation: {enabled: true, headers: {city: x-city, country: x-country}}",
            "spec.loadBalancer.geoLocation: {enabled: false}",
        ],
        ..ERROR
    },
    Rule {
        id: "retry-attempts",
        path: "spec.requestRetryPolicy.attempts",
        text: "attempts must be 0 or more",
        check: |c| c.between(0, i64::MAX),
        bad: &["spec.requestRetryPolicy.attempts: -1"],
        good: &["spec.requestRetryPolicy.attempts: 0"],
        ..ERROR
    },
    Rule {
        id: "extras-keys",
        path: "spec.extras.*",
        text: "extras may hold affinity, tolerations and topologySpreadConstraints",
        cel: because::PRUNED,
        check: |c| {
            if let Some(key) = c.at.key().filter(|key| !EXTRAS.contains(key)) {
                let free = EXTRAS.iter().copied().filter(|other| c.at.holder().entry(other).is_none());
                let fix = nearest(key, free).and_then(|near| Fix::rename(&c.at, near));
                let at = c.at.clone();
                c.report_key(&at, &[]).fix(fix);
            }
        },
        bad: &[
            "spec.extras: {nodeSelector: {zone: a}}\nat spec.extras.nodeSelector",
            "spec.extras.toleration: []",
        ],
        good: &["spec.extras: {tolerations: [], topologySpreadConstraints: []}"],
        ..ERROR
    },
];
