//! Panes over the list.

use ratatui::layout::Rect;

use super::App;
use crate::model::Now;
use crate::records::Kind;
use crate::store::Touched;
use crate::ui::message::{Answer, Draw, Effect, Ticket};
use crate::ui::panes::console::Taken;
use crate::ui::panes::{Ask, Pane, Scene};
use crate::ui::subject::Subject;

/// A pane over the list, with the questions that it has asked.
#[derive(Debug)]
pub struct Layer {
    /// The pane.
    pub pane: Box<dyn Pane>,
    id: LayerId,
    tickets: Vec<Ticket>,
}

/// The number of a pane over the list, never used twice: others may be opened over it and closed below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LayerId(u64);

impl App {
    /// The pane that has the keys, unless it is the list.
    pub fn top(&self) -> Option<&dyn Pane> {
        self.layers.last().map(|layer| &*layer.pane)
    }

    /// The object that keys are about now.
    pub fn subject(&self) -> Option<Subject> {
        match self.top() {
            Some(pane) => pane.subject().cloned(),
            None => {
                let id = self.pane.list.selected()?;
                Subject::of(id, &self.store, &self.session)
            }
        }
    }

    /// Opens a pane over what is on screen.
    pub(super) fn put_over(&mut self, pane: Box<dyn Pane>, now: Now, effects: &mut Vec<Effect>) {
        self.last_layer.0 += 1;
        self.layers.push(Layer { pane, id: self.last_layer, tickets: Vec::new() });
        // It comes first: what is wanted may be here already, and a pane that is told so may close itself.
        self.with_top(now, effects, |pane, scene| pane.start(scene));
        self.want_also(now, effects);
    }

    /// Closes the pane that has the keys.
    pub(super) fn take_off(&mut self, now: Now, effects: &mut Vec<Effect>) {
        if let Some(top) = self.layers.last() {
            self.close(top.id, now, effects);
        }
    }

    fn close(&mut self, id: LayerId, now: Now, effects: &mut Vec<Effect>) {
        if let Some(at) = self.place_of(id) {
            Self::end(vec![self.layers.remove(at)], effects);
            self.want_also(now, effects);
        }
    }

    fn place_of(&self, id: LayerId) -> Option<usize> {
        self.layers.iter().position(|layer| layer.id == id)
    }

    /// Closes all panes of a place that is left for good.
    pub(super) fn end(layers: Vec<Layer>, effects: &mut Vec<Effect>) {
        effects.extend(layers.into_iter().flat_map(|layer| layer.tickets).map(Effect::Forget));
    }

    pub(super) fn want_also(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let kinds = self.layers.iter().flat_map(|layer| layer.pane.partners()).copied();
        let names = self.completes.then_some(Kind::Namespace);
        self.session.want_also(kinds.chain(names), now, effects);
        self.feed(now, effects);
    }

    /// Lets the pane that has the keys do something.
    pub(super) fn with_top<T>(
        &mut self,
        now: Now,
        effects: &mut Vec<Effect>,
        act: impl FnOnce(&mut dyn Pane, &mut Scene<'_>) -> T,
    ) -> Option<T> {
        let top = self.layers.len().checked_sub(1)?;
        Some(self.with_layer(top, now, effects, act))
    }

    fn with_layer<T>(
        &mut self,
        at: usize,
        now: Now,
        effects: &mut Vec<Effect>,
        act: impl FnOnce(&mut dyn Pane, &mut Scene<'_>) -> T,
    ) -> T {
        let mut asks = Vec::new();
        let &mut Layer { ref mut pane, id, ref mut tickets } = &mut self.layers[at];
        let mut scene = Scene {
            store: &self.store,
            session: &self.session,
            now,
            asks: &mut asks,
            effects,
            tickets,
            last_ticket: &mut self.last_ticket,
            consoles: &mut self.consoles,
        };
        let done = act(&mut **pane, &mut scene);
        for ask in asks {
            self.grant(ask, id, now, effects);
        }
        done
    }

    /// Does what the pane of this number asks for.
    fn grant(&mut self, ask: Ask, by: LayerId, now: Now, effects: &mut Vec<Effect>) {
        match ask {
            Ask::Close => self.close(by, now, effects),
            Ask::Open(pane) => self.put_over(pane, now, effects),
            Ask::Say(text, health) => self.say(text, health, now),
            Ask::Run(typed) => self.run(&typed, now, effects),
            Ask::Search => self.open_search(now),
            Ask::Quit => self.quit = true,
            Ask::Show(kind, uid) => self.jump(kind, uid, now, effects),
            Ask::Find(found) => self.jump_to(&found, now, effects),
        }
    }

    /// Lets the pane that has the keys make what is to be drawn.
    pub fn prepare_layers(&mut self, inside: Rect, now: Now) {
        let mut effects = Vec::new();
        self.with_top(now, &mut effects, |pane, scene| pane.prepare(inside, scene));
        debug_assert!(effects.is_empty(), "what is drawn asks for nothing");
    }

    /// Hands an answer to the pane that has asked, wherever it is.
    pub(super) fn answered(
        &mut self,
        ticket: Ticket,
        answer: Answer,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Draw {
        if self.consoles.has(ticket) {
            let taken = self.consoles.take(ticket, answer, now, effects);
            return self.console_said(taken, now);
        }
        let asked = |layer: &Layer| layer.tickets.contains(&ticket);
        if let Some(at) = self.layers.iter().position(asked) {
            let id = self.layers[at].id;
            let draw = self.with_layer(at, now, effects, |pane, scene| pane.take(ticket, answer, scene));
            return self.drawn(id, draw);
        }
        // A pane of a place that one can go back to takes in what it is told, unseen.
        let places = self.back.iter_mut().flat_map(|place| &mut place.layers);
        if let Some(Layer { pane, tickets, .. }) = places.into_iter().find(|layer| asked(layer)) {
            let mut scene = Scene {
                store: &self.store,
                session: &self.session,
                now,
                asks: &mut Vec::new(),
                effects,
                tickets,
                last_ticket: &mut self.last_ticket,
                consoles: &mut self.consoles,
            };
            pane.take(ticket, answer, &mut scene);
        }
        Draw::No
    }

    /// What came of news of a console: nothing visible while it is not on screen, but for the mark that there is something new.
    fn console_said(&mut self, taken: Taken, now: Now) -> Draw {
        let shown = self.top().is_some_and(|top| top.crumb() == "console");
        let said = taken.said.is_some();
        if let Some((text, health)) = taken.said {
            self.say(text, health, now);
        }
        let draw = if shown && taken.active { taken.draw } else { Draw::No };
        if taken.marked || said { draw.max(Draw::Soon) } else { draw }
    }

    /// Tells the panes what the store has changed.
    pub(super) fn tell_layers(&mut self, touched: &Touched, now: Now, effects: &mut Vec<Effect>) -> Draw {
        let mut draw = Draw::No;
        let all: Vec<LayerId> = self.layers.iter().map(|layer| layer.id).collect();
        for id in all {
            // Those that were told before may have closed themselves, or left for another list.
            if let Some(at) = self.place_of(id) {
                let said = self.with_layer(at, now, effects, |pane, scene| pane.touched(touched, scene));
                draw = draw.max(self.drawn(id, said));
            }
        }
        draw
    }

    /// What has to be drawn because of a pane: nothing while it is below another one.
    fn drawn(&self, id: LayerId, said: Draw) -> Draw {
        let below = self.layers.split_last().is_some_and(|(_, below)| below.iter().any(|one| one.id == id));
        if below { Draw::No } else { said }
    }
}
