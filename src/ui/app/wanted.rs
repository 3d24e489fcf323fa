//! What a command asks to see, and the list that shows it.

use super::{App, SOON, Shown};
use crate::cluster::discovery::Resolved;
use crate::cluster::feed::Target;
use crate::model::{Now, Word};
use crate::records::{Kind, Origin};
use crate::store::Health;
use crate::ui::message::{Effect, Timer};
use crate::ui::panes::list::ListPane;
use crate::ui::session::REDISCOVER;
use crate::views::{self, Filter, List, ViewRef};

/// What a command asks to see.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) word: String,
    /// Another context than the one on screen.
    pub(super) context: Option<String>,
    /// Another namespace than the one on screen.
    pub(super) shown: Option<Shown>,
    pub(super) filter: Filter,
    /// Whether the view on screen is one to come back to.
    pub(super) leave: bool,
    /// Whether it is noted in the history, as what comes out of it is not.
    pub(super) note: bool,
    /// The whole of it, to be noted among the commands once it is known to name something.
    pub(super) typed: Option<String>,
    /// The command that is meant where it names nothing.
    pub(super) instead: Option<String>,
    /// Whether there is another view to be shown where it names nothing: nobody waits for one that never comes.
    pub(super) first: bool,
}

impl Wanted {
    pub(super) fn new(word: &str, filter: &str) -> Self {
        let filter = Filter::parse(filter);
        Self {
            word: word.to_owned(),
            context: None,
            shown: None,
            filter,
            leave: true,
            note: true,
            typed: None,
            instead: None,
            first: false,
        }
    }

    /// Reads a whole command.
    pub(super) fn read(command: &str) -> Result<Self, String> {
        let command = command.trim();
        Self::parse(command.split_whitespace().next().unwrap_or_default(), command)
    }

    /// Reads what stands behind the first word of a command: a namespace or `all`, `@` and a context, label selectors (what has
    /// a `=`, or stands in single quotes), `-f` and letters, in any order; then `/` and a filter.
    pub(super) fn parse(word: &str, typed: &str) -> Result<Self, String> {
        let rest = typed.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim());
        let (before, filter) = match rest.find('/') {
            Some(at) if at == 0 || rest[..at].ends_with(char::is_whitespace) => {
                (&rest[..at], &rest[at + 1..])
            }
            _ => (rest, ""),
        };
        let (mut context, mut shown) = (None, None);
        let mut terms = vec![filter.trim().to_owned()];
        let mut left = before.trim();
        while !left.is_empty() {
            let (argument, rest) = next_argument(left)?;
            left = rest;
            match argument {
                "-n" | "--namespace" => {}
                "-A" | "--all-namespaces" => shown = Some(Shown::All),
                "-f" | "-l" => {
                    let (value, rest) = next_argument(left)?;
                    left = rest;
                    terms.push(format!("{argument} {value}"));
                }
                _ if argument.starts_with('@') => context = Some(argument[1..].to_owned()),
                _ if argument.contains('=') || argument.contains(' ') => terms.push(format!("-l {argument}")),
                _ => shown = Some(namespace(argument)?),
            }
        }
        let filter = terms.join(" ");
        Ok(Self { context, shown, ..Self::new(word, filter.trim()) })
    }
}

/// The next word, or what stands in single quotes, and what is behind it.
fn next_argument(text: &str) -> Result<(&str, &str), String> {
    let (argument, rest) = match text.strip_prefix('\'') {
        Some(quoted) => {
            quoted.split_once('\'').ok_or_else(|| format!("{text}: the closing quote is missing."))?
        }
        None => text.split_once(char::is_whitespace).unwrap_or((text, "")),
    };
    Ok((argument, rest.trim_start()))
}

/// Reads `all` or the name of a namespace.
pub(super) fn namespace(text: &str) -> Result<Shown, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match text {
        "all" => Ok(Shown::All),
        name if name.len() <= 63 && name.chars().all(plain) => Ok(Shown::Only(Word::new(name))),
        other => Err(format!("{other:?} cannot be the name of a namespace.")),
    }
}

impl App {
    /// Shows a view of the namespace that is shown, without leaving a way back.
    pub(super) fn show(&mut self, view: ViewRef, now: Now, effects: &mut Vec<Effect>) {
        let filter = self.pane.list.filter().clone();
        let table = self.session.table_of(&*view);
        self.store.keep_states(&view.stateful(), now);
        let columns = self
            .store
            .columns()
            .cloned()
            .filter(|_| view.rows().iter().any(|kind| kind.origin() == Origin::Table));
        let fed = self.store.coverage(Kind::Other).is_some_and(|open| open.selection == view.selection());
        let view = match columns {
            Some(columns) if fed => {
                views::table_view(view.name(), self.session.table_namespaced(), Some(&columns))
            }
            _ => view,
        };
        let namespace = self.shown.only();
        self.session.want(&*view, namespace, table, now, effects);
        let list = List::new(view, namespace, &self.store, now);
        let (wide, set) = (self.pane.list.layout().wide, self.set_of(&*list.view));
        let before = std::mem::replace(&mut self.pane, ListPane::new(list)).list;
        self.pane.list.set_layout(wide, set, &self.store, now);
        self.pane.list.set_filter(filter, &self.store, now);
        self.pane.list.go_on(&before, &self.store, now);
        self.feed(now, effects);
        if self.session.ask_again(&self.store) == Some(REDISCOVER) {
            // The timer may have passed while another view was on screen.
            effects.push(Effect::After(SOON, Timer::Rediscover));
        }
    }

    /// Opens what a word names: a view, else a resource of the server.
    pub(super) fn open_word(&mut self, wanted: Wanted, now: Now, effects: &mut Vec<Effect>) {
        match wanted.note {
            true => self.noted(|app| app.show_word(wanted, now, effects)),
            false => self.show_word(wanted, now, effects),
        }
    }

    fn show_word(&mut self, wanted: Wanted, now: Now, effects: &mut Vec<Effect>) {
        let Wanted { word, shown, filter, leave, typed, instead, first, .. } = wanted;
        let filter = Filter::with(&filter.text, &self.filters);
        let shown = shown.unwrap_or(self.shown);
        if let Some(view) = views::find(&word) {
            if leave {
                self.leave_for(view.name(), shown, &filter, effects);
            }
            self.go(ViewRef::Of(view), shown, filter, now, effects);
            return;
        }
        let Some(discovery) = self.session.discovery.clone() else {
            self.say(format!("{word}: the server has not said yet what it has."), Health::Warning, now);
            return;
        };
        match discovery.resolve(&word) {
            Resolved::One(resource) => {
                if let Some(typed) = typed {
                    self.note_command(&typed, effects);
                }
                let known = Kind::ALL.iter().find(|kind| {
                    let info = kind.info();
                    info.group == resource.group && info.plural == resource.plural
                });
                let view = known.and_then(|kind| views::of_kind(*kind));
                if leave {
                    self.leave(effects);
                }
                let view = match view {
                    Some(view) => ViewRef::Of(view),
                    None => {
                        let target = Target {
                            group: resource.group.clone(),
                            version: resource.version.clone(),
                            plural: resource.plural.clone(),
                            namespaced: resource.namespaced,
                        };
                        let name = self.session.set_table(target);
                        views::table_view(&name, resource.namespaced, None)
                    }
                };
                self.go(view, shown, filter, now, effects);
            }
            Resolved::Ambiguous(several) => {
                let names: Vec<String> =
                    several.iter().map(|one| format!("{}.{}", one.plural, one.group)).collect();
                self.say(format!("{word} can mean {}.", names.join(" or ")), Health::Warning, now);
            }
            Resolved::None if let Some(command) = instead => self.run(&command, now, effects),
            Resolved::None if first => {
                let view = views::VIEWS[0];
                self.go(ViewRef::Of(view), shown, Filter::default(), now, effects);
                let of_config = self.options.config.default_view.split_whitespace().next() == Some(&word);
                let of = if of_config { "defaultView of the config, " } else { "" };
                let said = format!(
                    "{of}{word}: no such view or resource; these are the {}, ctrl-a lists all.",
                    view.name()
                );
                self.say(said, Health::Failed, now);
            }
            Resolved::None => self.say(format!("{word}: no such view or resource."), Health::Failed, now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_come_in_any_order() {
        let all = Some(Shown::All);
        let in_ = |name: &str| Some(Shown::Only(Word::new(name)));
        let cases = [
            ("vms", None, None, ""),
            ("vms all", None, all, ""),
            ("vms -A", None, all, ""),
            ("vms -n shop", None, in_("shop"), ""),
            ("vms shop /web db", None, in_("shop"), "web db"),
            ("vms app=web,tier!=db shop", None, in_("shop"), "-l app=web,tier!=db"),
            ("vms 'app in (web, db)' all /up", None, all, "up -l app in (web, db)"),
            ("vms -l app lab", None, in_("lab"), "-l app"),
            ("vms -f wb @Prod:eu/1 lab", Some("Prod:eu/1"), in_("lab"), "-f wb"),
            ("vms /a /b -n x", None, None, "a /b -n x"),
        ];
        for (typed, context, shown, filter) in cases {
            let wanted = Wanted::parse("vms", typed).unwrap();
            assert_eq!((wanted.context.as_deref(), wanted.shown), (context, shown), "{typed}");
            assert_eq!(wanted.filter.text, filter, "{typed}");
            assert!(wanted.filter.error().is_none(), "{typed}");
        }
        for typed in ["vms Shop", "vms a_b", "vms 'app in (web)", "vms -f '"] {
            assert!(Wanted::parse("vms", typed).is_err(), "{typed}");
        }
    }
}
