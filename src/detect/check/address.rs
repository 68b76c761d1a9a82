//! Addresses of persons and machines.

use super::Check;

pub(super) const TABLE: &[(&str, Check)] = &[("email", email)];

/// An address that can be a person's: not `git@` a code host, not a file name, not one of RFC 2606's example domains.
fn email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let domain = domain.to_ascii_lowercase();
    let top = domain.rsplit('.').next().unwrap_or_default();
    let file = matches!(top, "png" | "jpg" | "jpeg" | "gif" | "svg" | "webp" | "js" | "mjs" | "ts" | "css" | "json" | "html" | "py" | "md");
    let sample = matches!(top, "example" | "test" | "invalid" | "localhost" | "local")
        || ["example.com", "example.org", "example.net"]
            .iter()
            .any(|name| domain.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')));
    let dots = local.ends_with('.') || local.contains("..");
    !local.eq_ignore_ascii_case("git") && !file && !sample && !dots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_have_addresses_and_code_hosts_files_and_examples_have_not() {
        for good in ["ada@engine.org", "a.b@c.example.co", "j@py.dev"] {
            assert!(email(good), "{good}");
        }
        for bad in ["git@github.com", "icon@2x.png", "me@example.com", "me@mail.example.org", "you@site.test", "a..b@c.org"] {
            assert!(!email(bad), "{bad}");
        }
    }
}
