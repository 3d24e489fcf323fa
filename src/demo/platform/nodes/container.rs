//! A container: from its image to its end, and again.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::edit::time;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::{Event, Write};
use super::image::{self, Pull};
use super::kubelet::hash;
use super::mount;
use super::program::{Program, Progress};

const KUBELET: &str = "kubelet";

/// Images and crashes are tried again after this, and after twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// How long it is said that an image was not fetched, before it is said that there is a pause.
const BEFORE_PAUSE: Duration = Duration::from_secs(3);

/// How long a registry takes to say no.
const REFUSAL: Duration = Duration::from_millis(800);

/// How long a container takes to be made from its image.
const START: Duration = Duration::from_millis(300);

/// How long an ended container is seen as such before it is started again.
const PAUSE: Duration = Duration::from_secs(2);

/// A container of a pod, and where its state stands.
pub(super) struct Container<'a, 'v> {
    pub(super) view: &'a View<'v>,
    pub(super) pod: &'a Object,
    pub(super) spec: &'a Value,
    /// Whether it is one of the init containers.
    pub(super) early: bool,
    pub(super) program: Program,
}

impl Container<'_, '_> {
    fn name(&self) -> &str {
        self.spec["name"].as_str().unwrap_or_default()
    }

    fn image(&self) -> &str {
        self.spec["image"].as_str().unwrap_or_default()
    }

    /// Whether it runs beside the others although it is an init container.
    pub(super) fn is_sidecar(&self) -> bool {
        self.early && self.spec["restartPolicy"] == "Always"
    }

    /// Whether it is to be started again after this exit.
    fn restarts(&self, code: i64) -> bool {
        if self.pod.is_ending() {
            return false;
        }
        match self.pod.text("/spec/restartPolicy") {
            _ if self.is_sidecar() => true,
            "Never" => false,
            "OnFailure" => code != 0,
            // An init container that has done its work is done with.
            _ => !(self.early && code == 0),
        }
    }

    /// Its state before anything was done for it.
    pub(super) fn waiting(&self, reason: &str) -> Value {
        let mut status = json!({
            "name": self.name(), "state": {"waiting": {"reason": reason}}, "lastState": {}, "ready": false,
            "restartCount": 0, "image": self.image(), "imageID": "", "started": false,
        });
        let mounts = self.spec["volumeMounts"].as_array().into_iter().flatten();
        let mounts: Vec<Value> = mounts
            .map(|mount| {
                let mut mounted = json!({"name": mount["name"], "mountPath": mount["mountPath"]});
                if mount["readOnly"] == true {
                    mounted["readOnly"] = true.into();
                    mounted["recursiveReadOnly"] = "Disabled".into();
                }
                mounted
            })
            .collect();
        if !mounts.is_empty() {
            status["volumeMounts"] = mounts.into();
        }
        status
    }

    /// Brings it one step further; `may_start` says whether what has to run before it does.
    pub(super) fn step(&self, status: &Value, may_start: bool, said: &mut Vec<Write>) -> Value {
        let mut new = status.clone();
        if let Some(ended) = status["state"]["terminated"].as_object() {
            let code = ended.get("exitCode").and_then(Value::as_i64).unwrap_or_default();
            if self.restarts(code) {
                self.start_again(&mut new, said);
            }
        } else if status["state"]["running"].is_object() {
            self.run(&mut new, said);
        } else if self.pod.is_ending() {
            let lost = "The container could not be located when the pod was terminated";
            self.ended(&mut new, 137, "ContainerStatusUnknown", lost);
        } else if may_start {
            self.start(&mut new, said);
        }
        new
    }

    fn word(&self, word: &str, number: usize) -> String {
        format!("{word}-{}-{number}", self.name())
    }

    fn runs(&self, status: &Value) -> usize {
        status["restartCount"].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or_default()
    }

    fn tell(&self, level: &'static str, reason: &str, message: String) -> Write {
        let part = if self.early { "initContainers" } else { "containers" };
        Write::Tell(Event {
            about: self.pod.clone(),
            level,
            reason: reason.to_owned(),
            message,
            source: KUBELET,
            field: format!("spec.{part}{{{}}}", self.name()),
        })
    }

    /// Gets its image and starts it.
    fn start(&self, status: &mut Value, said: &mut Vec<Write>) {
        let runs = self.runs(status);
        let again = status["state"]["waiting"]["reason"] == "CrashLoopBackOff";
        if again {
            if !self.view.waited(self.pod, &self.word("crashed", runs), pause(runs)) {
                return;
            }
        } else if !self.has_image(status, said) {
            return;
        }
        if let Some(why) = mount::missing(self.view, self.pod, self.spec) {
            if self.view.is_first(self.pod, &why) {
                said.push(self.tell("Warning", "Failed", format!("Error: {why}")));
            }
            status["state"] = json!({"waiting": {"reason": "CreateContainerConfigError", "message": why}});
            return;
        }
        if !self.view.waited(self.pod, &self.word("made", runs), START) {
            return;
        }
        self.started(status, if again { runs + 1 } else { runs }, said);
    }

    fn started(&self, status: &mut Value, runs: usize, said: &mut Vec<Write>) {
        if runs > 0 {
            let text = format!("Container image \"{}\" already present on machine", self.image());
            said.push(self.tell("Normal", "Pulled", text));
        }
        let name = self.name();
        said.push(self.tell("Normal", "Created", format!("Container created: {name}")));
        said.push(self.tell("Normal", "Started", format!("Container started: {name}")));
        status["state"] = json!({"running": {"startedAt": time(self.view.time)}});
        status["restartCount"] = runs.into();
        status["imageID"] = format!("{}@sha256:{}", untagged(self.image()), hash(&[self.image()], 64)).into();
        let id = hash(&[self.pod.uid(), name, &runs.to_string()], 64);
        status["containerID"] = format!("cri-o://{id}").into();
        status["started"] = true.into();
        self.view.age(self.pod, &self.word("runs", runs));
        self.run(status, said);
    }

    /// Whether the image is there; sees to it otherwise.
    fn has_image(&self, status: &mut Value, said: &mut Vec<Write>) -> bool {
        let (view, pod, image) = (self.view, self.pod, self.image());
        let always = self.spec["imagePullPolicy"] == "Always";
        if view.is_first(pod, &self.word("looked", 0)) {
            if !always && image::is_present(view, pod, image) {
                view.count(pod, &self.word("present", 0), 1);
                let text = format!("Container image \"{image}\" already present on machine");
                said.push(self.tell("Normal", "Pulled", text));
            } else {
                said.push(self.tell("Normal", "Pulling", format!("Pulling image \"{image}\"")));
            }
        }
        if view.counted(pod, &self.word("present", 0)) > 0 {
            return true;
        }
        match image::pull(pod, image) {
            Pull::Comes(after, size) => {
                let came = view.waited(pod, &self.word("pulled", 0), after);
                if came {
                    view.count(pod, &self.word("present", 0), 1);
                    let took = format!("{:.3}s", after.as_secs_f64());
                    let text = format!(
                        "Successfully pulled image \"{image}\" in {took} ({took} including waiting). Image size: {size} bytes."
                    );
                    said.push(self.tell("Normal", "Pulled", text));
                }
                came
            }
            Pull::Fails(why) => {
                self.complain(status, &why, said);
                false
            }
        }
    }

    /// Goes round: fetched, failed, paused, fetched again.
    fn complain(&self, status: &mut Value, why: &str, said: &mut Vec<Write>) {
        let (view, pod, image) = (self.view, self.pod, self.image());
        let failed = view.counted(pod, &self.word("pull-failed", 0));
        let reason = status["state"]["waiting"]["reason"].as_str().unwrap_or_default().to_owned();
        let mut wait = |reason: &str, message: String| {
            status["state"] = json!({"waiting": {"reason": reason, "message": message}});
        };
        let refused = |said: &mut Vec<Write>| {
            view.count(pod, &self.word("pull-failed", 0), failed + 1);
            said.push(self.tell("Warning", "Failed", format!("Failed to pull image \"{image}\": {why}")));
            said.push(self.tell("Warning", "Failed", "Error: ErrImagePull".to_owned()));
        };
        let pulled = self.word("pull", failed);
        match reason.as_str() {
            "ErrImagePull" if view.waited(pod, &self.word("pull-refused", failed), BEFORE_PAUSE) => {
                said.push(self.tell("Normal", "BackOff", format!("Back-off pulling image \"{image}\"")));
                said.push(self.tell("Warning", "Failed", "Error: ImagePullBackOff".to_owned()));
                wait("ImagePullBackOff", format!("Back-off pulling image \"{image}\": ErrImagePull: {why}"));
            }
            "ErrImagePull" => {}
            "ImagePullBackOff" if view.waited(pod, &self.word("pull-pause", failed), pause(failed)) => {
                if view.is_first(pod, &self.word("pull-again", failed)) {
                    said.push(self.tell("Normal", "Pulling", format!("Pulling image \"{image}\"")));
                }
                if view.waited(pod, &pulled, REFUSAL) {
                    refused(said);
                    wait("ErrImagePull", why.to_owned());
                }
            }
            "ImagePullBackOff" => {}
            _ if view.waited(pod, &pulled, REFUSAL) => {
                refused(said);
                wait("ErrImagePull", why.to_owned());
            }
            _ => {}
        }
    }

    /// Asks its program how far it is.
    fn run(&self, status: &mut Value, said: &mut Vec<Write>) {
        let (view, pod, name) = (self.view, self.pod, self.name());
        let runs = self.runs(status);
        let restarts = u32::try_from(runs).unwrap_or(u32::MAX);
        self.log((self.program.says)(view, pod, name, restarts), runs, said);
        match (self.program.run)(view, pod, name, restarts) {
            Progress::Running { ready } => status["ready"] = ready.into(),
            Progress::Exited { code, reason, message } => self.ended(status, code, &reason, &message),
        }
    }

    /// Writes what is due of its log.
    fn log(&self, lines: Vec<(Duration, String)>, runs: usize, said: &mut Vec<Write>) {
        if lines.is_empty() {
            return;
        }
        let age = self.view.age(self.pod, &self.word("runs", runs));
        let due = lines.iter().take_while(|(after, _)| *after <= age).count();
        if let Some((next, _)) = lines.get(due) {
            self.view.look_in(next.saturating_sub(age));
        }
        let written = self.view.count(self.pod, &self.word("said", runs), due);
        said.extend(
            lines
                .into_iter()
                .take(due)
                .skip(written)
                .map(|(_, line)| Write::log(self.pod, self.name(), line)),
        );
    }

    /// Ends it.
    pub(super) fn ended(&self, status: &mut Value, code: i32, reason: &str, message: &str) {
        let reason = match (reason, code) {
            ("", 0) => "Completed",
            ("", _) => "Error",
            (reason, _) => reason,
        };
        let now = time(self.view.time);
        let started = status["state"]["running"]["startedAt"].as_str().unwrap_or(&now).to_owned();
        let mut ended = json!({
            "exitCode": code, "reason": reason, "startedAt": started, "finishedAt": now,
            "containerID": status["containerID"],
        });
        if !message.is_empty() {
            ended["message"] = message.into();
        }
        status["state"] = json!({"terminated": ended});
        status["ready"] = (self.early && !self.is_sidecar() && code == 0).into();
        status["started"] = false.into();
    }

    fn start_again(&self, status: &mut Value, said: &mut Vec<Write>) {
        let runs = self.runs(status);
        if !self.view.waited(self.pod, &self.word("ended", runs), PAUSE) {
            return;
        }
        status["lastState"] = status["state"].clone();
        if runs == 0 {
            self.started(status, 1, said);
            return;
        }
        let (pod, name) = (self.pod, self.name());
        let which = format!("{name} in pod {}_{}({})", pod.name(), pod.namespace(), pod.uid());
        said.push(self.tell("Warning", "BackOff", format!("Back-off restarting failed container {which}")));
        let which = format!("{name} pod={}_{}({})", pod.name(), pod.namespace(), pod.uid());
        let message = format!("back-off {} restarting failed container={which}", minutes(pause(runs)));
        status["state"] = json!({"waiting": {"reason": "CrashLoopBackOff", "message": message}});
    }
}

/// How long to wait after so many failures.
fn pause(failures: usize) -> Duration {
    let doubled = u32::try_from(failures.saturating_sub(1).min(8)).unwrap_or(8);
    (FIRST_PAUSE * 2u32.pow(doubled)).min(LONGEST_PAUSE)
}

/// A duration as Go writes it: `10s`, `1m20s`, `5m0s`.
fn minutes(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 { format!("{seconds}s") } else { format!("{}m{}s", seconds / 60, seconds % 60) }
}

fn untagged(image: &str) -> &str {
    let name = image.split_once('@').map_or(image, |(name, _)| name);
    match name.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => path,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_five_minutes() {
        let pauses: Vec<String> = (1..8).map(|failures| minutes(pause(failures))).collect();
        assert_eq!(pauses, ["10s", "20s", "40s", "1m20s", "2m40s", "5m0s", "5m0s"]);
    }
}
