//! `v9s frame`: one frame of a view, for pictures, bug reports, and checks without a terminal.

use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use super::screen::Chosen;
use super::{Cli, Source, get};
use crate::config::Folders;
use crate::ui::app::Options;
use crate::ui::colour::looks;
use crate::ui::frame;
use crate::ui::signals::quiet_broken_pipe;

/// Draw one frame of a view and end
#[derive(Debug, Args)]
pub(super) struct Frame {
    /// vms, pods, namespaces, contexts, or any resource of the cluster
    view: String,
    /// Columns and rows of the screen
    #[arg(long, value_name = "COLSxROWS", default_value = "120x40", value_parser = size)]
    size: (u16, u16),
    /// What to write
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// More columns
    #[arg(long)]
    wide: bool,
    #[command(flatten)]
    source: Source,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Ansi,
    Svg,
}

fn size(text: &str) -> Result<(u16, u16), String> {
    let wrong = || format!("{text:?} is not of the form 120x40, from 1x1 to 1000x1000");
    let (columns, rows) = text.split_once('x').ok_or_else(wrong)?;
    let side =
        |text: &str| text.parse::<u16>().ok().filter(|side| (1..=1000).contains(side)).ok_or_else(wrong);
    Ok((side(columns)?, side(rows)?))
}

impl Frame {
    pub(super) fn run(&self, cli: &Cli) -> anyhow::Result<u8> {
        let chosen = Chosen::find(cli, &Folders::find());
        let (theme, _) = chosen.theme(cli, false)?;
        let options = Options {
            filter: self.source.filter.clone(),
            wide: self.wide,
            config: chosen.config,
            ..cli.connection.options(Some(self.view.clone()))
        };
        let (mut app, now) = get::filled(options, &cli.connection, &self.source, theme, self.size)?;
        let code = get::verdict(&app, &self.view);
        frame::prepare(&mut app, now);
        let area = Rect::new(0, 0, self.size.0, self.size.1);
        let mut buffer = Buffer::empty(area);
        frame::draw(&app, now, area, &mut buffer);
        let out = match self.format {
            Format::Text => text(&buffer),
            Format::Ansi => ansi(&buffer),
            Format::Svg => svg(&buffer),
        };
        quiet_broken_pipe(std::io::Write::write_all(&mut std::io::stdout(), out.as_bytes()))?;
        Ok(code)
    }
}

fn rows(buffer: &Buffer) -> impl Iterator<Item = &[Cell]> {
    buffer.content().chunks(usize::from(buffer.area.width).max(1))
}

fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for row in rows(buffer) {
        let start = out.len();
        let mut covered = 0;
        for cell in row {
            // The cell behind a wide character belongs to it.
            if covered > 0 {
                covered -= 1;
                continue;
            }
            covered = crate::text::width(cell.symbol()).saturating_sub(1);
            out.push_str(cell.symbol());
        }
        out.truncate(start + out[start..].trim_end().len());
        out.push('\n');
    }
    out
}

fn ansi(buffer: &Buffer) -> String {
    let mut out = String::new();
    for row in rows(buffer) {
        let mut last = None;
        let mut covered = 0;
        for cell in row {
            if covered > 0 {
                covered -= 1;
                continue;
            }
            covered = crate::text::width(cell.symbol()).saturating_sub(1);
            let style = (cell.fg, cell.bg, cell.modifier);
            if last != Some(style) {
                out.push_str("\x1b[0");
                for (modifier, code) in [
                    (Modifier::BOLD, 1),
                    (Modifier::DIM, 2),
                    (Modifier::UNDERLINED, 4),
                    (Modifier::REVERSED, 7),
                ] {
                    if cell.modifier.contains(modifier) {
                        let _ = write!(out, ";{code}");
                    }
                }
                for (colour, base) in [(cell.fg, 38), (cell.bg, 48)] {
                    if let Some([r, g, b]) = looks(colour) {
                        let _ = write!(out, ";{base};2;{r};{g};{b}");
                    }
                }
                out.push('m');
                last = Some(style);
            }
            out.push_str(cell.symbol());
        }
        out.push_str("\x1b[0m\n");
    }
    out
}

const CELL_WIDTH: u32 = 9;
const CELL_HEIGHT: u32 = 18;
const PAPER: &str = "#1b1d2b";
const INK: &str = "#c8d3f5";

/// A frame as an SVG picture, with a monospace font of the reader's machine.
pub fn svg(buffer: &Buffer) -> String {
    let (width, height) =
        (u32::from(buffer.area.width) * CELL_WIDTH, u32::from(buffer.area.height) * CELL_HEIGHT);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"15\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"{PAPER}\"/>\n"
    );
    for (y, row) in (0_u32..).zip(rows(buffer)) {
        let mut x = 0;
        while x < row.len() {
            let (first, style) = (x, (row[x].fg, row[x].bg, row[x].modifier));
            let mut run = String::new();
            while x < row.len() && (row[x].fg, row[x].bg, row[x].modifier) == style {
                run.push_str(row[x].symbol());
                x += crate::text::width(row[x].symbol()).max(1);
            }
            svg_run(
                &mut out,
                u32::try_from(first).unwrap_or(0),
                u32::try_from(x - first).unwrap_or(0),
                y,
                style,
                &run,
            );
        }
    }
    out.push_str("</svg>\n");
    out
}

fn svg_run(out: &mut String, x: u32, cells: u32, y: u32, style: (Color, Color, Modifier), run: &str) {
    let name = |colour: Color, default: &str| match looks(colour) {
        Some([r, g, b]) => format!("#{r:02x}{g:02x}{b:02x}"),
        None => default.to_owned(),
    };
    let (mut ink, mut paper) = (name(style.0, INK), name(style.1, PAPER));
    if style.2.contains(Modifier::REVERSED) {
        std::mem::swap(&mut ink, &mut paper);
    }
    let (left, top) = (x * CELL_WIDTH, y * CELL_HEIGHT);
    if paper != PAPER {
        let _ = writeln!(
            out,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"{CELL_HEIGHT}\" fill=\"{paper}\"/>",
            cells * CELL_WIDTH
        );
    }
    if run.trim().is_empty() {
        return;
    }
    let weight = if style.2.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
    let faint = if style.2.contains(Modifier::DIM) { " opacity=\"0.6\"" } else { "" };
    let line = if style.2.contains(Modifier::UNDERLINED) { " text-decoration=\"underline\"" } else { "" };
    let escaped = run.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(
        out,
        "<text x=\"{left}\" y=\"{}\" fill=\"{ink}\"{weight}{faint}{line} textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\" \
         xml:space=\"preserve\">{escaped}</text>",
        top + 14,
        cells * CELL_WIDTH,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        assert_eq!(size("120x40"), Ok((120, 40)));
        for text in ["", "x", "0x5", "1001x5", "5", "axb", "-1x3"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_format_has_the_text() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 8, 2));
        buffer.set_string(0, 0, "a<b 東", Color::Rgb(1, 2, 3));
        assert_eq!(text(&buffer), "a<b 東\n\n");
        assert!(ansi(&buffer).contains("\u{1b}[0;38;2;1;2;3ma<b 東"));
        assert!(svg(&buffer).contains("a&lt;b 東"));
        // Colours that a guest has chosen are seen as well.
        buffer.set_string(0, 1, "OK", Color::Indexed(2));
        assert!(svg(&buffer).contains("fill=\"#00cd00\""));
    }
}
