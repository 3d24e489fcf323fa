//! The way through the views, and back.

use super::over::Layer;
use super::{App, Shown};
use crate::model::Now;
use crate::store::Health;
use crate::ui::message::Effect;
use crate::ui::panes::list::ListPane;
use crate::views::{Filter, ViewRef};

/// Where one can go back to.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) view: ViewRef,
    pub(super) shown: Shown,
    filter: Filter,
    /// Cursor, order and columns of the list.
    pane: ListPane,
    /// The panes that were over it.
    pub(super) layers: Vec<Layer>,
}

const MOST_PLACES: usize = 100;
/// So many places keep the panes over their lists, with all that they hold.
const WHOLE_PLACES: usize = 8;

impl App {
    /// Takes what is on screen away, as a place to come back to.
    fn take_place(&mut self) -> Place {
        let (view, shown) = (self.pane.list.view.clone(), self.shown);
        let filter = self.pane.list.filter().clone();
        let pane = self.pane.without_rows();
        Place { view, shown, filter, pane, layers: std::mem::take(&mut self.layers) }
    }

    /// Notes what is on screen as a place to come back to.
    pub(super) fn leave(&mut self, effects: &mut Vec<Effect>) {
        let place = self.take_place();
        self.push_place(place, effects);
        // What one has come back from counts until one goes on.
        if let Some(last) = self.last.take() {
            Self::end(last.layers, effects);
        }
    }

    /// The same on the way to a view, unless it is the one on screen: nobody comes back to where one is.
    pub(super) fn leave_for(&mut self, view: &str, shown: Shown, filter: &Filter, effects: &mut Vec<Effect>) {
        let list = &self.pane.list;
        let same = list.view.name() == view && list.view.origin().is_none() && self.shown == shown;
        if !same || list.filter() != filter || !self.layers.is_empty() {
            self.leave(effects);
        }
    }

    fn push_place(&mut self, place: Place, effects: &mut Vec<Effect>) {
        if self.back.len() == MOST_PLACES {
            let oldest = self.back.remove(0);
            Self::end(oldest.layers, effects);
        }
        self.back.push(place);
        if let Some(at) = self.back.len().checked_sub(WHOLE_PLACES + 1) {
            Self::end(std::mem::take(&mut self.back[at].layers), effects);
        }
    }

    /// Shows a view.
    pub(super) fn go(
        &mut self,
        view: ViewRef,
        shown: Shown,
        filter: Filter,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        self.shown = shown;
        self.pane.list.set_filter(filter, &self.store, now);
        self.show(view, now, effects);
        self.want_also(now, effects);
        self.note_namespace(effects);
    }

    fn return_to(&mut self, place: Place, now: Now, effects: &mut Vec<Effect>) {
        self.layers = place.layers;
        if !place.view.sets().is_empty() {
            self.set = place.pane.list.layout().set;
        }
        self.pane = place.pane;
        self.go(place.view, place.shown, place.filter, now, effects);
    }

    /// One step back: out of a pane, out of the filter, out of the view.
    pub(super) fn back(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let searched = self.top().and_then(|pane| pane.search()).is_some_and(|text| !text.is_empty());
        if searched {
            self.with_top(now, effects, |pane, scene| pane.set_search("", scene));
        } else if !self.layers.is_empty() {
            self.take_off(now, effects);
        } else if !self.pane.list.filter().is_empty() || self.pane.list.faults_only() {
            self.pane.list.set_filter(Filter::default(), &self.store, now);
            self.pane.list.show_faults(false, &self.store, now);
        } else if let Some(place) = self.back.pop() {
            let here = self.take_place();
            if let Some(before) = self.last.replace(here) {
                Self::end(before.layers, effects);
            }
            self.return_to(place, now, effects);
        } else {
            self.say("Can't go back any further; :q quits.", Health::Idle, now);
        }
    }

    /// The view before this one, and from there this one again.
    pub(super) fn go_to_last(&mut self, now: Now, effects: &mut Vec<Effect>) {
        match self.last.take().or_else(|| self.back.pop()) {
            Some(place) => {
                let here = self.take_place();
                self.push_place(here, effects);
                self.return_to(place, now, effects);
            }
            None => self.say("No previous view to switch to.", Health::Idle, now),
        }
    }

    /// Forgets all places: they were of another cluster.
    pub(super) fn forget_places(&mut self, effects: &mut Vec<Effect>) {
        let places = self.back.drain(..).chain(self.last.take());
        let layers: Vec<Layer> = places.flat_map(|place| place.layers).chain(self.layers.drain(..)).collect();
        Self::end(layers, effects);
    }
}
