//! The kinds of our own, as types: the source of their CustomResourceDefinitions, of what `v9s convert` knows and of
//! what `v9s explain-field` says.
//!
//! Reading is tolerant (a newer server may send more fields); writing leaves out what is not set, so that nothing is
//! added to an object. What a field may hold is part of its schema; what fields may say together is a row in [`cel`].

// The comments of fields are the descriptions in the definitions, which are plain text.
#![allow(rustdoc::invalid_html_tags)]

pub mod cel;
mod cel_rows;
mod cel_volumes;
mod container;
mod definition;
mod image;
mod options;
mod schemas;
mod supported_version;
mod vm;
mod volume_command;
mod volume_set;
mod workload;
mod workload_status;

pub use container::{
    Container, Env, Header, HttpGet, Metrics, Port, Probe, Protocol, RecoveryPolicy, Scheme, TcpSocket,
    Volume,
};
pub use definition::{KINDS, OwnKind, definition, definitions, own_kind, schema};
pub use image::{GoldenDisk, GoldenKind, Image, ImageSource, ImageSpec, ImageStatus, Named, Purpose};
pub use options::{
    Autoscaling, DirectPort, DirectProtocol, DirectScheme, External, ExternalHttp, Extras, Firewall,
    GeoHeaders, GeoLocation, HeaderFilter, InboundAllowType, Internal, LoadBalancer, LoadBalancerDirect,
    LocalOptions, MultiZone, Options, OutboundPort, OutboundProtocol, ReplicaDirect, RetryPolicy, Rollout,
    ScalingPolicy,
};
pub use schemas::NumberOrText;
pub use supported_version::{SupportedVersion, SupportedVersionSpec, SupportedVersionStatus, VersionState};
pub use vm::{
    AccessCredential, BootDisk, Bootloader, Bus, Clock, CloudInit, Delivery, Firmware, GuestOs, HttpSource,
    Network, OciSource, Persist, RunStrategy, Smbios, Source, Topology, Vm,
};
pub use volume_command::{CommandStage, CommandType, VolumeCommand, VolumeCommandSpec, VolumeCommandStatus};
pub use volume_set::{
    Encryption, EncryptionRegion, FileSystem, Lifecycle, MountOptions, MountResources, PerformanceClass,
    Predictive, Snapshot, SnapshotPolicy, VolumeAutoscaling, VolumeSet, VolumeSetSpec, VolumeSetStatus,
    VolumeStatus,
};
pub use workload::{Workload, WorkloadSpec};
pub use workload_status::{
    BootDiskStatus, Condition, ImportPhase, Readiness, ReplicaStatus, WorkloadHealth, WorkloadStatus,
};

/// The API group of all of them.
pub const GROUP: &str = "v9s.dev";
/// The version of the group.
pub const VERSION: &str = "v1alpha1";

/// A struct of a schema: first the fields that must be there, then, after a semicolon, those that may be.
///
/// Saves what serde and schemars want said of each field: an optional one is left out when it is not set.
macro_rules! object {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$required_meta:meta])* $required:ident: $required_type:ty,)* ;
        $($(#[$optional_meta:meta])* $optional:ident: $optional_type:ty,)*
    }) => {
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase")]
        $(#[$meta])*
        pub struct $name {
            $($(#[$required_meta])* pub $required: $required_type,)*
            $(
                $(#[$optional_meta])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $optional: Option<$optional_type>,
            )*
        }
    };
}
use object;

/// A choice of words: the variants with what they are called in documents. The first is what counts where none is given.
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident {
        $(#[$first_meta:meta])* $first:ident = $first_word:literal,
        $($(#[$other_meta:meta])* $other:ident = $other_word:literal,)*
    }) => {
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, Hash,
            serde::Serialize, serde::Deserialize, schemars::JsonSchema,
        )]
        $(#[$meta])*
        pub enum $name {
            $(#[$first_meta])* #[default] #[serde(rename = $first_word)] $first,
            $($(#[$other_meta])* #[serde(rename = $other_word)] $other,)*
        }

        impl $name {
            /// The words, in the order in which they are declared.
            pub const WORDS: &'static [&'static str] = &[$first_word, $($other_word),*];

            /// What it is called in documents.
            pub fn word(self) -> &'static str {
                match self {
                    Self::$first => $first_word,
                    $(Self::$other => $other_word,)*
                }
            }
        }
    };
}
use words;

/// A field that a VM cannot have: kept as it stands, so that it can be named and is not lost.
pub type Refused = serde_json::Value;
