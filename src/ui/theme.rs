//! Colours, read from a theme in the format of k9s skins.

use std::str::FromStr;

use ratatui::style::{Color, Modifier, Style};
use serde_yaml::Value;

use crate::store::Health;

/// What is drawn in which style.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Plain text.
    pub body: Style,
    /// The logo.
    pub logo: Style,
    /// What is typed.
    pub prompt: Style,
    /// What could be typed next.
    pub suggestion: Style,
    /// The border of the command prompt.
    pub prompt_command: Style,
    /// The border of the filter prompt.
    pub prompt_filter: Style,
    /// Labels of the header.
    pub label: Style,
    /// Values of the header.
    pub value: Style,
    /// Keys in hints.
    pub key: Style,
    /// Texts of hints.
    pub hint: Style,
    /// The border of the list.
    pub border: Style,
    /// The name in a title.
    pub title: Style,
    /// The namespace in a title.
    pub title_part: Style,
    /// Counts in a title.
    pub counter: Style,
    /// The filter in a title.
    pub filter: Style,
    /// Titles of columns.
    pub column: Style,
    /// The title of the column that is sorted by.
    pub sorted: Style,
    /// A place in the last line but one.
    pub crumb: Style,
    /// The place where one is.
    pub crumb_here: Style,
    rows: [Color; 6],
}

const DARK: &str = include_str!("../../themes/dark.yaml");
const LIGHT: &str = include_str!("../../themes/light.yaml");

impl Default for Theme {
    fn default() -> Self {
        Self::read(DARK)
    }
}

impl Theme {
    /// The theme for light terminals.
    pub fn light() -> Self {
        Self::read(LIGHT)
    }

    /// Reads a skin. Whatever is missing or malformed is the terminal's own colour.
    pub fn read(yaml: &str) -> Self {
        let skin: Value = serde_yaml::from_str(yaml).unwrap_or_default();
        let colour = |path: &str| colour(&skin, path);
        let fg = |path: &str| Style::new().fg(colour(path));
        let body = fg("body.fgColor").bg(colour("body.bgColor"));
        let chip = |path: &str| {
            Style::new().fg(colour("frame.crumbs.fgColor")).bg(colour(path)).add_modifier(Modifier::BOLD)
        };
        Self {
            body,
            logo: fg("body.logoColor").add_modifier(Modifier::BOLD),
            prompt: fg("prompt.fgColor"),
            suggestion: fg("prompt.suggestColor").add_modifier(Modifier::DIM),
            prompt_command: fg("prompt.border.command"),
            prompt_filter: fg("prompt.border.default"),
            label: fg("info.fgColor"),
            value: fg("info.sectionColor").add_modifier(Modifier::BOLD),
            key: fg("frame.menu.keyColor").add_modifier(Modifier::BOLD),
            hint: fg("frame.menu.fgColor"),
            border: fg("frame.border.focusColor"),
            title: fg("frame.title.fgColor").add_modifier(Modifier::BOLD),
            title_part: fg("frame.title.highlightColor").add_modifier(Modifier::BOLD),
            counter: fg("frame.title.counterColor").add_modifier(Modifier::BOLD),
            filter: fg("frame.title.filterColor").add_modifier(Modifier::REVERSED),
            column: fg("views.table.header.fgColor").add_modifier(Modifier::BOLD),
            sorted: fg("views.table.header.sorterColor").add_modifier(Modifier::BOLD),
            crumb: chip("frame.crumbs.bgColor"),
            crumb_here: chip("frame.crumbs.activeColor"),
            rows: [
                colour("frame.status.newColor"),
                colour("frame.status.pendingColor"),
                colour("frame.status.completedColor"),
                colour("frame.status.highlightColor"),
                colour("frame.status.errorColor"),
                colour("frame.status.killColor"),
            ],
        }
    }

    /// The style of a row.
    pub fn row(&self, health: Health) -> Style {
        Style::new().fg(self.rows[health as usize])
    }
}

fn colour(skin: &Value, path: &str) -> Color {
    let value = path.split('.').fold(skin.get("k9s"), |value, key| value.and_then(|value| value.get(key)));
    match value.and_then(Value::as_str) {
        // Only this form: names in skins mean fixed colours, not those of the terminal.
        Some(text) if text.len() == 7 && text.starts_with('#') => {
            Color::from_str(text).unwrap_or(Color::Reset)
        }
        _ => Color::Reset,
    }
}

/// The sign beside a state, so that it can be told without colours.
pub fn symbol(health: Health) -> char {
    match health {
        Health::Well => '●',
        Health::Busy => '◐',
        Health::Idle => '○',
        Health::Warning => '▲',
        Health::Failed => '✗',
        Health::Leaving => '◌',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_themes_are_whole() {
        for theme in [Theme::default(), Theme::light()] {
            let set = |style: Style| style.fg.is_some_and(|colour| colour != Color::Reset);
            let styles = [
                theme.body,
                theme.logo,
                theme.prompt,
                theme.suggestion,
                theme.prompt_command,
                theme.prompt_filter,
                theme.label,
                theme.value,
                theme.key,
                theme.hint,
                theme.border,
                theme.title,
                theme.title_part,
                theme.counter,
                theme.filter,
                theme.column,
                theme.sorted,
                theme.crumb,
                theme.crumb_here,
            ];
            assert!(
                styles.into_iter().all(set) && theme.rows.iter().all(|&colour| colour != Color::Reset),
                "{theme:?}"
            );
        }
    }

    #[test]
    fn a_broken_skin_is_the_terminals_own_colours() {
        for yaml in ["", "k9s: [", "k9s: 7", "k9s:\n  body:\n    fgColor: [1]\n    logoColor: '#12345é'"] {
            assert_eq!(Theme::read(yaml).body.fg, Some(Color::Reset), "{yaml}");
        }
    }
}
