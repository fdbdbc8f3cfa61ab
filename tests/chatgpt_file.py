"""A file as ChatGPT exports it, written by hand after real ones."""

from typing import Any

NOON = 1_700_000_000.0


def node(
    parent: str | None,
    children: list[str],
    role: str = "",
    content: dict[str, Any] | None = None,
    at: float | None = None,
    **more: Any,
) -> dict[str, Any]:
    if not role:
        return {"parent": parent, "children": children, "message": None}
    author = {"role": role, "name": more.pop("name", None), "metadata": {}}
    message = {
        "author": author,
        "create_time": at,
        "update_time": None,
        "content": content,
        "status": "finished_successfully",
        "end_turn": True,
        "weight": 1.0,
        "metadata": {},
        "recipient": "all",
        "channel": None,
        **more,
    }
    return {"parent": parent, "children": children, "message": message}


def text(*parts: Any) -> dict[str, Any]:
    return {"content_type": "text", "parts": list(parts)}


def chat() -> dict[str, Any]:
    """A question asked in two versions; the second one answered with reasoning, code, its output
    and a picture, and then again."""
    hidden = {"is_visually_hidden_from_conversation": True}
    model = {"model_slug": "gpt-4o"}
    code = {"content_type": "code", "language": "unknown", "text": "print(2 ** 10)"}
    output = {"content_type": "execution_output", "text": "1024"}
    thoughts = {
        "content_type": "thoughts",
        "thoughts": [{"summary": "Doubling", "content": "Ten times two.", "chunks": []}],
    }
    picture = {
        "content_type": "multimodal_text",
        "parts": [
            {"content_type": "image_asset_pointer", "asset_pointer": "file-service://x"},
            "What is this power?",
        ],
    }
    mapping = {
        "client-created-root": node(None, ["sys"]),
        "sys": node("client-created-root", ["ctx"], "system", text(""), metadata=hidden),
        "ctx": node(
            "sys",
            ["q1", "q2"],
            "user",
            {"content_type": "user_editable_context", "user_profile": "secret"},
        ),
        "q1": node("ctx", ["a1"], "user", text("Two to the ten?"), NOON),
        "a1": node("q1", [], "assistant", text("1,024."), NOON + 2, metadata=model),
        "q2": node("ctx", ["think", "a3"], "user", picture, NOON + 10),
        "think": node("q2", ["recap"], "assistant", thoughts, NOON + 11, metadata=model),
        "recap": node(
            "think",
            ["run"],
            "assistant",
            {"content_type": "reasoning_recap", "content": "Thought for 2s"},
            NOON + 12,
        ),
        "run": node(
            "recap", ["out"], "assistant", code, NOON + 13, recipient="python", metadata=model
        ),
        "out": node("run", ["a2"], "tool", output, NOON + 14, name="python"),
        "a2": node(
            "out",
            ["thanks"],
            "assistant",
            text("It is 1,024\ue200cite\ue202turn0search0\ue201."),
            NOON + 15,
            metadata=model,
        ),
        "thanks": node("a2", [], "user", text("Thanks"), None),
        "a3": node("q2", [], "assistant", text("2¹⁰ = 1,024"), NOON + 20, metadata=model),
    }
    return {
        "title": "Powers of two",
        "create_time": NOON,
        "update_time": NOON + 30,
        "mapping": mapping,
        "moderation_results": [],
        "current_node": "a3",
        "conversation_id": "67f0c0de-aaaa-8000-bbbb-000000000001",
        "id": "67f0c0de-aaaa-8000-bbbb-000000000001",
        "is_archived": True,
        "default_model_slug": "gpt-4o",
    }


def with_other_id(number: int) -> dict[str, Any]:
    own = {"conversation_id": f"chat-{number}", "title": f"Chat {number}", "is_archived": False}
    return {**chat(), **own}
