//! Image references: `registry/path:tag@digest`.

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub domain: String,
    pub path: String,
    /// `latest` where none is written.
    pub tag: String,
    pub digest: bool,
}

impl Reference {
    /// As people write it: no `docker.io/library/`.
    pub fn familiar_name(&self) -> String {
        match self.domain.as_str() {
            "docker.io" => self.path.trim_start_matches("library/").to_owned(),
            domain => format!("{domain}/{}", self.path),
        }
    }

    /// With everything written out.
    pub fn full(&self) -> String {
        format!("{}/{}:{}", self.domain, self.path, self.tag)
    }
}

/// Reads an image field; the error is the reference library's own words.
// Models distribution/reference ParseNormalizedNamed.
pub fn parse(image: &str) -> Result<Reference, String> {
    let invalid = || "invalid reference format".to_owned();
    let first = image.split('/').next().unwrap_or("");
    let has_domain = image.contains('/')
        && (first.contains(['.', ':'])
            || first == "localhost"
            || first.to_ascii_lowercase() != first);
    let (domain, rest) = match image.split_once('/').filter(|_| has_domain) {
        Some((domain, rest)) => (domain.to_owned(), rest.to_owned()),
        None if image.contains('/') => ("docker.io".to_owned(), image.to_owned()),
        None => ("docker.io".to_owned(), format!("library/{image}")),
    };
    let name = rest.split(':').next().unwrap_or("").split('@').next().unwrap_or("");
    if name.to_ascii_lowercase() != name {
        let problem = format!("repository name ({name}) must be lowercase");
        return Err(format!("{}: {problem}", invalid()));
    }
    let (rest, digest) = match rest.split_once('@') {
        Some((rest, digest)) => (rest.to_owned(), Some(digest.to_owned())),
        None => (rest, None),
    };
    let (path, tag) = match rest.split_once(':') {
        Some((path, tag)) => (path.to_owned(), Some(tag.to_owned())),
        None => (rest, None),
    };
    let tag_ok = tag.as_ref().is_none_or(|t| is_tag(t));
    let digest_ok = digest.as_ref().is_none_or(|d| d.contains(':') && d.len() > 32);
    if !path.split('/').all(is_component) || !tag_ok || !digest_ok {
        return Err(invalid());
    }
    let tag = tag.unwrap_or_else(|| "latest".to_owned());
    Ok(Reference { domain, path, tag, digest: digest.is_some() })
}

fn is_component(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    edge(text.chars().next()) && edge(text.chars().last()) && text.chars().all(inside)
}

fn is_tag(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.len() <= 128 && text.starts_with(word) && text.chars().all(|c| word(c) || ".-".contains(c))
}
