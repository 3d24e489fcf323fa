//! What is drawn in which style, read from a theme in the format of k9s skins.

mod skin;

use ratatui::style::{Color, Modifier, Style};

use self::skin::Skin;
use crate::config::yaml::Broken;
use crate::store::Health;

/// How skins are shown, whatever their colours are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Light and dark turned round.
    pub invert: bool,
    /// Without colours: bold, dim, underlined and reversed are what is left.
    pub monochrome: bool,
    /// With ASCII alone.
    pub ascii: bool,
}

macro_rules! theme {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// What is drawn in which style.
        ///
        /// A style sets the ground only where a skin has a key for it; the rest stands on that of [`Theme::body`]. None means
        /// anything by colour alone: what has to be told apart without colours also differs in a modifier, a sign or a word.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Theme {
            $($(#[doc = $doc])+ pub $name: Style,)+
            /// What the skin was read with.
            pub look: Look,
            rows: [Color; 6],
            cursor_text: Color,
            sources: Vec<Color>,
        }

        impl Theme {
            /// Every style with its name.
            pub fn styles(&self) -> Vec<(&'static str, Style)> {
                vec![$((stringify!($name), self.$name)),+]
            }

            fn styles_mut(&mut self) -> impl Iterator<Item = &mut Style> {
                [$(&mut self.$name),+].into_iter()
            }
        }
    };
}

theme! {
    /// Plain text, and the ground of the whole screen.
    body,
    /// The logo while there is nothing to say.
    logo,
    /// The text under the logo.
    logo_text,
    /// The logo while something is said that is no trouble.
    logo_info,
    /// The logo while something is said that somebody should look at.
    logo_warning,
    /// The logo while something is said that does not work.
    logo_error,
    /// What is typed.
    prompt,
    /// What could be typed next.
    suggestion,
    /// The border of the command prompt.
    prompt_command,
    /// The border of the filter prompt.
    prompt_filter,
    /// Labels of the header.
    label,
    /// Values of the header.
    value,
    /// The cluster's use of CPU.
    cpu,
    /// The cluster's use of memory.
    memory,
    /// The version of the program.
    revision,
    /// Keys in hints.
    key,
    /// Digits in hints.
    number_key,
    /// Texts of hints.
    hint,
    /// The border of a pane that does not have the keys.
    border_quiet,
    /// The border of the pane that has the keys.
    border,
    /// The name in a title.
    title,
    /// The namespace or path in a title.
    title_part,
    /// Counts in a title.
    counter,
    /// The filter in a title.
    filter,
    /// A place in the last line but one.
    crumb,
    /// The place where one is.
    crumb_here,
    /// Text and ground of a table, where a row says nothing else.
    table,
    /// Titles of columns.
    column,
    /// The title of the column that is sorted by, and its arrow.
    sorted,
    /// The title of the column that was chosen with the arrows.
    column_chosen,
    /// A marked row; [`MARK`] stands before it.
    marked,
    /// What has come with the last change.
    added,
    /// What is different since the last change.
    modified,
    /// A key in YAML, a label in a description.
    yaml_key,
    /// The colon behind it.
    yaml_colon,
    /// The value.
    yaml_value,
    /// A place where a search matches.
    search_match,
    /// The match where one is.
    search_here,
    /// Text and ground of a log.
    log_text,
    /// The time before a line.
    log_time,
    /// The line that says how a log is shown.
    log_bar,
    /// A switch in it that is on.
    log_on,
    /// A switch in it that is off.
    log_off,
    /// The title of a group of keys.
    help_section,
    /// A key.
    help_key,
    /// A digit.
    help_number_key,
    /// What a key does.
    help_text,
    /// Text and ground of a dialog.
    dialog_text,
    /// What stands before a field.
    dialog_label,
    /// What is typed into a field.
    dialog_field,
    /// A button.
    dialog_button,
    /// The button that `enter` presses.
    dialog_button_here,
}

/// The sign before a marked row.
pub const MARK: char = '✓';

pub(super) const DARK: &str = include_str!("../../themes/dark.yaml");

impl Default for Theme {
    /// The dark theme.
    fn default() -> Self {
        Self::read(DARK, Look::default()).unwrap_or_else(|_| Self::of(&Skin::default()))
    }
}

impl Theme {
    /// Reads a skin. What it does not set has the value of k9s's stock skin; what is malformed, the terminal's own colour.
    ///
    /// # Errors
    ///
    /// The text is no YAML.
    pub fn read(yaml: &str, look: Look) -> Result<Self, Broken> {
        let theme = Self::of(&Skin::read(yaml, look.invert)?);
        let theme = if look.monochrome { theme.monochrome() } else { theme };
        Ok(Self { look, ..theme })
    }

    fn of(skin: &Skin) -> Self {
        let colour = |key: &str| skin.colour(key);
        let fg = |key: &str| Style::new().fg(colour(key));
        let on = |text: &str, ground: &str| fg(text).bg(colour(ground));
        let bold = |style: Style| style.add_modifier(Modifier::BOLD);
        let reversed = |style: Style| style.add_modifier(Modifier::REVERSED);
        let logo = |key: &str| bold(fg(key));
        let title = |key: &str| bold(on(key, "frame.title.bgColor"));
        let column = |key: &str| bold(on(key, "views.table.header.bgColor"));
        let log_bar = |key: &str| on(key, "views.logs.indicator.bgColor");
        let help = |key: &str| on(key, "help.bgColor");
        let dialog = |key: &str| on(key, "dialog.bgColor");
        Self {
            body: on("body.fgColor", "body.bgColor"),
            logo: logo("body.logoColor"),
            logo_text: fg("body.logoColorMsg"),
            logo_info: logo("body.logoColorInfo"),
            logo_warning: logo("body.logoColorWarn"),
            logo_error: logo("body.logoColorError"),
            prompt: on("prompt.fgColor", "prompt.bgColor"),
            suggestion: on("prompt.suggestColor", "prompt.bgColor"),
            prompt_command: fg("prompt.border.command"),
            prompt_filter: fg("prompt.border.default"),
            label: fg("info.fgColor"),
            value: bold(fg("info.sectionColor")),
            cpu: bold(fg("info.cpuColor")),
            memory: bold(fg("info.memColor")),
            revision: bold(fg("info.k9sRevColor")),
            key: bold(fg("frame.menu.keyColor")),
            number_key: bold(fg("frame.menu.numKeyColor")),
            hint: fg("frame.menu.fgColor").add_modifier(skin.menu_style()),
            border_quiet: fg("frame.border.fgColor"),
            border: fg("frame.border.focusColor"),
            title: title("frame.title.fgColor"),
            title_part: title("frame.title.highlightColor"),
            counter: title("frame.title.counterColor"),
            filter: reversed(fg("frame.title.filterColor")),
            crumb: bold(on("frame.crumbs.fgColor", "frame.crumbs.bgColor")),
            crumb_here: bold(on("frame.crumbs.fgColor", "frame.crumbs.activeColor")),
            table: on("views.table.fgColor", "views.table.bgColor"),
            column: column("views.table.header.fgColor"),
            sorted: column("views.table.header.sorterColor"),
            column_chosen: column("views.table.header.selectedSortColumnColor")
                .add_modifier(Modifier::UNDERLINED),
            marked: bold(fg("views.table.markColor")),
            added: fg("frame.status.addColor"),
            modified: fg("frame.status.modifyColor"),
            yaml_key: fg("views.yaml.keyColor"),
            yaml_colon: fg("views.yaml.colonColor"),
            yaml_value: fg("views.yaml.valueColor"),
            search_match: reversed(fg("frame.title.filterColor")),
            search_here: bold(reversed(fg("frame.title.highlightColor"))).add_modifier(Modifier::UNDERLINED),
            log_text: on("views.logs.fgColor", "views.logs.bgColor"),
            log_time: on("frame.status.completedColor", "views.logs.bgColor"),
            log_bar: log_bar("views.logs.indicator.fgColor"),
            log_on: bold(log_bar("views.logs.indicator.toggleOnColor")),
            log_off: log_bar("views.logs.indicator.toggleOffColor"),
            help_section: bold(help("help.sectionColor")),
            help_key: bold(help("help.keyColor")),
            help_number_key: bold(help("help.numKeyColor")),
            help_text: help("help.fgColor"),
            dialog_text: dialog("dialog.fgColor"),
            dialog_label: dialog("dialog.labelFgColor"),
            dialog_field: bold(dialog("dialog.fieldFgColor")),
            dialog_button: on("dialog.buttonFgColor", "dialog.buttonBgColor"),
            dialog_button_here: bold(on("dialog.buttonFocusFgColor", "dialog.buttonFocusBgColor")),
            look: Look::default(),
            rows: [
                colour("frame.status.newColor"),
                colour("frame.status.pendingColor"),
                colour("frame.status.completedColor"),
                colour("frame.status.highlightColor"),
                colour("frame.status.errorColor"),
                colour("frame.status.killColor"),
            ],
            cursor_text: colour("views.table.cursorFgColor"),
            sources: SOURCES.iter().map(|key| colour(key)).fold(Vec::new(), |mut distinct, colour| {
                if colour != Color::Reset && !distinct.contains(&colour) {
                    distinct.push(colour);
                }
                distinct
            }),
        }
    }

    fn monochrome(mut self) -> Self {
        for style in self.styles_mut() {
            *style = Style::new().add_modifier(style.add_modifier);
        }
        let (reversed, dim) = (Modifier::REVERSED, Modifier::DIM);
        for style in [&mut self.crumb, &mut self.crumb_here, &mut self.dialog_button_here] {
            *style = style.add_modifier(reversed);
        }
        for style in [&mut self.suggestion, &mut self.border_quiet, &mut self.log_time, &mut self.log_off] {
            *style = style.add_modifier(dim);
        }
        for style in [&mut self.added, &mut self.modified, &mut self.yaml_key] {
            *style = style.add_modifier(Modifier::BOLD);
        }
        self.rows = [Color::Reset; 6];
        self.cursor_text = Color::Reset;
        self.sources.clear();
        self
    }

    /// The style of a row.
    pub fn row(&self, health: Health) -> Style {
        Style::new().fg(self.rows[health as usize])
    }

    /// The style of the row under the cursor, where it would be `row` without: its colour becomes the ground.
    pub fn cursor(&self, row: Style) -> Style {
        row.bg(self.cursor_text).add_modifier(Modifier::BOLD | Modifier::REVERSED)
    }

    /// The style of the name before the lines of one of several sources in a log: the first ones differ from each other, then
    /// they come again.
    pub fn log_source(&self, number: usize) -> Style {
        let colour = self.sources.get(number % self.sources.len().max(1)).copied();
        colour.map_or(self.log_text, |colour| self.log_text.fg(colour)).add_modifier(Modifier::BOLD)
    }
}

/// Skins have no colours for the sources of a log: they share those of other things, and none of an error's.
const SOURCES: [&str; 8] = [
    "frame.menu.keyColor",
    "frame.title.counterColor",
    "frame.title.highlightColor",
    "frame.title.filterColor",
    "info.fgColor",
    "frame.status.killColor",
    "frame.status.highlightColor",
    "views.table.markColor",
];

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
mod tests;
