//! Where the content of a DataVolume comes from.

/// The one source that a DataVolume names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceKind {
    /// None, or one that this program does not know.
    #[default]
    None,
    /// `http`: downloaded from a URL.
    Http,
    /// `registry`: a containerDisk image.
    Registry,
    /// `s3`.
    S3,
    /// `gcs`: Google's object storage.
    Gcs,
    /// `pvc`: a copy of a claim.
    Claim,
    /// `snapshot`: a copy of a VolumeSnapshot.
    Snapshot,
    /// `upload`: waits until somebody sends it.
    Upload,
    /// `blank`: an empty disk.
    Blank,
    /// `imageio`: from oVirt.
    Imageio,
    /// `vddk`: from VMware.
    Vddk,
    /// `sourceRef`: what a DataSource points to.
    DataSource,
}

impl SourceKind {
    /// The word of the API; empty if there is none.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Http => "http",
            Self::Registry => "registry",
            Self::S3 => "s3",
            Self::Gcs => "gcs",
            Self::Claim => "pvc",
            Self::Snapshot => "snapshot",
            Self::Upload => "upload",
            Self::Blank => "blank",
            Self::Imageio => "imageio",
            Self::Vddk => "vddk",
            Self::DataSource => "sourceRef",
        }
    }
}
