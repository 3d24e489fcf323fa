//! The machine: boot disk, firmware, guest, cloud-init, keys, power.

use super::schemas;
use super::{Refused, object, words};

object! {
    /// The machine itself: where it boots from, its firmware, its guest and its power.
    pub struct Vm {
        /// Where the guest boots from.
        boot_disk: BootDisk,
        ;
        /// How the cores are presented.
        cpu: Topology,
        /// Boot loader and SMBIOS.
        firmware: Firmware,
        /// What kind of guest it is, which decides what the platform adds to cloud-init.
        #[serde(rename = "guestOS")]
        #[schemars(extend("default" = "linux"))]
        guest_os: GuestOs,
        /// Network interfaces: one.
        #[schemars(length(max = 8))]
        networks: Vec<Network>,
        /// What the guest sets up when it boots.
        cloud_init: CloudInit,
        /// SSH keys for users of the guest.
        #[schemars(length(max = 8))]
        access_credentials: Vec<AccessCredential>,
        /// Whether and when it runs.
        #[schemars(extend("default" = "Always"))]
        run_strategy: RunStrategy,
        /// The guest's clock.
        clock: Clock,
        /// Host name of the guest; the name of the replica when it is not set.
        #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
        hostname: String,
        /// DNS subdomain, by which replicas find one another.
        #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
        subdomain: String,
    }
}

object! {
    /// The disk that the guest boots from; each replica has its own, on a volume set.
    pub struct BootDisk {
        /// What fills the disk once, before the first boot: exactly one of oci and http.
        source: Source,
        /// Where the disk lives.
        persist: Persist,
        ;
        /// How the disk is attached.
        #[schemars(extend("default" = "virtio"))]
        bus: Bus,
        /// Place in the order in which disks are tried at boot.
        #[schemars(range(min = 1, max = 16), extend("default" = 1))]
        boot_order: i32,
    }
}

words! {
    /// How a disk is attached.
    pub enum Bus {
        /// Paravirtualised: fast, wants a driver in the guest.
        Virtio = "virtio",
        /// SATA: every guest knows it.
        Sata = "sata",
        /// SCSI.
        Scsi = "scsi",
    }
}

object! {
    /// What fills the boot disk: exactly one of oci and http.
    pub struct Source {
        ;
        /// An image of a registry that carries a disk.
        oci: OciSource,
        /// A disk image behind a URL.
        http: HttpSource,
        /// Refused: persist stands next to source.
        #[schemars(schema_with = "schemas::any_object")]
        persist: Refused,
    }
}

object! {
    /// A containerDisk: an image of a registry with one disk in it.
    pub struct OciSource {
        /// Public reference, //image/<name>:<tag>, or /org/<org>/image/<name>:<tag> of the same org.
        #[schemars(length(min = 1, max = 512))]
        image: String,
        ;
    }
}

object! {
    /// A disk image behind a URL: qcow2, raw, VMDK, VHD, VHDX, VDI or ISO, also as gzip or xz.
    pub struct HttpSource {
        /// Address of the image, http or https.
        #[schemars(length(min = 1, max = 2048))]
        url: String,
        ;
        /// What the image is checked against: sha256:<hex> or sha512:<hex>.
        #[schemars(length(max = 160))]
        checksum: String,
    }
}

object! {
    /// Where a boot disk lives.
    pub struct Persist {
        /// The volume set, as cpln://volumeset/<name>.
        #[schemars(length(max = 128), regex(pattern = r"^cpln://volumeset/[a-z0-9][a-z0-9-]{0,63}$"))]
        volume_set: String,
        ;
    }
}

object! {
    /// How the cores are presented to the guest.
    pub struct Topology {
        ;
        /// Sockets that the cores are divided among.
        #[schemars(range(min = 1, max = 32))]
        sockets: i32,
        /// Threads of each core.
        #[schemars(range(min = 1, max = 8))]
        threads: i32,
    }
}

object! {
    /// Boot loader and what the guest reads from SMBIOS.
    pub struct Firmware {
        ;
        /// UEFI, or the older BIOS.
        #[schemars(extend("default" = "efi"))]
        bootloader: Bootloader,
        /// Only false: firmware variables are not kept.
        #[schemars(extend("default" = false))]
        secure_boot: bool,
        /// UUID of the machine, version 4; made by the platform when it is not set.
        #[schemars(
            length(max = 36),
            regex(pattern = r"^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-4[0-9A-Fa-f]{3}-[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}$")
        )]
        uuid: String,
        /// Serial number of the machine.
        #[schemars(length(max = 64))]
        serial: String,
        /// More texts about the machine.
        smbios: Smbios,
    }
}

words! {
    /// What starts the guest.
    pub enum Bootloader {
        /// UEFI.
        Efi = "efi",
        /// BIOS.
        Bios = "bios",
    }
}

object! {
    /// Texts about the machine that its guest can read.
    pub struct Smbios {
        ;
        /// Who makes the machine.
        #[schemars(length(max = 64))]
        manufacturer: String,
        /// Its name as a product.
        #[schemars(length(max = 64))]
        product: String,
        /// Version of the product.
        #[schemars(length(max = 64))]
        version: String,
        /// Article number.
        #[schemars(length(max = 64))]
        sku: String,
        /// Family of products.
        #[schemars(length(max = 64))]
        family: String,
    }
}

words! {
    /// What kind of guest it is.
    pub enum GuestOs {
        /// Linux, with cloud-init.
        Linux = "linux",
        /// Windows, with cloudbase-init.
        Windows = "windows",
    }
}

object! {
    /// A network interface, always masquerade.
    pub struct Network {
        ;
        /// Name of the interface.
        #[schemars(length(min = 1, max = 15), regex(pattern = r"^[a-z0-9-]+$"), extend("default" = "default"))]
        name: String,
    }
}

object! {
    /// What the guest sets up when it boots: at most one of the three forms of user data, and keys.
    pub struct CloudInit {
        ;
        /// User data, at most 16384 bytes; stored in clear.
        #[schemars(length(max = 16384))]
        user_data: String,
        /// User data in base64, at most 22000 characters; stored in clear.
        #[schemars(length(max = 22000))]
        user_data_base64: String,
        /// Link to a secret that holds the user data under userdata or user-data.
        #[schemars(
            length(max = 256),
            regex(pattern = r"^(/|/org/[a-z0-9][a-z0-9-]*)/secret/[a-z0-9][-_.a-z0-9]*$")
        )]
        user_data_secret: String,
        /// Links to secrets with public keys for the default user of the image.
        #[schemars(
            length(max = 8),
            inner(length(max = 256), regex(pattern = r"^(/|/org/[a-z0-9][a-z0-9-]*)/secret/[a-z0-9][-_.a-z0-9]*$"))
        )]
        ssh_public_key_secrets: Vec<String>,
    }
}

object! {
    /// Keys of one secret for users of the guest.
    pub struct AccessCredential {
        /// Link to the secret with the public keys.
        #[schemars(
            length(max = 256),
            regex(pattern = r"^(/|/org/[a-z0-9][a-z0-9-]*)/secret/[a-z0-9][-_.a-z0-9]*$")
        )]
        ssh_public_key_secret: String,
        /// Users of the guest that get the keys.
        #[schemars(length(min = 1, max = 16), inner(length(max = 32), regex(pattern = r"^[a-z_][a-z0-9_-]*$")))]
        users: Vec<String>,
        ;
        /// How the keys reach the guest.
        #[schemars(extend("default" = "qemuGuestAgent"))]
        delivery_method: Delivery,
    }
}

words! {
    /// How keys reach the guest.
    pub enum Delivery {
        /// The agent in the guest writes them, also while it runs.
        QemuGuestAgent = "qemuGuestAgent",
        /// cloud-init reads them from a drive at boot.
        ConfigDrive = "configDrive",
    }
}

words! {
    /// Whether and when a VM runs.
    pub enum RunStrategy {
        /// It is kept running.
        Always = "Always",
        /// It is started again only after a failure.
        RerunOnFailure = "RerunOnFailure",
        /// Somebody starts and stops it.
        Manual = "Manual",
        /// It is powered off; needs minScale 0.
        Halted = "Halted",
    }
}

object! {
    /// The guest's clock.
    pub struct Clock {
        ;
        /// Time zone, such as America/New_York.
        #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z][A-Za-z0-9_+/-]*$"), extend("default" = "UTC"))]
        timezone: String,
    }
}
