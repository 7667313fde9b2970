//! Objections to a text that should be JSON, in the words of Go's decoder.
//! Models encoding/json scanner.go. Builds no values.

/// Why `text` is not a JSON object, if it is none.
pub fn object_objection(text: &str) -> Option<String> {
    let mut scanner = Scanner { bytes: text.as_bytes(), at: 0 };
    let found = scanner.document();
    if found.is_err() {
        return found.err();
    }
    let kind = match text.trim_start().bytes().next()? {
        b'{' | b'n' => return None,
        b'[' => "array",
        b'"' => "string",
        b't' | b'f' => "bool",
        _ => "number",
    };
    Some(format!("json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"))
}

/// The end of the value at the start of `text`, or at which byte and why there is none.
pub(super) fn value_end(text: &str) -> Result<usize, (usize, String)> {
    let mut scanner = Scanner { bytes: text.as_bytes(), at: 0 };
    let found = scanner.value(0, "looking for beginning of value");
    found.map(|()| scanner.at).map_err(|words| (scanner.at, words))
}

/// Levels of nesting; the YAML reader stops long before.
const DEPTH_MAX: usize = 500;

struct Scanner<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Scanner<'_> {
    fn document(&mut self) -> Result<(), String> {
        self.value(0, "looking for beginning of value")?;
        self.spaces();
        if self.at == self.bytes.len() { Ok(()) } else { self.wrong("after top-level value") }
    }

    fn spaces(&mut self) {
        while self.bytes.get(self.at).is_some_and(|b| b" \t\r\n".contains(b)) {
            self.at += 1;
        }
    }

    fn wrong<T>(&self, context: &str) -> Result<T, String> {
        let Some(byte) = self.bytes.get(self.at) else {
            return Err("unexpected end of JSON input".to_owned());
        };
        let shown = match byte {
            b'\'' => "'\\''".to_owned(),
            b'"' => "'\"'".to_owned(),
            b'\n' => "'\\n'".to_owned(),
            b'\t' => "'\\t'".to_owned(),
            b'\r' => "'\\r'".to_owned(),
            b'\\' => "'\\\\'".to_owned(),
            b' '..=b'~' => format!("'{}'", char::from(*byte)),
            0xa1..=0xff => format!("'{}'", char::from(*byte)),
            other => format!("'\\x{other:02x}'"),
        };
        Err(format!("invalid character {shown} {context}"))
    }

    fn value(&mut self, depth: usize, context: &str) -> Result<(), String> {
        self.spaces();
        if depth > DEPTH_MAX {
            return Err("exceeded max depth".to_owned());
        }
        match self.bytes.get(self.at) {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            _ => self.wrong(context),
        }
    }

    fn word(&mut self, word: &str) -> Result<(), String> {
        for letter in word.bytes() {
            if self.bytes.get(self.at) != Some(&letter) {
                let expected = char::from(letter);
                return self.wrong(&format!("in literal {word} (expecting '{expected}')"));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<(), String> {
        self.at += 1;
        self.spaces();
        if self.bytes.get(self.at) == Some(&b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.spaces();
            if self.bytes.get(self.at) != Some(&b'"') {
                return self.wrong("looking for beginning of object key string");
            }
            self.string()?;
            self.spaces();
            if self.bytes.get(self.at) != Some(&b':') {
                return self.wrong("after object key");
            }
            self.at += 1;
            self.value(depth + 1, "looking for beginning of value")?;
            self.spaces();
            match self.bytes.get(self.at) {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return self.wrong("after object key:value pair"),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), String> {
        self.at += 1;
        self.spaces();
        if self.bytes.get(self.at) == Some(&b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth + 1, "looking for beginning of value")?;
            self.spaces();
            match self.bytes.get(self.at) {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return self.wrong("after array element"),
            }
        }
    }

    fn string(&mut self) -> Result<(), String> {
        self.at += 1;
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(0..0x20) | None => return self.wrong("in string literal"),
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<(), String> {
        self.at += 1;
        match self.bytes.get(self.at) {
            Some(b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"') => self.at += 1,
            Some(b'u') => {
                for _ in 0..4 {
                    self.at += 1;
                    if !self.bytes.get(self.at).is_some_and(u8::is_ascii_hexdigit) {
                        return self.wrong("in \\u hexadecimal character escape");
                    }
                }
                self.at += 1;
            }
            _ => return self.wrong("in string escape code"),
        }
        Ok(())
    }

    fn digits(&mut self, context: &str) -> Result<(), String> {
        if !self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            return self.wrong(context);
        }
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), String> {
        if self.bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        if self.bytes.get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits("in numeric literal")?;
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.bytes.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        Ok(())
    }
}
