//! The volumes of a pod: what keeps them from being mounted.

use std::time::Duration;

use serde_json::Value;

use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;
use super::fit::{claims, is_bound};

const KUBELET: &str = "kubelet";

/// The pauses between tries grow from half a second to this.
const LONGEST: Duration = Duration::from_secs(122);

/// Why the volumes of a pod cannot be mounted.
pub(super) fn problem(view: &View<'_>, pod: &Object) -> Option<String> {
    for volume in pod.list("/spec/volumes") {
        let name = volume["name"].as_str().unwrap_or_default();
        let secrets = [(&volume["secret"], "secretName")];
        let projected = volume["projected"]["sources"].as_array().map(Vec::as_slice).unwrap_or_default();
        let all = secrets.into_iter().chain(projected.iter().map(|source| (&source["secret"], "name")));
        for (secret, field) in all {
            let Some(wanted) = secret[field].as_str() else { continue };
            if secret["optional"] != true && view.get(Kind::Secret, pod.namespace(), wanted).is_none() {
                return Some(format!(
                    "MountVolume.SetUp failed for volume {name:?} : secret {wanted:?} not found"
                ));
            }
        }
    }
    for volume in pod.list("/spec/volumes") {
        let (wanted, map) = (volume["configMap"]["name"].as_str(), &volume["configMap"]);
        let Some(wanted) = wanted.filter(|_| map["optional"] != true) else { continue };
        if view.get(Kind::ConfigMap, pod.namespace(), wanted).is_none() {
            let name = volume["name"].as_str().unwrap_or_default();
            return Some(format!(
                "MountVolume.SetUp failed for volume {name:?} : configmap {wanted:?} not found"
            ));
        }
    }
    let lost = claims(pod).find(|name| {
        let claim = view.get(Kind::PersistentVolumeClaim, pod.namespace(), name);
        !claim.is_some_and(is_bound)
    })?;
    Some(format!(
        "error processing PVC {}/{lost}: failed to fetch PVC from API server: persistentvolumeclaims {lost:?} not found",
        pod.namespace()
    ))
}

/// Which Secret of its variables a container lacks.
pub(super) fn missing(view: &View<'_>, pod: &Object, container: &Value) -> Option<String> {
    let variables = container["env"].as_array().map(Vec::as_slice).unwrap_or_default();
    variables.iter().find_map(|variable| {
        let wanted = &variable["valueFrom"]["secretKeyRef"];
        let (name, key) = (wanted["name"].as_str()?, wanted["key"].as_str().unwrap_or_default());
        if wanted["optional"] == true {
            return None;
        }
        match view.get(Kind::Secret, pod.namespace(), name) {
            None => Some(format!("secret {name:?} not found")),
            Some(secret) if secret.at("/data").get(key).is_none() => {
                Some(format!("couldn't find key {key} in Secret {}/{name}", pod.namespace()))
            }
            Some(_) => None,
        }
    })
}

/// Says that volumes cannot be mounted, as often as it was tried by now.
pub(super) fn complain(view: &View<'_>, pod: &Object, why: &str) -> Vec<Write> {
    let age = view.age(pod, "mount");
    let (mut tries, mut at, mut pause) = (1, Duration::ZERO, Duration::from_millis(500));
    while at + pause <= age {
        at += pause;
        pause = (pause * 2).min(LONGEST);
        tries += 1;
    }
    if view.count(pod, "mounts-tried", tries) >= tries {
        return Vec::new();
    }
    view.look_in((at + pause).saturating_sub(age));
    vec![Write::warn(pod, KUBELET, "FailedMount", why)]
}

/// That the volumes of a driver were attached to the node.
pub(super) fn attached(view: &View<'_>, pod: &Object) -> Vec<Write> {
    let volumes = claims(pod).filter_map(|name| {
        let claim = view.get(Kind::PersistentVolumeClaim, pod.namespace(), name)?;
        let volume = view.get(Kind::PersistentVolume, "", claim.text("/spec/volumeName"))?;
        let driven = volume.at("/spec/csi") != &Value::Null;
        driven.then(|| format!("AttachVolume.Attach succeeded for volume {:?} ", volume.name()))
    });
    volumes.map(|text| Write::tell(pod, "attachdetach-controller", "SuccessfulAttachVolume", text)).collect()
}
