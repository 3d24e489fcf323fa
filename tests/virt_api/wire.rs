//! What a client meets with on the wire, as it is with KubeVirt's own virt-api behind a real kube-apiserver. Every line of what was
//! found out there is here, or elsewhere:
//!
//! | What was found | Where it is held |
//! |---|---|
//! | the protocol is echoed, without extensions; none and another one work all the same; text and binary pass, 200 KB in one frame | `streams` |
//! | the wish about a VNC session goes through to virt-handler | "the wish of who looks at a screen" |
//! | refusals are answers instead of streams | `states`, `streams`, "ports that cannot be dialled", "a port of a guest without interfaces" |
//! | frames of 32 KiB at most, binary | "a long speech" |
//! | pings of forwarded ports, their end without pongs, none at consoles | `streams`; with a clock that stands beside `demo::virt_api::websocket` |
//! | a client's ping is answered | "whoever asks is answered" |
//! | the console of a paused guest opens, and is silent | "a paused guest" |
//! | closing frames go through | "a farewell" |
//! | other ends are told by nothing | "ends without a word" |
//! | who comes second ends the first | "who comes second" |
//! | the ends of forwarded ports | "a port whose guest …", "a port that the client closes" |
//! | no check of UDP, names of services | "ports without a check" |
//! | a path with `..` | "a path that is not clean" |
//! | how fast all of it is | `benches/` |

use futures::StreamExt as _;
use serde_json::json;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use v9s::demo::virt_api::PROTOCOL;

use super::actors::{ACTS, SPEECH, port, speech};
use super::ask::Reply;
use super::rows::{State, objects};
use super::streams::{Socket, hear, hear_text, is_cut, open, say, type_in, within};
use crate::support::suite::{Case, Env};

pub(super) const CASES: &[Case] = &[
    ("wire: the wish of who looks at a screen goes through", |env| {
        machine(env, State::Running, "");
        for (query, heard) in [("", "preserve=false"), ("?preserveSession=true", "preserve=true")] {
            let rest = format!("virtualmachineinstances/web/vnc{query}");
            assert_eq!(hear(&mut stream(env, &rest), heard.len()), heard.as_bytes(), "{query}");
        }
    }),
    ("wire: a long speech comes in binary frames of 32 KiB at most", |env| {
        machine(env, State::Running, "speaks");
        let mut console = stream(env, CONSOLE);
        let mut heard = Vec::new();
        within(async {
            while heard.len() < SPEECH {
                match console.next().await {
                    Some(Ok(Message::Binary(bytes))) => {
                        assert!(!bytes.is_empty() && bytes.len() <= 32 << 10, "{} bytes", bytes.len());
                        heard.extend_from_slice(&bytes);
                    }
                    other => panic!("{other:?} after {} bytes", heard.len()),
                }
            }
        });
        assert!(heard == speech(), "another speech came");
    }),
    ("wire: whoever asks is answered", |env| {
        machine(env, State::Running, "");
        let mut console = stream(env, CONSOLE);
        say(&mut console, Message::Ping(Bytes::from_static(b"there?")));
        let pong = within(console.next());
        assert!(matches!(&pong, Some(Ok(Message::Pong(text))) if text == "there?"), "{pong:?}");
    }),
    ("wire: a paused guest opens its console and says nothing until it is resumed", |env| {
        machine(env, State::Paused, "plays");
        let mut console = stream(env, CONSOLE);
        type_in(&mut console, "\r");
        // What is asked of the one at the other end of the stream comes back; what is typed to the guest does not.
        say(&mut console, Message::Ping(Bytes::new()));
        let next = within(console.next());
        assert!(matches!(next, Some(Ok(Message::Pong(_)))), "{next:?} of a paused guest");
        env.cluster.patch(&instance(env), json!({"status": {"conditions": []}}));
        hear_text(&mut console, "web login: ");
    }),
    ("wire: a farewell comes as it was said", |env| {
        machine(env, State::Running, "farewell");
        let mut console = stream(env, CONSOLE);
        assert_eq!(hear(&mut console, 7), b"so long");
        match within(console.next()) {
            Some(Ok(Message::Close(Some(frame)))) => {
                assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1000, "bye"));
            }
            end => panic!("{end:?} instead of a farewell"),
        }
    }),
    ("wire: all ends without a word look alike", |env| {
        for acts in ["goes", "aborts"] {
            machine(env, State::Running, acts);
            let mut console = stream(env, CONSOLE);
            assert_eq!(hear(&mut console, 7), b"so long");
            assert!(is_cut(&mut console), "{acts}: no closing frame comes");
            env.cluster.delete(&instance(env));
            env.cluster.wait_gone(&instance(env));
        }
    }),
    ("wire: who comes second ends the first, and the guest goes on", |env| {
        machine(env, State::Running, "plays");
        let mut first = stream(env, CONSOLE);
        type_in(&mut first, "\rroot\rroot\r");
        hear_text(&mut first, "[root@web ~]# ");
        let mut second = stream(env, CONSOLE);
        assert!(is_cut(&mut first), "who was there before is cut off without a word");
        type_in(&mut second, "whoami\r");
        hear_text(&mut second, "whoami\r\nroot\r\n");
        type_in(&mut second, "poweroff\r");
        hear_text(&mut second, "Power down");
        assert!(is_cut(&mut second), "a guest that is off ends its console in the same way");
    }),
    ("wire: a port whose guest closes its socket ends after all data", |env| {
        machine(env, State::Running, "");
        let mut forwarded = stream(env, &at(port::FINISHES));
        assert!(hear(&mut forwarded, SPEECH) == speech());
        assert!(is_cut(&mut forwarded));
    }),
    ("wire: a port whose guest resets ends without data", |env| {
        machine(env, State::Running, "");
        let mut forwarded = stream(env, &at(port::RESETS));
        let end = within(async {
            loop {
                match forwarded.next().await {
                    Some(Ok(Message::Ping(_))) => {}
                    end => break end,
                }
            }
        });
        assert!(matches!(end, None | Some(Err(_))), "{end:?}");
    }),
    ("wire: a port whose guest half-closes ends as a whole", |env| {
        machine(env, State::Running, "");
        let mut forwarded = stream(env, &at(port::HALF_CLOSES));
        assert_eq!(hear(&mut forwarded, 17), b"all that there is");
        assert!(is_cut(&mut forwarded), "there is no half of a stream");
    }),
    ("wire: a port that the client closes ends for the guest, whose last words are lost", |env| {
        machine(env, State::Running, "");
        let mut forwarded = stream(env, &at(port::LISTENS));
        type_in(&mut forwarded, "last words");
        say(&mut forwarded, Message::Close(None));
        let mut teller = stream(env, &at(port::TELLS));
        assert_eq!(hear(&mut teller, 7), b"the end", "the guest has seen the end of its connection");
        within(async {
            while let Some(Ok(message)) = forwarded.next().await {
                assert!(!message.is_binary(), "{message:?} after the client's farewell");
            }
        });
    }),
    ("wire: ports that cannot be dialled are told of in the words of the one who dials", |env| {
        machine(env, State::Running, "");
        let closed = port::CLOSED;
        let dialling = |why: &str| format!("Internal error occurred: dialing VM: {why}");
        for (rest, why) in [
            (closed.to_string(), format!("dial tcp 10.244.1.7:{closed}: connect: connection refused")),
            ("0".into(), "dial tcp 10.244.1.7:0: connect: connection refused".into()),
            ("22/sctp".into(), "dial sctp: unknown network sctp".into()),
        ] {
            let reply = refused(env, &format!("virtualmachineinstances/web/portforward/{rest}"));
            assert_eq!((reply.code, reply.reason().as_str()), (500, "InternalError"), "{rest}");
            assert_eq!(reply.message(), dialling(&why), "{rest}");
        }
    }),
    ("wire: ports without a check: names of services, and UDP where nobody listens", |env| {
        machine(env, State::Running, "");
        let mut forwarded = stream(env, "virtualmachineinstances/web/portforward/http");
        type_in(&mut forwarded, "GET");
        assert_eq!(hear(&mut forwarded, 3), b"GET");
        let silent = port::SILENT;
        let mut forwarded = stream(env, &format!("virtualmachineinstances/web/portforward/{silent}/udp"));
        type_in(&mut forwarded, "anybody?");
        // Two signs of life later nothing has come.
        within(async {
            for _ in 0..3 {
                let next = forwarded.next().await;
                assert!(matches!(next, Some(Ok(Message::Ping(_)))), "{next:?} where nobody listens");
            }
        });
    }),
    ("wire: a port of a guest that has no interfaces yet, and of one that is paused", |env| {
        machine(env, State::Scheduling, "");
        let reply = refused(env, &at(22));
        let said = (reply.code, reply.reason(), reply.message());
        assert_eq!(said, (400, "BadRequest".into(), "no network interfaces are present".into()));
        env.cluster.delete(&instance(env));
        env.cluster.wait_gone(&instance(env));
        machine(env, State::Paused, "");
        let reply = refused(env, &at(22));
        assert_eq!((reply.code, reply.reason().as_str()), (409, "Conflict"));
        assert!(reply.message().ends_with(": VMI is paused"), "{}", reply.message());
    }),
    ("wire: a path that is not clean opens nothing", |env| {
        machine(env, State::Running, "");
        let reply = refused(env, "virtualmachineinstances/other/../web/console");
        assert_eq!(reply.code, 503, "{reply:?}");
        assert!(reply.text.contains("invalid upgrade response: status code 307"), "{reply:?}");
    }),
];

const CONSOLE: &str = "virtualmachineinstances/web/console";

fn at(port: u16) -> String {
    format!("virtualmachineinstances/web/portforward/{port}")
}

fn instance(env: &Env) -> serde_json::Value {
    json!({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance",
        "metadata": {"name": "web", "namespace": env.namespace}})
}

/// The instance of a machine in a state, whose guest acts in this way.
fn machine(env: &Env, state: State, acts: &str) {
    let [_, instance] = objects(state, &env.namespace, "web", "node-1");
    let mut instance = instance.expect("an instance in this state");
    if !acts.is_empty() {
        instance["metadata"]["annotations"][ACTS] = acts.into();
    }
    env.cluster.create(instance);
}

fn stream(env: &Env, rest: &str) -> Socket {
    open(&env.cluster, &env.namespace, rest, Some(PROTOCOL)).unwrap_or_else(|why| panic!("{rest}: {why:?}")).0
}

fn refused(env: &Env, rest: &str) -> Reply {
    open(&env.cluster, &env.namespace, rest, Some(PROTOCOL)).map(|_| ()).expect_err("a refusal")
}
