//! The grammar of moments: who does what. When and how often is `parse`'s.

use super::parse::{Read, Reader};
use super::words::{CONTAINER, POD, is_pod_status, nearest};
use super::{Deed, Moment, Who};
use crate::trace::ProbeKind;

/// A moment and what its own words already say about it.
pub(super) struct Said {
    pub(super) moment: Moment,
    pub(super) never: bool,
    pub(super) verb: Verb,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Happens,
    /// At an instant.
    Is,
    /// At the end of the run.
    Ends,
    /// From an instant on.
    Stays,
}

const POD_DEEDS: &[&str] = &["reaches", "is", "ends", "stays", "reports", "restarts", "never"];
const POD_DEEDS_NEVER: &[&str] = &["reaches", "reports", "restarts"];
const CONTAINER_DEEDS: &[&str] =
    &["logs", "is", "starts", "restarts", "exits", "listens", "passes", "fails", "never", "in"];

impl Reader<'_> {
    pub(super) fn moment(&mut self) -> Read<Said> {
        match self.peek() {
            Some("pod") => self.pod(),
            Some("container") => self.container(),
            Some("file") => self.file(),
            Some("request") => self.request(),
            Some("service") => self.service(),
            _ => Err(self.one_of(&[
                "pod",
                "container",
                "file",
                "request",
                "service",
                "manifest",
                "no",
            ])),
        }
    }

    fn pod(&mut self) -> Read<Said> {
        self.at += 1;
        let who = Who::Pod(self.word("a pod's name")?.to_owned());
        let never = self.take("never");
        let verbs: &[&str] = if never { POD_DEEDS_NEVER } else { POD_DEEDS };
        let Some(word) = self.peek().filter(|word| verbs.contains(word)) else {
            return Err(self.one_of(verbs));
        };
        self.at += 1;
        let mut verb = Verb::Happens;
        let deed = match word {
            "reports" => {
                let reason = self.word("an event's reason such as `BackOff`")?.to_owned();
                Deed::Reports { reason, message: self.maybe_pattern() }
            }
            "restarts" => Deed::Restarts,
            _ => {
                verb = match word {
                    "is" => Verb::Is,
                    "ends" => Verb::Ends,
                    "stays" => Verb::Stays,
                    _ => Verb::Happens,
                };
                self.row()?
            }
        };
        Ok(Said { moment: Moment { who, deed }, never, verb })
    }

    fn row(&mut self) -> Read<Deed> {
        if self.take("gone") {
            return Ok(Deed::Gone);
        }
        let ready = self.peek().and_then(|word| word.split_once('/')).and_then(|(ready, total)| {
            Some((ready.parse::<u32>().ok()?, total.parse::<u32>().ok()?))
        });
        self.at += usize::from(ready.is_some());
        match self.peek() {
            Some(status) if is_pod_status(status) => {
                self.at += 1;
                Ok(Deed::Row { ready, status: status.to_owned() })
            }
            Some(word) => {
                let near = nearest(word, POD).or_else(|| nearest(word, CONTAINER));
                let meant = near.map_or(String::new(), |w| format!("; perhaps `{w}`"));
                Err(self.problem(format!("kubectl never prints the STATUS `{word}`{meant}")))
            }
            None => Err(self.problem("a STATUS such as `Running` is expected here")),
        }
    }

    fn container(&mut self) -> Read<Said> {
        self.at += 1;
        let name = self.word("a container's name")?.to_owned();
        let pod = if self.take("in") {
            self.expect("pod")?;
            Some(self.word("a pod's name")?.to_owned())
        } else {
            None
        };
        let never = self.take("never");
        let deed = self.container_deed()?;
        Ok(Said {
            moment: Moment { who: Who::Container { name, pod }, deed },
            never,
            verb: Verb::Happens,
        })
    }

    fn container_deed(&mut self) -> Read<Deed> {
        let Some(word) = self.peek() else { return Err(self.one_of(CONTAINER_DEEDS)) };
        self.at += 1;
        Ok(match word {
            "logs" => Deed::Logs(self.pattern()?),
            "is" => self.state()?,
            "starts" => Deed::Starts,
            "restarts" => Deed::Restarts,
            "exits" if self.take("with") => Deed::Exits(Some(self.number("an exit code")?)),
            "exits" => Deed::Exits(None),
            "listens" => {
                self.expect("on")?;
                Deed::Listens(self.number("a port")?)
            }
            "passes" | "fails" => {
                let ok = word == "passes";
                self.expect("its")?;
                let probe = self.probe()?;
                self.expect("probe")?;
                Deed::Probe { probe, ok }
            }
            _ => {
                self.at -= 1;
                return Err(self.one_of(CONTAINER_DEEDS));
            }
        })
    }

    fn state(&mut self) -> Read<Deed> {
        if self.take("not") {
            self.expect("ready")?;
            return Ok(Deed::Ready(false));
        }
        match self.peek() {
            Some("ready") => self.at += 1,
            Some(word) if CONTAINER.contains(&word) => {
                self.at += 1;
                return Ok(Deed::State(word.to_owned()));
            }
            _ => return Err(self.one_of(CONTAINER)),
        }
        Ok(Deed::Ready(true))
    }

    fn probe(&mut self) -> Read<ProbeKind> {
        let kind = match self.peek() {
            Some("startup") => ProbeKind::Startup,
            Some("liveness") => ProbeKind::Liveness,
            Some("readiness") => ProbeKind::Readiness,
            _ => return Err(self.one_of(&["startup", "liveness", "readiness"])),
        };
        self.at += 1;
        Ok(kind)
    }

    fn file(&mut self) -> Read<Said> {
        self.at += 1;
        let word = self.word("a file such as `volume:logs/app.log`")?;
        let parts = word.split_once(':').and_then(|(place, rest)| {
            let (name, path) = rest.split_once('/')?;
            ["volume", "rootfs"].contains(&place).then_some((place, name, path))
        });
        let Some((place, name, path)) = parts else {
            self.at -= 1;
            return Err(self.problem("write `volume:NAME/PATH` or `rootfs:CONTAINER/PATH`"));
        };
        let own = str::to_owned;
        let who = Who::File { place: own(place), name: own(name), path: own(path) };
        let never = self.take("never");
        let deed = match self.peek() {
            Some("contains") => {
                self.at += 1;
                Deed::Contains(self.pattern()?)
            }
            Some("exists") => {
                self.at += 1;
                Deed::Exists
            }
            _ => return Err(self.one_of(&["contains", "exists", "never"])),
        };
        Ok(Said { moment: Moment { who, deed }, never, verb: Verb::Happens })
    }

    fn request(&mut self) -> Read<Said> {
        self.at += 1;
        self.expect("from")?;
        let name = self.word("a container's name")?.to_owned();
        self.expect("to")?;
        let to = self.word("an address such as `localhost:6379`")?.to_owned();
        let never = self.take("never");
        let ok = match self.peek() {
            Some("succeeds") => true,
            Some("fails") => false,
            _ => return Err(self.one_of(&["succeeds", "fails", "never"])),
        };
        self.at += 1;
        let answer = if self.take("with") { Some(self.pattern()?) } else { None };
        let deed = Deed::Request { to, ok, answer };
        Ok(Said {
            moment: Moment { who: Who::Container { name, pod: None }, deed },
            never,
            verb: Verb::Happens,
        })
    }

    fn service(&mut self) -> Read<Said> {
        self.at += 1;
        let who = Who::Service(self.word("a Service's name")?.to_owned());
        self.expect("has")?;
        let deed = Deed::Endpoints(self.number("a number of endpoints")?);
        if !self.take("endpoint") {
            self.expect("endpoints")?;
        }
        Ok(Said { moment: Moment { who, deed }, never: false, verb: Verb::Happens })
    }
}
