"""How a call ends for whoever watches: each that was shown gets a result, or is told why not."""

from llm.parts import ToolCallFinished
from llm.reply import Call
from llm.tools import ToolRun

TOO_MANY_STEPS = "The answer had already used all the tool calls that one answer may make."
CUT_OFF = "The call was cut off before it was complete."


def finished(call: Call, done: ToolRun, acts: bool = False) -> ToolCallFinished:
    return ToolCallFinished(
        id=call.id,
        name=call.name,
        args=call.args,
        result=done.result,
        error=done.error,
        side_effects=acts,
    )
