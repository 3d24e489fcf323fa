//! A program or a socket in the place of a guest's serial console.

use std::path::PathBuf;
use std::str::FromStr;

use tokio::net::UnixStream;

use crate::demo::virt_api::OpenLine;

/// Why an option `NAMESPACE/NAME=WHAT` says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is to be NAMESPACE/NAME=exec:COMMAND or NAMESPACE/NAME=unix:PATH")]
pub struct BadConsole;

/// Whose serial console leads to something outside, and to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Console {
    namespace: String,
    name: String,
    to: To,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum To {
    /// A command of the shell, in a pseudo-terminal.
    Command(String),
    /// A socket, such as that of a real machine's serial port.
    Socket(PathBuf),
}

impl FromStr for Console {
    type Err = BadConsole;

    fn from_str(text: &str) -> Result<Self, BadConsole> {
        let (who, to) = text.split_once('=').ok_or(BadConsole)?;
        let (namespace, name) = who.split_once('/').ok_or(BadConsole)?;
        let to = match to.split_once(':').ok_or(BadConsole)? {
            ("exec", command) if !command.trim().is_empty() => To::Command(command.to_owned()),
            ("unix", path) if !path.is_empty() => To::Socket(path.into()),
            _ => return Err(BadConsole),
        };
        if namespace.is_empty() || name.is_empty() {
            return Err(BadConsole);
        }
        Ok(Self { namespace: namespace.to_owned(), name: name.to_owned(), to })
    }
}

/// What is there, and what keeps it there.
pub(super) struct Outside {
    pub(super) line: OpenLine,
    /// Ends with this.
    pub(super) _child: Option<tokio::process::Child>,
}

impl Console {
    /// Whether it is the console of that guest.
    pub(super) fn is_of(&self, namespace: &str, name: &str) -> bool {
        self.namespace == namespace && self.name == name
    }

    /// Starts the program, or connects to the socket. An error is what virt-handler would say.
    pub(super) async fn open(&self) -> Result<Outside, String> {
        match &self.to {
            To::Socket(path) => match UnixStream::connect(path).await {
                Ok(socket) => Ok(Outside { line: Box::new(socket), _child: None }),
                Err(why) => Err(format!("dial unix {}: {why}", path.display())),
            },
            To::Command(command) => start(command).map_err(|why| format!("{command}: {why}")),
        }
    }
}

fn start(command: &str) -> Result<Outside, pty_process::Error> {
    let (pty, pts) = pty_process::open()?;
    // What a serial line is taken to be; `stty` in the guest says otherwise.
    pty.resize(pty_process::Size::new(24, 80))?;
    let shell =
        pty_process::Command::new("/bin/sh").arg("-c").arg(command).env("TERM", "vt220").kill_on_drop(true);
    let child = shell.spawn(pts)?;
    Ok(Outside { line: Box::new(pty), _child: Some(child) })
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[test]
    fn options_are_read() {
        let good: Console = "shop/web=exec:top -d 1".parse().unwrap();
        assert!(good.is_of("shop", "web") && !good.is_of("shop", "db"));
        assert_eq!(good.to, To::Command("top -d 1".into()));
        assert_eq!("a/b=unix:/run/x=y".parse::<Console>().unwrap().to, To::Socket("/run/x=y".into()));
        for bad in [
            "",
            "web=exec:sh",
            "shop/web",
            "shop/web=",
            "shop/web=tcp:1",
            "/web=exec:sh",
            "shop/=exec:sh",
            "a/b=exec: ",
        ] {
            assert_eq!(bad.parse::<Console>(), Err(BadConsole), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_program_runs_in_a_terminal_of_its_own() {
        let console: Console = "a/b=exec:stty size; read line; echo got $line".parse().unwrap();
        let mut outside = console.open().await.unwrap();
        let mut said = String::new();
        let mut piece = [0; 256];
        while !said.contains("24 80") {
            let length = outside.line.read(&mut piece).await.unwrap();
            said.push_str(&String::from_utf8_lossy(&piece[..length]));
        }
        outside.line.write_all(b"this\r").await.unwrap();
        while !said.contains("got this") {
            let length = outside.line.read(&mut piece).await.unwrap();
            said.push_str(&String::from_utf8_lossy(&piece[..length]));
        }
        let nowhere: Console = "a/b=unix:/nowhere/at/all".parse().unwrap();
        assert!(nowhere.open().await.is_err_and(|why| why.starts_with("dial unix /nowhere/at/all: ")));
    }
}
