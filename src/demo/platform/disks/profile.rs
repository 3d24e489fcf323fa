//! CDI's storage profiles: what it knows of each storage class.

use serde_json::{Value, json};

use super::super::edit::{Condition, Times, condition, label, new_object, set};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;
use super::class::known;

pub(super) fn step(view: &View<'_>, class: &Object) -> Vec<Write> {
    let Some(profile) = view.get(Kind::StorageProfile, "", class.name()) else {
        let mut new = new_object(Kind::StorageProfile, "", class.name());
        new["spec"] = json!({});
        for (key, value) in [
            ("app", "containerized-data-importer"),
            ("app.kubernetes.io/component", "storage"),
            ("app.kubernetes.io/managed-by", "cdi-controller"),
            ("cdi.kubevirt.io", ""),
        ] {
            label(&mut new, key, value);
        }
        return vec![Write::Create(new)];
    };
    let mut new = profile.edit();
    let provisioner = class.text("/provisioner");
    let known = known(provisioner);
    set(&mut new, "/status/storageClass", class.name());
    set(&mut new, "/status/provisioner", provisioner);
    let chosen = profile.list("/spec/claimPropertySets");
    let sets: Vec<Value> = match known {
        _ if !chosen.is_empty() => chosen.to_vec(),
        Some(known) => {
            let sets = known.sets.iter();
            sets.map(|(access, mode)| json!({"accessModes": [access], "volumeMode": mode})).collect()
        }
        None => Vec::new(),
    };
    if !sets.is_empty() {
        set(&mut new, "/status/claimPropertySets", sets);
    }
    if let Some(known) = known {
        let wanted = |field: &str, otherwise: &'static str| {
            let own = profile.at("/spec")[field].as_str();
            own.unwrap_or(otherwise).to_owned()
        };
        set(&mut new, "/status/cloneStrategy", wanted("cloneStrategy", known.clone));
        set(&mut new, "/status/dataImportCronSourceFormat", wanted("dataImportCronSourceFormat", known.cron));
        let mut classes = view.list(Kind::VolumeSnapshotClass, "");
        let snapshots = classes.find(|one| one.text("/driver") == provisioner).map(Object::name);
        let snapshots = profile.at("/spec/snapshotClass").as_str().or(snapshots);
        if let Some(snapshots) = snapshots {
            set(&mut new, "/status/snapshotClass", snapshots);
        }
    }
    let (status, reason, message) = match known {
        Some(_) => ("True", "RecognizedProvisioner", "Provisioner is recognized"),
        None => ("False", "UnrecognizedProvisioner", "Provisioner is not recognized"),
    };
    let recognized = Condition { of: "Recognized", status, reason, message };
    condition(&mut new, recognized, Times::Heartbeat, view.time);
    Write::update(profile, new).into_iter().collect()
}
