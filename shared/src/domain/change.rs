//! What an administrator changes of a tenant or a key, and what the audit log calls it.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::{Action, ApiKeyInfo, KeyId, KeyLimits, RateLimit, Tenant, Timestamp};

/// What becomes of a value that need not be there: in a document, a member that is left out, null or a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Patch<Value> {
    #[default]
    Keep,
    Set(Option<Value>),
}

impl<Value> Patch<Value> {
    pub fn apply(self, old: Option<Value>) -> Option<Value> {
        match self {
            Self::Keep => old,
            Self::Set(new) => new,
        }
    }

    /// The same, if the value is one that `check` lets pass.
    pub fn checked<Error>(self, check: impl Fn(Value) -> Result<Value, Error>) -> Result<Self, Error> {
        Ok(match self {
            Self::Keep => Self::Keep,
            Self::Set(new) => Self::Set(new.map(check).transpose()?),
        })
    }
}

/// With `#[serde(default)]`: what is there is no member that is left out.
impl<'de, Value: Deserialize<'de>> Deserialize<'de> for Patch<Value> {
    fn deserialize<From: Deserializer<'de>>(deserializer: From) -> Result<Self, From::Error> {
        Option::deserialize(deserializer).map(Self::Set)
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LimitsChange {
    pub rate_limit: Patch<RateLimit>,
    pub monthly_quota: Patch<u64>,
}

impl LimitsChange {
    fn apply(self, limits: KeyLimits) -> KeyLimits {
        KeyLimits {
            rate_limit: self.rate_limit.apply(limits.rate_limit),
            monthly_quota: self.monthly_quota.apply(limits.monthly_quota),
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TenantChange {
    pub suspended: Option<bool>,
    pub limits: LimitsChange,
}

impl TenantChange {
    /// What was done to the tenant by it.
    pub fn apply(self, tenant: &mut Tenant, now: Timestamp) -> Vec<Action> {
        let mut done = Vec::new();
        match self.suspended {
            Some(true) if tenant.suspended_at.is_none() => {
                tenant.suspended_at = Some(now);
                done.push(Action::TenantSuspended);
            }
            Some(false) if tenant.suspended_at.take().is_some() => done.push(Action::TenantResumed),
            _ => {}
        }
        let limits = self.limits.apply(tenant.limits);
        if limits != tenant.limits {
            tenant.limits = limits;
            done.push(Action::TenantChanged);
        }
        done
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyChange {
    pub label: Option<String>,
    pub limits: LimitsChange,
}

impl KeyChange {
    /// The members that are different by it.
    pub fn apply(self, key: &mut ApiKeyInfo) -> Vec<&'static str> {
        let limits = self.limits.apply(key.limits);
        let label = self.label.unwrap_or_else(|| key.label.clone());
        let differences = [
            ("label", label != key.label),
            ("rate_limit", limits.rate_limit != key.limits.rate_limit),
            ("monthly_quota", limits.monthly_quota != key.limits.monthly_quota),
        ];
        (key.label, key.limits) = (label, limits);
        differences.iter().filter(|(_, differs)| *differs).map(|(name, _)| *name).collect()
    }
}

impl ApiKeyInfo {
    /// The key that takes its place; this one is valid for `overlap` at most. `None` when it is not valid any more.
    pub fn rotate(&mut self, overlap: Duration, now: Timestamp) -> Option<Self> {
        if !self.is_valid_at(now) {
            return None;
        }
        let successor = Self { id: KeyId::new(), created_at: now, last_used_at: None, ..self.clone() };
        let end = now.after(overlap);
        self.expires_at = Some(self.expires_at.map_or(end, |expiry| expiry.min(end)));
        Some(successor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Scope, TenantId};

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
    const HOUR: Duration = Duration::from_hours(1);

    fn key(expires_at: Option<Timestamp>) -> ApiKeyInfo {
        ApiKeyInfo {
            id: KeyId::new(),
            tenant: TenantId::new(),
            tenant_name: "acme".to_owned(),
            label: "till".to_owned(),
            scopes: vec![Scope::VerifyRead],
            created_at: NOW.before(HOUR),
            expires_at,
            revoked_at: None,
            last_used_at: Some(NOW),
            limits: KeyLimits { monthly_quota: Some(7), ..KeyLimits::default() },
        }
    }

    #[test]
    fn a_successor_has_the_same_properties_and_the_old_key_ends_soon() {
        let mut old = key(None);
        let new = old.rotate(HOUR, NOW).expect("it is valid");
        assert_eq!(old.expires_at, Some(NOW.after(HOUR)));
        assert_eq!((new.expires_at, new.last_used_at, new.created_at), (None, None, NOW));
        assert_eq!((new.tenant, &new.scopes, new.limits), (old.tenant, &old.scopes, old.limits));
        assert_ne!(new.id, old.id);
    }

    #[test]
    fn an_overlap_makes_no_key_live_longer() {
        let mut old = key(Some(NOW.after(HOUR)));
        let new = old.rotate(HOUR * 2, NOW).expect("it is valid");
        assert_eq!((old.expires_at, new.expires_at), (Some(NOW.after(HOUR)), Some(NOW.after(HOUR))));
        assert!(old.rotate(HOUR, NOW.after(HOUR)).is_none(), "it has expired");
    }

    #[test]
    fn what_changes_nothing_is_no_change() {
        let mut old = key(None);
        let same = KeyChange { label: Some("till".to_owned()), ..KeyChange::default() };
        assert_eq!(same.apply(&mut old), Vec::<&str>::new());
        let limits = LimitsChange { monthly_quota: Patch::Set(None), ..LimitsChange::default() };
        let change = KeyChange { label: Some("desk".to_owned()), limits };
        assert_eq!(change.apply(&mut old), ["label", "monthly_quota"]);
        assert_eq!((old.label.as_str(), old.limits), ("desk", KeyLimits::default()));
    }
}
