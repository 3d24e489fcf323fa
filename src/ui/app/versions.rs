//! Which versions of the platform the cluster runs: asked once, shown in the header.

use serde_json::Value;

use super::App;
use crate::text;
use crate::ui::message::{Answer, Effect, Question, Ticket};

/// A part of the platform that says its version in an object of its own.
struct Part {
    name: &'static str,
    group: &'static str,
    path: &'static str,
    /// Where the version stands in the first object of the list.
    version: &'static str,
}

const PARTS: [Part; 2] = [
    Part {
        name: "KubeVirt",
        group: "kubevirt.io",
        path: "/apis/kubevirt.io/v1/kubevirts?limit=1",
        version: "/items/0/status/observedKubeVirtVersion",
    },
    Part {
        name: "CDI",
        group: "cdi.kubevirt.io",
        path: "/apis/cdi.kubevirt.io/v1beta1/cdis?limit=1",
        version: "/items/0/status/observedVersion",
    },
];

/// Versions of the platform, as far as they are known.
#[derive(Debug, Default)]
pub struct Versions {
    asked: Vec<(Ticket, &'static str)>,
    known: Vec<(&'static str, String)>,
}

impl Versions {
    /// The names of the parts.
    pub fn parts() -> impl Iterator<Item = &'static str> {
        PARTS.iter().map(|part| part.name)
    }

    /// The parts that have said their version.
    pub fn known(&self) -> &[(&'static str, String)] {
        &self.known
    }
}

impl App {
    /// Asks the parts of the platform that the server has for their versions.
    pub(super) fn ask_versions(&mut self, effects: &mut Vec<Effect>) {
        let Some(discovery) = &self.session.discovery else { return };
        for part in PARTS.iter().filter(|part| discovery.has_group(part.group)) {
            let told = self.versions.known.iter().any(|(name, _)| *name == part.name);
            if told || self.versions.asked.iter().any(|(_, name)| *name == part.name) {
                continue;
            }
            self.last_ticket += 1;
            let ticket = Ticket(self.last_ticket);
            self.versions.asked.push((ticket, part.name));
            let question = Question::Document { path: part.path.to_owned() };
            effects.push(Effect::Ask { ticket, id: self.session.id, question });
        }
    }

    /// Takes an answer if it is one about versions; gives it back otherwise.
    pub(super) fn take_version(
        &mut self,
        ticket: Ticket,
        answer: Answer,
        effects: &mut Vec<Effect>,
    ) -> Option<Answer> {
        let Some(at) = self.versions.asked.iter().position(|(asked, _)| *asked == ticket) else {
            return Some(answer);
        };
        let (_, name) = self.versions.asked.swap_remove(at);
        effects.push(Effect::Forget(ticket));
        // Whoever may not read it works all the same.
        if let (Answer::Document(Ok(list)), Some(part)) =
            (answer, PARTS.iter().find(|part| part.name == name))
            && let Some(version) = list.pointer(part.version).and_then(Value::as_str)
        {
            self.versions.known.push((name, text::one_line(version, 20)));
            self.versions.known.sort_unstable_by_key(|(name, _)| std::cmp::Reverse(*name));
        }
        None
    }
}
