"""A query as the condition of each database. Only words get here, no operators of a user's."""

from collections.abc import Iterable

from django.db import connections
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

from conversations.search.words import Term, fold

POSTGRES = "conversations_searchtext.vector @@ (to_tsquery('simple', %s) && %s::tsquery)"
SQLITE = (
    "conversations_searchtext.id IN (SELECT rowid FROM conversations_searchindex"
    " WHERE conversations_searchindex MATCH %s)"
)


def matching(terms: list[Term], owner: int, using: str = "default") -> RawSQL:
    """True of the rows of `conversations_searchtext` that match every term.

    The owner is a word of the index too: what others wrote is never even read, however common a
    word is.
    """
    if connections[using].vendor == "postgresql":
        return condition(POSTGRES, to_tsquery(terms), f"'owner {owner}'")
    return condition(SQLITE, to_fts(terms, owner))


def condition(sql: str, *params: str) -> RawSQL:
    return RawSQL(sql, params, output_field=BooleanField())  # noqa: S611


def to_tsquery(terms: Iterable[Term]) -> str:
    """`'rust' & ('borrow' <-> 'checker') & !'async'`"""
    return " & ".join(("!" if t.excluded else "") + f"({phrase(t)})" for t in terms)


def phrase(term: Term) -> str:
    quoted = [f"'{fold(word)}'" for word in term.words]
    return " <-> ".join(quoted) + (":*" if term.prefix else "")


def to_fts(terms: list[Term], owner: int) -> str:
    """`(owner_id : "…" AND text : "rust" AND text : "borrow checker") NOT text : "async"`. SQLite
    folds by itself."""
    wanted = [f'text : "{" ".join(t.words)}"' + " *" * t.prefix for t in terms if not t.excluded]
    excluded = [f' NOT text : "{" ".join(t.words)}"' for t in terms if t.excluded]
    return f'(owner_id : "{owner}" AND {" AND ".join(wanted)})' + "".join(excluded)
