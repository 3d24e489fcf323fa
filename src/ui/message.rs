//! What can happen, and what can be asked for. Both are values: they can be printed, recorded and compared.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::cluster::connect::ConnectionInfo;
use crate::cluster::console::{ConsoleInput, ConsoleNews, ConsoleRequest};
use crate::cluster::discovery::{Discovery, ServerVersion};
use crate::cluster::error::Failure;
use crate::cluster::feed::Target;
use crate::cluster::gate::ContextId;
use crate::cluster::kubeconfig::Configuration;
use crate::cluster::logs::{LogNews, LogRequest};
use crate::cluster::object::{News, Wanted};
use crate::store::{Batch, FeedId, FeedPlan};

use super::input::{Key, Mouse};
use super::signals::Signal;
use super::theme::{Look, Theme};
use crate::config::state::State;

/// Something that happened.
#[derive(Debug)]
pub enum Message {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// The mouse did something.
    Mouse(Mouse),
    /// The terminal has another size now.
    Resize(u16, u16),
    /// The kubeconfig was read.
    Configured(Result<Arc<Configuration>, Failure>),
    /// A connection was made, or was not.
    Connected(ContextId, Result<ConnectionInfo, Failure>),
    /// The server said what it has.
    Discovered(ContextId, Result<Arc<Discovery>, Failure>),
    /// The server said what it is.
    Version(ContextId, ServerVersion),
    /// A feed of the context on screen has something to say.
    Feed(Batch),
    /// A time that was asked for has come.
    Timer(Timer),
    /// The system wants something.
    Signal(Signal),
    /// A task in the background stopped because of a bug; a report is in this file.
    Reported(PathBuf),
    /// A question of a pane was answered, perhaps not for the last time.
    Answer(Ticket, Answer),
    /// What was remembered of a context.
    Recalled(ContextId, Box<Recalled>),
    /// A theme, or a sentence about it.
    Skin(Result<Box<Theme>, String>, SkinOf),
    /// A file was written, or why it was not.
    Saved(Result<PathBuf, String>),
}

/// What was remembered of a context from an earlier run.
#[derive(Debug, Default)]
pub struct Recalled {
    /// Namespaces and commands.
    pub state: State,
    /// The file of saved filters.
    pub filters: String,
    /// What there is to say about the files.
    pub warning: Option<String>,
}

/// The number of a question to the cluster: its answers find who asked by it, and late ones find nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What a pane asks of the cluster. Some questions are answered again and again, until their ticket is given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// The JSON document at a path of the API server, once.
    Document {
        /// The path, with its query.
        path: String,
    },
    /// Whole objects, kept fresh.
    Objects(Wanted),
    /// The log of a container, and what comes of it.
    Log(LogRequest),
    /// The serial console of a machine, and what comes of it.
    Console(ConsoleRequest),
}

/// What the cluster says to a [`Question`].
#[derive(Debug)]
pub enum Answer {
    /// To [`Question::Document`].
    Document(Result<Value, Failure>),
    /// To [`Question::Objects`], again and again.
    Objects(News),
    /// To [`Question::Log`], again and again.
    Log(LogNews),
    /// To [`Question::Console`], again and again.
    Console(ConsoleNews),
    /// What was told ([`Effect::Tell`]) was not taken: too much waits there.
    NotTaken,
    /// A recording has begun, in this file; or it cannot be written, and has ended.
    Recorded(Result<PathBuf, String>),
}

/// What is done with a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordStep {
    /// It begins.
    Begin {
        /// The beginning of the file's name.
        name: String,
        /// Its first line.
        head: String,
    },
    /// It goes on with these lines.
    Line(String),
    /// It ends.
    End,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Feeds that nobody has looked at for a while end.
    Idle,
    /// Kinds that were not served may be by now.
    Rediscover,
    /// The connection is tried again.
    Reconnect,
}

/// Who names a skin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkinOf {
    /// Somebody types it: the answer is a word like others.
    Prompt,
    /// The files do: what is wrong with them stays until a key is pressed.
    Files,
}

/// Something to be done outside of the screen's state.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Reads the kubeconfig.
    Configure,
    /// Connects to a context; none is the one that the command line or the kubeconfig names.
    Connect {
        /// The number under which the connection is kept.
        id: ContextId,
        /// The context.
        context: Option<String>,
    },
    /// Asks what the server has.
    Discover(ContextId),
    /// Starts a feed on the connection on screen.
    StartFeed {
        /// The connection.
        id: ContextId,
        /// What to ask for.
        target: Target,
        /// For whom.
        plan: FeedPlan,
    },
    /// Ends a feed.
    EndFeed(FeedId),
    /// Ends all feeds and forgets all connections but this one.
    Leave(ContextId),
    /// Sends [`Message::Timer`] after a while.
    After(Duration, Timer),
    /// Gives the terminal back and stops the program until it is continued.
    Suspend,
    /// Asks the cluster something for a pane.
    Ask {
        /// The number under which answers come.
        ticket: Ticket,
        /// The connection.
        id: ContextId,
        /// What is asked.
        question: Question,
    },
    /// Tells something to what answers a question.
    Tell(Ticket, ConsoleInput),
    /// Does something with the recording of what answers a question.
    Record(Ticket, RecordStep),
    /// Nobody waits for answers under this number any more.
    Forget(Ticket),
    /// Reads what was remembered of a context; [`Message::Recalled`] brings it.
    Recall {
        /// The connection.
        id: ContextId,
        /// The cluster.
        cluster: String,
        /// The context.
        context: String,
    },
    /// Writes down what is to be remembered of a context.
    Remember {
        /// The cluster.
        cluster: String,
        /// The context.
        context: String,
        /// Namespaces and commands.
        state: State,
        /// The file of saved filters.
        filters: String,
    },
    /// Reads a theme; [`Message::Skin`] brings it. Without a name it says which there are.
    Skin {
        /// Its name or path.
        name: Option<String>,
        /// Where skins are looked for.
        folders: Vec<PathBuf>,
        /// How they are shown.
        look: Look,
        /// Who names it.
        of: SkinOf,
    },
    /// Makes the embedded cluster; [`Message::Configured`] brings its contexts.
    Demo,
    /// Puts text into the clipboard of the terminal.
    Copy(String),
    /// Writes a file into the folder of saved screens; [`Message::Saved`] says where it is.
    Save {
        /// The beginning of its name.
        name: String,
        /// The end of its name, such as `csv`.
        extension: &'static str,
        /// What is in it.
        text: String,
    },
    /// Asks the terminal to tell what the mouse does, or to keep it to itself.
    Mouse(bool),
}

/// Whether the screen has to be drawn after a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Draw {
    /// Nothing visible changed.
    #[default]
    No,
    /// With the next frame.
    Soon,
    /// At once: somebody pressed a key.
    Now,
}
