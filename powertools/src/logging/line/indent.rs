//! JSON over several lines, for people who develop a function.

/// Writes `line`, which is compact JSON, to `out` with its members indented by four spaces.
pub(in crate::logging) fn indent(line: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    for (at, &byte) in line.iter().enumerate() {
        if in_string {
            out.push(byte);
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if !matches!(line.get(at.wrapping_sub(1)), Some(b'{' | b'[')) {
                    new_line(depth, out);
                }
            }
            _ => {}
        }
        out.push(byte);
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if !matches!(line.get(at + 1), Some(b'}' | b']')) {
                    new_line(depth, out);
                }
            }
            b',' => new_line(depth, out),
            b':' => out.push(b' '),
            _ => {}
        }
    }
}

fn new_line(depth: usize, out: &mut Vec<u8>) {
    out.push(b'\n');
    out.resize(out.len() + 4 * depth, b' ');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indents_members_and_keeps_strings() {
        let mut out = Vec::new();
        indent(br#"{"a":[1,{"b":"x,{\"y\":\\"}],"c":{},"d":[]}"#, &mut out);
        let expected = r#"{
    "a": [
        1,
        {
            "b": "x,{\"y\":\\"
        }
    ],
    "c": {},
    "d": []
}"#;
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
