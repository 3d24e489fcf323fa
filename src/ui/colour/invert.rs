//! A dark theme for a light terminal, and the other way round.

use palette::{FromColor as _, IsWithinBounds as _, Oklch, Srgb, convert::FromColorUnclamped as _};
use ratatui::style::Color;

/// Below this a colour is a grey.
const GREY: f32 = 0.01;
/// How far the lightness moves at once in search of a place for the chroma.
const STEP: f32 = 0.01;

/// The colour with its lightness turned round, as the eye sees it: OkLCh's L becomes 1 − L. The hue stays; of the chroma as
/// much stays as sRGB can show. Where that is less than half, the lightness goes as far towards the middle as half of it
/// needs. Colours that are not given by red, green and blue stay.
pub fn inverted(colour: Color) -> Color {
    let Color::Rgb(r, g, b) = colour else { return colour };
    let Oklch { l, chroma, hue } = Oklch::from_color(Srgb::new(r, g, b).into_format::<f32>());
    let mut lightness = 1.0 - l;
    if chroma < GREY {
        return rgb(Oklch::new(lightness, 0.0, hue));
    }
    let at = |l: f32| Oklch::new(l, chroma, hue);
    while most_chroma(at(lightness)) < chroma / 2.0 && (lightness - 0.5).abs() > STEP {
        lightness += STEP.copysign(0.5 - lightness);
    }
    rgb(Oklch { chroma: most_chroma(at(lightness)), ..at(lightness) })
}

/// How much of its chroma sRGB can show at this lightness and hue.
fn most_chroma(wanted: Oklch) -> f32 {
    let shown = |chroma: f32| Srgb::from_color_unclamped(Oklch { chroma, ..wanted }).is_within_bounds();
    if shown(wanted.chroma) {
        return wanted.chroma;
    }
    let (mut fits, mut too_much) = (0.0, wanted.chroma);
    // Halved as often as the eight bits of a channel can tell apart.
    for _ in 0..12 {
        let middle = f32::midpoint(fits, too_much);
        if shown(middle) { fits = middle } else { too_much = middle }
    }
    fits
}

fn rgb(colour: Oklch) -> Color {
    let Srgb { red, green, blue, .. } = Srgb::from_color(colour).into_format::<u8>();
    Color::Rgb(red, green, blue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::colour::named;

    fn lch(colour: Color) -> Oklch {
        let Color::Rgb(r, g, b) = colour else { panic!("{colour:?}") };
        Oklch::from_color(Srgb::new(r, g, b).into_format::<f32>())
    }

    #[test]
    fn light_becomes_dark_and_dark_light() {
        assert_eq!(inverted(named("black")), named("white"));
        assert_eq!(inverted(named("white")), named("black"));
        assert_eq!(inverted(Color::Reset), Color::Reset);
        assert_eq!(inverted(Color::Indexed(3)), Color::Indexed(3));
        for name in
            ["cadetblue", "papayawhip", "dodgerblue", "orangered", "palegreen", "navy", "yellow", "gray"]
        {
            let (before, after) = (lch(named(name)), lch(inverted(named(name))));
            let turned = (before.l - 0.5) * (after.l - 0.5) <= 0.01;
            assert!(
                turned && (before.l - 0.5).abs() + 0.02 > (after.l - 0.5).abs(),
                "{name}: {before:?} {after:?}"
            );
            assert!(
                after.chroma <= before.chroma + 0.01 && after.chroma >= before.chroma * 0.45,
                "{name}: {after:?}"
            );
            if before.chroma > 0.03 {
                let hue = (before.hue - after.hue).into_degrees().abs();
                assert!(hue < 3.0, "{name}: the hue moved by {hue}");
            }
        }
    }
}
