"""What is kept as content blocks becomes what a provider understands."""

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from llm.messages import UNANSWERED, messages
from llm.spec import Block, Turn


def text(said: str) -> Block:
    return {"type": "text", "text": said}


def call(number: int, **extras: object) -> Block:
    return {
        "type": "tool_call",
        "id": f"call_{number}",
        "name": "current_time",
        "args": {"timezone": "UTC"},
        "extras": extras,
    }


def test_the_system_prompt_comes_first() -> None:
    assert messages([Turn("user", [text("Hi")])], "Be kind.") == [
        SystemMessage("Be kind."),
        HumanMessage("Hi"),
    ]


def test_reasoning_is_not_sent_back() -> None:
    turn = Turn("assistant", [{"type": "reasoning", "reasoning": "Hm."}, text("Hello")])
    assert messages([turn], "") == [AIMessage("Hello")]


def test_a_reply_that_failed_before_its_first_word_is_left_out() -> None:
    turns = [Turn("user", [text("Hi")]), Turn("assistant", []), Turn("user", [text("Hi?")])]
    assert messages(turns, "") == [HumanMessage("Hi"), HumanMessage("Hi?")]


def test_each_round_of_tool_calls_is_followed_by_its_results() -> None:
    turn = Turn(
        "assistant",
        [text("Let me look."), call(1, result="noon"), call(2, error="no clock"), text("Noon.")],
    )
    first, one, two, last = messages([turn], "")

    assert isinstance(first, AIMessage)
    assert [each["id"] for each in first.tool_calls] == ["call_1", "call_2"]
    assert one == ToolMessage("noon", tool_call_id="call_1")
    assert two == ToolMessage("no clock", tool_call_id="call_2", status="error")
    assert last == AIMessage("Noon.")


def test_a_call_that_was_stopped_is_answered_all_the_same() -> None:
    _, answer = messages([Turn("assistant", [call(1)])], "")
    assert answer.content == UNANSWERED


def test_arguments_that_were_kept_as_text_are_parsed() -> None:
    kept = {**call(1, result="x"), "args": '{"timezone": "Asia/Tokyo"}'}
    torn = {**call(2, result="x"), "args": '{"timezone": "As'}
    asked = messages([Turn("assistant", [kept, torn])], "")[0]
    assert isinstance(asked, AIMessage)
    assert [each["args"] for each in asked.tool_calls] == [{"timezone": "Asia/Tokyo"}, {}]


def test_an_image_goes_along_as_a_block() -> None:
    image = {"type": "image", "base64": "AAAA", "mime_type": "image/png"}
    (message,) = messages([Turn("user", [text("What is it?"), image])], "")
    assert message.content == [text("What is it?"), image]
