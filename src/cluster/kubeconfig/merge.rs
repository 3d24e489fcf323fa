//! One kubeconfig file: read, made absolute, joined with those before it.

use std::fs;
use std::io;
use std::path::{MAIN_SEPARATOR, Path};

use kube::config::{AuthInfo, Cluster, Kubeconfig, KubeconfigError};

use crate::cluster::error::{Failure, sentence};

use super::shown;
use crate::text::one_line;

/// The largest file that is read; the largest seen in life have a few thousand contexts and 20 MB.
const LARGEST: u64 = 64 << 20;

/// Reads one file; none if it does not exist.
pub(super) fn read(path: &Path) -> Result<Option<Kubeconfig>, Failure> {
    let unreadable = |why: &io::Error| {
        Failure::config(format!(
            "The kubeconfig {} cannot be read: {}",
            shown(path),
            sentence(&why.to_string())
        ))
    };
    let text = match fs::metadata(path) {
        Ok(found) if found.len() > LARGEST => {
            return Err(Failure::config(format!("The kubeconfig {} is larger than 64 MiB.", shown(path))));
        }
        Ok(_) => fs::read(path).map_err(|why| unreadable(&why))?,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(unreadable(&why)),
    };
    let text = decode(&text)
        .ok_or_else(|| Failure::config(format!("The kubeconfig {} is not text.", shown(path))))?;
    let mut file = Kubeconfig::from_yaml(&text).map_err(|why| broken(path, &why))?;
    clean(&mut file, path.parent().unwrap_or(Path::new("")));
    Ok(Some(file))
}

/// UTF-8 with or without a mark, or what PowerShell's `>` writes: UTF-16 with a mark.
fn decode(bytes: &[u8]) -> Option<String> {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair)).collect();
        String::from_utf16(&units).ok()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => Some(std::str::from_utf8(rest).ok()?.to_owned()),
        _ => Some(std::str::from_utf8(bytes).ok()?.to_owned()),
    }
}

/// Names the place and the reason, but never the line itself: it may hold a token.
fn broken(path: &Path, why: &KubeconfigError) -> Failure {
    let KubeconfigError::Parse(why) = why else {
        return Failure::config(format!(
            "The kubeconfig {} is broken: {}",
            shown(path),
            sentence(&why.to_string())
        ));
    };
    let place = match why.location() {
        Some(at) => format!(" in line {}, column {}", at.line(), at.column()),
        None => String::new(),
    };
    Failure::config(format!("The kubeconfig {} is broken{place}.", shown(path)))
        .remedy("Correct the file, or give another with --kubeconfig.")
}

/// Joins two files: what the first one says stays.
pub(super) fn merge(first: Kubeconfig, next: Kubeconfig) -> Result<Kubeconfig, Failure> {
    first.merge(next).map_err(|why| {
        Failure::config(format!("The kubeconfig files cannot be joined: {}", one_line(&why.to_string(), 200)))
    })
}

/// Takes empty values for absent ones, as kubectl does, and makes the paths of a file relative to its folder absolute.
///
/// An empty `current-context` would otherwise hide that of the next file, and an empty `certificate-authority-data`
/// would be a list of no authorities.
fn clean(file: &mut Kubeconfig, folder: &Path) {
    drop_empty(&mut file.current_context);
    for cluster in file.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()) {
        clean_cluster(cluster, folder);
    }
    for user in file.auth_infos.iter_mut().filter_map(|named| named.auth_info.as_mut()) {
        clean_user(user, folder);
    }
    for context in file.contexts.iter_mut().filter_map(|named| named.context.as_mut()) {
        drop_empty(&mut context.namespace);
        drop_empty(&mut context.user);
    }
}

fn clean_cluster(cluster: &mut Cluster, folder: &Path) {
    for value in [
        &mut cluster.server,
        &mut cluster.certificate_authority,
        &mut cluster.certificate_authority_data,
        &mut cluster.proxy_url,
        &mut cluster.tls_server_name,
    ] {
        drop_empty(value);
    }
    make_absolute(&mut cluster.certificate_authority, folder);
}

fn clean_user(user: &mut AuthInfo, folder: &Path) {
    use secrecy::ExposeSecret as _;
    for value in [
        &mut user.token_file,
        &mut user.client_certificate,
        &mut user.client_certificate_data,
        &mut user.client_key,
        &mut user.username,
        &mut user.impersonate,
    ] {
        drop_empty(value);
    }
    for secret in [&mut user.token, &mut user.client_key_data] {
        if secret.as_ref().is_some_and(|secret| secret.expose_secret().is_empty()) {
            *secret = None;
        }
    }
    for path in [&mut user.token_file, &mut user.client_certificate, &mut user.client_key] {
        make_absolute(path, folder);
    }
    // A bare command is looked for in PATH; only one with a slash is a path.
    if let Some(exec) = &mut user.exec
        && exec.command.as_ref().is_some_and(|command| command.contains(['/', MAIN_SEPARATOR]))
    {
        make_absolute(&mut exec.command, folder);
    }
}

fn drop_empty(value: &mut Option<String>) {
    if value.as_ref().is_some_and(String::is_empty) {
        *value = None;
    }
}

fn make_absolute(path: &mut Option<String>, folder: &Path) {
    if let Some(relative) = path
        && Path::new(relative.as_str()).is_relative()
        && let Some(absolute) = folder.join(relative.as_str()).to_str()
    {
        *path = Some(absolute.to_owned());
    }
}
