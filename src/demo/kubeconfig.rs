//! The kubeconfig of a server on a port: its text, and the file.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::{NamedTempFile, TempDir};

use super::start::{CLUSTER, Login};

/// How a file of ours begins. Only such a file is replaced, for the `--kubeconfig` of all other commands names files
/// that people want to keep.
const MARK: &str = "# Written by v9s demo serve\n";

/// A kubeconfig with a context for each login; the first is the current one. `authority` is PEM.
pub(super) fn text(server: &str, authority: &str, logins: &[Login]) -> String {
    let mut out = MARK.to_owned();
    let current = logins.first().map_or("", |login| login.context);
    let authority = STANDARD.encode(authority);
    let _ = write!(
        out,
        "apiVersion: v1\nkind: Config\ncurrent-context: {current}\nclusters:\n- name: {CLUSTER}\n  cluster:\n    \
         server: {server}\n    certificate-authority-data: {authority}\ncontexts:\n"
    );
    for Login { context, user, namespace, .. } in logins {
        let _ =
            write!(out, "- name: {context}\n  context:\n    cluster: {CLUSTER}\n    user: {}\n", user.name);
        if let Some(namespace) = namespace {
            let _ = writeln!(out, "    namespace: {namespace}");
        }
    }
    out.push_str("users:\n");
    for Login { user, token, .. } in logins {
        let _ = write!(out, "- name: {}\n  user:\n    token: {token}\n", user.name);
    }
    out
}

/// A kubeconfig on disk; dropping it removes the file, if it is still the one that was written.
#[derive(Debug)]
pub struct Written {
    path: PathBuf,
    text: String,
    /// The folder that was made for it, if one was.
    _folder: Option<TempDir>,
}

impl Written {
    /// Writes the file, for its owner only: to this path, or to a new folder among the temporary files.
    ///
    /// Readers meet the whole file or none. A file that is there already is replaced if it is empty or was written by an
    /// earlier run; a symbolic link never is, and is not followed.
    pub(super) fn new(path: Option<&Path>, text: String) -> io::Result<Self> {
        let (path, folder) = match path {
            Some(path) => (std::path::absolute(path)?, None),
            None => {
                let mut builder = tempfile::Builder::new();
                builder.prefix("v9s-demo-");
                #[cfg(unix)]
                builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
                let folder = builder.tempdir()?;
                (folder.path().join("kubeconfig"), Some(folder))
            }
        };
        let replace = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
            Ok(found) if found.is_file() && (found.len() == 0 || is_ours(&path)?) => true,
            Ok(_) => return Err(io::Error::from(io::ErrorKind::AlreadyExists)),
        };
        let parent = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        let mut file = NamedTempFile::with_prefix_in(".v9s-demo-", parent)?;
        file.write_all(text.as_bytes())?;
        // What appears between the look and this is left alone, unless it takes the place of a file of ours.
        if replace {
            file.persist(&path)?
        } else {
            file.persist_noclobber(&path)?
        };
        Ok(Self { path, text, _folder: folder })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        if fs::read_to_string(&self.path).is_ok_and(|found| found == self.text) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn is_ours(path: &Path) -> io::Result<bool> {
    let mut begin = Vec::new();
    fs::File::open(path)?.take(MARK.len() as u64).read_to_end(&mut begin)?;
    Ok(begin == MARK.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_somebody_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        let write = |text: &str| Written::new(Some(&path), format!("{MARK}{text}"));
        fs::write(&path, "apiVersion: v1\n").unwrap();
        assert_eq!(write("new").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "apiVersion: v1\n");
        // An empty one, as mktemp makes it, and one that an earlier run left behind, are taken.
        for before in ["", "# Written by v9s demo serve\nold"] {
            fs::write(&path, before).unwrap();
            let written = write("new").unwrap();
            assert_eq!(written.path(), path);
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{MARK}new"));
            drop(written);
            assert!(!path.exists());
        }
        // One that was changed meanwhile stays.
        let written = write("new").unwrap();
        fs::write(&path, "changed").unwrap();
        drop(written);
        assert_eq!(fs::read_to_string(&path).unwrap(), "changed");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed_and_others_may_not_read() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (path, target) = (folder.path().join("link"), folder.path().join("target"));
        fs::write(&target, "").unwrap();
        for target in [&target, &folder.path().join("missing")] {
            symlink(target, &path).unwrap();
            let kind = Written::new(Some(&path), "text".into()).unwrap_err().kind();
            assert_eq!(kind, io::ErrorKind::AlreadyExists);
            fs::remove_file(&path).unwrap();
        }
        assert_eq!(fs::read_to_string(&target).unwrap(), "");
        fs::set_permissions(&target, fs::Permissions::from_mode(0o644)).unwrap();
        for path in [None, Some(target.as_path())] {
            let written = Written::new(path, "text".into()).unwrap();
            let mode = fs::metadata(written.path()).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            let folder = written.path().parent().unwrap().to_owned();
            drop(written);
            assert_eq!(folder.exists(), path.is_some());
        }
    }
}
