"""Times as Kubernetes writes them: RFC 3339, in UTC, whole seconds."""

from datetime import UTC, datetime


def time_of(text: str | None) -> datetime | None:
    """A time of the API server; None for an absent or unreadable one."""
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def written(time: datetime) -> str:
    """A time for the API server."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
