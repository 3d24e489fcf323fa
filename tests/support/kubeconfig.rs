//! Variants of a kubeconfig: another address, a wrong authority, no
//! credentials. They are made from the file that the API server writes.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// An authority that has signed nothing, whose key is thrown away; PEM in
/// base64, valid for a hundred years.
const OTHER_AUTHORITY: &str = "\
LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJvRENDQVVXZ0F3SUJBZ0lVZHZpMEJUZmhMSnlMMGNtQWNl\
eGZGS3p3S2ZZd0NnWUlLb1pJemowRUF3SXcKSERFYU1CZ0dBMVVFQXd3UllXNXZkR2hsY2lCaGRYUm9iM0pwZEhr\
d0lCY05Nall4TVRJeE1URTFOakF6V2hnUApNakV5TmpFd01qZ3hNVFUyTUROYU1Cd3hHakFZQmdOVkJBTU1FV0Z1\
YjNSb1pYSWdZWFYwYUc5eWFYUjVNRmt3CkV3WUhLb1pJemowQ0FRWUlLb1pJemowREFRY0RRZ0FFK3JxaTkwMlhY\
d1hZakVGa3lnR0QwRWJQRzZzMEpYUkkKNCt0a2Ryd0JQQXJFVkNTMFYzcmp5NzRsMmsxYlZPVUprWklXNWp0Wmpw\
SW5UVFFGNHV3bGxxTmpNR0V3SFFZRApWUjBPQkJZRUZDRVpWSWhoS2VJRGJJL0QwSWlVZ2tGaUVoRGNNQjhHQTFV\
ZEl3UVlNQmFBRkNFWlZJaGhLZUlECmJJL0QwSWlVZ2tGaUVoRGNNQThHQTFVZEV3RUIvd1FGTUFNQkFmOHdEZ1lE\
VlIwUEFRSC9CQVFEQWdJRU1Bb0cKQ0NxR1NNNDlCQU1DQTBrQU1FWUNJUURQV0prVXcvTjNTdFZPYnJDRjRRbUdY\
YW9CdkhCcUtxVTQ4ckRiREROagpaZ0loQUt6Rk9Nd2hVbW5pUjFzZXdqem43VHhLenZmOVVKUnFGZndEUWFlSkZL\
NlcKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=";

/// A kubeconfig with one cluster, one user and one context.
#[derive(Clone, Debug)]
pub struct Kubeconfig(Value);

impl Kubeconfig {
    /// Reads a file.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("a kubeconfig");
        Self(serde_saphyr::from_str(&text).expect("a kubeconfig in YAML"))
    }

    /// Goes to another address, like that of a proxy.
    #[must_use]
    pub fn server(mut self, url: &str) -> Self {
        self.cluster()["server"] = json!(url);
        self
    }

    /// Trusts an authority that has not signed the server's certificate.
    #[must_use]
    pub fn wrong_authority(mut self) -> Self {
        self.cluster()["certificate-authority-data"] = json!(OTHER_AUTHORITY);
        self
    }

    /// Takes away the user's credentials.
    #[must_use]
    pub fn without_credentials(self) -> Self {
        self.user(json!({}))
    }

    /// Uses a token.
    #[must_use]
    pub fn token(self, token: &str) -> Self {
        self.user(json!({ "token": token }))
    }

    /// Uses other credentials, given as the `user` of a kubeconfig; for example
    /// `{"exec": …}`.
    #[must_use]
    pub fn user(mut self, user: Value) -> Self {
        self.0["users"][0]["user"] = user;
        self
    }

    /// Sets the namespace of the context.
    #[must_use]
    pub fn namespace(mut self, name: &str) -> Self {
        self.0["contexts"][0]["context"]["namespace"] = json!(name);
        self
    }

    /// Renames the context.
    #[must_use]
    pub fn context(mut self, name: &str) -> Self {
        self.0["contexts"][0]["name"] = json!(name);
        self.0["current-context"] = json!(name);
        self
    }

    /// Adds the contexts of another kubeconfig, whose names must differ from
    /// those here. Its clusters and users get the names of its contexts.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        let name = other.0["contexts"][0]["name"].clone();
        let mut other = other.0;
        other["contexts"][0]["context"]["cluster"] = name.clone();
        other["contexts"][0]["context"]["user"] = name.clone();
        other["clusters"][0]["name"] = name.clone();
        other["users"][0]["name"] = name;
        for list in ["contexts", "clusters", "users"] {
            let theirs = other[list].as_array().expect("a list").clone();
            self.0[list].as_array_mut().expect("a list").extend(theirs);
        }
        self
    }

    /// Returns the address of the server.
    #[must_use]
    pub fn url(&self) -> String {
        let server = self.0["clusters"][0]["cluster"]["server"].as_str();
        server.expect("an address").to_owned()
    }

    /// Returns the file's text, which is JSON and thereby YAML.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{:#}", self.0)
    }

    /// Writes the file into a folder and returns its path.
    pub fn write(&self, folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, self.text()).expect("a kubeconfig to write");
        path
    }

    fn cluster(&mut self) -> &mut Value {
        &mut self.0["clusters"][0]["cluster"]
    }
}
