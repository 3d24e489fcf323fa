//! The clipboard, by way of the terminal: it works over ssh, and needs no program beside.

use std::ffi::OsString;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A program between this one and the terminal that keeps sequences to itself unless they are wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Multiplexer {
    /// tmux.
    Tmux,
    /// GNU screen.
    Screen,
}

impl Multiplexer {
    /// Reads it from the environment.
    pub fn detect(env: &dyn Fn(&str) -> Option<OsString>) -> Option<Self> {
        let term = env("TERM").map(|term| term.to_string_lossy().into_owned()).unwrap_or_default();
        if env("TMUX").is_some_and(|value| !value.is_empty()) {
            Some(Self::Tmux)
        } else if term.starts_with("screen") {
            Some(Self::Screen)
        } else {
            None
        }
    }
}

/// What GNU screen lets through in one piece.
const SCREEN_PIECE: usize = 76;

/// The sequence (OSC 52) that puts text into the clipboard.
pub fn sequence(text: &str, within: Option<Multiplexer>) -> Vec<u8> {
    let osc = format!("\x1b]52;c;{}\x07", STANDARD.encode(text));
    match within {
        None => osc.into_bytes(),
        Some(Multiplexer::Tmux) => {
            format!("\x1bPtmux;{}\x1b\\", osc.replace('\x1b', "\x1b\x1b")).into_bytes()
        }
        Some(Multiplexer::Screen) => {
            let pieces = osc.as_bytes().chunks(SCREEN_PIECE);
            pieces.flat_map(|piece| [b"\x1bP", piece, b"\x1b\\"].concat()).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_reaches_the_terminal_through_whatever_is_between() {
        let plain = sequence("web-0", None);
        assert_eq!(plain, b"\x1b]52;c;d2ViLTA=\x07");
        let tmux = sequence("web-0", Some(Multiplexer::Tmux));
        assert_eq!(tmux, b"\x1bPtmux;\x1b\x1b]52;c;d2ViLTA=\x07\x1b\\");
        let screen = sequence(&"x".repeat(100), Some(Multiplexer::Screen));
        let pieces = screen.split(|&byte| byte == 0x07).next().unwrap();
        assert!(pieces.starts_with(b"\x1bP\x1b]52;c;") && screen.ends_with(b"\x1b\\"));
    }

    #[test]
    fn multiplexers_are_told_by_the_environment() {
        let with = |name: &'static str, value: &'static str| {
            Multiplexer::detect(&move |asked| (asked == name).then(|| value.into()))
        };
        assert_eq!(with("TMUX", "/tmp/tmux-0/default,1,0"), Some(Multiplexer::Tmux));
        assert_eq!(with("TERM", "screen-256color"), Some(Multiplexer::Screen));
        assert_eq!(with("TERM", "xterm-256color"), None);
    }
}
