//! What the program remembers of a context from one run to the next.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::folders::{Folders, write_atomically};
use super::{file_name, yaml};
use crate::text::clean;

/// What is remembered of a context.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct State {
    /// Namespaces that were visited.
    pub favourites: Favourites,
    /// Commands that were given.
    pub history: History,
}

/// All namespaces, which have the key 0.
const ALL: &str = "all";

/// Namespaces that were visited, for the keys from 1 to 9. One that is new comes first, and the last of nine goes. One that
/// is known stays where it is, for fingers have learnt its key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<String>")]
pub struct Favourites(Vec<String>);

impl Favourites {
    /// There are so many keys.
    pub const MOST: usize = 9;

    /// Notes that a namespace is shown; says whether that is news.
    pub fn visited(&mut self, namespace: &str) -> bool {
        if namespace.is_empty() || namespace == ALL || self.0.iter().any(|known| known == namespace) {
            return false;
        }
        self.0.truncate(Self::MOST - 1);
        self.0.insert(0, namespace.to_owned());
        true
    }

    /// The namespaces of the keys 1, 2, …: those that the user has chosen, then these.
    pub fn after<'a>(&'a self, chosen: &'a [String]) -> Vec<&'a str> {
        let mut names: Vec<&str> = Vec::new();
        for name in chosen.iter().chain(&self.0) {
            let of_its_own = !name.is_empty() && name != ALL && !names.contains(&name.as_str());
            if of_its_own && names.len() < Self::MOST {
                names.push(name);
            }
        }
        names
    }
}

impl From<Vec<String>> for Favourites {
    fn from(names: Vec<String>) -> Self {
        Self(Self(names).after(&[]).into_iter().map(str::to_owned).collect())
    }
}

/// Commands that were given, the last one first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<String>")]
pub struct History(Vec<String>);

impl History {
    /// More than that nobody looks for.
    pub const MOST: usize = 100;

    /// Notes a command; one that was given before moves to the front.
    pub fn given(&mut self, command: &str) {
        self.0.retain(|known| known != command);
        self.0.insert(0, command.to_owned());
        self.0.truncate(Self::MOST);
    }

    /// The commands, the last one first.
    pub fn commands(&self) -> &[String] {
        &self.0
    }
}

impl From<Vec<String>> for History {
    fn from(commands: Vec<String>) -> Self {
        let mut history = Self::default();
        commands
            .iter()
            .rev()
            .filter(|command| !command.is_empty())
            .for_each(|command| history.given(command));
        history
    }
}

/// The file for a context.
pub fn path(folders: &Folders, cluster: &str, context: &str) -> PathBuf {
    let file = format!("{}.yaml", file_name(context));
    folders.state.join("contexts").join(file_name(cluster)).join(file)
}

/// Reads what is remembered of a context, with a sentence for the user if there is something to say.
///
/// It never fails: a file that is broken is put aside, and the program begins anew.
pub fn load(folders: &Folders, cluster: &str, context: &str) -> (State, Option<String>) {
    let path = path(folders, cluster, context);
    let broken = match yaml::text_of(&path).and_then(|text| yaml::read(text.as_deref().unwrap_or_default())) {
        Ok(state) => return (state, None),
        Err(broken) => broken,
    };
    let aside = path.with_added_extension("broken");
    let said = match std::fs::rename(&path, &aside) {
        Ok(()) => format!("{}, {broken}; it is now {}", path.display(), aside.display()),
        Err(error) => format!("{}, {broken}; it cannot be put aside: {error}", path.display()),
    };
    (State::default(), Some(clean(&said).into_owned()))
}

/// Writes what is to be remembered of a context, for the user alone.
///
/// # Errors
///
/// The file cannot be written; the one before stays.
pub fn save(folders: &Folders, cluster: &str, context: &str, state: &State) -> io::Result<()> {
    let text = serde_saphyr::to_string(state).map_err(io::Error::other)?;
    write_atomically(&path(folders, cluster, context), text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn favourites(names: &[&str]) -> Favourites {
        names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>().into()
    }

    #[test]
    fn what_is_new_comes_first_and_what_is_known_keeps_its_key() {
        let mut known = Favourites::default();
        for name in ["a", "b", "", "a", "all", "c"] {
            known.visited(name);
        }
        assert_eq!(known.after(&[]), ["c", "b", "a"]);
        for name in ["d", "e", "f", "g", "h", "i"] {
            assert!(known.visited(name));
        }
        assert_eq!(known.after(&[]), ["i", "h", "g", "f", "e", "d", "c", "b", "a"]);
        assert!(!known.visited("a"));
        assert!(known.visited("j"));
        assert_eq!(known.after(&[]), ["j", "i", "h", "g", "f", "e", "d", "c", "b"]);
    }

    #[test]
    fn chosen_ones_have_the_first_keys() {
        let cases: [(&[&str], &[&str], &[&str]); 4] = [
            (&[], &["a"], &["a"]),
            (&["x", "y"], &["a", "x", "b"], &["x", "y", "a", "b"]),
            (&["x", "", "x", "all"], &["all"], &["x"]),
            (
                &["1", "2", "3", "4", "5", "6", "7", "8"],
                &["a", "b"],
                &["1", "2", "3", "4", "5", "6", "7", "8", "a"],
            ),
        ];
        for (chosen, learnt, want) in cases {
            let chosen: Vec<String> = chosen.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(favourites(learnt).after(&chosen), want, "{chosen:?} {learnt:?}");
        }
    }

    #[test]
    fn commands_are_kept_once_the_last_one_first() {
        let mut history = History::default();
        for command in ["vms", "pods", "vms", "ctx"] {
            history.given(command);
        }
        assert_eq!(history.commands(), ["ctx", "vms", "pods"]);
        (0..200).for_each(|number| history.given(&format!("ns {number}")));
        assert_eq!((history.commands().len(), &*history.commands()[0]), (History::MOST, "ns 199"));
    }

    #[test]
    fn what_is_saved_is_there_the_next_time() {
        let top = tempfile::tempdir().unwrap();
        let folders = Folders::under(top.path());
        assert_eq!(load(&folders, "c", "x"), (State::default(), None));
        let mut state = State::default();
        state.favourites.visited("null");
        state.favourites.visited("007");
        state.history.given("pods /a: [b]\t#c");
        for (cluster, context) in [
            ("c", "x"),
            ("arn:aws:eks:eu:1:cluster/c", "admin@c/ns"),
            ("..", "."),
            ("", "../../../etc/passwd"),
        ] {
            save(&folders, cluster, context, &state).unwrap();
            assert_eq!(load(&folders, cluster, context), (state.clone(), None), "{cluster} {context}");
            let path = path(&folders, cluster, context);
            assert!(path.canonicalize().unwrap().starts_with(top.path().canonicalize().unwrap()));
            assert_eq!(
                path.strip_prefix(&folders.state).unwrap().components().count(),
                3,
                "{}",
                path.display()
            );
        }
    }

    #[test]
    #[cfg(unix)]
    fn it_is_for_the_user_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let top = tempfile::tempdir().unwrap();
        let folders = Folders::under(top.path());
        save(&folders, "c", "x", &State::default()).unwrap();
        let mode = std::fs::metadata(path(&folders, "c", "x")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_broken_file_is_put_aside() {
        let top = tempfile::tempdir().unwrap();
        let folders = Folders::under(top.path());
        let path = path(&folders, "c", "x");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "favourites: [a]\nhistory: [").unwrap();
        let (state, said) = load(&folders, "c", "x");
        let said = said.unwrap();
        assert_eq!(state, State::default());
        assert!(said.contains("x.yaml, line 2") && said.ends_with("x.yaml.broken"), "{said}");
        assert!(!path.exists() && path.with_added_extension("broken").exists());
        assert_eq!(load(&folders, "c", "x"), (State::default(), None));
    }
}
