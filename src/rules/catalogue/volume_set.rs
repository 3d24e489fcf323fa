//! Volume sets.

use super::super::fix::Fix;
use super::super::known::Lookup;
use super::super::patterns::is_quantity;
use super::super::rule::{Cel, Check, Needs, Rule, VOLUME_SET_ERROR, VOLUME_SET_WARNING, by_the_command};
use super::super::source::Spot;
use crate::model::{parse_bytes, parse_millis};

const CLASSES: &[&str] = &["general-purpose-ssd", "high-throughput-ssd", "shared"];

/// The most GiB that a volume of any class has.
pub(super) const LARGEST: f64 = 65536.0;

/// The least GiB that a volume of a class has.
pub(super) fn least(class: &str) -> f64 {
    if class == "high-throughput-ssd" { 200.0 } else { 10.0 }
}

/// The file system of a specification, written or not.
fn file_system<'a>(spec: &Spot<'a>) -> &'a str {
    spec.get("fileSystemType").text().unwrap_or("ext4")
}

/// The performance class of a specification, written or not.
fn class<'a>(spec: &Spot<'a>) -> &'a str {
    let own = if file_system(spec) == "shared" { "shared" } else { "general-purpose-ssd" };
    spec.get("performanceClass").text().unwrap_or(own)
}

/// Reports a word that is another one than before the change.
fn unchanged(c: &mut Check<'_>, word: for<'s> fn(&Spot<'s>) -> &'s str) {
    let Some(old) = c.old else { return };
    let old = old.root().get("spec");
    let old = word(&old);
    if word(&c.root().get("spec")) != old {
        let fix = Fix::set(&c.at, old);
        c.report(&[]).fix(fix);
    }
}

/// A number must be within limits, whole or not; reports it with its value.
fn within(c: &mut Check<'_>, least: f64, most: f64) {
    if c.at.number().is_some_and(|number| !(least..=most).contains(&number)) {
        let shown = c.at.shown();
        c.report(&[&shown]);
    }
}

/// Digits, perhaps with a fraction, and a unit.
fn is_retention(text: &str) -> bool {
    let Some(number) = text.strip_suffix(['d', 'h', 'm']) else { return false };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match number.split_once('.') {
        Some((whole, part)) => digits(whole) && digits(part),
        None => digits(number),
    }
}

fn is_suffix(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.len() <= 63
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// The fields of a cron line: the least and the most number, and words from the least on.
const CRON: [(u32, u32, &[&str]); 5] =
    [(0, 59, &[]), (0, 23, &[]), (1, 31, &[]), (1, 12, MONTHS), (0, 7, DAYS)];

/// The field of the minutes, where the line is one that cron understands.
fn cron(line: &str) -> Option<&str> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let good = fields.len() == CRON.len()
        && fields
            .iter()
            .zip(CRON)
            .all(|(field, limits)| field.split(',').all(|part| cron_part(part, limits)));
    if good { fields.first().copied() } else { None }
}

fn cron_part(part: &str, (least, most, words): (u32, u32, &[&str])) -> bool {
    let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let number = |text: &str| {
        let word = words.iter().zip(least..).find(|(word, _)| word.eq_ignore_ascii_case(text));
        let number = word.map(|(_, number)| number);
        number.or_else(|| text.parse().ok().filter(|number| digits(text) && (least..=most).contains(number)))
    };
    let ordered = match range.split_once('-') {
        Some((from, to)) => number(from).zip(number(to)).is_some_and(|(from, to)| from <= to),
        None => range == "*" || number(range).is_some(),
    };
    ordered && step.is_none_or(|step| digits(step) && step.parse::<u32>().is_ok_and(|step| step > 0))
}

/// Limits of the numbers under `predictive`, and how they are called.
const PREDICTIVE: &[(&str, f64, f64, &str)] = &[
    ("lookbackHours", 1.0, 168.0, "1 to 168"),
    ("projectionHours", 1.0, 72.0, "1 to 72"),
    ("minDataPoints", 2.0, 100.0, "2 to 100"),
    ("minGrowthRateGBPerHour", 0.0, f64::INFINITY, "0 and more"),
    ("scalingFactor", 1.1, f64::INFINITY, "1.1 and more"),
];

/// Whether the least and the most of a resource are at most so far apart, and at most one to four.
fn near(least: Option<u64>, most: Option<u64>, apart: u64) -> bool {
    let both = least.zip(most);
    both.is_some_and(|(least, most)| most.saturating_sub(least) <= apart && most <= least.saturating_mul(4))
}

fn mount_options(c: &mut Check<'_>) {
    if c.at.missing() {
        return;
    }
    if class(&c.at.holder()) != "shared" && file_system(&c.at.holder()) != "shared" {
        let (at, fix) = (c.at.clone(), Fix::remove(&c.at));
        c.report_key(&at, &[]).fix(fix);
        return;
    }
    let resources = c.at.get("resources");
    let amount = |spot: Spot<'_>, default: &str, read: fn(&str) -> Option<u64>| {
        if spot.missing() {
            read(default)
        } else {
            spot.word().filter(|word| is_quantity(word)).and_then(|word| read(&word))
        }
    };
    let millis = |text: &str| parse_millis(text).map(u64::from);
    let (min, max) = (resources.get("minCpu"), resources.get("maxCpu"));
    let cpu = near(amount(min, "500m", millis), amount(max, "2000m", millis), 4000);
    let (min, max) = (resources.get("minMemory"), resources.get("maxMemory"));
    let memory = near(amount(min, "1Gi", parse_bytes), amount(max, "2Gi", parse_bytes), 4096 << 20);
    if !cpu || !memory {
        c.report_at(&resources, &[]);
    }
}

/// The storage class that a specification asks for and what is taken where there is none.
fn class_missing(c: &mut Check<'_>) {
    let Some(classes) = c.known.storage_classes.as_deref() else { return };
    let (class, system) = (class(&c.at), file_system(&c.at));
    if !c.at.is_map() || !CLASSES.contains(&class) {
        return;
    }
    let is_there = |name: &str| classes.iter().any(|class| class.name == name);
    let plain = format!("{class}-{system}");
    let suffix = c.at.get("storageClassSuffix");
    let wanted = suffix.text().map_or_else(|| plain.clone(), |suffix| format!("{plain}-{suffix}"));
    if is_there(&wanted) {
        return;
    }
    let default = classes.iter().find(|class| class.default).map(|class| class.name.clone());
    let at = if suffix.exists() { suffix } else { c.at.clone() };
    match if is_there(&plain) { Some(plain) } else { default } {
        Some(instead) => c.report_at(&at, &[&wanted, &instead]),
        None => c.report_at(&at, &[&wanted]),
    };
}

/// The rows.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "vs-capacity-required",
        path: "spec.initialCapacity",
        text: "initialCapacity is required",
        check: |c| {
            if c.at.number().is_none() {
                let number = c.text().map(|text| text.strip_suffix("Gi").unwrap_or(text));
                let number = number.filter(|text| text.parse::<u32>().is_ok());
                let fix = number.and_then(|number| Fix::bare(&c.at, number));
                c.report(&[]).fix(fix);
            }
        },
        bad: &[
            "!spec.initialCapacity",
            "spec.initialCapacity: null",
            "spec.initialCapacity: '10'",
            "spec.initialCapacity: 10Gi",
        ],
        good: &["spec.initialCapacity: 10", "spec.initialCapacity: 10.5"],
        ..VOLUME_SET_ERROR
    },
    Rule {
        id: "vs-capacity-minimum",
        path: "spec.initialCapacity",
        text: "class {} needs at least {} GB, got {}",
        check: |c| {
            let class = class(&c.at.holder());
            if c.at.number().is_some_and(|size| size < least(class)) {
                let (shown, least) = (c.at.shown(), least(class).to_string());
                let fix = Fix::set(&c.at, &least);
                c.report(&[&class, &least, &shown]).fix(fix);
            }
        },
        bad: &[
            "spec.initialCapacity: 9",
            "spec.initialCapacity: -1",
            "spec.initialCapacity: 199\nspec.performanceClass: high-throughput-ssd",
        ],
        good: &[
            "spec.initialCapacity: 10",
            "spec.initialCapacity: 200\nspec.performanceClass: high-throughput-ssd",
        ],
        ..VOLUME_SET_ERROR
    },
    Rule {
        id: "vs-capacity-maximum",
        path: "spec.initialCapacity",
        text: "a volume can have at most 65536 GB",
        check: |c| within(c, f64::NEG_INFINITY, LARGEST),
        bad: &["spec.initialCapacity: 65537"],
        good: &["spec.initialCapacity: 65536"],
        ..VOLUME_SET_ERROR
    },
    Rule {
        id: "vs-capacity-above-max",
        path: "spec.initialCapacity",
        text: "initialCapacity {} is above maxCapacity {}",
        check: |c| {
            let most = c.at.holder().get("autoscaling.maxCapacity");
            if c.at.number().zip(most.number()).is_some_and(|(size, most)| size > most) {
                let shown = c.at.shown();
                c.report(&[&shown, &most.shown()]);
            }
        },
        bad: &["spec.initialCapacity: 21\nspec.autoscaling.maxCapacity: 20"],
        good: &["spec.initialCapacity: 20\nspec.autoscaling.maxCapacity: 20"],
        ..VOLUME_SET_ERROR
    },
    Rule {
        id: "vs-class",
        path: "spec.performanceClass",
        text: "performanceClass \"{}\" is not general-purpose-ssd, high-throughput-ssd or shared",
        check: |c| c.one_of(CLASSES),
        bad: &["spec.performanceClass: general-purpose-sdd", "spec.performanceClass: fast"],
        good: &["spec.performanceClass: general-purpose-ssd"],
        ..VOLUME_SET_ERROR
    },
    Rule {
        id: "vs-class-immutable",
        path: "spec.performanceClass",
        text: "performanceClass cannot be changed; create a new volume set",
        needs: Needs::Change,
        check: |c| unchanged(c, class),
        bad: &[
            "spec.performanceClass: high-throughput-ssd\nspec.initialCapacity: 200",
            "old spec.performanceClass: high-throughput-ssd\nat spec.performanceClass",
        ],
        good: &["spec.performanceClass: general-purpose-ssd", "spec.initialCapacity: 20"],
        ..VOLUME_SET_ERROR
    },
    Rule {
        id: "vs-fs",
        path: "spec.fileSystemType",
        text: "fileSystemType \"{}\" is not ext4, xfs or shared",
        check: |c| c.one_of(&["ext4", "xfs", "shared"]),
        bad: &["spec.fileSystemType: ext3", "spec.fileSystemType: ntfs"],
        good: &["spec.fileSystemType: xfs"],
        ..VOLUME_SET_ERROR
    },
    Rule {
        id: "vs-fs-immutable",
        path: "spec.fileSystemType",
        text: "fileSystemType cannot be changed; create a new volume set",
        needs: Needs::Change,
        check: |c| unchanged(c, file_system),
        bad: &["spec.fileSystemType: xfs", "old spec.fileSystemType: xfs\nat spec.fileSystemType"],
        good: &["spec.fileSystemType: ext4", "spec.initialCapacity: 20"],
        ..VOLUME_SET_ERROR
    },
    Rule {
        id: "vs-shared-class",
        path: "spec.performanceClass",
        text: "class shared and file system shared go together",
        check: |c| {
            let system = file_system(&c.at.holder());
            if c.text().is_some_and(|class| (class == "shared") != (system == "shared")) {
                let fix = if system == "shared" { Fix::set(&c.at, "shared") } else { None };
                c.report(&[]).fix(fix);
            }
        },
        bad: &[
            "spec.performanceClass: shared",
            "spec.performanceClass: shared\nspec.fileSystemType: xfs",
            "spec.performanceClass: general-purpose-ssd\nspec.fileSystemType: shared",
        ],
        good: &["spec.performanceClass: shared\nspec.fileSystemType: shared", "spec.fileSystemType: shared"],
        ..VOLUME_SET_ERROR
    },
    Rule {
        id: "vs-suffix",
        path: "spec.storageClassSuffix",
        text: "\"{}\" is not a storage class suffix",
        check: |c| c.text_must(is_suffix),
        bad: &["spec.storageClassSuffix: 1a", "spec.storageClassSuffix: a.b", "spec.storageClassSuffix: ''"],
        good: &["spec.storageClassSuffix: Fast_1"],
        ..VOLUME_SET_ERROR
    },
    Rule {
        id: "vs-class-missing",
        path: "spec",
        text: "no storage class \"{}\"; falling back to \"{}\"",
        needs: Needs::Cluster,
        check: class_missing,
        bad: &[
            "known: {storageClasses: [{name: standard, default: true}]}\nat spec",
            "known: {storageClasses: []}\nat spec",
            "spec.storageClassSuffix: fast\nknown: {storageClasses: [{name: general-purpose-ssd-ext4}]}",
        ],
        good: &[
            "known: {storageClasses: [{name: general-purpose-ssd-ext4}]}",
            "spec.storageClassSuffix: fast\nknown: {storageClasses: [{name: general-purpose-ssd-ext4-fast}]}",
            "spec.initialCapacity: 20",
        ],
        ..VOLUME_SET_WARNING
    },
    Rule {
        id: "vs-retention",
        path: "spec.snapshots.retentionDuration",
        text: "\"{}\" is not a duration such as 7d, 12h or 30m",
        check: |c| c.text_must(is_retention),
        bad: &[
            "spec.snapshots.retentionDuration: 7 days",
            "spec.snapshots.retentionDuration: 1w",
            "spec.snapshots.retentionDuration: .5d",
            "spec.snapshots.retentionDuration: ''",
        ],
        good: &["spec.snapshots.retentionDuration: 1.5d"],
        ..VOLUME_SET_ERROR
    },
    Rule {
        id: "vs-schedule",
        path: "spec.snapshots.schedule",
        text: "\"{}\" is not a cron schedule",
        check: |c| c.text_must(|line| cron(line).is_some()),
        bad: &[
            "spec.snapshots.schedule: daily",
            "spec.snapshots.schedule: '@daily'",
            "spec.snapshots.schedule: 0 3 * *",
            "spec.snapshots.schedule: 0 3 * * * *",
            "spec.snapshots.schedule: 60 3 * * *\nunseen",
            "spec.snapshots.schedule: 0 3 * * 5-1\nunseen",
            "spec.snapshots.schedule: 0 3 */0 * *\nunseen",
        ],
        good: &["spec.snapshots.schedule: 0 */6 1,15 jan-MAR/2 mon"],
        ..VOLUME_SET_ERROR
    },
    Rule {
        id: "vs-schedule-frequency",
        path: "spec.snapshots.schedule",
        text: "snapshots can be taken at most once per hour",
        check: |c| {
            let minutes = c.text().and_then(cron);
            if minutes.is_some_and(|minutes| minutes.bytes().any(|byte| !byte.is_ascii_digit())) {
                c.report(&[]);
            }
        },
        bad: &[
            "spec.snapshots.schedule: '* * * * *'",
            "spec.snapshots.schedule: '*/15 * * * *'",
            "spec.snapshots.schedule: 0,30 * * * *",
        ],
        good: &["spec.snapshots.schedule: 30 * * * *"],
        ..VOLUME_SET_ERROR
    },
    Rule {
        id: "vs-snapshots-shared",
        path: "spec.snapshots",
        text: "shared volume sets have no snapshots",
        check: |c| {
            if !c.at.missing() && file_system(&c.at.holder()) == "shared" {
                c.forbidden();
            }
        },
        bad: &["spec.snapshots: {schedule: 0 3 * * *}\nspec.fileSystemType: shared"],
        good: &["spec.snapshots: {schedule: 0 3 * * *}", "spec.fileSystemType: shared"],
        ..VOLUME_SET_ERROR
    },
    Rule {
        id: "vs-max-capacity",
        path: "spec.autoscaling.maxCapacity",
        text: "maxCapacity must be at least 10",
        check: |c| within(c, 10.0, f64::INFINITY),
        bad: &["spec.autoscaling.maxCapacity: 9"],
        good: &["spec.autoscaling.maxCapacity: 10"],
        with: &["vs-capacity-above-max"],
        ..VOLUME_SET_ERROR
    },
    Rule {
        id: "vs-min-free",
        path: "spec.autoscaling.minFreePercentage",
        text: "minFreePercentage {} is outside 1 to 100",
        check: |c| within(c, 1.0, 100.0),
        bad: &[
            "spec.autoscaling: {minFreePercentage: 0, scalingFactor: 1.5}\nat spec.autoscaling.minFreePercentage",
            "spec.autoscaling: {minFreePercentage: 101, scalingFactor: 1.5}\nat spec.autoscaling.minFreePercentage",
        ],
        good: &["spec.autoscaling: {minFreePercentage: 20, scalingFactor: 1.5}"],
        ..VOLUME_SET_ERROR
    },
    Rule {
        id: "vs-scaling-factor",
        path: "spec.autoscaling.scalingFactor",
        text: "scalingFactor must be at least 1.1",
        check: |c| within(c, 1.1, f64::INFINITY),
        bad: &[
            "spec.autoscaling: {minFreePercentage: 20, scalingFactor: 1}\nat spec.autoscaling.scalingFactor",
        ],
        good: &["spec.autoscaling: {minFreePercentage: 20, scalingFactor: 1.1}"],
        ..VOLUME_SET_ERROR
    },
    Rule {
        id: "vs-autoscaling-incomplete",
        path: "spec.autoscaling",
        text: "autoscaling does nothing without both minFreePercentage and scalingFactor",
        check: |c| {
            let alone = c.at.get("minFreePercentage").missing() != c.at.get("scalingFactor").missing();
            if alone && c.at.get("predictive.enabled").truth() != Some(true) {
                c.report(&[]);
            }
        },
        bad: &[
            "spec.autoscaling.minFreePercentage: 20\nat spec.autoscaling",
            "spec.autoscaling.scalingFactor: 1.5\nat spec.autoscaling",
        ],
        good: &["spec.autoscaling: {minFreePercentage: 20, scalingFactor: 1.5}"],
        ..VOLUME_SET_WARNING
    },
    Rule {
        id: "vs-predictive-needs",
        path: "spec.autoscaling.predictive",
        text: "predictive scaling needs minFreePercentage and scalingFactor",
        check: |c| {
            let around = c.at.holder();
            let both = !around.get("minFreePercentage").missing() && !around.get("scalingFactor").missing();
            if c.at.get("enabled").truth() == Some(true) && !both {
                c.report(&[]);
            }
        },
        bad: &[
            "spec.autoscaling.predictive: {enabled: true}",
            "spec.autoscaling: {minFreePercentage: 20, predictive: {enabled: true}}\nat spec.autoscaling.predictive",
        ],
        good: &[
            "spec.autoscaling: {minFreePercentage: 20, scalingFactor: 1.5, predictive: {enabled: true}}",
            "spec.autoscaling.predictive: {enabled: false}",
        ],
        ..VOLUME_SET_ERROR
    },
    Rule {
        id: "vs-predictive-range",
        path: "spec.autoscaling.predictive.{lookbackHours,projectionHours,minDataPoints,minGrowthRateGBPerHour,scalingFactor}",
        text: "{} is outside {}",
        check: |c| {
            let key = c.at.key().unwrap_or_default();
            let limits = PREDICTIVE.iter().find(|(name, ..)| *name == key);
            if let Some((_, least, most, words)) = limits
                && c.at.number().is_some_and(|number| !(*least..=*most).contains(&number))
            {
                let shown = format!("{key} {}", c.at.shown());
                c.report(&[&shown, words]);
            }
        },
        bad: &[
            "spec.autoscaling.predictive.lookbackHours: 169",
            "spec.autoscaling.predictive.projectionHours: 0",
            "spec.autoscaling.predictive.minDataPoints: 1",
            "spec.autoscaling.predictive.minGrowthRateGBPerHour: -0.5",
            "spec.autoscaling.predictive.scalingFactor: 1",
        ],
        good: &[
            "spec.autoscaling.predictive: {lookbackHours: 168, projectionHours: 72, minDataPoints: 2, minGrowthRateGBPerHour: 0, scalingFactor: 1.1}",
        ],
        ..VOLUME_SET_ERROR
    },
    Rule {
        id: "vs-autoscaling-blind",
        path: "spec.autoscaling",
        text: "the platform cannot see how full a VM disk is unless the guest agent reports it",
        needs: Needs::Cluster,
        check: |c| {
            let (name, gvc) = (c.at.document().name(), c.at.document().gvc());
            if let Lookup::Here(set) = c.known.volume_set(name.unwrap_or_default(), gvc.unwrap_or_default())
                && set.used_by.is_some()
                && !c.at.blank()
            {
                c.report(&[]);
            }
        },
        bad: &[
            "spec.autoscaling: {minFreePercentage: 20, scalingFactor: 1.5}\nknown: {volumeSets: [{name: data, gvc: shop, usedBy: web}]}",
        ],
        good: &[
            "spec.autoscaling: {minFreePercentage: 20, scalingFactor: 1.5}\nknown: {volumeSets: [{name: data, gvc: shop}]}",
            "spec.autoscaling: {minFreePercentage: 20, scalingFactor: 1.5}",
            "spec.initialCapacity: 20\nknown: {volumeSets: [{name: data, gvc: shop, usedBy: web}]}",
        ],
        ..VOLUME_SET_WARNING
    },
    Rule {
        id: "vs-mount-options",
        path: "spec.mountOptions",
        text: "mountOptions are for shared volume sets; at most 4000m / 4096Mi apart and 1:4",
        check: mount_options,
        bad: &[
            "spec.mountOptions: {resources: {maxCpu: 1000m}}",
            "spec.mountOptions.resources: {minCpu: 2, maxCpu: 7}\nspec.fileSystemType: shared",
            "spec.mountOptions.resources: {maxCpu: 3}\nspec.fileSystemType: shared",
            "spec.mountOptions.resources: {minMemory: 2Gi, maxMemory: 6145Mi}\nspec.fileSystemType: shared",
            "spec.mountOptions.resources: {maxMemory: much}\nspec.fileSystemType: shared",
        ],
        good: &[
            "spec.mountOptions.resources: {minCpu: 1, maxCpu: 4, minMemory: 2Gi, maxMemory: 6Gi}\nspec.fileSystemType: shared",
            "spec.mountOptions: {}\nspec.fileSystemType: shared",
        ],
        ..VOLUME_SET_ERROR
    },
    Rule {
        id: "vs-encryption",
        path: "spec.customEncryption",
        text: "customEncryption is not available here; use an encrypted storage class",
        check: |c| {
            if !c.at.missing() {
                c.forbidden();
            }
        },
        bad: &["spec.customEncryption: {regions: {aws-us-west-2: {keyId: a}}}"],
        good: &["spec.customEncryption: null"],
        ..VOLUME_SET_ERROR
    },
    Rule {
        id: "vs-delete-in-use",
        text: "volume set \"{}\" is used by workload \"{}\"",
        cel: Cel::No("rules are not asked when something is deleted"),
        needs: Needs::Command,
        check: by_the_command,
        ..VOLUME_SET_ERROR
    },
];
