//! What is done with the object that keys are about.

use super::wanted::Wanted;
use super::{App, ConsoleOf, Shown};
use crate::cluster::console::Platform;
use crate::model::{Now, Uid, Word};
use crate::records::Kind;
use crate::store::Health;
use crate::text;
use crate::ui::command::{self, Command};
use crate::ui::message::Effect;
use crate::ui::panes::console::{self, ConsolePane};
use crate::ui::panes::detail::Detail;
use crate::ui::panes::menu::{Choice, Item, Menu};
use crate::ui::panes::roads::Roads;
use crate::ui::panes::{self, Found, Pane};
use crate::views::{self, Filter, Open, Road, ViewRef, print};

impl App {
    pub(super) fn open(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let Some(id) = self.pane.list.selected() else { return };
        let Some(meta) = self.store.meta(id) else { return };
        let name = meta.name.to_string();
        match self.pane.list.view.open() {
            Open::Nothing => {}
            Open::Detail => self.open_detail(now, effects),
            Open::Rows { .. } => match views::within(&*self.pane.list.view, &self.store, id) {
                Some(view) => {
                    // What belongs to an object without namespace may be in any.
                    let shown = if meta.namespace.is_empty() { Shown::All } else { self.shown };
                    self.leave(effects);
                    self.go(view, shown, Filter::default(), now, effects);
                }
                None => self.open_detail(now, effects),
            },
            Open::Context => {
                self.switch_context(&name, now, effects);
            }
            Open::Namespace => {
                self.leave(effects);
                let shown = Shown::Only(Word::new(&name));
                self.go(ViewRef::Of(views::VIEWS[0]), shown, Filter::default(), now, effects);
            }
        }
    }

    fn open_detail(&mut self, now: Now, effects: &mut Vec<Effect>) {
        if let Some(subject) = self.subject() {
            self.put_over(Box::new(Detail::of(subject)), now, effects);
        }
    }

    /// Opens the pane that a command names about the object that keys are about.
    pub(super) fn open_pane(&mut self, command: Command, now: Now, effects: &mut Vec<Effect>) {
        let Some(subject) = self.subject() else {
            self.say("There is no object of the cluster under the cursor.", Health::Idle, now);
            return;
        };
        match panes::about(command, &subject) {
            // The one on screen would open over itself.
            Some(pane) if self.top().is_some_and(|top| top.crumb() == pane.crumb()) => {}
            Some(pane) => self.put_over(pane, now, effects),
            None => {
                let said = format!("{} have no logs.", text::capitalised(subject.words()));
                self.say(said, Health::Idle, now);
            }
        }
    }

    /// Opens the serial console of the object that keys are about.
    pub(super) fn open_console(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let Some(subject) = self.subject() else {
            self.say("There is no machine under the cursor.", Health::Idle, now);
            return;
        };
        match console::of(&subject) {
            Ok(place) => self.show_console(ConsolePane::of(place), now, effects),
            Err(why) => self.say(why, Health::Idle, now),
        }
    }

    /// Opens the console that the command line names, as soon as its namespace is known.
    pub(super) fn open_first_console(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let Some(ConsoleOf { name, platform }) = self.options.console.take() else { return };
        let home = self.session.info.as_ref().map_or("default", |info| &info.namespace).to_owned();
        let namespace = self.options.namespace.clone().unwrap_or(home);
        let pane = |platform, name| ConsolePane::of(console::Place { platform, namespace, name }).alone();
        let pane = match platform {
            Some(platform) => pane(platform, name),
            // A bare name is more likely one of KubeVirt's.
            None => pane(Platform::KubeVirt, name).or(Platform::Virtink),
        };
        self.show_console(pane, now, effects);
    }

    /// Goes back to the consoles that are open.
    pub(super) fn open_consoles(&mut self, now: Now, effects: &mut Vec<Effect>) {
        if self.consoles.is_empty() {
            self.say("No console is open: s on a machine opens one.", Health::Idle, now);
        } else {
            self.show_console(ConsolePane::again(), now, effects);
        }
    }

    /// One pane shows all consoles, wherever it was opened.
    pub(super) fn show_console(&mut self, pane: ConsolePane, now: Now, effects: &mut Vec<Effect>) {
        if self.top().is_some_and(|top| top.crumb() == pane.crumb()) {
            self.take_off(now, effects);
        }
        self.put_over(Box::new(pane), now, effects);
        // It could not be opened, and says why.
        if self.consoles.is_empty() {
            self.take_off(now, effects);
        }
    }

    /// Whether rows are namespaces to choose from.
    pub(super) fn chooses_namespace(&self) -> bool {
        self.layers.is_empty() && matches!(self.pane.list.view.open(), Open::Namespace)
    }

    /// Views are of the namespace under the cursor from now on.
    fn use_namespace(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let meta = self.pane.list.selected().and_then(|id| self.store.meta(id));
        if let Some(name) = meta.map(|meta| Word::new(&meta.name)) {
            self.shown = Shown::Only(name);
            self.note_namespace(effects);
            self.say(format!("Views show the namespace {name} from now on."), Health::Well, now);
        }
    }

    pub(super) fn go_along(&mut self, road: Road, now: Now, effects: &mut Vec<Effect>) {
        if road == Road::UsedBy && self.chooses_namespace() {
            return self.use_namespace(now, effects);
        }
        let Some(subject) = self.subject() else {
            self.say("There is no object of the cluster under the cursor.", Health::Idle, now);
            return;
        };
        match Roads::from(subject, road) {
            Ok(roads) => self.put_over(Box::new(roads), now, effects),
            Err(why) => self.say(why, Health::Idle, now),
        }
    }

    /// Shows the objects of the namespace that the row lives in.
    pub(super) fn show_namespace_of_row(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let Some(meta) = self.pane.list.selected().and_then(|id| self.store.meta(id)) else {
            self.say("There is no object of the cluster under the cursor.", Health::Idle, now);
            return;
        };
        let namespace = meta.namespace;
        if namespace.is_empty() {
            let said = format!("{} lives in no namespace.", meta.name);
            self.say(said, Health::Idle, now);
        } else if self.shown == Shown::Only(namespace) {
            let said = format!("Only {namespace} is shown already; 0 shows all namespaces.");
            self.say(said, Health::Idle, now);
        } else {
            self.show_namespace(Shown::Only(namespace), now, effects);
        }
    }

    /// Shows an object in the list of its kind.
    pub(super) fn jump(&mut self, kind: Kind, uid: Uid, now: Now, effects: &mut Vec<Effect>) {
        let id = self.store.find_of(kind, uid);
        let (Some(meta), Some(view)) = (id.and_then(|id| self.store.meta(id)), views::of_kind(kind)) else {
            self.say("It is gone.", Health::Warning, now);
            return;
        };
        let shown = self.shown_with(meta.namespace);
        self.leave(effects);
        self.go(ViewRef::Of(view), shown, Filter::default(), now, effects);
        self.pane.list.go_to(uid, &self.store);
    }

    /// What has to be shown for an object of this namespace to be among it.
    fn shown_with(&self, namespace: Word) -> Shown {
        match self.shown {
            Shown::Only(shown) if !namespace.is_empty() && namespace != shown => Shown::Only(namespace),
            shown => shown,
        }
    }

    /// Shows an object in the list of its resource, which may be any that the server has.
    pub(super) fn jump_to(&mut self, found: &Found, now: Now, effects: &mut Vec<Effect>) {
        let shown = Some(self.shown_with(Word::new(&found.namespace)));
        let wanted = Wanted { shown, note: false, ..Wanted::new(&found.resource, "") };
        self.open_word(wanted, now, effects);
        self.pane.list.go_to(found.uid, &self.store);
    }

    /// Copies the names of the marked rows, or of the object that keys are about.
    pub(super) fn copy_name(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let names = match self.top() {
            None => print::names(&self.pane.list, &self.store),
            Some(pane) => pane.subject().map(|subject| subject.name.to_string()).unwrap_or_default(),
        };
        self.copy(names, "There is no name to copy.", now, effects);
    }

    pub(super) fn copy_namespace(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let names = match self.top() {
            None => print::namespaces(&self.pane.list, &self.store),
            Some(pane) => pane.subject().map(|subject| subject.namespace.to_string()).unwrap_or_default(),
        };
        self.copy(names, "This has no namespace.", now, effects);
    }

    fn copy(&mut self, lines: String, nothing: &str, now: Now, effects: &mut Vec<Effect>) {
        match lines.lines().count() {
            0 => self.say(nothing, Health::Idle, now),
            1 => self.say(format!("Copied {lines}."), Health::Well, now),
            many => self.say(format!("Copied {many} lines."), Health::Well, now),
        }
        if !lines.is_empty() {
            effects.push(Effect::Copy(lines));
        }
    }

    /// Saves the rows that are shown, with the columns that are shown.
    pub(super) fn save_list(&mut self, format: Option<&str>, now: Now, effects: &mut Vec<Effect>) {
        let list = &self.pane.list;
        let columns: Vec<usize> = list.columns(&self.store).collect();
        let (extension, text) = match format {
            None | Some("csv") => ("csv", print::csv(list, &columns, &self.store, now)),
            Some("json") => ("json", print::json(list, &columns, &self.store, now)),
            Some(other) => {
                self.say(format!("{other}: what is shown is saved as csv or json."), Health::Failed, now);
                return;
            }
        };
        match text {
            Ok(text) => {
                let name = list.view.name().to_owned();
                effects.push(Effect::Save { name, extension, text });
            }
            Err(error) => self.say(format!("The rows cannot be written: {error}."), Health::Failed, now),
        }
    }

    pub(super) fn show_namespace(&mut self, shown: Shown, now: Now, effects: &mut Vec<Effect>) {
        self.noted(|app| {
            let filter = app.pane.list.filter().clone();
            if !app.layers.is_empty() {
                app.leave(effects);
            }
            app.go(app.pane.list.view.clone(), shown, filter, now, effects);
        });
    }

    pub(super) fn show_favourite(&mut self, number: u8, now: Now, effects: &mut Vec<Effect>) {
        match self.favourites.get(usize::from(number).saturating_sub(1)).copied() {
            Some(namespace) => self.show_namespace(Shown::Only(namespace), now, effects),
            None => self.say("No namespace has this number yet.", Health::Idle, now),
        }
    }

    /// Opens a menu, or closes it if it is the one on screen.
    pub(super) fn put_menu(&mut self, menu: Menu, now: Now, effects: &mut Vec<Effect>) {
        if self.top().is_some_and(|top| top.crumb() == menu.crumb()) {
            self.take_off(now, effects);
        } else {
            self.put_over(Box::new(menu), now, effects);
        }
    }

    /// The keys that work now.
    pub(super) fn help(&self) -> Menu {
        let mut items: Vec<Item> = Vec::new();
        for (section, binding, keys) in self.working_keys() {
            let keys: Vec<String> = keys.iter().map(|key| format!("<{key}>")).collect();
            let keys = keys.join(" ");
            // Keys that differ in a number only stand in one line.
            match items.last_mut().filter(|last| last.section == section && last.text == binding.doc) {
                Some(last) => {
                    let first = last.short.split(" … ").next().unwrap_or_default();
                    last.short = compact_str::format_compact!("{first} … {keys}");
                }
                None => items.push(Item {
                    section,
                    short: keys.into(),
                    text: binding.doc.into(),
                    choice: Choice::Nothing,
                }),
            }
        }
        if self.layers.is_empty() {
            let list = &self.pane.list;
            let headings = list.columns(&self.store).map(|column| list.view.heading(column));
            let told = headings.filter(|heading| !heading.about.is_empty()).map(|heading| Item {
                section: "COLUMNS",
                short: (*heading.title).into(),
                text: heading.about.into(),
                choice: Choice::Nothing,
            });
            items.extend(told);
        }
        Menu::new("help", items)
    }

    /// All commands with their other names.
    pub(super) fn aliases(&self) -> Menu {
        let view = |view: &&'static dyn views::AnyView| Item {
            section: "VIEWS",
            short: view.name().into(),
            text: view.aliases().join(" ").into(),
            choice: Choice::Run(view.name().to_owned()),
        };
        let word = |word: &&'static command::Word| Item {
            section: "COMMANDS",
            short: word.usage.into(),
            text: word.doc.into(),
            choice: if word.usage.contains(' ') {
                Choice::Nothing
            } else {
                Choice::Run(word.names[0].to_owned())
            },
        };
        let known = |group: &str, plural: &str| {
            let of_it = |kind: &&Kind| kind.info().group == group && kind.info().plural == plural;
            Kind::ALL.iter().find(of_it).is_some_and(|&kind| views::of_kind(kind).is_some())
        };
        let served = self.session.discovery.iter().flat_map(|all| &all.resources);
        let resource = served.filter(|one| !known(&one.group, &one.plural)).map(|one| Item {
            section: "RESOURCES OF THE CLUSTER",
            short: one.plural.as_str().into(),
            text: one.api_version().into(),
            choice: Choice::Run(match one.group.is_empty() {
                true => one.plural.clone(),
                false => format!("{}.{}", one.plural, one.group),
            }),
        });
        let items =
            views::VIEWS.iter().map(view).chain(command::WORDS.iter().map(|one| word(&one))).chain(resource);
        Menu::new("aliases", items.collect())
    }
}
