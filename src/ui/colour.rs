//! Colours: what skins call them, how many the terminal shows, and the nearest of these.

mod invert;
mod names;

use std::ffi::OsString;

use palette::color_difference::Wcag21RelativeContrast as _;
use palette::{FromColor as _, Oklch, Srgb};
use ratatui::style::Color;

pub use invert::inverted;
pub use names::named;

/// What the terminal can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColourDepth {
    /// No colours: bold, dim, underlined and reversed only.
    Mono,
    /// The sixteen whose look the user chose.
    Palette16,
    /// The 256 of xterm.
    Palette256,
    /// 24 bits.
    #[default]
    True,
}

/// Whether the user wants no colours: `NO_COLOR` is there and not empty, whatever it says (<https://no-color.org>).
pub fn unwanted(env: &dyn Fn(&str) -> Option<OsString>) -> bool {
    env("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// `TERM`s, by their beginning, that show 24 bits; over ssh `COLORTERM` is lost and this is all there is to go by.
const TRUE_TERMS: [&str; 7] =
    ["xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm", "contour", "rio"];
const MONO_TERMS: [&str; 5] = ["dumb", "vt100", "vt102", "vt220", "vt320"];

impl ColourDepth {
    /// Reads it from the environment: `NO_COLOR` first, then `COLORTERM`, then `TERM`.
    pub fn detect(env: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let get = |name| env(name).map(|value| value.to_string_lossy().to_ascii_lowercase());
        let term = get("TERM").unwrap_or_default();
        if unwanted(env) || MONO_TERMS.contains(&term.as_str()) {
            return Self::Mono;
        }
        let named_true = get("COLORTERM").is_some_and(|value| value == "truecolor" || value == "24bit");
        if named_true || term.ends_with("-direct") || TRUE_TERMS.iter().any(|known| term.starts_with(known)) {
            return Self::True;
        }
        if term.ends_with("-256color") {
            return Self::Palette256;
        }
        // The console of Windows sets no `TERM` and shows 24 bits.
        if cfg!(windows) && term.is_empty() { Self::True } else { Self::Palette16 }
    }

    /// The nearest colour that the terminal shows.
    pub fn nearest(self, colour: Color) -> Color {
        match (self, colour) {
            (Self::True, _) => colour,
            (Self::Mono, _) => Color::Reset,
            (Self::Palette256, Color::Rgb(r, g, b)) => Color::Indexed(index_256([r, g, b])),
            (Self::Palette16, Color::Rgb(r, g, b)) => named_16([r, g, b]),
            (Self::Palette16, Color::Indexed(index)) if index >= 16 => named_16(rgb_of(index)),
            _ => colour,
        }
    }
}

impl ColourDepth {
    /// Text and ground as the terminal shows them. Of the sixteen some are pale on a light ground and some dark on a dark one:
    /// where a text could not be read, another one takes its place.
    pub fn pair(self, text: Color, ground: Color) -> (Color, Color) {
        let (shown, behind) = (self.nearest(text), self.nearest(ground));
        // Nothing is known of the terminal's own colours.
        if self != Self::Palette16 || shown == text || behind == ground {
            return (shown, behind);
        }
        let (Some(rgb), Some(on)) = (looks(text), looks(behind)) else { return (shown, behind) };
        let reads = |colour: Color| looks(colour).is_some_and(|rgb| contrast(rgb, on) >= READABLE);
        let light = contrast([0; 3], on) > contrast([255; 3], on);
        let same_hue = if light { hue_on_light(rgb) } else { hue_on_dark(rgb) };
        let last = if light { Color::Black } else { Color::White };
        ([shown, same_hue].into_iter().find(|&colour| reads(colour)).unwrap_or(last), behind)
    }
}

/// Text with less contrast to its ground than this is hard to read, as WCAG 2.1 has it for what is large or bold.
const READABLE: f32 = 3.0;

/// The contrast of two colours as WCAG 2.1 reckons it, from 1 to 21.
fn contrast(one: Rgb, other: Rgb) -> f32 {
    let [one, other] = [one, other].map(|[r, g, b]| Srgb::new(r, g, b).into_format::<f32>());
    one.relative_contrast(other)
}

type Rgb = [u8; 3];

/// The brightness of the six steps of the colour cube.
const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The sixteen as xterm shows them. Users choose their own; nothing better is known without asking the terminal.
const SIXTEEN: [(Color, Rgb); 16] = [
    (Color::Black, [0, 0, 0]),
    (Color::Red, [205, 0, 0]),
    (Color::Green, [0, 205, 0]),
    (Color::Yellow, [205, 205, 0]),
    (Color::Blue, [0, 0, 238]),
    (Color::Magenta, [205, 0, 205]),
    (Color::Cyan, [0, 205, 205]),
    (Color::Gray, [229, 229, 229]),
    (Color::DarkGray, [127, 127, 127]),
    (Color::LightRed, [255, 0, 0]),
    (Color::LightGreen, [0, 255, 0]),
    (Color::LightYellow, [255, 255, 0]),
    (Color::LightBlue, [92, 92, 255]),
    (Color::LightMagenta, [255, 0, 255]),
    (Color::LightCyan, [0, 255, 255]),
    (Color::White, [255, 255, 255]),
];

/// What a colour looks like; none for the terminal's own.
pub fn looks(colour: Color) -> Option<[u8; 3]> {
    match colour {
        Color::Rgb(r, g, b) => Some([r, g, b]),
        Color::Indexed(index) => Some(rgb_of(index)),
        named => SIXTEEN.iter().find(|(one, _)| *one == named).map(|(_, rgb)| *rgb),
    }
}

/// Which of the colour cube and the greys is nearest. The first sixteen are left out: users change them.
fn index_256(rgb: Rgb) -> u8 {
    let cube = rgb.map(nearest_step);
    let cube = 16 + 36 * cube[0] + 6 * cube[1] + cube[2];
    let mean = rgb.iter().map(|value| u16::from(*value)).sum::<u16>() / 3;
    let grey = 232 + u8::try_from((mean.saturating_sub(3) / 10).min(23)).unwrap_or(23);
    if distance(rgb, rgb_of(grey)) < distance(rgb, rgb_of(cube)) { grey } else { cube }
}

fn nearest_step(value: u8) -> u8 {
    let mut best = 0;
    for step in 1..6 {
        if value.abs_diff(STEPS[usize::from(step)]) < value.abs_diff(STEPS[usize::from(best)]) {
            best = step;
        }
    }
    best
}

/// What an index of the 256 looks like.
fn rgb_of(index: u8) -> Rgb {
    match index {
        0..=15 => SIXTEEN[usize::from(index)].1,
        16..=231 => {
            let cube = index - 16;
            [cube / 36, cube / 6 % 6, cube % 6].map(|step| STEPS[usize::from(step)])
        }
        232..=255 => [8 + 10 * (index - 232); 3],
    }
}

/// Where the hues of the sixteen end, in degrees of OkLCh, with the dark and the bright one of each; after the last one red
/// begins again.
const HUES: [(f32, usize, usize); 6] =
    [(41.0, 1, 9), (118.0, 3, 11), (165.0, 2, 10), (234.0, 6, 14), (293.0, 4, 12), (345.0, 5, 13)];

/// What stands for each of these hues on a light ground: yellow, green and cyan are pale there, and what is meant by them has
/// to differ from the others all the same.
const ON_LIGHT: [usize; 6] = [1, 9, 0, 12, 4, 5];

/// The greys among the sixteen.
const GREYS: [usize; 4] = [0, 8, 7, 15];

/// Which of the sixteen has the hue, then the lightness. By distance alone soft colours would become greys, and red is what
/// must not: a fault would be the dimmest row of all.
fn named_16(rgb: Rgb) -> Color {
    let l = lch(rgb).l;
    let of_hue = hue_of(rgb).map(|at| [HUES[at].1, HUES[at].2]);
    let candidates: &[usize] = of_hue.as_ref().map_or(&GREYS, |of_hue| of_hue);
    let away = |at: usize| (lch(SIXTEEN[at].1).l - l).abs();
    let nearest = candidates.iter().copied().min_by(|&one, &other| away(one).total_cmp(&away(other)));
    SIXTEEN[nearest.unwrap_or(7)].0
}

fn lch([r, g, b]: Rgb) -> Oklch {
    Oklch::from_color(Srgb::new(r, g, b).into_format::<f32>())
}

/// Which of [`HUES`] it has; none if it is a grey.
fn hue_of(rgb: Rgb) -> Option<usize> {
    let Oklch { l, chroma, hue } = lch(rgb);
    // The bluish greys of many skins are meant as greys. Dark colours cannot have much chroma.
    let grey = l < 0.2 || (chroma < 0.093 && chroma < 0.16 * l);
    let hue = hue.into_positive_degrees();
    (!grey).then(|| HUES.iter().position(|&(end, ..)| hue < end).unwrap_or(0))
}

/// Which of the sixteen says the same on a light ground.
fn hue_on_light(rgb: Rgb) -> Color {
    SIXTEEN[hue_of(rgb).map_or(8, |at| ON_LIGHT[at])].0
}

/// Which of the sixteen says the same on a dark ground.
fn hue_on_dark(rgb: Rgb) -> Color {
    SIXTEEN[hue_of(rgb).map_or(7, |at| HUES[at].2)].0
}

/// Squared distance, weighted the way the eye sees ("redmean"): the plain one turns soft colours grey.
fn distance(a: Rgb, b: Rgb) -> u32 {
    let red = (u32::from(a[0]) + u32::from(b[0])) / 2;
    let square = |at: usize| u32::from(a[at].abs_diff(b[at])).pow(2);
    (((512 + red) * square(0)) >> 8) + 4 * square(1) + (((767 - red) * square(2)) >> 8)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use ColourDepth::{Mono, Palette16, Palette256, True};

    #[test]
    fn the_environment_says_how_many() {
        let cases: [(&[(&str, &str)], ColourDepth); 14] = [
            (&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")], Mono),
            (&[("NO_COLOR", "0"), ("TERM", "xterm-256color")], Mono),
            (&[("NO_COLOR", ""), ("TERM", "xterm-256color")], Palette256),
            (&[("COLORTERM", "truecolor"), ("TERM", "xterm-256color")], True),
            (&[("COLORTERM", "24bit")], True),
            (&[("COLORTERM", "yes"), ("TERM", "xterm")], Palette16),
            (&[("TERM", "dumb"), ("COLORTERM", "truecolor")], Mono),
            (&[("TERM", "vt100")], Mono),
            (&[("TERM", "screen-256color")], Palette256),
            (&[("TERM", "xterm-kitty")], True),
            (&[("TERM", "foot-extra")], True),
            (&[("TERM", "xterm-direct")], True),
            (&[("TERM", "linux")], Palette16),
            (&[("TERM", "xterm")], Palette16),
        ];
        for (env, want) in cases {
            let get =
                |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
            assert_eq!(ColourDepth::detect(&get), want, "{env:?}");
        }
    }

    #[test]
    fn colours_find_their_nearest() {
        let cases = [
            (True, Color::Rgb(1, 2, 3), Color::Rgb(1, 2, 3)),
            (Palette256, Color::Rgb(0, 0, 0), Color::Indexed(16)),
            (Palette256, Color::Rgb(255, 255, 255), Color::Indexed(231)),
            (Palette256, Color::Rgb(95, 135, 175), Color::Indexed(67)),
            (Palette256, Color::Rgb(30, 144, 255), Color::Indexed(33)),
            (Palette256, Color::Rgb(128, 128, 128), Color::Indexed(244)),
            (Palette256, Color::Rgb(18, 18, 18), Color::Indexed(233)),
            (Palette256, Color::Rgb(240, 240, 240), Color::Indexed(255)),
            (Palette256, Color::Indexed(200), Color::Indexed(200)),
            (Palette256, Color::Red, Color::Red),
            (Palette16, Color::Rgb(250, 5, 5), Color::LightRed),
            (Palette16, Color::Rgb(30, 144, 255), Color::LightBlue),
            (Palette16, Color::Rgb(255, 69, 0), Color::LightRed),
            (Palette16, Color::Rgb(10, 10, 10), Color::Black),
            (Palette16, Color::Rgb(0, 0, 0), Color::Black),
            (Palette16, Color::Rgb(255, 255, 255), Color::White),
            (Palette16, Color::Rgb(130, 120, 125), Color::DarkGray),
            (Palette16, Color::Rgb(255, 117, 127), Color::LightRed),
            (Palette16, Color::Rgb(184, 47, 54), Color::Red),
            (Palette16, Color::Rgb(255, 165, 0), Color::Yellow),
            (Palette16, Color::Rgb(180, 194, 240), Color::Gray),
            (Palette16, Color::Rgb(135, 206, 250), Color::LightBlue),
            (Palette16, Color::Indexed(21), Color::Blue),
            (Palette16, Color::Indexed(3), Color::Indexed(3)),
            (Palette16, Color::Reset, Color::Reset),
            (Mono, Color::Rgb(250, 5, 5), Color::Reset),
            (Mono, Color::Yellow, Color::Reset),
        ];
        for (depth, colour, want) in cases {
            assert_eq!(depth.nearest(colour), want, "{depth:?} {colour:?}");
        }
    }

    /// What one of the 256 looks like, as a colour.
    pub(in crate::ui) fn shown(colour: Color) -> Color {
        looks(colour).map_or(colour, |[r, g, b]| Color::Rgb(r, g, b))
    }

    #[test]
    fn the_256_are_their_own_nearest() {
        for index in 16..=255 {
            let [r, g, b] = rgb_of(index);
            let Color::Indexed(found) = Palette256.nearest(Color::Rgb(r, g, b)) else { unreachable!() };
            assert_eq!(rgb_of(found), [r, g, b], "{index}");
        }
    }
}
