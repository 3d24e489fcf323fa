//! The YAML of an object, live: what says nothing is folded, secrets are hidden, what changes is marked.

mod fold;
mod hide;
mod write;

use serde_json::Value;

pub(super) use self::hide::hide;
use super::text::{Ink, Line, TextView, changes};

/// What of an object is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Who manages which field, and fields that say only a default.
    pub all: bool,
    /// Secrets.
    pub secrets: bool,
}

/// The lines of an object.
#[derive(Debug, Default)]
pub struct YamlText {
    /// The lines.
    pub lines: Vec<Line>,
    /// How many secrets are hidden in it.
    pub hidden: usize,
}

impl YamlText {
    /// Writes an object.
    pub fn of(object: &Value, shown: Shown) -> Self {
        let mut object = object.clone();
        let folded = if shown.all { fold::Folded::default() } else { fold::fold(&mut object) };
        let hidden = if shown.secrets { 0 } else { hide(&mut object) };
        if shown.secrets {
            hide::decode(&mut object);
        }
        let note = folded.note().map(|note| Line::of(&note, Ink::Quiet));
        let mut lines = write::lines(&object);
        lines.splice(0..0, note);
        Self { lines, hidden }
    }

    /// Shows another state of the same object: what is new in it is marked, and the same lines stay in sight.
    pub fn refresh(&mut self, mut newer: Self, view: &mut TextView) {
        let moved = changes::mark(&self.lines, &mut newer.lines);
        view.gutter |= moved.any && !self.lines.is_empty();
        if !view.gutter {
            newer.forget_marks();
        }
        view.replaced(|top| moved.place(top));
        *self = newer;
    }

    /// Shows more or less of the same state: nothing in it is new.
    pub fn show(&mut self, other: Self, view: &mut TextView) {
        let mut other = other;
        let moved = changes::mark(&self.lines, &mut other.lines);
        other.forget_marks();
        view.replaced(|top| moved.place(top));
        *self = other;
    }

    fn forget_marks(&mut self) {
        self.lines.iter_mut().for_each(|line| line.mark = super::text::Mark::None);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ui::panes::text::{Mark, whole};

    fn machine(phase: &str) -> Value {
        json!({
            "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine",
            "metadata": {"name": "web", "managedFields": [{"manager": "kubectl"}]},
            "spec": {"password": "secret", "runStrategy": "Always"},
            "status": {"phase": phase},
        })
    }

    #[test]
    fn what_is_folded_and_hidden_comes_when_it_is_asked_for() {
        let text = YamlText::of(&machine("Running"), Shown::default());
        insta::assert_snapshot!(whole(&text.lines[..]), @r#"
        # folded: managedFields (1 entry)
        apiVersion: kubevirt.io/v1
        kind: VirtualMachine
        metadata:
          name: web
        spec:
          password: "[hidden, 6 bytes]"
          runStrategy: Always
        status:
          phase: Running
        "#);
        assert_eq!(text.hidden, 1);
        let all = YamlText::of(&machine("Running"), Shown { all: true, secrets: true });
        let whole = whole(&all.lines[..]);
        assert!(whole.contains("- manager: kubectl") && whole.contains("password: secret"), "{whole}");
    }

    #[test]
    fn a_refresh_marks_what_changed_and_nothing_is_marked_before() {
        let mut view = TextView::default();
        let mut text = YamlText::default();
        text.refresh(YamlText::of(&machine("Pending"), Shown::default()), &mut view);
        assert!(!view.gutter && text.lines.iter().all(|line| line.mark == Mark::None));
        text.refresh(YamlText::of(&machine("Running"), Shown::default()), &mut view);
        let marked: Vec<&str> =
            text.lines.iter().filter(|line| line.mark == Mark::New).map(Line::text).collect();
        assert_eq!((view.gutter, marked), (true, vec!["  phase: Running"]));
        text.show(YamlText::of(&machine("Running"), Shown { all: true, ..Shown::default() }), &mut view);
        assert!(text.lines.iter().all(|line| line.mark == Mark::None), "asking for more is no change");
    }
}
