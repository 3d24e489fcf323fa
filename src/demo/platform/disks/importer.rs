//! What runs in CDI's pods: the importer, and the server that waits for an upload.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::kind::Kind;
use super::super::nodes::program::{Program, Progress};
use super::super::object::Object;
use super::super::play::{self, Cause, Shows};
use super::super::view::View;

/// The programs of CDI's pods.
pub(super) const PROGRAMS: &[Program] = &[
    Program { of: |pod| pod.label(KIND) == "importer", run, says },
    Program { of: |pod| pod.label(KIND) == "cdi-upload-server", run: serve, says: served },
    Program { of: |pod| pod.label(KIND) == "cdi-clone-source", run: send, says: sent },
];

const KIND: &str = "cdi.kubevirt.io";

/// How long it takes until the server of an image answers.
const ANSWER: f64 = 1.6;

/// How long an upload server takes until it answers.
const READY: Duration = Duration::from_secs(2);

/// The cause of which an upload server gets its upload, and how long that takes.
const UPLOADED: &str = "uploaded";
const UPLOAD: Duration = Duration::from_secs(30);

/// The code of a process that was told to end and did not listen for that.
const TERMINATED: i32 = 143;

const GIB: f64 = 1_073_741_824.0;

/// How a run of the importer goes, in seconds since its start.
#[derive(Clone, Debug)]
struct Plan {
    /// When the first byte comes.
    begin: f64,
    /// When the last byte was there.
    loaded: f64,
    /// When all of it was converted.
    converted: f64,
    /// When the process ends.
    end: f64,
    /// Whether the server said how much there is.
    counts: bool,
    code: i32,
    reason: &'static str,
    message: String,
    kind: String,
    scratch: bool,
    size: u64,
}

fn env<'a>(pod: &'a Object, name: &str) -> &'a str {
    let env = pod.list("/spec/containers/0/env").iter().find(|one| one["name"] == name);
    env.and_then(|one| one["value"].as_str()).unwrap_or_default()
}

fn said(cause: &Cause, pod: &Object, size: u64) -> String {
    let url = env(pod, "IMPORTER_ENDPOINT");
    let host = url.split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next()).unwrap_or_default();
    let texts = [
        ("{url}", url.to_owned()),
        ("{host}", host.to_owned()),
        ("{size}", size.to_string()),
        ("{twice}", size.saturating_mul(2).to_string()),
    ];
    texts.iter().fold(cause.says.to_owned(), |text, (place, value)| text.replace(place, value))
}

fn done(scratch_required: bool, message: &str) -> String {
    json!({"scratchSpaceRequired": scratch_required, "preallocationApplied": false, "message": message})
        .to_string()
}

fn plan(view: &View<'_>, pod: &Object) -> Plan {
    let cause = play::cause(view, pod, Shows::Importer);
    let name = cause.map_or("", |cause| cause.name);
    let size: u64 = env(pod, "IMPORTER_IMAGE_SIZE").parse().unwrap_or_default();
    let scratch = pod.list("/spec/volumes").iter().any(|one| one["name"] == "cdi-scratch-vol");
    let kind = env(pod, "IMPORTER_SOURCE").to_owned();
    let times = (size as f64 / GIB / 5.0).clamp(0.4, 4.0) * (0.8 + 0.4 * view.chance(pod, "network"));
    let (load, convert) = match (kind.as_str(), name) {
        ("none", _) => (0.2, 0.6),
        (_, "slow-but-fine") => (600.0, 60.0),
        _ => (20.0 * times, 5.0 * times),
    };
    let begin = 0.8;
    let mut plan = Plan {
        begin,
        loaded: begin + load,
        converted: begin + load + convert,
        end: begin + load + convert + 0.6,
        counts: kind == "http" || kind == "imageio",
        code: 0,
        reason: "",
        message: done(false, "Import Complete"),
        kind,
        scratch,
        size,
    };
    let wants_scratch = name == "slow-but-fine"
        || play::cause(view, pod, Shows::Provisioning).is_some_and(|cause| cause.scratch_only);
    match (cause, name) {
        _ if wants_scratch && !scratch && plan.kind != "none" => {
            plan.end = ANSWER;
            plan.message = done(true, "scratch space required and none found");
        }
        (None, _) | (_, "slow-but-fine" | UPLOADED) => {}
        (_, "importer-oom") => {
            plan.end = plan.loaded + 1.4;
            (plan.code, plan.reason, plan.message) = (137, "OOMKilled", String::new());
        }
        (Some(cause), "checksum") => {
            plan.end = plan.loaded + 0.2;
            plan.message = done(false, &said(cause, pod, size));
        }
        (Some(cause), _) => {
            plan.end = ANSWER;
            (plan.code, plan.message) = (1, said(cause, pod, size));
        }
    }
    plan
}

/// The word under which the kubelet keeps when a container was started.
fn started(container: &str, restarts: u32) -> String {
    format!("runs-{container}-{restarts}")
}

fn run(view: &View<'_>, pod: &Object, container: &str, restarts: u32) -> Progress {
    if pod.is_ending() && view.waited(pod, "told to end", Duration::from_millis(200)) {
        return Progress::Exited { code: TERMINATED, reason: String::new(), message: String::new() };
    }
    let plan = plan(view, pod);
    if view.waited(pod, &started(container, restarts), Duration::from_secs_f64(plan.end)) {
        return Progress::Exited { code: plan.code, reason: plan.reason.to_owned(), message: plan.message };
    }
    Progress::Running { ready: true }
}

/// How far an importer is, as its metrics tell it; nothing where they do not.
pub(super) fn percent(view: &View<'_>, pod: &Object) -> Option<f64> {
    let restarts = pod.number("/status/containerStatuses/0/restartCount").unwrap_or_default();
    // Asked every two seconds, as CDI does.
    let age = view.elapsed(pod, &format!("runs-importer-{restarts}"), Duration::from_secs(2)).as_secs_f64();
    let age = (age / 2.0).floor() * 2.0;
    let plan = plan(view, pod);
    let part = |from: f64, to: f64| ((age - from) / (to - from).max(0.1) * 100.0).clamp(0.0, 100.0);
    match plan.kind.as_str() {
        "none" => None,
        _ if plan.counts => (age > plan.begin).then(|| part(plan.begin, plan.loaded)),
        // Before, nobody knows how much there is.
        _ => (age > plan.loaded).then(|| part(plan.loaded, plan.converted)),
    }
}

fn line(view: &View<'_>, file: &str, text: &str) -> String {
    let now = view.time.strftime("%m%d %H:%M:%S.%6f");
    format!("I{now}       1 {file}] {text}")
}

fn says(view: &View<'_>, pod: &Object, _: &str, _: u32) -> Vec<(Duration, String)> {
    let plan = plan(view, pod);
    let mut lines: Vec<(f64, String)> = Vec::new();
    let mut say = |at: f64, file: &str, text: String| {
        if at <= plan.end {
            lines.push((at, line(view, file, &text)));
        }
    };
    let target = match pod.at("/spec/containers/0/volumeDevices") {
        Value::Null => "/data/disk.img",
        _ => "/dev/cdi-block-volume",
    };
    let image = if plan.scratch { "/scratch/tmpimage" } else { target };
    say(0.0, "importer.go:107", "Starting importer".to_owned());
    say(0.05, "importer.go:182", "begin import process".to_owned());
    if plan.kind == "none" {
        say(0.3, "importer.go:226", format!("Creating blank image at {target}"));
    } else {
        say(0.1, "data-processor.go:360", "Calculating available size".to_owned());
        say(0.1, "data-processor.go:372", format!("Checking out {target} size"));
        say(0.15, "data-processor.go:384", format!("Target size {}.", plan.size));
        load(&plan, image, &mut say, pod);
    }
    if plan.code != 0 && !plan.message.is_empty() {
        lines.push((plan.end - 0.05, line(view, "importer.go:189", &plan.message).replacen('I', "E", 1)));
    } else if plan.code == 0 {
        lines.push((plan.end - 0.05, line(view, "importer.go:214", &plan.message)));
    }
    lines.sort_by(|one, other| one.0.total_cmp(&other.0));
    lines.into_iter().map(|(at, text)| (Duration::from_secs_f64(at.max(0.0)), text)).collect()
}

fn load(plan: &Plan, image: &str, say: &mut impl FnMut(f64, &str, String), pod: &Object) {
    let processor = "data-processor.go:255";
    let transfer = if plan.scratch { "TransferScratch" } else { "TransferDataFile" };
    if plan.kind == "registry" {
        let url = env(pod, "IMPORTER_ENDPOINT");
        let text = format!("Downloading image from '{url}', copying file from 'disk/' to '/scratch'");
        say(0.3, "transport.go:176", text);
    }
    say(0.7, processor, format!("New phase: {transfer}"));
    say(plan.begin, "util.go:98", format!("copyWithSparseCheck to {image}"));
    // Each second, but not more lines than somebody reads.
    let seconds = |from: f64, to: f64| {
        let step = ((to - from) / 120.0).ceil().max(1.0);
        let count = ((to - from).max(0.0) / step) as u64;
        (1..=count).map(move |number| {
            let after = number as f64 * step;
            (from + after, after / (to - from) * 100.0)
        })
    };
    if plan.counts {
        for (at, percent) in seconds(plan.begin, plan.loaded) {
            say(at, "prometheus.go:78", format!("{percent:.2}"));
        }
    }
    let bytes = plan.size / 8;
    say(plan.loaded, "util.go:114", format!("Read {bytes} bytes, wrote {bytes} bytes to {image}"));
    say(plan.loaded + 0.1, processor, "New phase: Convert".to_owned());
    say(plan.loaded + 0.1, "data-processor.go:261", "Validating image".to_owned());
    say(
        plan.loaded + 0.2,
        "qemu.go:115",
        format!("Running qemu-img with args: [convert -t writeback -p -O raw {image}]"),
    );
    for (at, percent) in seconds(plan.loaded, plan.converted) {
        say(at + 0.3, "qemu.go:273", format!("{percent:.2}"));
    }
    say(plan.converted + 0.3, processor, "New phase: Resize".to_owned());
    say(
        plan.converted + 0.4,
        "data-processor.go:281",
        "No need to resize image. Requested size is the same".to_owned(),
    );
    say(plan.converted + 0.5, processor, "New phase: Complete".to_owned());
}

/// An upload server waits for its upload until that is there, or it is told to end.
fn serve(view: &View<'_>, pod: &Object, container: &str, restarts: u32) -> Progress {
    if pod.is_ending() && view.waited(pod, "told to end", Duration::from_millis(200)) {
        return Progress::Exited { code: 0, reason: String::new(), message: String::new() };
    }
    if receives_copy(view, pod) {
        let message = json!({"message": "Clone Complete"}).to_string();
        return Progress::Exited { code: 0, reason: String::new(), message };
    }
    let is_uploaded = play::cause(view, pod, Shows::Importer).is_some_and(|cause| cause.name == UPLOADED);
    let since = started(container, restarts);
    if is_uploaded && view.waited(pod, &since, READY + UPLOAD) {
        let message = json!({"message": "Upload Complete"}).to_string();
        return Progress::Exited { code: 0, reason: String::new(), message };
    }
    Progress::Running { ready: view.waited(pod, &since, READY) }
}

/// Whether all of the copy was sent to it.
fn receives_copy(view: &View<'_>, pod: &Object) -> bool {
    let name = format!("{}-source-pod", pod.controller_uid());
    view.get(Kind::Pod, pod.namespace(), &name).is_some_and(|sender| sender.phase() == "Succeeded")
}

/// How long it takes to read a claim, in seconds.
fn sending(view: &View<'_>, pod: &Object) -> f64 {
    let size: u64 = env(pod, "UPLOAD_BYTES").parse().unwrap_or_default();
    1.0 + (size as f64 / GIB).clamp(1.0, 60.0) * 2.0 * (0.8 + 0.4 * view.chance(pod, "network"))
}

fn send(view: &View<'_>, pod: &Object, container: &str, restarts: u32) -> Progress {
    if pod.is_ending() && view.waited(pod, "told to end", Duration::from_millis(200)) {
        return Progress::Exited { code: TERMINATED, reason: String::new(), message: String::new() };
    }
    let long = Duration::from_secs_f64(sending(view, pod));
    if view.waited(pod, &started(container, restarts), long) {
        let message = "Clone Complete".to_owned();
        return Progress::Exited { code: 0, reason: String::new(), message };
    }
    Progress::Running { ready: true }
}

/// How much of a copy was sent.
pub(super) fn copied(view: &View<'_>, pod: &str, namespace: &str) -> Option<String> {
    let pod = view.get(Kind::Pod, namespace, pod)?;
    if !pod.at("/status/containerStatuses/0/state/running").is_object() {
        return None;
    }
    let age = view.elapsed(pod, &started("cdi-clone-source", 0), Duration::from_secs(3)).as_secs_f64();
    let age = (age / 3.0).floor() * 3.0;
    let percent = age / sending(view, pod) * 100.0;
    (percent < 100.0).then(|| format!("{percent:.2}%"))
}

fn sent(view: &View<'_>, pod: &Object, _: &str, _: u32) -> Vec<(Duration, String)> {
    let long = sending(view, pod);
    let mut lines = vec![(0.0, line(view, "clone-source.go:224", "Starting cloner target"))];
    let count = long as u64;
    lines.extend((1..count).map(|second| {
        let percent = format!("{:.2}", second as f64 / long * 100.0);
        (second as f64, line(view, "prometheus.go:78", &percent))
    }));
    lines.into_iter().map(|(at, text)| (Duration::from_secs_f64(at), text)).collect()
}

fn served(view: &View<'_>, pod: &Object, _: &str, _: u32) -> Vec<(Duration, String)> {
    let mut lines = vec![
        (0.0, "uploadserver.go:81", "Running server on 0.0.0.0:8443"),
        (0.1, "uploadserver.go:94", "Upload destination: /dev/cdi-block-volume"),
    ];
    if play::cause(view, pod, Shows::Importer).is_some_and(|cause| cause.name == UPLOADED) {
        let end = (READY + UPLOAD).as_secs_f64();
        lines.push((end - 0.5, "uploadserver.go:411", "Wrote data to /dev/cdi-block-volume"));
    }
    let lines = lines.iter().map(|(at, file, text)| (Duration::from_secs_f64(*at), line(view, file, text)));
    lines.collect()
}
