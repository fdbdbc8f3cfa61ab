"""How a call ends for whoever watches: each that was shown gets a result, or is told why not."""

from llm.parts import ToolCallFinished
from llm.reply import Call
from llm.tools import ToolRun

TOO_MANY_STEPS = "The answer had already used all the tool calls that one answer may make."
CUT_OFF = "The call was cut off before it was complete."
REFUSED = "The user did not approve this call, so it was not made."
EXPIRED = "The user was asked to approve this call and did not answer, so it was not made."
NOBODY_TO_ASK = "This call needs the user's approval, for which nobody can be asked here."


def finished(call: Call, done: ToolRun, acts: bool = False) -> ToolCallFinished:
    return ToolCallFinished(
        id=call.id,
        name=call.name,
        args=call.args,
        result=done.result,
        error=done.error,
        side_effects=acts,
    )
