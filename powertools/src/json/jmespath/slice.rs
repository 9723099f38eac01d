/// The indices that a slice takes out of a list, as Python has it.
pub(super) fn indices(
    len: usize,
    start: Option<i32>,
    stop: Option<i32>,
    step: i32,
) -> impl Iterator<Item = usize> {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let step = i64::from(step);
    let (first, last) = if step > 0 { (0, len) } else { (-1, len - 1) };
    let place = |index: Option<i32>, default: i64| match index.map(i64::from) {
        Some(index) if index < 0 => (index + len).clamp(first, last),
        Some(index) => index.clamp(first, last),
        None => default,
    };
    let (start, stop) = if step > 0 {
        (place(start, first), place(stop, last))
    } else {
        (place(start, last), place(stop, first))
    };
    std::iter::successors(Some(start), move |index| index.checked_add(step))
        .take_while(move |&index| if step > 0 { index < stop } else { index > stop })
        .filter_map(|index| usize::try_from(index).ok())
}
