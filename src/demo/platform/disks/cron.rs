//! CDI's DataImportCrons: they ask a registry now and then for the image, import what is new, and have a DataSource point to it.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::edit::{Condition, Times, annotate, condition, label, new_object, set, time};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;
use super::class;
use super::worker::LABELS;

const BY: &str = "dataimportcron-controller";
const CRON: &str = "cdi.kubevirt.io/dataImportCron";
const CLASS: &str = "cdi.kubevirt.io/storage.import.storageClass";
const DIGEST: &str = "cdi.kubevirt.io/storage.import.sourceDesiredDigest";
const NEXT: &str = "cdi.kubevirt.io/storage.import.nextCronTime";
const LAST: &str = "cdi.kubevirt.io/storage.import.lastCronTime";
const LAST_USE: &str = "cdi.kubevirt.io/storage.import.lastUseTime";

/// How long the first look into the registry takes.
const FIRST_POLL: Duration = Duration::from_secs(8);

/// How many polls see the same image.
const STEADY: usize = 3;

pub(super) fn step(view: &View<'_>, cron: &Object) -> Vec<Write> {
    if cron.is_ending() {
        return Vec::new();
    }
    let name = cron.text("/spec/managedDataSource");
    let Some(source) = view.get(Kind::DataSource, cron.namespace(), name) else {
        return vec![Write::Create(data_source(cron, name))];
    };
    let owner = source.label(CRON);
    if !owner.is_empty() && owner != cron.name() {
        let text = format!("DataSource {name} is already managed by DataImportCron {owner}");
        let told = !view.is_first(cron, "conflict");
        let warning = Write::warn(cron, BY, "ErrDataSourceAlreadyManaged", text);
        return if told { Vec::new() } else { vec![warning] };
    }
    let cron = Cron { view, cron, source };
    cron.step()
}

fn marked(object: &mut Value, cron: &Object) {
    for (key, value) in LABELS.iter().skip(1) {
        label(object, key, *value);
    }
    label(object, CRON, cron.name());
}

fn data_source(cron: &Object, name: &str) -> Value {
    let mut source = new_object(Kind::DataSource, cron.namespace(), name);
    marked(&mut source, cron);
    source["spec"] = json!({"source": {}});
    source
}

struct Cron<'a, 'v> {
    view: &'a View<'v>,
    cron: &'a Object,
    source: &'a Object,
}

/// How far the newest import is.
struct State {
    progressing: (&'static str, &'static str, String),
    up_to_date: (&'static str, &'static str, &'static str),
}

impl State {
    fn none() -> (&'static str, &'static str, String) {
        ("False", "NoImport", "No current import".to_owned())
    }
}

impl Cron<'_, '_> {
    fn step(&self) -> Vec<Write> {
        let (view, cron) = (self.view, self.cron);
        let mut new = cron.edit();
        let class = match cron.text("/spec/template/spec/storage/storageClassName") {
            "" => class::default(view, true).map_or("", Object::name),
            name => name,
        };
        annotate(&mut new, CLASS, class);
        self.poll(&mut new);
        let digest = cron.annotation(DIGEST);
        let current = cron.text("/status/currentImports/0/Digest");
        if !digest.is_empty() && (digest != current || self.is_lost()) {
            return self.begin(new, digest);
        }
        let mut writes = Vec::new();
        let state = if current.is_empty() {
            State { progressing: State::none(), up_to_date: ("False", "NoDigest", "No source digest") }
        } else {
            self.follow(&mut new, class, &mut writes)
        };
        self.tell(&mut new, &state);
        let mut all: Vec<Write> = writes;
        all.extend(Write::update(cron, new));
        all
    }

    /// Whether nothing is left of the newest import: somebody wants it anew.
    fn is_lost(&self) -> bool {
        let name = self.cron.text("/status/currentImports/0/DataVolumeName");
        let kinds = [Kind::DataVolume, Kind::PersistentVolumeClaim, Kind::VolumeSnapshot];
        kinds.iter().all(|kind| self.view.get(*kind, self.cron.namespace(), name).is_none())
    }

    fn tell(&self, new: &mut Value, state: &State) {
        let (status, reason, message) = &state.progressing;
        let progressing = Condition { of: "Progressing", status, reason, message };
        condition(new, progressing, Times::Heartbeat, self.view.time);
        let (status, reason, message) = state.up_to_date;
        let up_to_date = Condition { of: "UpToDate", status, reason, message };
        condition(new, up_to_date, Times::Heartbeat, self.view.time);
    }

    /// Asks the registry when it is time to.
    fn poll(&self, new: &mut Value) {
        let (view, cron) = (self.view, self.cron);
        let schedule = cron.text("/spec/schedule");
        if schedule.is_empty() {
            return;
        }
        let period = period(schedule);
        let polls = view.counted(cron, "polls");
        let wait = if polls == 0 && cron.annotation(DIGEST).is_empty() { FIRST_POLL } else { period };
        if !view.waited(cron, &format!("poll-{polls}"), wait) {
            return;
        }
        view.count(cron, "polls", polls + 1);
        view.waited(cron, &format!("poll-{}", polls + 1), period);
        let url = cron.text("/spec/template/spec/source/registry/url");
        let known = cron.annotation(DIGEST);
        let digest = |number: usize| format!("sha256:{}", hash(url, number));
        let claim = cron.at("/spec/template/spec/source/pvc");
        let number = (0..64).find(|number| digest(*number) == known);
        let next = match number {
            _ if claim.is_object() => {
                let text = |field: &str| claim[field].as_str().unwrap_or_default();
                let there = view.get(Kind::PersistentVolumeClaim, text("namespace"), text("name"));
                there.map_or(String::new(), |claim| format!("uid:{}", claim.uid()))
            }
            Some(number) if polls % STEADY == 0 => digest((number + 1) % 64),
            Some(_) => known.to_owned(),
            None if known.is_empty() => digest(0),
            None => digest(1),
        };
        if !next.is_empty() {
            annotate(new, DIGEST, next);
        }
        annotate(new, LAST, time(view.time));
        let after = view.time.checked_add(period).unwrap_or(view.time);
        annotate(new, NEXT, time(after));
        set(new, "/status/lastExecutionTimestamp", time(view.time));
    }

    fn name_of(&self, digest: &str) -> String {
        let hex = digest.split_once(':').map_or(digest, |(_, hex)| hex);
        let short: String = hex.chars().take(12).collect();
        format!("{}-{short}", self.cron.text("/spec/managedDataSource"))
    }

    /// A new image is imported.
    fn begin(&self, mut new: Value, digest: &str) -> Vec<Write> {
        let (view, cron) = (self.view, self.cron);
        let name = self.name_of(digest);
        let mut dv = new_object(Kind::DataVolume, cron.namespace(), &name);
        marked(&mut dv, cron);
        annotate(&mut dv, "cdi.kubevirt.io/storage.bind.immediate.requested", "true");
        annotate(&mut dv, LAST_USE, view.time.to_string());
        dv["spec"] = cron.at("/spec/template/spec").clone();
        let url = cron.text("/spec/template/spec/source/registry/url");
        if !url.is_empty() {
            set(&mut dv, "/spec/source/registry/url", format!("{}@{digest}", untagged(url)));
        }
        set(&mut new, "/status/currentImports", json!([{"DataVolumeName": name, "Digest": digest}]));
        self.tell(
            &mut new,
            &State {
                progressing: State::none(),
                up_to_date: ("False", "Outdated", "Source digest updated since last import"),
            },
        );
        std::iter::once(Write::Create(dv)).chain(Write::update(cron, new)).collect()
    }

    /// Looks after the newest import.
    fn follow(&self, new: &mut Value, class: &str, writes: &mut Vec<Write>) -> State {
        let (view, cron) = (self.view, self.cron);
        let name = cron.text("/status/currentImports/0/DataVolumeName");
        let dv = view.get(Kind::DataVolume, cron.namespace(), name);
        let importing = ("False", "ImportProgressing", "Import is progressing");
        if let Some(dv) = dv.filter(|dv| dv.phase() != "Succeeded") {
            let progressing = match dv.phase() {
                "ImportInProgress" => ("True", "ImportProgressing", "Import is progressing".to_owned()),
                "ImportScheduled" => ("False", "ImportScheduled", "Import is scheduled".to_owned()),
                phase => {
                    let reason = PHASES.iter().copied().find(|one| *one == phase).unwrap_or_default();
                    ("False", reason, format!("Import DataVolume phase {phase}"))
                }
            };
            return State { progressing, up_to_date: importing };
        }
        let profile = view.get(Kind::StorageProfile, "", class);
        let format = profile.map_or("", |one| one.text("/status/dataImportCronSourceFormat"));
        let snapshots = profile.map_or("", |one| one.text("/status/snapshotClass"));
        let by_snapshot = format == "snapshot" && !snapshots.is_empty();
        let kind = if by_snapshot { Kind::VolumeSnapshot } else { Kind::PersistentVolumeClaim };
        let state = |up_to_date| State { progressing: State::none(), up_to_date };
        let claim = view.get(Kind::PersistentVolumeClaim, cron.namespace(), name);
        let Some(kept) = view.get(kind, cron.namespace(), name) else {
            if let Some(claim) = claim.filter(|claim| claim.phase() == "Bound" && by_snapshot) {
                writes.push(Write::Create(self.snapshot(claim, snapshots)));
                let text = format!("VolumeSnapshotClass selected according to StorageProfile {snapshots}");
                writes.push(Write::tell(claim, BY, "VolumeSnapshotClassSelected", text));
            }
            return State {
                progressing: ("True", "ImportProgressing", "Import is progressing".to_owned()),
                up_to_date: importing,
            };
        };
        let reference = json!({"name": name, "namespace": cron.namespace()});
        let pointer = if by_snapshot { "snapshot" } else { "pvc" };
        let mut source = self.source.edit();
        set(&mut source, "/spec/source", json!({pointer: reference}));
        marked(&mut source, cron);
        if source["spec"] != *self.source.at("/spec") {
            writes.extend(Write::update(self.source, source));
        }
        if cron.text("/status/lastImportedPVC/name") != name {
            set(new, "/status/lastImportTimestamp", time(view.time));
            set(new, "/status/lastImportedPVC", reference);
        }
        set(new, "/status/sourceFormat", pointer);
        if by_snapshot && !kept.flag("/status/readyToUse") {
            return state(("False", "ImportProgressing", "Snapshot of imported data is progressing"));
        }
        // What was imported is in the snapshot.
        if by_snapshot && let Some(dv) = dv {
            writes.extend(Write::delete(dv));
        }
        self.sweep(kind, name, writes);
        state(("True", "UpToDate", "Latest import is up to date"))
    }

    fn snapshot(&self, claim: &Object, class: &str) -> Value {
        let mut snapshot = new_object(Kind::VolumeSnapshot, claim.namespace(), claim.name());
        marked(&mut snapshot, self.cron);
        label(&mut snapshot, LABELS[0].0, LABELS[0].1);
        label(&mut snapshot, "cdi.kubevirt.io", "");
        let size = self.cron.text("/spec/template/spec/storage/resources/requests/storage");
        annotate(&mut snapshot, "cdi.kubevirt.io/storage.import.advisedRestoreSize", size);
        annotate(&mut snapshot, LAST_USE, self.view.time.to_string());
        annotate(
            &mut snapshot,
            "cdi.kubevirt.io/storage.import.sourceVolumeMode",
            claim.text("/spec/volumeMode"),
        );
        snapshot["spec"] = json!({
            "source": {"persistentVolumeClaimName": claim.name()}, "volumeSnapshotClassName": class,
        });
        snapshot
    }

    /// Older imports go, but for so many as shall be kept.
    fn sweep(&self, kind: Kind, newest: &str, writes: &mut Vec<Write>) {
        let cron = self.cron;
        if cron.text("/spec/garbageCollect") == "Never" {
            return;
        }
        let keep = cron.number("/spec/importsToKeep").unwrap_or(3);
        let keep = usize::try_from(keep).unwrap_or_default().max(1);
        let theirs = self.view.list(kind, cron.namespace()).filter(|one| one.label(CRON) == cron.name());
        let mut older: Vec<&Object> = theirs
            .filter(|one| {
                one.name() != newest
                    && !one.is_ending()
                    && one.controller().is_none_or(|of| of["kind"] == "DataVolume")
            })
            .collect();
        older.sort_by_key(|one| std::cmp::Reverse(one.text("/metadata/creationTimestamp").to_owned()));
        for old in older.into_iter().skip(keep - 1) {
            let dv = self.view.get(Kind::DataVolume, cron.namespace(), old.name());
            writes.extend(dv.and_then(Write::delete));
            writes.extend(Write::delete(old));
        }
    }
}

/// Phases that are reasons of a cron's condition.
const PHASES: &[&str] =
    &["Pending", "PendingPopulation", "WaitForFirstConsumer", "PVCBound", "Failed", "Unknown", "Paused"];

/// An image's name without its tag.
fn untagged(url: &str) -> &str {
    let url = url.split('@').next().unwrap_or(url);
    match url.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => url,
    }
}

/// How long it is from one time of a schedule to the next, for those that are mostly used; a day for others.
fn period(schedule: &str) -> Duration {
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    let every = |field: &str| field.strip_prefix("*/").and_then(|step| step.parse::<u64>().ok());
    let (minute, hour) = (fields.first().copied().unwrap_or("0"), fields.get(1).copied().unwrap_or("0"));
    let seconds = match (every(minute), every(hour)) {
        (Some(minutes), _) => minutes.max(1) * 60,
        _ if minute == "*" => 60,
        (_, Some(hours)) => hours.max(1) * 3600,
        _ if hour == "*" => 3600,
        _ => 86_400,
    };
    Duration::from_secs(seconds)
}

/// The digest of an image, which is another one for each number.
fn hash(url: &str, number: usize) -> String {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    for byte in url.bytes().chain(number.to_le_bytes()) {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let mut chance = fastrand::Rng::with_seed(state);
    (0..4).map(|_| format!("{:016x}", chance.u64(..))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_have_periods() {
        for (schedule, seconds) in
            [("*/5 * * * *", 300), ("0 */12 * * *", 43_200), ("0 3 * * *", 86_400), ("30 * * * *", 3600)]
        {
            assert_eq!(period(schedule).as_secs(), seconds, "{schedule}");
        }
    }

    #[test]
    fn digests_replace_tags() {
        for (url, name) in [
            ("docker://quay.io/containerdisks/fedora:41", "docker://quay.io/containerdisks/fedora"),
            ("docker://registry.example:5000/fedora", "docker://registry.example:5000/fedora"),
            ("docker://quay.io/a/b@sha256:00", "docker://quay.io/a/b"),
        ] {
            assert_eq!(untagged(url), name, "{url}");
        }
    }
}
