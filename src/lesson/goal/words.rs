//! The words a goal may use for states: kubectl's and the kubelet's, so that a slip of the
//! author's finger is a problem and not a goal that never holds.

/// STATUS words of a pod besides `Init:...`; any container reason may stand there too.
pub(super) const POD: &[&str] = &[
    "Pending",
    "Running",
    "Succeeded",
    "Failed",
    "Unknown",
    "Terminating",
    "NotReady",
    "Evicted",
    "NodeLost",
    "SchedulingGated",
];

/// State words and reasons of a container.
pub(super) const CONTAINER: &[&str] = &[
    "Waiting",
    "Running",
    "Terminated",
    "Completed",
    "Error",
    "OOMKilled",
    "CrashLoopBackOff",
    "ContainerCreating",
    "PodInitializing",
    "ImagePullBackOff",
    "ErrImagePull",
    "ErrImageNeverPull",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "ContainerCannotRun",
    "StartError",
    "PostStartHookError",
    "ContainerStatusUnknown",
    "DeadlineExceeded",
];

/// Whether kubectl could ever print this STATUS.
pub(super) fn is_pod_status(word: &str) -> bool {
    if let Some(rest) = word.strip_prefix("Init:") {
        let counts = rest
            .split_once('/')
            .is_some_and(|(done, all)| done.parse::<u32>().is_ok() && all.parse::<u32>().is_ok());
        let code = rest.strip_prefix("ExitCode:").is_some_and(|c| c.parse::<i32>().is_ok());
        return counts || code || CONTAINER.contains(&rest);
    }
    POD.contains(&word) || CONTAINER.contains(&word)
}

/// The word of the list that was probably meant.
pub(super) fn nearest<'a>(word: &str, list: &[&'a str]) -> Option<&'a str> {
    let near = list.iter().map(|one| (distance(word, one), *one)).min()?;
    (near.0 <= 1 + word.chars().count() / 3).then_some(near.1)
}

/// Edits between two short words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut before = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (cb, above) in b.iter().zip(row.iter().skip(1)) {
            let same = ca.eq_ignore_ascii_case(cb);
            left = (before + usize::from(!same)).min(left + 1).min(above + 1);
            before = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}
