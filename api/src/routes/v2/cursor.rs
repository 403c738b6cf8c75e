//! Where the next page of a list begins, as text that only this service understands.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use countersign_shared::domain::{Kind, State, TenantId, Timestamp, VerificationId};
use countersign_shared::store::overview::Filter;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Of what is in it; another one is refused.
const VERSION: u8 = 1;

const SEAL_BYTES: usize = 8;
const ID_BYTES: usize = 16;

/// The text is no cursor, or not one of this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InvalidCursor;

/// A position in one tenant's list with one filter: elsewhere it would skip rows, so it is of no use there.
pub(super) fn write(tenant: TenantId, filter: &Filter, before: VerificationId) -> String {
    let id = before.as_uuid().as_bytes();
    let bytes = [&[VERSION], &seal(tenant, filter, id)[..], &id[..]].concat();
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn read(tenant: TenantId, filter: &Filter, text: &str) -> Result<VerificationId, InvalidCursor> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCursor)?;
    let (version, rest) = bytes.split_first().ok_or(InvalidCursor)?;
    let (sealed, id) = rest.split_at_checked(SEAL_BYTES).ok_or(InvalidCursor)?;
    let id: [u8; ID_BYTES] = id.try_into().map_err(|_| InvalidCursor)?;
    if *version != VERSION || sealed != seal(tenant, filter, &id) {
        return Err(InvalidCursor);
    }
    Ok(VerificationId::from_uuid(Uuid::from_bytes(id)))
}

/// What binds it to its list. No secret: a position in one's own list is nothing to protect.
fn seal(tenant: TenantId, filter: &Filter, id: &[u8; ID_BYTES]) -> [u8; SEAL_BYTES] {
    let Filter { state, kind, from, until } = filter;
    let time = |time: &Option<Timestamp>| time.map_or(i64::MIN, Timestamp::as_millis).to_be_bytes();
    let hash = Sha256::new()
        .chain_update([VERSION])
        .chain_update(tenant.as_uuid().as_bytes())
        .chain_update(state.map_or("", State::name))
        .chain_update([0])
        .chain_update(kind.map_or("", Kind::name))
        .chain_update([0])
        .chain_update(time(from))
        .chain_update(time(until))
        .chain_update(id)
        .finalize();
    let mut seal = [0; SEAL_BYTES];
    seal.copy_from_slice(&hash[..SEAL_BYTES]);
    seal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_only_for_its_own_list() {
        let (tenant, id) = (TenantId::new(), VerificationId::new());
        let filter = Filter { state: Some(State::Failed), ..Filter::default() };
        let cursor = write(tenant, &filter, id);
        assert_eq!(read(tenant, &filter, &cursor), Ok(id));
        assert_eq!(read(TenantId::new(), &filter, &cursor), Err(InvalidCursor));
        for other in [
            Filter::default(),
            Filter { state: Some(State::Queued), ..filter },
            Filter { kind: Some(Kind::Photo), ..filter },
            Filter { from: Some(Timestamp::from_millis(0)), ..filter },
            Filter { until: Some(Timestamp::from_millis(0)), ..filter },
        ] {
            assert_eq!(read(tenant, &other, &cursor), Err(InvalidCursor), "{other:?}");
        }
    }

    #[test]
    fn a_cursor_that_was_changed_is_refused() {
        let (tenant, filter) = (TenantId::new(), Filter::default());
        let cursor = write(tenant, &filter, VerificationId::new());
        for at in 0..cursor.len() {
            let mut changed = cursor.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert_eq!(read(tenant, &filter, &changed), Err(InvalidCursor), "{changed}");
        }
        for nonsense in ["", "x", "ver_0193c5f0000070008000000000000000", "////", &cursor[1..]] {
            assert_eq!(read(tenant, &filter, nonsense), Err(InvalidCursor), "{nonsense}");
        }
    }
}
