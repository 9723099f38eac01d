//! Lines whose sides are measured in turns by the time of their thread, so that a busy machine counts little.

use std::cell::RefCell;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode};
use rustix::time::{ClockId, clock_gettime};

/// Lets criterion time the lines that its filter selects. Returns each line with the ns that its sides took, in each
/// turn. `turn` measures so many runs of every side, the first of which is for criterion's report.
pub(crate) fn timed<L>(
    group: &str,
    lines: impl IntoIterator<Item = L>,
    name: fn(&L) -> &str,
    turn: fn(&L, u64) -> Vec<Duration>,
) -> Vec<(L, Vec<Vec<f64>>)> {
    let mut criterion = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let mut group = criterion.benchmark_group(group);
    group.sampling_mode(SamplingMode::Flat);
    let mut rows = Vec::new();
    for line in lines {
        let turns: RefCell<Vec<Vec<f64>>> = RefCell::default();
        group.bench_function(BenchmarkId::from_parameter(name(&line)), |bencher| {
            bencher.iter_custom(|count| {
                let taken = turn(&line, count);
                let nanos = taken.iter().map(|time| time.as_secs_f64() * 1e9 / count as f64);
                turns.borrow_mut().push(nanos.collect());
                taken[0]
            });
        });
        rows.push((line, turns.into_inner()));
    }
    group.finish();
    rows
}

/// The time that this thread has run: what others do on the machine does not count.
pub(crate) fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("it is not negative")
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
