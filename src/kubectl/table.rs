//! kubectl's tables and durations. Models `k8s.io/cli-runtime/pkg/printers/tabwriter.go` and
//! `k8s.io/apimachinery/pkg/util/duration` (v1.36).

use crate::time::SimTime;

const WIDTH_MIN: usize = 6;
const PADDING: usize = 3;

/// Column widths, remembered from line to line as kubectl's tab writer does.
#[derive(Default)]
pub struct Table {
    widths: Vec<usize>,
}

impl Table {
    /// Makes room for a row that will be printed later.
    pub fn widen(&mut self, cells: &[String]) {
        for (i, cell) in cells.iter().enumerate() {
            let width = cell.chars().count().max(WIDTH_MIN - PADDING) + PADDING;
            match self.widths.get_mut(i) {
                Some(known) => *known = (*known).max(width),
                None => self.widths.push(width),
            }
        }
    }

    /// One line with its end; the last cell is not padded.
    pub fn line(&mut self, cells: &[String]) -> String {
        self.widen(cells);
        let mut out = String::new();
        for (i, cell) in cells.iter().enumerate() {
            out.push_str(cell);
            if i + 1 < cells.len() {
                let room = self.widths[i].saturating_sub(cell.chars().count());
                out.extend(std::iter::repeat_n(' ', room));
            }
        }
        out.push('\n');
        out
    }
}

/// Models `duration.HumanDuration`: about two or three digits, the coarser the longer.
pub fn human_duration(span: SimTime) -> String {
    let seconds = span.as_secs();
    let (minutes, hours) = (seconds / 60, seconds / 3_600);
    let days = hours / 24;
    let two = |big: u64, unit: char, small: u64, sub: char| match small {
        0 => format!("{big}{unit}"),
        _ => format!("{big}{unit}{small}{sub}"),
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, 'm', seconds % 60, 's'),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, 'h', minutes % 60, 'm'),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, 'd', hours % 24, 'h'),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => two(days / 365, 'y', days % 365, 'd'),
        _ => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_kubectl_writes_them() {
        for (secs, expected) in [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (570, "9m30s"),
            (600, "10m"),
            (10_740, "179m"),
            (28_740, "7h59m"),
            (169_200, "47h"),
            (622_800, "7d5h"),
            (60_480_000, "700d"),
            (96_336_000, "3y20d"),
            (283_824_000, "9y"),
        ] {
            assert_eq!(human_duration(SimTime::from_secs(secs)), expected, "{secs}");
        }
    }
}
