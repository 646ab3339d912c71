//! Which proxies are believed, and what they say about where requests come from.
//!
//! Every proxy adds the address that it was asked from at the right end of the list. So the list is read from there, as
//! long as it was a proxy that is believed which wrote the next entry; the first address that is none of theirs is the
//! client's. What stands to the left of it, anybody may have written.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use axum::http::{HeaderMap, HeaderName};
use clap::ValueEnum;
use ipnet::{IpNet, Ipv4Net};
use thiserror::Error;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The header in which proxies say where a request comes from. One of them, because a proxy that writes one lets clients
/// write the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`, which nearly all proxies write.
    XForwardedFor,
    /// `Forwarded`, as in RFC 7239.
    Forwarded,
}

/// A text that is no list of networks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("«{0}» is neither an address nor a network such as 10.0.0.0/8 or fd00::/8")]
pub struct BadNetwork(String);

/// Networks, as a setting lists them: with commas, each an address or a network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl FromStr for Networks {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        entries
            .map(|entry| network(entry).ok_or_else(|| BadNetwork(entry.to_owned())))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl Networks {
    fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// A network; one of IPv4 addresses as such, also where it is written as one of IPv6.
fn network(text: &str) -> Option<IpNet> {
    let network = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
    let mapped = match network {
        IpNet::V6(network) if network.prefix_len() >= MAPPED_PREFIX => network.addr().to_ipv4_mapped(),
        _ => None,
    };
    match mapped {
        Some(address) => Ipv4Net::new(address, network.prefix_len() - MAPPED_PREFIX).ok().map(IpNet::V4),
        None => Some(network),
    }
}

/// How many bits of an IPv6 address say that the rest is one of IPv4.
const MAPPED_PREFIX: u8 = 96;

/// The proxies that are believed.
#[derive(Debug, Clone)]
pub struct Proxies {
    /// Where they are.
    pub trusted: Networks,
    /// Where they say it.
    pub header: ProxyHeader,
}

impl Proxies {
    /// Nobody is believed.
    pub const NONE: Self = Self { trusted: Networks(Vec::new()), header: ProxyHeader::XForwardedFor };

    /// The client of a request that this peer sent. What cannot be read is not guessed at: then it is the peer.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusted.contain(peer) {
            return peer;
        }
        match self.header {
            ProxyHeader::XForwardedFor => self.furthest(peer, lines(headers, &X_FORWARDED_FOR), |list| {
                list.rsplit(',').map(|entry| address(entry.trim()))
            }),
            ProxyHeader::Forwarded => self.furthest(peer, lines(headers, &axum::http::header::FORWARDED), |list| {
                forwarded(list).into_iter().rev()
            }),
        }
    }

    /// The first address from the right that is no believed proxy's; the last of the proxies if there is none.
    fn furthest<'a, I: Iterator<Item = Option<IpAddr>>>(
        &self,
        peer: IpAddr,
        lines: impl Iterator<Item = Option<&'a str>>,
        entries: impl Fn(&'a str) -> I,
    ) -> IpAddr {
        let mut furthest = peer;
        for line in lines {
            let Some(line) = line else { return peer };
            for entry in entries(line) {
                let Some(address) = entry else { return peer };
                furthest = address;
                if !self.trusted.contain(address) {
                    return address;
                }
            }
        }
        furthest
    }
}

/// The lines of a header, the last of them first; none in the place of one that is no text.
fn lines<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = Option<&'a str>> {
    headers.get_all(name).iter().rev().map(|line| line.to_str().ok())
}

/// An address, with a port or without.
fn address(text: &str) -> Option<IpAddr> {
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let address = text.parse::<IpAddr>().ok();
    let address = address.or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip())).or_else(bracketed);
    address.map(|address| address.to_canonical())
}

/// The addresses that the elements of a `Forwarded` header say that they were asked by (RFC 7239, section 4); none where
/// an element does not say it, hides it, or says it twice. A line that is not well-formed is one such element.
fn forwarded(line: &str) -> Vec<Option<IpAddr>> {
    let mut elements = vec![Vec::new()];
    let mut rest = line.trim();
    loop {
        let Some((name, value, after)) = pair(rest) else { return vec![None] };
        if let Some(element) = elements.last_mut() {
            element.extend(name.eq_ignore_ascii_case("for").then_some(value));
        }
        let mut following = after.chars();
        match following.next() {
            None => break,
            Some(';') => {}
            Some(',') => elements.push(Vec::new()),
            Some(_) => return vec![None],
        }
        rest = following.as_str().trim_start();
    }
    let said = |element: Vec<String>| match &element[..] {
        [only] => address(only),
        _ => None,
    };
    elements.into_iter().map(said).collect()
}

/// What a line begins with, `name=value` or `name="value"`, and what comes after.
fn pair(text: &str) -> Option<(&str, String, &str)> {
    let (name, rest) = text.split_once('=')?;
    let is_token =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !b",;\"=".contains(&byte));
    if !is_token(name) {
        return None;
    }
    let (value, rest) = match rest.strip_prefix('"') {
        Some(quoted) => unquote(quoted)?,
        None => {
            let end = rest.find([',', ';', ' ', '\t']).unwrap_or(rest.len());
            let (value, rest) = rest.split_at(end);
            is_token(value).then(|| (value.to_owned(), rest))?
        }
    };
    Some((name, value, rest.trim_start()))
}

/// What is within quotes, of which the first is behind us, and what comes after them.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            '"' => return Some((value, characters.as_str())),
            '\\' => value.push(characters.next()?),
            character => value.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn proxies(trusted: &str, header: ProxyHeader) -> Proxies {
        Proxies { trusted: trusted.parse().unwrap(), header }
    }

    fn client(proxies: &Proxies, peer: &str, lines: &[&'static str]) -> String {
        let name = match proxies.header {
            ProxyHeader::XForwardedFor => X_FORWARDED_FOR,
            ProxyHeader::Forwarded => axum::http::header::FORWARDED,
        };
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(&name, HeaderValue::from_static(line));
        }
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_proxies_that_are_named_are_believed() {
        let nobody = Proxies::NONE;
        assert_eq!(client(&nobody, "10.0.0.1", &["1.2.3.4"]), "10.0.0.1");
        assert_eq!(client(&nobody, "::ffff:10.0.0.1", &["1.2.3.4"]), "10.0.0.1");
        let some = proxies("10.0.0.0/8, 192.0.2.7, fd00::/8", ProxyHeader::XForwardedFor);
        for (peer, expected) in [
            ("10.0.0.1", "1.2.3.4"),
            ("::ffff:10.0.0.1", "1.2.3.4"),
            ("192.0.2.7", "1.2.3.4"),
            ("fd12::1", "1.2.3.4"),
            ("192.0.2.8", "192.0.2.8"),
            ("::ffff:192.0.2.8", "192.0.2.8"),
            ("fe80::1", "fe80::1"),
        ] {
            assert_eq!(client(&some, peer, &["1.2.3.4"]), expected, "{peer}");
        }
        let mapped = proxies("::ffff:10.0.0.0/104,::ffff:192.0.2.7", ProxyHeader::XForwardedFor);
        assert_eq!(client(&mapped, "10.9.9.9", &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(client(&mapped, "192.0.2.7", &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(client(&mapped, "11.9.9.9", &["1.2.3.4"]), "11.9.9.9");
    }

    #[test]
    fn the_client_is_the_rightmost_address_that_is_no_proxy_s() {
        let proxies = proxies("10.0.0.0/8", ProxyHeader::XForwardedFor);
        for (lines, expected) in [
            (&["1.2.3.4"][..], "1.2.3.4"),
            (&["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
            (&["6.6.6.6, 1.2.3.4, 10.0.0.2 , 10.0.0.3"], "1.2.3.4"),
            (&["6.6.6.6", "1.2.3.4", "10.0.0.2"], "1.2.3.4"),
            (&["nonsense, 1.2.3.4"], "1.2.3.4"),
            (&["2001:db8::7"], "2001:db8::7"),
            (&["[2001:db8::7]"], "2001:db8::7"),
            (&["[2001:db8::7]:443"], "2001:db8::7"),
            (&["1.2.3.4:50000"], "1.2.3.4"),
            (&["::ffff:1.2.3.4"], "1.2.3.4"),
            (&["[::ffff:10.0.0.9]:1"], "10.0.0.9"),
            // Proxies alone: the request began at the first of them.
            (&["10.0.0.5, 10.0.0.2"], "10.0.0.5"),
            (&[], "10.0.0.1"),
        ] {
            assert_eq!(client(&proxies, "10.0.0.1", lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_guessed_at() {
        let x_forwarded_for = proxies("10.0.0.0/8", ProxyHeader::XForwardedFor);
        for line in [
            "",
            " ",
            "unknown",
            "1.2.3",
            "1.2.3.4,",
            "1.2.3.4 5.6.7.8",
            "1.2.3.4, x, 10.0.0.2",
            "fe80::1%eth0",
            "[::1",
            "1.2.3.4:x",
        ] {
            assert_eq!(client(&x_forwarded_for, "10.0.0.1", &[line]), "10.0.0.1", "{line}");
        }
        let forwarded = proxies("10.0.0.0/8", ProxyHeader::Forwarded);
        for line in [
            "",
            "1.2.3.4",
            "for",
            "for=",
            "for=unknown",
            "for=_hidden",
            "proto=https",
            "for=1.2.3.4;for=5.6.7.8",
            "for=1.2.3.4,",
            "for=1.2.3.4;",
            "for=1.2.3.4, ,for=10.0.0.2",
            "for=\"1.2.3.4",
            "for=\"1.2.3.4\"x",
            "for=1.2.3.4 for=5.6.7.8",
            "for = 1.2.3.4",
            "for=1.2.3.4, proto=http",
        ] {
            assert_eq!(client(&forwarded, "10.0.0.1", &[line]), "10.0.0.1", "{line}");
        }
    }

    #[test]
    fn the_header_forwarded_is_read_as_its_specification_says() {
        let proxies = proxies("10.0.0.0/8, 2001:db8:cafe::/48", ProxyHeader::Forwarded);
        for (lines, expected) in [
            (&["for=1.2.3.4"][..], "1.2.3.4"),
            (&["For=\"[2001:db8::7]:4711\""], "2001:db8::7"),
            (&["for=\"[2001:db8::7]\";proto=http;by=203.0.113.43"], "2001:db8::7"),
            (&["for=192.0.2.60 ; proto=http ;by=203.0.113.43"], "192.0.2.60"),
            (&["for=6.6.6.6, for=1.2.3.4;proto=https, FOR=\"[2001:db8:cafe::17]\""], "1.2.3.4"),
            (&["for=6.6.6.6", "for=1.2.3.4", "for=10.0.0.2"], "1.2.3.4"),
            (&["host=\"a;b, for=6.6.6.6\";for=1.2.3.4"], "1.2.3.4"),
            (&["for=\"1.2.3\\.4\""], "1.2.3.4"),
            (&["for=unknown, for=1.2.3.4"], "1.2.3.4"),
            (&["for=10.0.0.9"], "10.0.0.9"),
        ] {
            assert_eq!(client(&proxies, "10.0.0.1", lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_header_that_proxies_do_not_write_is_the_client_s() {
        let mut headers = HeaderMap::new();
        headers.insert("forwarded", HeaderValue::from_static("for=6.6.6.6"));
        let proxies = proxies("10.0.0.0/8", ProxyHeader::XForwardedFor);
        assert_eq!(proxies.client("10.0.0.1".parse().unwrap(), &headers).to_string(), "10.0.0.1");
    }

    #[test]
    fn networks_are_listed_with_commas() {
        assert_eq!("".parse::<Networks>().unwrap(), Networks::default());
        assert_eq!("10.0.0.0/8 ,::1,".parse::<Networks>().unwrap().0.len(), 2);
        for (text, shown) in [("10.0.0.0/33", "10.0.0.0/33"), ("1.2.3.4, proxy.example", "proxy.example")] {
            assert!(text.parse::<Networks>().unwrap_err().to_string().contains(shown), "{text}");
        }
    }
}
