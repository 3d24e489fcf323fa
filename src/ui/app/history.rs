//! What was shown before, by command or by the number of a namespace: `[` goes back in it, `]` forth again.

use super::wanted::Wanted;
use super::{App, Shown};
use crate::model::Now;
use crate::store::Health;
use crate::ui::message::Effect;

/// So many are kept.
const MOST: usize = 200;

/// Commands that show what was shown, the latest last.
#[derive(Debug, Default)]
pub(super) struct History {
    shown: Vec<String>,
    /// Where one is.
    at: usize,
}

impl History {
    /// Notes that this is shown from now on.
    fn push(&mut self, command: String) {
        if self.shown.last() != Some(&command) {
            let over = (self.shown.len() + 1).saturating_sub(MOST);
            self.shown.drain(..over);
            self.shown.push(command);
        }
        self.at = self.shown.len() - 1;
    }

    /// Notes that what is shown is called so by now: another filter is no step.
    fn is_now(&mut self, command: String) {
        let place = |command: &str| command.split(" /").next().map(str::to_owned);
        if let Some(known) = self.shown.get_mut(self.at).filter(|known| place(known) == place(&command)) {
            *known = command;
        }
    }

    /// The command so many further, where one is from now on.
    fn step(&mut self, by: isize) -> Option<String> {
        let at = self.at.checked_add_signed(by).filter(|&at| at < self.shown.len())?;
        self.at = at;
        self.shown.get(at).cloned()
    }
}

impl App {
    /// The command that shows what the list shows.
    fn here(&self) -> String {
        let list = &self.pane.list;
        let mut command = list.view.name().to_owned();
        match self.shown {
            Shown::Only(namespace) if list.view.namespaced() => {
                command.push(' ');
                command.push_str(&namespace);
            }
            Shown::All if list.view.namespaced() => command.push_str(" all"),
            _ => {}
        }
        let filter = &list.filter().text;
        if !filter.is_empty() {
            command.push_str(" /");
            command.push_str(filter);
        }
        command
    }

    /// Goes somewhere and notes it, and where one came from if nothing was noted yet.
    pub(super) fn noted(&mut self, go: impl FnOnce(&mut Self)) {
        let here = self.here();
        match self.history.shown.is_empty() {
            true => self.history.push(here),
            false => self.history.is_now(here),
        }
        go(self);
        let here = self.here();
        self.history.push(here);
    }

    /// Shows again what was shown before, or after that.
    pub(super) fn go_in_history(&mut self, by: isize, now: Now, effects: &mut Vec<Effect>) {
        let here = self.here();
        self.history.is_now(here);
        let Some(command) = self.history.step(by) else {
            self.say("There is no further command in the history.", Health::Idle, now);
            return;
        };
        let word = command.split_whitespace().next().unwrap_or_default();
        match Wanted::parse(word, &command) {
            Ok(wanted) => self.open_word(Wanted { note: false, ..wanted }, now, effects),
            Err(why) => self.say(why, Health::Failed, now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_back_and_forth_and_on_from_the_end() {
        let mut history = History::default();
        for command in ["vms", "pods", "pods", "nodes"] {
            history.push(command.to_owned());
        }
        let steps = [(-1, Some("pods")), (-1, Some("vms")), (-1, None), (1, Some("pods"))];
        for (by, want) in steps {
            assert_eq!(history.step(by).as_deref(), want, "{by}");
        }
        history.push("claims".to_owned());
        assert_eq!((history.step(1), history.step(-1).as_deref()), (None, Some("nodes")));
        (0..300).for_each(|number| history.push(format!("pods n{number}")));
        assert_eq!(history.shown.len(), MOST);
    }
}
