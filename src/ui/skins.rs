//! Skins by name: ours, those in the user's folder, those that k9s has.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::theme::{DARK, Look, Theme};
use crate::config::Folders;
use crate::config::settings::Loaded;
use crate::config::yaml::{self, Broken};
use crate::text::clean;

/// Our own, by their names.
pub(super) const OURS: [(&str, &str); 3] = [
    ("dark", DARK),
    ("light", include_str!("../../themes/light.yaml")),
    ("contrast", include_str!("../../themes/contrast.yaml")),
];

const ENDINGS: [&str; 2] = ["yaml", "yml"];

/// Why a skin cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SkinError {
    /// None has this name.
    #[error("There is no skin {}; there are {there}.", clean(name))]
    Unknown {
        /// The name.
        name: String,
        /// Some that there are.
        there: String,
    },
    /// The file is not there, or is none.
    #[error("The skin {} cannot be used: {why}.", clean(path))]
    Broken {
        /// Its path.
        path: String,
        /// What is wrong, and where.
        why: Broken,
    },
}

/// The folders in which skins are looked for by name, after ours.
pub fn folders(own: &Folders, k9s: Option<&Folders>) -> Vec<PathBuf> {
    [Some(own), k9s].into_iter().flatten().map(|folders| folders.config.join("skins")).collect()
}

/// The names that [`load`] knows: ours, then those of each folder in the order of the alphabet.
pub fn available(folders: &[PathBuf]) -> Vec<String> {
    let mut names: Vec<String> = OURS.map(|(name, _)| name.to_owned()).into();
    for folder in folders {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut found: Vec<String> = entries.filter_map(|entry| name_of(&entry.path())).collect();
        found.sort_unstable();
        found.retain(|name| !names.contains(name));
        names.extend(found);
    }
    names
}

fn name_of(path: &Path) -> Option<String> {
    let ending = path.extension()?.to_str()?;
    ENDINGS.contains(&ending).then(|| path.file_stem()?.to_str().map(str::to_owned)).flatten()
}

/// Reads a skin by its name, or by its path: a text with a separator, or with the ending of such a file, is a path.
///
/// # Errors
///
/// There is none of this name, or its file cannot be read.
pub fn load(name: &str, folders: &[PathBuf], look: Look) -> Result<Theme, SkinError> {
    if let Some((_, text)) = OURS.iter().find(|(ours, _)| *ours == name) {
        return Theme::read(text, look).map_err(|why| SkinError::Broken { path: name.to_owned(), why });
    }
    let path = Path::new(name);
    if name.contains(std::path::is_separator) || name_of(path).is_some() {
        let missing = || Broken { place: None, why: "there is no such file".to_owned() };
        return read(path, look)
            .unwrap_or_else(|| Err(SkinError::Broken { path: path.display().to_string(), why: missing() }));
    }
    let files =
        folders.iter().flat_map(|folder| ENDINGS.map(|ending| folder.join(format!("{name}.{ending}"))));
    let named = || SkinError::Unknown { name: name.to_owned(), there: some(&available(folders)) };
    files.filter(|_| !name.is_empty()).find_map(|file| read(&file, look)).unwrap_or_else(|| Err(named()))
}

/// `None` if there is no such file.
fn read(path: &Path, look: Look) -> Option<Result<Theme, SkinError>> {
    let text = yaml::text_of(path).transpose()?;
    let theme = text.and_then(|text| Theme::read(&text, look));
    Some(theme.map_err(|why| SkinError::Broken { path: path.display().to_string(), why }))
}

fn some(names: &[String]) -> String {
    const MOST: usize = 12;
    let more = if names.len() > MOST { ", …" } else { "" };
    format!("{}{more}", clean(&names[..names.len().min(MOST)].join(", ")))
}

/// The skin that the environment names: `V9S_SKIN`, else `K9S_SKIN`.
pub fn asked(env: &dyn Fn(&str) -> Option<OsString>) -> Option<OsString> {
    let variable = |name: &str| env(name).filter(|value| !value.is_empty());
    variable("V9S_SKIN").or_else(|| variable("K9S_SKIN"))
}

/// The theme to begin with, and what there is to say about it: the skin of the command line, of `V9S_SKIN`, of `K9S_SKIN`, of
/// the config files.
///
/// # Errors
///
/// The skin of the command line cannot be used. Others never stop the start: the dark theme takes their place.
pub fn first(
    flag: Option<&str>,
    env: &dyn Fn(&str) -> Option<OsString>,
    loaded: &Loaded,
    folders: &[PathBuf],
    look: Look,
) -> Result<(Theme, Option<String>), SkinError> {
    if let Some(name) = flag {
        return load(name, folders, look).map(|theme| (theme, None));
    }
    let asked = asked(env);
    let name = asked.as_ref().map_or(loaded.config.ui.skin.as_str().into(), |name| name.to_string_lossy());
    load(&name, folders, look).map(|theme| (theme, None)).or_else(|why| {
        // k9s says nothing of a skin that is not there, and neither do we of one that it was told.
        let quiet = matches!(why, SkinError::Unknown { .. }) && asked.is_none() && loaded.skin_of_k9s;
        Ok((load("dark", folders, look)?, (!quiet).then(|| why.to_string())))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn shelf() -> (tempfile::TempDir, Vec<PathBuf>) {
        let top = tempfile::tempdir().unwrap();
        let folders = vec![top.path().join("ours"), top.path().join("k9s")];
        for (path, text) in [
            ("ours/nord.yaml", "k9s: {body: {fgColor: '#010101'}}"),
            ("k9s/nord.yaml", "k9s: {body: {fgColor: '#020202'}}"),
            ("k9s/dracula.yml", "k9s: {body: {fgColor: '#030303'}}"),
            ("k9s/dark.yaml", "k9s: {body: {fgColor: '#040404'}}"),
            ("k9s/broken.yaml", "k9s:\n  body: [\n"),
            ("k9s/readme.md", ""),
        ] {
            let path = top.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        (top, folders)
    }

    fn text(theme: &Theme) -> String {
        theme.body.fg.unwrap().to_string()
    }

    #[test]
    fn names_are_ours_then_the_users_then_those_of_k9s() {
        let (top, folders) = shelf();
        assert_eq!(available(&folders), ["dark", "light", "contrast", "nord", "broken", "dracula"]);
        assert_eq!(available(&[]), ["dark", "light", "contrast"]);
        let file = top.path().join("k9s/nord.yaml");
        let cases = [("nord", "#010101"), ("dracula", "#030303"), (file.to_str().unwrap(), "#020202")];
        for (name, colour) in cases {
            assert_eq!(text(&load(name, &folders, Look::default()).unwrap()), colour, "{name}");
        }
        assert_eq!(load("dark", &folders, Look::default()), Ok(Theme::default()));
        for name in available(&[]) {
            assert!(load(&name, &[], Look::default()).is_ok());
        }
    }

    #[test]
    fn what_cannot_be_used_is_named_in_one_sentence() {
        let (top, folders) = shelf();
        let cases = [
            ("nrod", "There is no skin nrod; there are dark, light, contrast, nord, broken, dracula."),
            ("", "There is no skin ; there are"),
            ("broken", "k9s/broken.yaml cannot be used: line 2, column 9: "),
            ("./none.yaml", "The skin ./none.yaml cannot be used: there is no such file."),
            ("none.yaml", "The skin none.yaml cannot be used: there is no such file."),
            ("a/b", "The skin a/b cannot be used: there is no such file."),
            (top.path().to_str().unwrap(), "cannot be used: "),
            ("a\u{1b}b", "There is no skin a␛b"),
        ];
        for (name, want) in cases {
            let said = load(name, &folders, Look::default()).unwrap_err().to_string();
            assert!(said.contains(want) && said.lines().count() == 1, "{name}: {said}");
        }
    }

    #[test]
    fn the_command_line_stands_above_the_environment_and_that_above_the_files() {
        let (_top, folders) = shelf();
        type Case<'a> = (Option<&'a str>, &'a [(&'a str, &'a str)], &'a str, &'a str, bool);
        let cases: [Case<'_>; 8] = [
            (None, &[], "nord", "#010101", false),
            (None, &[("K9S_SKIN", "dracula")], "nord", "#030303", false),
            (None, &[("K9S_SKIN", "dracula"), ("V9S_SKIN", "nord")], "dark", "#010101", false),
            (None, &[("V9S_SKIN", "")], "nord", "#010101", false),
            (Some("dracula"), &[("V9S_SKIN", "nord")], "dark", "#030303", false),
            (None, &[], "none", "#C8D3F5", true),
            (None, &[("V9S_SKIN", "broken")], "nord", "#C8D3F5", true),
            (None, &[], "dark", "#C8D3F5", false),
        ];
        for (flag, env, config, colour, said) in cases {
            let get =
                |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
            let mut loaded = Loaded::default();
            loaded.config.ui.skin = config.to_owned();
            let (theme, warning) = first(flag, &get, &loaded, &folders, Look::default()).unwrap();
            assert_eq!(
                (&*text(&theme), warning.is_some()),
                (colour, said),
                "{flag:?} {env:?} {config} {warning:?}"
            );
            loaded.skin_of_k9s = true;
            let (_, warning) = first(flag, &get, &loaded, &folders, Look::default()).unwrap();
            assert_eq!(warning.is_some(), said && config != "none", "{warning:?}");
        }
        assert!(first(Some("none"), &|_| None, &Loaded::default(), &folders, Look::default()).is_err());
    }
}
