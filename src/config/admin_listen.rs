//! Where the operators' listener is.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use thiserror::Error;

/// Where the operators' listener is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminListen {
    /// At the usual port of this machine alone, or another one where that is taken: several servers on a laptop should not
    /// hinder one another.
    Auto,
    /// Nowhere.
    Off,
    /// At this address and no other.
    At(SocketAddr),
}

/// What was given is none of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it must be auto, off, or an address such as 127.0.0.1:9464")]
pub struct BadAdminListen;

impl AdminListen {
    /// The port that exporters of OpenTelemetry have for Prometheus, on this machine alone.
    pub const USUAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9464);

    /// Where a command on the same machine looks for the server.
    #[must_use]
    pub fn to_connect(self) -> Option<SocketAddr> {
        let mut address = match self {
            Self::Auto => Self::USUAL,
            Self::Off => return None,
            Self::At(address) => address,
        };
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        Some(address)
    }
}

impl FromStr for AdminListen {
    type Err = BadAdminListen;

    fn from_str(text: &str) -> Result<Self, BadAdminListen> {
        match text {
            "auto" => Ok(Self::Auto),
            "off" => Ok(Self::Off),
            address => address.parse().map(Self::At).map_err(|_| BadAdminListen),
        }
    }
}

impl fmt::Display for AdminListen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => formatter.write_str("auto"),
            Self::Off => formatter.write_str("off"),
            Self::At(address) => address.fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_chosen_named_or_off() {
        let connects =
            |text: &str| text.parse().map(|listen: AdminListen| listen.to_connect().map(|to| to.to_string()));
        assert_eq!(connects("auto"), Ok(Some("127.0.0.1:9464".to_owned())));
        assert_eq!(connects("off"), Ok(None));
        assert_eq!(connects("10.0.0.7:1"), Ok(Some("10.0.0.7:1".to_owned())));
        assert_eq!(connects("0.0.0.0:1"), Ok(Some("127.0.0.1:1".to_owned())));
        assert_eq!(connects("[::]:1"), Ok(Some("[::1]:1".to_owned())));
        assert_eq!(connects("9464"), Err(BadAdminListen));
    }
}
