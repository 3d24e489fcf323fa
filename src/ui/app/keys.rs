//! What keys and the mouse do.

use std::time::Duration;

use ratatui::layout::{Position, Rect};

use super::{App, Shown};
use crate::model::Now;
use crate::store::Health;
use crate::ui::command::{self, Binding, Command, Table};
use crate::ui::frame::Layout;
use crate::ui::input::{Key, Mouse, MouseAct};
use crate::ui::message::{Draw, Effect};
use crate::ui::panes::Pane;
use crate::ui::panes::list::Hit;
use crate::views::{Motion, column_of};

/// Two clicks at one place within this time are one double click.
const DOUBLE_CLICK: Duration = Duration::from_millis(400);

impl App {
    pub(super) fn key(&mut self, key: Key, now: Now, effects: &mut Vec<Effect>) -> Draw {
        let before = self.flash.as_ref().map(|flash| (flash.text.clone(), self.on_screen()));
        let draw = self.obey_key(key, now, effects);
        // What was said of one screen is not said of the next one.
        if let (Some((text, here)), Some(flash)) = (before, &self.flash)
            && flash.text == text
            && here != self.on_screen()
        {
            self.flash = None;
        }
        draw
    }

    /// What is on screen, as far as one goes from here to there.
    fn on_screen(&self) -> (usize, usize, String) {
        (self.back.len(), self.layers.len(), self.pane.list.view.name().to_owned())
    }

    fn obey_key(&mut self, key: Key, now: Now, effects: &mut Vec<Effect>) -> Draw {
        let flash = self.flash.is_some();
        if self.flash.as_ref().is_some_and(|flash| flash.until.is_none()) {
            self.flash = None;
        }
        if self.prompt.is_some() {
            self.prompt_key(key, now, effects);
        } else if let Some(command) = self.top().and_then(|pane| command::of(key, &[("", pane.keys())])) {
            self.with_top(now, effects, |pane, scene| pane.command(command, scene));
        } else if self.top().is_some_and(Pane::takes_keys) {
            let said = flash != self.flash.is_some();
            let draw = self.with_top(now, effects, |pane, scene| pane.key(key, scene)).unwrap_or_default();
            return if said { Draw::Now } else { draw };
        } else if let Some(command) = command::of(key, self.tables()) {
            self.command(command, now, effects);
        } else if let (None, Some(letter)) = (self.top(), key.typed())
            && let Some(column) = self.pane.column_of(letter, &self.store)
        {
            self.sort_by(column, now);
        } else {
            return Draw::No;
        }
        Draw::Now
    }

    /// The tables of keys that work now, besides those of the pane over the list.
    pub fn tables(&self) -> &'static [Table] {
        static ALL: [Table; 4] = [
            ("START", command::START),
            ("LIST", command::LIST),
            ("OBJECT", command::OBJECT),
            ("EVERYWHERE", command::EVERYWHERE),
        ];
        match self.top() {
            None if self.offers_demo() => &ALL,
            None => &ALL[1..],
            Some(pane) if pane.takes_keys() => &[],
            Some(pane) if pane.subject().is_some() => &ALL[2..],
            Some(_) => &ALL[3..],
        }
    }

    /// What keys do now, by the section it belongs to. What is nearer to the user has a key before the rest; what is left
    /// without any does not work.
    pub(super) fn working_keys(&self) -> Vec<(&'static str, &'static Binding, Vec<Key>)> {
        let own = self.top().map(|pane| ("HERE", pane.keys()));
        let tables = own.into_iter().chain(self.tables().iter().copied());
        let mut taken: Vec<Key> = Vec::new();
        let mut working = Vec::new();
        for (section, binding) in
            tables.flat_map(|(section, table)| table.iter().map(move |one| (section, one)))
        {
            let more = (binding.command == Command::Scroll(1) && self.goes_right()).then_some(Key::char('l'));
            let keys = binding.keys.iter().copied().chain(more);
            let free: Vec<Key> = keys.filter(|key| !taken.contains(key)).collect();
            taken.extend_from_slice(&free);
            if !free.is_empty() && self.offers_key(binding) {
                working.push((section, binding, free));
            }
        }
        working
    }

    pub(super) fn paste(&mut self, text: &str, now: Now, effects: &mut Vec<Effect>) -> Draw {
        let Some(prompt) = &mut self.prompt else {
            let wanted = self.with_top(now, effects, |pane, scene| pane.paste(text, scene));
            return if wanted == Some(true) { Draw::Now } else { Draw::No };
        };
        prompt.insert(text);
        self.typed(now, effects);
        Draw::Now
    }

    pub(super) fn mouse(&mut self, mouse: Mouse, now: Now, effects: &mut Vec<Effect>) -> Draw {
        let inside = Layout::of(self).inside();
        if self.prompt.is_some() || !inside.contains(Position { x: mouse.x, y: mouse.y }) {
            return Draw::No;
        }
        if !self.layers.is_empty() {
            self.with_top(now, effects, |pane, scene| pane.mouse(mouse, inside, scene));
            return Draw::Now;
        }
        match mouse.act {
            MouseAct::Wheel(rows) => self.pane.list.go(Motion::Rows(rows), &self.store),
            MouseAct::Click => self.click(mouse, inside, now, effects),
            // These mean something to the programs of guests only.
            MouseAct::Press(_) | MouseAct::Release(_) | MouseAct::Drag(_) => return Draw::No,
        }
        Draw::Now
    }

    pub(super) fn command(&mut self, command: Command, now: Now, effects: &mut Vec<Effect>) {
        let page = isize::try_from(self.pane.height(self.size)).unwrap_or(1).max(1);
        match command {
            Command::Prompt => self.open_command(now, effects),
            Command::Filter => self.open_search(now),
            Command::Open => self.open(now, effects),
            Command::Back => self.back(now, effects),
            Command::Last => self.go_to_last(now, effects),
            Command::History(by) => self.go_in_history(by, now, effects),
            Command::Help => self.put_menu(self.help(), now, effects),
            Command::Aliases => self.put_menu(self.aliases(), now, effects),
            Command::Logs if self.goes_right() => {
                self.pane.scroll(1);
                let said = format!("{} have no logs; l goes to the columns on the right.", self.shown_as());
                self.say(said, Health::Idle, now);
            }
            Command::Yaml | Command::Describe | Command::Logs => self.open_pane(command, now, effects),
            Command::OpenConsole => self.open_console(now, effects),
            Command::Consoles => self.open_consoles(now, effects),
            Command::Go(road) => self.go_along(road, now, effects),
            Command::Save => self.save_list(None, now, effects),
            Command::CopyName => self.copy_name(now, effects),
            Command::CopyNamespace => self.copy_namespace(now, effects),
            Command::Favourite(number) => self.show_favourite(number, now, effects),
            Command::Crumbs => self.crumbs = !self.crumbs,
            Command::Quit => self.quit = true,
            Command::Demo => self.open_demo(now, effects),
            Command::AllNamespaces => self.show_namespace(Shown::All, now, effects),
            Command::ThisNamespace => self.show_namespace_of_row(now, effects),
            Command::Wide => {
                let wide = self.pane.list.layout().wide;
                self.set = None;
                self.pane.list.set_layout(!wide, None, &self.store, now);
                let said = if wide { "The usual columns." } else { "Wide columns; → goes on to them." };
                self.say(said, Health::Idle, now);
            }
            Command::NextSet(by) => self.next_set(by, now),
            Command::Mark => self.pane.list.toggle_mark(&self.store),
            Command::MarkRange => self.pane.list.mark_range(&self.store),
            Command::ClearMarks => self.pane.list.clear_marks(),
            Command::Faults => {
                let only = !self.pane.list.faults_only();
                self.pane.list.show_faults(only, &self.store, now);
            }
            Command::Side => self.toggle_side(now),
            Command::Header => self.header = !self.header,
            Command::Redraw => {
                self.pane.forget_widths();
                self.session.ask_widely();
                self.feed(now, effects);
            }
            Command::Move(rows) => self.pane.list.go(Motion::Rows(rows), &self.store),
            Command::Page(pages) => self.pane.list.go(Motion::Rows(pages * page), &self.store),
            Command::First => self.pane.list.go(Motion::First, &self.store),
            Command::End => self.pane.list.go(Motion::Last, &self.store),
            Command::Scroll(by) => self.pane.scroll(by),
            Command::SortNext(by) => {
                if let Some(column) = self.pane.next_column(by, &self.store) {
                    self.sort_by(column, now);
                }
            }
            Command::SortBy(title) => match column_of(&*self.pane.list.view, title) {
                Some(column) => self.sort_by(column, now),
                None => self.say(format!("There is no column {title} here."), Health::Idle, now),
            },
            // What only panes do.
            Command::NextLink(_) | Command::Refresh => {}
            Command::Suspend => effects.push(Effect::Suspend),
            // Only panes of text have such keys.
            Command::Text(_) | Command::Console(_) => {}
        }
    }

    /// Sorts by a column, which is to be seen then.
    fn sort_by(&mut self, column: usize, now: Now) {
        self.pane.list.sort_by(column, &self.store, now);
        let area = Layout::of(self).inside();
        self.pane.reveal(column, area);
    }

    /// Goes to another set of columns that the view has, and from the last one to no set.
    fn next_set(&mut self, by: isize, now: Now) {
        let list = &self.pane.list;
        let sets = list.view.sets();
        let here = list.layout().set.and_then(|set| sets.iter().position(|&(_, other)| other == set));
        let ways = sets.len() + 1;
        let next = (here.map_or(0, |at| at + 1) + ways).saturating_add_signed(by) % ways;
        let chosen = next.checked_sub(1).map(|at| sets[at]);
        let wide = list.layout().wide && chosen.is_none();
        self.set = chosen.map(|(_, set)| set);
        self.pane.list.set_layout(wide, chosen.map(|(_, set)| set), &self.store, now);
        let said = match chosen {
            Some((name, _)) => format!("Columns: {name}."),
            None if sets.is_empty() => "This view has one set of columns.".to_owned(),
            None => "Columns: the usual ones.".to_owned(),
        };
        self.say(said, Health::Idle, now);
    }

    /// Shows the row in more detail beside the list, or leaves the list the whole room.
    fn toggle_side(&mut self, now: Now) {
        let shown = Layout::of(self).side().is_some();
        self.side.wanted = Some(!shown);
        if !shown && Layout::of(self).side().is_none() {
            let (columns, rows) = Layout::room_for_side();
            let said =
                format!("Details of the row take a list of {columns} columns and {rows} rows at least.");
            self.say(said, Health::Idle, now);
        }
    }

    fn click(&mut self, mouse: Mouse, inside: Rect, now: Now, effects: &mut Vec<Effect>) {
        let double = self.clicked.replace((now.instant, (mouse.x, mouse.y)));
        let double = double.is_some_and(|(then, place)| {
            place == (mouse.x, mouse.y) && now.instant.saturating_duration_since(then) < DOUBLE_CLICK
        });
        match self.pane.hit(mouse.x, mouse.y, inside) {
            Some(Hit::Column(column)) => self.pane.list.sort_by(column, &self.store, now),
            Some(Hit::Row(place)) => {
                self.pane.list.select(place, &self.store);
                if double {
                    self.clicked = None;
                    self.open(now, effects);
                }
            }
            None => {}
        }
    }
}
