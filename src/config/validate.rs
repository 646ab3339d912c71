//! Settings that are possible each, but not together.

use std::time::Duration;

use super::error::{Faults, SettingsError};
use super::secret::Secret;
use super::settings::Settings;

/// How many bytes a secret needs that is not to be guessed: as many as what is made with it.
const LEAST_SECRET: usize = 32;
/// More than any PostgreSQL server is set up for.
const MOST_CONNECTIONS: u32 = 10_000;

impl Settings {
    /// Refuses settings that contradict one another or cannot be carried out.
    ///
    /// # Errors
    /// With all that do.
    pub fn validate(&self) -> Result<(), Faults> {
        let checks = [
            self.check_time_limits(),
            self.check_pool_size(),
            self.check_page_size(),
            self.check_database(),
            self.check_log(),
            Self::check_secret("auth_jwt_secret", &self.auth_jwt_secret),
            Self::check_secret("auth_token_secret", &self.auth_token_secret),
            self.check_authentication(),
        ];
        let faults: Vec<_> = checks.into_iter().filter_map(Result::err).collect();
        if faults.is_empty() { Ok(()) } else { Err(Faults(faults)) }
    }

    /// Waiting for a connection ends before a statement may, and that before the request.
    fn check_time_limits(&self) -> Result<(), SettingsError> {
        let pool = self.pool();
        let wait = ("pool_wait_ms", pool.wait);
        let statement = ("statement_timeout_ms", pool.statement_timeout);
        let request = ("request_timeout_ms", self.request_timeout());
        let keys = ("auth_jwks_timeout_ms", Duration::from_millis(self.auth_jwks_timeout_ms));
        let fetches_keys = self.auth_jwks.is_some().then_some((keys, request));
        let nested = [(wait, statement), (statement, request)].into_iter().chain(fetches_keys);
        for ((inner, inner_limit), (outer, outer_limit)) in nested {
            if inner_limit >= outer_limit {
                let (inner_ms, outer_ms) = (inner_limit.as_millis(), outer_limit.as_millis());
                return Err(SettingsError::Nesting { inner, inner_ms, outer, outer_ms });
            }
        }
        Ok(())
    }

    fn check_pool_size(&self) -> Result<(), SettingsError> {
        let pool = self.pool();
        match pool.base.checked_add(pool.overflow) {
            Some(size) if size <= MOST_CONNECTIONS => Ok(()),
            _ => Err(SettingsError::PoolSize { most: MOST_CONNECTIONS }),
        }
    }

    fn check_page_size(&self) -> Result<(), SettingsError> {
        let (default, maximum) = (self.default_page_size.get(), self.max_page_size.get());
        if default > maximum { Err(SettingsError::PageSize { default, maximum }) } else { Ok(()) }
    }

    fn check_database(&self) -> Result<(), SettingsError> {
        self.database().map(drop)
    }

    fn check_secret(key: &'static str, secret: &Option<Secret>) -> Result<(), SettingsError> {
        match secret.as_ref().map(|secret| secret.expose().len()) {
            Some(length @ 1..LEAST_SECRET) => Err(SettingsError::ShortSecret { key, length, least: LEAST_SECRET }),
            _ => Ok(()),
        }
    }

    /// What is said of JWTs is said of some.
    fn check_authentication(&self) -> Result<(), SettingsError> {
        let about_jwts = [
            ("auth_issuer", &self.auth_issuer),
            ("auth_audience", &self.auth_audience),
            ("auth_admin_claim", &self.auth_admin_claim),
            ("auth_scope_claim", &self.auth_scope_claim),
        ];
        let given = about_jwts.into_iter().find(|(_, setting)| setting.is_some());
        match given {
            Some((key, _)) if self.authentication()?.jwt.is_none() => Err(SettingsError::NoKeys { key }),
            _ => self.authentication().map(drop),
        }
    }

    fn check_log(&self) -> Result<(), SettingsError> {
        tracing_subscriber::EnvFilter::try_new(&self.log)
            .map(drop)
            .map_err(|error| SettingsError::Log { cause: error.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(flags: &[&str]) -> String {
        Settings::from_flags(flags).validate().unwrap_err().to_string()
    }

    #[test]
    fn time_limits_lie_within_one_another() {
        assert_eq!(Settings::from_flags(&[]).validate(), Ok(()));
        assert_eq!(Settings::from_flags(&["--request-timeout-ms=100"]).validate(), Ok(()));
        assert_eq!(
            message(&["--statement-timeout-ms=30000"]),
            "statement_timeout_ms (--statement-timeout-ms) is 30000 ms and must be shorter than \
             request_timeout_ms (--request-timeout-ms), which is 30000 ms",
        );
        assert_eq!(
            message(&["--pool-wait-ms=26000"]),
            "pool_wait_ms (--pool-wait-ms) is 26000 ms and must be shorter than \
             statement_timeout_ms (--statement-timeout-ms), which is 25000 ms",
        );
    }

    #[test]
    fn what_cannot_be_is_refused_and_all_of_it_told() {
        assert_eq!(
            message(&["--default-page-size=50", "--max-page-size=49"]),
            "default_page_size (--default-page-size) is 50 and must not exceed max_page_size (--max-page-size), which is 49",
        );
        let too_many = "pool_base (--pool-base) and pool_overflow (--pool-overflow): at most 10000 connections in all";
        assert_eq!(message(&["--pool-base=4294967295"]), too_many);
        assert_eq!(message(&["--pool-base=10000", "--pool-overflow=1"]), too_many);
        assert!(message(&["--log=evalgraph=loud"]).starts_with("log (--log): "));
        assert!(message(&["--database-url=mysql:x"]).starts_with("database_url (--database-url, "));
        let several = Settings::from_flags(&["--log=evalgraph=loud", "--database-url=mysql:x"]).validate();
        assert_eq!(several.unwrap_err().0.len(), 2);
    }
}
