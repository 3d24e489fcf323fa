//! What the platform watches and writes.

/// A kind of object, and where it is found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Row {
    /// Empty for the core group.
    pub group: &'static str,
    /// The version that is asked for.
    pub version: &'static str,
    /// As in `kind:`.
    pub kind: &'static str,
    /// As in paths.
    pub plural: &'static str,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Whether its status is written at a path of its own.
    pub status: bool,
}

macro_rules! kinds {
    ($($name:ident = $api:literal $kind:literal $plural:literal $scope:ident $status:ident;)*) => {
        /// The kinds the platform watches, in the order in which a pass looks at them.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[allow(missing_docs, reason = "they are named as Kubernetes names them")]
        pub enum Kind { $($name,)* }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Where it is found.
            pub fn row(self) -> Row {
                match self {
                    $(Self::$name => {
                        let (group, version) = group_version($api);
                        Row {
                            group,
                            version,
                            kind: $kind,
                            plural: $plural,
                            namespaced: kinds!(@scope $scope),
                            status: kinds!(@status $status),
                        }
                    })*
                }
            }
        }
    };
    (@scope namespaced) => { true };
    (@scope cluster) => { false };
    (@status apart) => { true };
    (@status within) => { false };
}

fn group_version(api: &'static str) -> (&'static str, &'static str) {
    api.split_once('/').unwrap_or(("", api))
}

impl Kind {
    /// As in `apiVersion:`.
    pub fn api_version(self) -> String {
        let Row { group, version, .. } = self.row();
        if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
    }

    /// The kind of that name in that group.
    pub fn find(api_version: &str, kind: &str) -> Option<Self> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        Self::ALL.iter().copied().find(|one| one.row().kind == kind && one.row().group == group)
    }
}

kinds! {
    Namespace = "v1" "Namespace" "namespaces" cluster apart;
    Node = "v1" "Node" "nodes" cluster apart;
    StorageClass = "storage.k8s.io/v1" "StorageClass" "storageclasses" cluster within;
    StorageProfile = "cdi.kubevirt.io/v1beta1" "StorageProfile" "storageprofiles" cluster apart;
    CDIConfig = "cdi.kubevirt.io/v1beta1" "CDIConfig" "cdiconfigs" cluster within;
    VolumeSnapshotClass = "snapshot.storage.k8s.io/v1" "VolumeSnapshotClass" "volumesnapshotclasses" cluster within;
    VirtualMachineClusterInstancetype = "instancetype.kubevirt.io/v1beta1" "VirtualMachineClusterInstancetype" "virtualmachineclusterinstancetypes" cluster within;
    VirtualMachineClusterPreference = "instancetype.kubevirt.io/v1beta1" "VirtualMachineClusterPreference" "virtualmachineclusterpreferences" cluster within;
    VirtualMachineInstancetype = "instancetype.kubevirt.io/v1beta1" "VirtualMachineInstancetype" "virtualmachineinstancetypes" namespaced within;
    VirtualMachinePreference = "instancetype.kubevirt.io/v1beta1" "VirtualMachinePreference" "virtualmachinepreferences" namespaced within;
    KubeVirt = "kubevirt.io/v1" "KubeVirt" "kubevirts" namespaced apart;
    ControllerRevision = "apps/v1" "ControllerRevision" "controllerrevisions" namespaced within;
    VirtualMachinePool = "pool.kubevirt.io/v1beta1" "VirtualMachinePool" "virtualmachinepools" namespaced apart;
    VirtualMachine = "kubevirt.io/v1" "VirtualMachine" "virtualmachines" namespaced apart;
    DataImportCron = "cdi.kubevirt.io/v1beta1" "DataImportCron" "dataimportcrons" namespaced within;
    DataSource = "cdi.kubevirt.io/v1beta1" "DataSource" "datasources" namespaced within;
    DataVolume = "cdi.kubevirt.io/v1beta1" "DataVolume" "datavolumes" namespaced apart;
    VolumeImportSource = "cdi.kubevirt.io/v1beta1" "VolumeImportSource" "volumeimportsources" namespaced within;
    VolumeUploadSource = "cdi.kubevirt.io/v1beta1" "VolumeUploadSource" "volumeuploadsources" namespaced within;
    VolumeCloneSource = "cdi.kubevirt.io/v1beta1" "VolumeCloneSource" "volumeclonesources" namespaced within;
    PersistentVolume = "v1" "PersistentVolume" "persistentvolumes" cluster apart;
    PersistentVolumeClaim = "v1" "PersistentVolumeClaim" "persistentvolumeclaims" namespaced apart;
    VolumeSnapshot = "snapshot.storage.k8s.io/v1" "VolumeSnapshot" "volumesnapshots" namespaced apart;
    VirtualMachineSnapshot = "snapshot.kubevirt.io/v1beta1" "VirtualMachineSnapshot" "virtualmachinesnapshots" namespaced apart;
    VirtualMachineSnapshotContent = "snapshot.kubevirt.io/v1beta1" "VirtualMachineSnapshotContent" "virtualmachinesnapshotcontents" namespaced apart;
    VirtualMachineRestore = "snapshot.kubevirt.io/v1beta1" "VirtualMachineRestore" "virtualmachinerestores" namespaced apart;
    VirtualMachineInstanceMigration = "kubevirt.io/v1" "VirtualMachineInstanceMigration" "virtualmachineinstancemigrations" namespaced apart;
    VirtualMachineInstance = "kubevirt.io/v1" "VirtualMachineInstance" "virtualmachineinstances" namespaced within;
    Pod = "v1" "Pod" "pods" namespaced apart;
    ConfigMap = "v1" "ConfigMap" "configmaps" namespaced within;
    Secret = "v1" "Secret" "secrets" namespaced within;
    VirtinkMachine = "virt.virtink.smartx.com/v1alpha1" "VirtualMachine" "virtualmachines" namespaced apart;
    VirtinkMigration = "virt.virtink.smartx.com/v1alpha1" "VirtualMachineMigration" "virtualmachinemigrations" namespaced apart;
    OSArtifact = "build.kairos.io/v1alpha2" "OSArtifact" "osartifacts" namespaced apart;
}
