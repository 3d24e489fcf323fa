//! The values of a skin, by their keys below `k9s:`.

use ratatui::style::{Color, Modifier};
use serde_json::Value;

use crate::config::yaml::{self, Broken};
use crate::ui::colour::{inverted, named};

/// Every key that is drawn, with the value it has where a skin does not set it.
pub(super) const STOCK: &[(&str, &str)] = &[
    ("body.fgColor", "cadetblue"),
    ("body.bgColor", "black"),
    ("body.logoColor", "orange"),
    ("body.logoColorMsg", "white"),
    ("body.logoColorInfo", "green"),
    ("body.logoColorWarn", "mediumvioletred"),
    ("body.logoColorError", "red"),
    ("prompt.fgColor", "cadetblue"),
    ("prompt.bgColor", "black"),
    ("prompt.suggestColor", "dodgerblue"),
    ("prompt.border.command", "aqua"),
    ("prompt.border.default", "seagreen"),
    ("help.fgColor", "cadetblue"),
    ("help.bgColor", "black"),
    ("help.sectionColor", "green"),
    ("help.keyColor", "dodgerblue"),
    ("help.numKeyColor", "fuchsia"),
    ("frame.title.fgColor", "aqua"),
    ("frame.title.bgColor", "black"),
    ("frame.title.highlightColor", "fuchsia"),
    ("frame.title.counterColor", "papayawhip"),
    ("frame.title.filterColor", "seagreen"),
    ("frame.border.fgColor", "dodgerblue"),
    ("frame.border.focusColor", "lightskyblue"),
    ("frame.menu.fgColor", "white"),
    (MENU_STYLE, "dim"),
    ("frame.menu.keyColor", "dodgerblue"),
    ("frame.menu.numKeyColor", "fuchsia"),
    ("frame.crumbs.fgColor", "black"),
    ("frame.crumbs.bgColor", "aqua"),
    ("frame.crumbs.activeColor", "orange"),
    ("frame.status.newColor", "lightskyblue"),
    ("frame.status.modifyColor", "greenyellow"),
    ("frame.status.addColor", "dodgerblue"),
    ("frame.status.pendingColor", "darkorange"),
    ("frame.status.errorColor", "orangered"),
    ("frame.status.highlightColor", "aqua"),
    ("frame.status.killColor", "mediumpurple"),
    ("frame.status.completedColor", "lightslategray"),
    ("info.sectionColor", "white"),
    ("info.fgColor", "orange"),
    // k9s has these three in its code, and its stock skin unsets them.
    ("info.cpuColor", "lawngreen"),
    ("info.memColor", "darkturquoise"),
    ("info.k9sRevColor", "aqua"),
    ("views.table.fgColor", "aqua"),
    ("views.table.bgColor", "black"),
    ("views.table.cursorFgColor", "black"),
    ("views.table.markColor", "palegreen"),
    ("views.table.header.fgColor", "white"),
    ("views.table.header.bgColor", "black"),
    ("views.table.header.sorterColor", "aqua"),
    ("views.table.header.selectedSortColumnColor", "lightskyblue"),
    ("views.yaml.keyColor", "steelblue"),
    ("views.yaml.colonColor", "white"),
    ("views.yaml.valueColor", "papayawhip"),
    ("views.logs.fgColor", "lightskyblue"),
    ("views.logs.bgColor", "black"),
    ("views.logs.indicator.fgColor", "dodgerblue"),
    ("views.logs.indicator.bgColor", "black"),
    ("views.logs.indicator.toggleOnColor", "limegreen"),
    ("views.logs.indicator.toggleOffColor", "gray"),
    ("dialog.fgColor", "cadetblue"),
    ("dialog.bgColor", "black"),
    ("dialog.buttonFgColor", "black"),
    ("dialog.buttonBgColor", "darkslateblue"),
    ("dialog.buttonFocusFgColor", "black"),
    ("dialog.buttonFocusBgColor", "dodgerblue"),
    ("dialog.labelFgColor", "white"),
    ("dialog.fieldFgColor", "white"),
];

const MENU_STYLE: &str = "frame.menu.fgStyle";

/// What a file sets, over what is stock.
#[derive(Debug, Default)]
pub(super) struct Skin {
    file: Value,
    invert: bool,
}

impl Skin {
    /// Reads a file. Keys that are not known are no matter, and a value that is no text counts as not set.
    pub(super) fn read(yaml: &str, invert: bool) -> Result<Self, Broken> {
        Ok(Self { file: yaml::read(yaml)?, invert })
    }

    /// The text at a key, where the file has one.
    pub(super) fn set<'a>(&'a self, key: &str) -> Option<&'a str> {
        let below = |value: Option<&'a Value>, part: &str| value.and_then(|value| value.get(part));
        key.split('.').fold(self.file.get("k9s"), below).and_then(Value::as_str)
    }

    fn value(&self, key: &str) -> &str {
        let stock = || STOCK.iter().find(|(known, _)| *known == key).map(|(_, value)| *value);
        let value = self.set(key).or_else(stock);
        debug_assert!(value.is_some(), "{key} has no stock value");
        value.unwrap_or("default")
    }

    /// The colour at a key of [`STOCK`].
    pub(super) fn colour(&self, key: &str) -> Color {
        let colour = named(self.value(key));
        if self.invert { inverted(colour) } else { colour }
    }

    /// How the texts of hints are written.
    pub(super) fn menu_style(&self) -> Modifier {
        match self.value(MENU_STYLE) {
            "normal" => Modifier::empty(),
            "bold" => Modifier::BOLD,
            _ => Modifier::DIM,
        }
    }
}
