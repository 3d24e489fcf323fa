use super::*;
use crate::records::decode;

fn vm(json: &str) -> VirtinkVm {
    decode(json.as_bytes()).unwrap().record
}

#[test]
fn a_machine_keeps_what_its_row_needs() {
    let vm = vm(
        r#"{"metadata":{"name":"web","namespace":"shop"},"spec":{"runPolicy":"RerunOnFailure","instance":{"cpu":{"sockets":2,"coresPerSocket":4},
        "memory":{"size":"2Gi"}},"volumes":[{"name":"a","containerDisk":{"image":"x"}},{"name":"b","dataVolume":{"volumeName":"root"}},
        {"name":"c","persistentVolumeClaim":{"claimName":"data"}}]},"status":{"phase":"Running","nodeName":"n1","vmPodName":"vm-web-x2k4p",
        "powerAction":"Shutdown","migration":{"phase":"Sent"},"conditions":[{"type":"Ready","status":"True"},
        {"type":"Migratable","status":"False","reason":"VolumeNotMigratable"}]}}"#,
    );
    assert_eq!((vm.cpus, vm.memory, vm.policy), (8, 2048, RunPolicy::RerunOnFailure));
    assert_eq!((&*vm.phase, &*vm.node, &*vm.pod), ("Running", "n1", "vm-web-x2k4p"));
    assert_eq!((vm.action.as_str(), vm.migration.as_str()), ("Shutdown", "Sent"));
    assert_eq!(
        (vm.flags, &*vm.obstacle),
        (VirtinkFlags::READY | VirtinkFlags::NOT_MIGRATABLE, "VolumeNotMigratable")
    );
    let space = Word::new("shop");
    let mut links = Vec::new();
    vm.has_parts(&mut |key| links.push(key));
    assert_eq!(links, [name_key(Kind::DataVolume, space, "root"), name_key(Kind::Claim, space, "data")]);
}

#[test]
fn null_missing_and_odd_numbers_are_borne() {
    let nulls = vm(
        r#"{"metadata":{"name":"a"},"spec":{"runPolicy":null,"instance":null,"volumes":[{"dataVolume":null},null]},"status":{"migration":null,"powerAction":""}}"#,
    );
    assert_eq!(nulls, vm(r#"{"metadata":{"name":"a"},"status":null}"#));
    assert_eq!((nulls.policy, nulls.action, nulls.cpus), (RunPolicy::None, PowerAction::None, 1));
    let many = vm(
        r#"{"metadata":{"name":"a"},"spec":{"instance":{"cpu":{"sockets":4000000000,"coresPerSocket":-1},"memory":{"size":"8Ei"}}}}"#,
    );
    assert_eq!((many.cpus, many.memory), (u16::MAX, u32::MAX));
}
