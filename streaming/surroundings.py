"""What the tools of an answer may reach: the rows of the user whom it answers, and no others.

The tools hold neither a connection nor a query; each question is one short call to the database.
"""

from collections.abc import Sequence
from uuid import UUID

from conversations import summaries
from conversations.attachments.passage import files_of, passage
from conversations.search.passages import passages
from llm.surroundings import AttachedFile, Decision, Memory, Passage, Surroundings
from streaming.approval import decided
from streaming.run import Run
from streaming.worker import Worker


def around(run: Run, worker: Worker) -> Surroundings:
    """A program with a key for chats alone must not read conversations through a tool; and behind
    an API of others there is nobody who could be asked."""
    if run.by_api:
        return Surroundings(spans=run.spans)
    conversation = UUID(run.conversation)

    async def search(query: str) -> Sequence[Passage]:
        return await worker.in_database(passages, run.owner, query, conversation)

    async def list_files() -> Sequence[AttachedFile]:
        return await worker.in_database(files_of, conversation)

    async def read_file(name: str, offset: int, length: int) -> str | None:
        return await worker.in_database(passage, conversation, name, offset, length)

    async def decide(tool_call: str, acts: bool) -> Decision:
        return await decided(run, worker, tool_call, acts)

    async def recall(digests: Sequence[str]) -> tuple[str, str] | None:
        return await worker.in_database(summaries.recall, conversation, digests)

    async def remember(digest: str, text: str) -> None:
        await worker.in_database(summaries.remember, conversation, digest, text)

    memory = Memory(recall, remember)
    return Surroundings(search, list_files, read_file, decide, run.spans, memory)
