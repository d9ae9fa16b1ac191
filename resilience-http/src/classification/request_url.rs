//! The URL of a request, compared with the URL of the response.

#[cfg(feature = "reqwest")]
use reqwest::Url;
#[cfg(all(feature = "reqwest-012", not(feature = "reqwest")))]
use reqwest_012::Url;

/// Returns whether a client sends equal requests for these URLs.
pub(super) fn are_equal(one: &str, other: &str) -> bool {
    let (one, other) = (without_fragment(one), without_fragment(other));
    one == other || sent(one).is_some_and(|one| Some(one) == sent(other))
}

/// Returns the URL without the fragment, which is never sent.
fn without_fragment(url: &str) -> &str {
    url.split_once('#').map_or(url, |(sent, _)| sent)
}

/// Returns the URL in the form of the client. The client sends the user and the password in a
/// header, and removes both from the URL.
#[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
fn sent(url: &str) -> Option<Url> {
    let mut url = Url::parse(url).ok()?;
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    Some(url)
}

/// Without a client that reports the URL, a response has the URL that the application has set.
#[cfg(not(any(feature = "reqwest", feature = "reqwest-012")))]
fn sent(_: &str) -> Option<&str> {
    None
}
