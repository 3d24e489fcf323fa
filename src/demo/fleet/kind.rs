//! The kinds of objects that a fleet has.

/// The kinds of objects a fleet has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FleetKind {
    /// `kubevirt.io/v1` VirtualMachine
    Vm,
    /// `kubevirt.io/v1` VirtualMachineInstance
    Vmi,
    /// `cdi.kubevirt.io/v1beta1` DataVolume
    DataVolume,
    /// `v1` PersistentVolumeClaim
    Claim,
}

impl FleetKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Vm, Self::Vmi, Self::DataVolume, Self::Claim];

    /// As written in `kind`.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Vm => "VirtualMachine",
            Self::Vmi => "VirtualMachineInstance",
            Self::DataVolume => "DataVolume",
            Self::Claim => "PersistentVolumeClaim",
        }
    }

    /// As written in `apiVersion`.
    pub fn api_version(self) -> &'static str {
        match self {
            Self::Vm | Self::Vmi => "kubevirt.io/v1",
            Self::DataVolume => "cdi.kubevirt.io/v1beta1",
            Self::Claim => "v1",
        }
    }

    /// As written in the path of a request.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Vm => "virtualmachines",
            Self::Vmi => "virtualmachineinstances",
            Self::DataVolume => "datavolumes",
            Self::Claim => "persistentvolumeclaims",
        }
    }

    /// The short name people type: `vm`, `vmi`, `dv`, `pvc`.
    pub fn short(self) -> &'static str {
        match self {
            Self::Vm => "vm",
            Self::Vmi => "vmi",
            Self::DataVolume => "dv",
            Self::Claim => "pvc",
        }
    }

    /// The path of the list over all namespaces.
    pub fn path(self) -> String {
        match self {
            Self::Claim => format!("/api/v1/{}", self.plural()),
            _ => format!("/apis/{}/{}", self.api_version(), self.plural()),
        }
    }

    /// The kind with this short name or plural.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| text == kind.short() || text == kind.plural())
    }

    /// How an object of this kind begins: everything before the value of `metadata`.
    pub fn head(self) -> &'static str {
        match self {
            Self::Vm => r#"{"apiVersion":"kubevirt.io/v1","kind":"VirtualMachine","metadata":"#,
            Self::Vmi => r#"{"apiVersion":"kubevirt.io/v1","kind":"VirtualMachineInstance","metadata":"#,
            Self::DataVolume => r#"{"apiVersion":"cdi.kubevirt.io/v1beta1","kind":"DataVolume","metadata":"#,
            Self::Claim => r#"{"kind":"PersistentVolumeClaim","apiVersion":"v1","metadata":"#,
        }
    }

    /// How an item of this kind begins inside a list.
    pub fn item_head(self) -> &'static str {
        match self {
            Self::Claim => r#"{"metadata":"#,
            _ => self.head(),
        }
    }
}

/// What a watch event says has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// `ADDED`
    Added,
    /// `MODIFIED`
    Modified,
    /// `DELETED`
    Deleted,
}

impl Change {
    /// As written in `type`.
    pub fn text(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}
