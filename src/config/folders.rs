//! Where the program keeps its files, and files that only their owner may read.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf, absolute};

/// The folders of the program. None of them need exist: they are made when the first file goes into them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// What the user writes; the program only reads it.
    pub config: PathBuf,
    /// Log, reports, history, drafts, journal.
    pub state: PathBuf,
    /// What can be fetched or computed again.
    pub cache: PathBuf,
    /// What the program keeps for the user: marks and choices per context.
    pub data: PathBuf,
}

const NAME: &str = "v9s";

impl Folders {
    /// The folders of this user.
    ///
    /// Where there is no home folder (a container with a random user), a new folder among the temporary files takes its
    /// place: everything but memory of earlier runs works.
    pub fn find() -> Self {
        let env = |name: &str| std::env::var_os(name);
        match directories::BaseDirs::new() {
            Some(base) => Self::from(&env, base.home_dir()),
            None if has_override(&env) => Self::from(&env, Path::new("/")),
            None => {
                let made = tempfile::Builder::new().prefix("v9s-").tempdir().map(tempfile::TempDir::keep);
                Self::under(&made.unwrap_or_else(|_| std::env::temp_dir().join(NAME)))
            }
        }
    }

    /// The folders that the environment asks for, with `home` as the home folder.
    ///
    /// `V9S_HOME` puts everything under one folder. Otherwise the `XDG_…` variables count on every system, for many macOS
    /// users set them; a relative one is ignored, as their specification asks.
    pub fn from(env: &dyn Fn(&str) -> Option<OsString>, home: &Path) -> Self {
        if let Some(one) = set(env, "V9S_HOME") {
            return Self::under(&absolute(&one).unwrap_or(one));
        }
        Self::of(NAME, env, home)
    }

    /// The folders of k9s, whose files are read and never written. None where there is no home folder.
    pub fn of_k9s() -> Option<Self> {
        let base = directories::BaseDirs::new()?;
        Some(Self::of_k9s_from(&|name| std::env::var_os(name), base.home_dir()))
    }

    /// The folders of k9s that the environment asks for: `K9S_CONFIG_DIR` is all of them.
    pub fn of_k9s_from(env: &dyn Fn(&str) -> Option<OsString>, home: &Path) -> Self {
        match set(env, "K9S_CONFIG_DIR") {
            Some(one) => Self { config: one.clone(), state: one.clone(), cache: one.clone(), data: one },
            None => Self::of("k9s", env, home),
        }
    }

    fn of(program: &str, env: &dyn Fn(&str) -> Option<OsString>, home: &Path) -> Self {
        let native = Self::native(program, env, home);
        let xdg = |name: &str, native: PathBuf| match set(env, name) {
            Some(folder) if folder.is_absolute() => folder.join(program),
            _ => native,
        };
        Self {
            config: xdg("XDG_CONFIG_HOME", native.config),
            state: xdg("XDG_STATE_HOME", native.state),
            cache: xdg("XDG_CACHE_HOME", native.cache),
            data: xdg("XDG_DATA_HOME", native.data),
        }
    }

    /// Everything below one folder.
    pub fn under(one: &Path) -> Self {
        Self {
            config: one.join("config"),
            state: one.join("state"),
            cache: one.join("cache"),
            data: one.join("data"),
        }
    }

    /// Where what is on screen is saved to.
    pub fn screens(&self) -> PathBuf {
        self.state.join("screens")
    }

    #[cfg(target_os = "macos")]
    fn native(program: &str, _: &dyn Fn(&str) -> Option<OsString>, home: &Path) -> Self {
        let support = home.join("Library/Application Support").join(program);
        Self {
            config: support.clone(),
            state: support.clone(),
            cache: home.join("Library/Caches").join(program),
            data: support,
        }
    }

    #[cfg(windows)]
    fn native(program: &str, env: &dyn Fn(&str) -> Option<OsString>, home: &Path) -> Self {
        let local =
            set(env, "LOCALAPPDATA").unwrap_or_else(|| home.join("AppData").join("Local")).join(program);
        Self { config: local.clone(), state: local.clone(), cache: local.join("cache"), data: local }
    }

    #[cfg(not(any(windows, target_os = "macos")))]
    fn native(program: &str, _: &dyn Fn(&str) -> Option<OsString>, home: &Path) -> Self {
        Self {
            config: home.join(".config").join(program),
            state: home.join(".local/state").join(program),
            cache: home.join(".cache").join(program),
            data: home.join(".local/share").join(program),
        }
    }
}

/// An empty variable is as good as none.
fn set(env: &dyn Fn(&str) -> Option<OsString>, name: &str) -> Option<PathBuf> {
    env(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn has_override(env: &dyn Fn(&str) -> Option<OsString>) -> bool {
    set(env, "V9S_HOME").is_some()
}

/// Makes a folder, and those above it, for the user alone. One that exists stays as it is.
pub fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| named(path, &error))
}

/// Makes or empties a file that only the user may read, and its folder.
pub fn create_private(path: &Path) -> io::Result<File> {
    open_private(path, OpenOptions::new().write(true).create(true).truncate(true))
}

/// Opens a file that only the user may read for writing at its end; makes it, and its folder, if need be.
pub fn append_private(path: &Path) -> io::Result<File> {
    open_private(path, OpenOptions::new().append(true).create(true))
}

/// Makes a file that only the user may read; fails with `AlreadyExists` if there is one of that name.
pub fn create_private_new(path: &Path) -> io::Result<File> {
    open_private(path, OpenOptions::new().write(true).create_new(true))
}

fn open_private(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        private_folder(folder)?;
    }
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    let file = options.open(path).map_err(|error| named(path, &error))?;
    // The mode above counts for new files only. On a file system without modes this fails, and nothing is lost.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o077 != 0) {
            let _ = file.set_permissions(fs::Permissions::from_mode(0o600));
        }
    }
    Ok(file)
}

/// Puts `bytes` into a file that only the user may read, so that a reader, a crash or a full disk meets the old content
/// or the new one, never a part.
///
/// A symbolic link is followed: many keep their files in a repository and link to them.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    private_folder(folder)?;
    // Made with mode 0600 by the crate, and removed by its guard when a step fails.
    let mut file = tempfile::Builder::new()
        .prefix(".v9s-")
        .tempfile_in(folder)
        .map_err(|error| named(folder, &error))?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(|error| named(&path, &error))?;
    file.persist(&path).map(drop).map_err(|error| named(&path, &error.error))
}

/// Puts `bytes` into a file that is there already, as [`write_atomically`] does, and leaves it the rights that it has.
pub fn rewrite(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let rights = fs::metadata(&path)?.permissions();
    if rights.readonly() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the file is read-only"));
    }
    let folder = path.parent().unwrap_or_else(|| Path::new("/"));
    let mut file = tempfile::Builder::new().prefix(".v9s-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().set_permissions(rights)?;
    file.as_file().sync_all()?;
    file.persist(&path).map(drop).map_err(|error| error.error)
}

/// The error with the path in its text, for `io::Error` names none.
fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(env: &[(&str, &str)]) -> Folders {
        let get =
            |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
        Folders::from(&get, Path::new("/home/u"))
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_usual_places() {
        let want = Folders {
            config: "/home/u/.config/v9s".into(),
            state: "/home/u/.local/state/v9s".into(),
            cache: "/home/u/.cache/v9s".into(),
            data: "/home/u/.local/share/v9s".into(),
        };
        assert_eq!(folders(&[]), want);
        assert_eq!(folders(&[("XDG_CONFIG_HOME", "relative"), ("V9S_HOME", "")]), want);
    }

    #[test]
    #[cfg(unix)]
    fn variables_move_them() {
        let xdg = folders(&[
            ("XDG_CONFIG_HOME", "/c"),
            ("XDG_STATE_HOME", "/s"),
            ("XDG_CACHE_HOME", "/k"),
            ("XDG_DATA_HOME", "/d"),
        ]);
        let want = |config: &str, state: &str, cache: &str, data: &str| Folders {
            config: config.into(),
            state: state.into(),
            cache: cache.into(),
            data: data.into(),
        };
        assert_eq!(xdg, want("/c/v9s", "/s/v9s", "/k/v9s", "/d/v9s"));
        let one = folders(&[("V9S_HOME", "/one"), ("XDG_CONFIG_HOME", "/c")]);
        assert_eq!(one, want("/one/config", "/one/state", "/one/cache", "/one/data"));
        assert!(folders(&[("V9S_HOME", "one")]).config.is_absolute());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn those_of_k9s_are_where_it_has_them() {
        let k9s = |name: &'static str, value: &'static str| {
            Folders::of_k9s_from(&|asked| (asked == name).then(|| value.into()), Path::new("/home/u"))
        };
        let usual = k9s("V9S_HOME", "/one");
        assert_eq!(
            (usual.config, usual.data),
            ("/home/u/.config/k9s".into(), "/home/u/.local/share/k9s".into())
        );
        assert_eq!(k9s("XDG_CONFIG_HOME", "/c").config, Path::new("/c/k9s"));
        let one = k9s("K9S_CONFIG_DIR", "/k");
        assert_eq!((one.config, one.data), ("/k".into(), "/k".into()));
    }

    #[cfg(unix)]
    fn mode(path: &Path) -> u32 {
        use std::os::unix::fs::PermissionsExt as _;
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    #[cfg(unix)]
    fn files_are_for_their_owner() {
        use std::os::unix::fs::PermissionsExt as _;
        let top = tempfile::tempdir().unwrap();
        let path = top.path().join("a/b/file");
        create_private(&path).unwrap().write_all(b"old").unwrap();
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(create_private_new(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);

        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        append_private(&path).unwrap().write_all(b"+").unwrap();
        assert_eq!((mode(&path), fs::read(&path).unwrap()), (0o600, b"old+".to_vec()));
        create_private(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
    }

    #[test]
    #[cfg(unix)]
    fn writing_replaces_the_whole_file() {
        let top = tempfile::tempdir().unwrap();
        let path = top.path().join("made/file");
        write_atomically(&path, b"one").unwrap();
        write_atomically(&path, b"two").unwrap();
        assert_eq!((fs::read(&path).unwrap(), mode(&path)), (b"two".to_vec(), 0o600));

        let link = top.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        write_atomically(&link, b"three").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn errors_name_the_path() {
        let top = tempfile::tempdir().unwrap();
        let file = top.path().join("file");
        fs::write(&file, "").unwrap();
        let error = write_atomically(&file.join("below"), b"").unwrap_err().to_string();
        assert!(error.contains("file"), "{error}");
    }
}
