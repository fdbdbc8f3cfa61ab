"""Writing in a real browser: continue a cut answer, queue the next message, choose a model, and the
settings and texts of one's own."""

import pytest
from playwright.sync_api import Locator, Route, expect

from accounts.models import User
from conversations.models import Conversation, Message, Prompt
from llm.models import ChatModel
from llm.models import Provider as ProviderRow
from tests.chat import Chat, OpenChat, plain
from tests.provider import Provider
from tests.rows import answered
from tests.stack import Web
from tests.walk import OpenContext

pytest_plugins = ["tests.browser"]
pytestmark = pytest.mark.browser
SHORT = {"text": plain(20), "rate": 200}
LONG = {"text": plain(160), "rate": 40}
CUT = {"text": "The quick brown fox ju", "finish_reason": "length"}
REST = {"text": "brown fox jumps over the lazy dog."}
WHOLE = "The quick brown fox jumps over the lazy dog."


def test_a_cut_answer_is_continued_with_one_click(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    provider.script(CUT, REST)
    chat.send("Go on")
    expect(chat.answer.get_by_text("The answer reached its length limit.")).to_be_visible()
    chat.reload()
    expect(chat.answer.get_by_text("The answer reached its length limit.")).to_be_visible()

    chat.answer.get_by_role("button", name="Continue").click()

    expect(chat.prose).to_have_text(WHOLE)
    expect(chat.answer.get_by_text("The answer reached its length limit.")).to_be_hidden()
    expect(chat.answer.locator(".siblings-count")).to_have_text("2/2")
    chat.reload()
    expect(chat.prose).to_have_text(WHOLE)


def test_a_stopped_answer_is_continued(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    provider.script(LONG, {"text": " and that is all."})
    chat.send("Count, please")
    chat.wait_for_words(20)
    chat.composer.press("Escape")
    chat.wait_until_answered()
    before = Message.objects.get(role="assistant").text

    chat.answer.get_by_role("button", name="Continue").click()

    expect(chat.prose).to_contain_text("and that is all.")
    assert chat.copy_answer() == f"{before} and that is all."


def test_what_is_written_before_the_scripts_have_come_is_kept(
    owner: User, site: Web, open_context: OpenContext
) -> None:
    page = open_context(owner, site).new_page()
    page.add_init_script(f"localStorage.setItem('draft:{owner.pk}:new', 'A draft')")
    held: list[Route] = []
    page.route("**/static/js/**", lambda route: held.append(route))
    page.goto(site.url, wait_until="commit")
    page.locator("#composer-text").press_sequentially("and more")
    for route in held:
        route.continue_()
    page.unroute("**/static/js/**")
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    expect(page.locator("#composer-text")).to_have_value("A draft\nand more")


def test_what_is_written_while_a_conversation_is_on_its_way_goes_to_that_one(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    first, second = answered(owner, "First"), answered(owner, "Second")
    chat = open_chat(owner, site, f"/c/{first.conversation.pk}/")
    expect(chat.questions).to_have_text(["First"])
    chat.write("A draft for the first one")
    held: list[Route] = []
    address = f"**/c/{second.conversation.pk}/"
    chat.page.route(address, lambda route: held.append(route))
    chat.page.get_by_role("link", name="Second").click()
    expect(chat.composer).to_have_value("")
    chat.composer.press_sequentially("For the second one")
    chat.composer.press("Enter")
    expect(chat.page.locator("#skeleton")).to_be_visible()
    for route in held:
        route.continue_()
    chat.page.unroute(address)
    expect(chat.questions).to_have_text(["Second", "For the second one"])
    chat.wait_until_answered()
    assert first.conversation.messages.count() == 2
    chat.page.go_back()
    expect(chat.questions).to_have_text(["First"])
    expect(chat.composer).to_have_value("A draft for the first one")


# --- Models and settings -------------------------------------------------------------------------
@pytest.fixture
def models(site: Web) -> list[ChatModel]:
    """The model of the environment and another one, which says what it is."""
    ChatModel.objects.filter(slug="fake").update(label="Swift", tools=["current_time"])
    ChatModel.objects.filter(slug="demo").update(enabled=False)
    other = ChatModel.objects.create(
        slug="other",
        label="Thorough",
        description="Slow, and right more often",
        provider=ProviderRow.objects.get(name="Environment"),
        provider_model="thorough-1",
        tools=["current_time"],
        position=5,
    )
    return [ChatModel.objects.get(slug="fake"), other]


def picker(chat: Chat) -> Locator:
    return chat.page.locator("#model")


def test_a_model_is_picked_with_the_keyboard_and_remembered(
    owner: User, site: Web, models: list[ChatModel], open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    expect(picker(chat)).to_contain_text("Swift")
    picker(chat).press("Enter")
    menu = chat.page.get_by_role("menu", name="Model")
    expect(menu.get_by_role("menuitemradio", name="Swift")).to_be_focused()
    chat.page.keyboard.press("ArrowDown")
    expect(menu.get_by_role("menuitemradio", name="Thorough")).to_be_focused()
    chat.page.keyboard.press("Enter")
    expect(menu).to_be_hidden()
    provider.script(SHORT, SHORT, SHORT)
    chat.send("Hello")
    chat.wait_until_answered()
    assert provider.wait_for(1).body["model"] == "thorough-1"

    chat.reload()
    expect(picker(chat)).to_contain_text("Thorough")
    chat.send("Again")
    chat.wait_until_answered()
    assert provider.wait_for(2).body["model"] == "thorough-1"
    picker(chat).click()
    menu.get_by_role("menuitemradio", name="Swift").click()
    chat.page.get_by_role("link", name="New chat").first.click()
    expect(picker(chat)).to_contain_text("Swift")
    assert Conversation.objects.get().model_slug == "fake"


def test_a_refusal_is_taken_away_once_another_model_is_asked(
    owner: User, site: Web, models: list[ChatModel], open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    provider.script(SHORT, SHORT)
    chat.send("Hello")
    chat.wait_until_answered()
    ChatModel.objects.filter(slug="fake").update(enabled=False)
    again = chat.answer.get_by_role("button", name="Try again")
    again.click()
    chat.page.get_by_role("menuitemradio", name="Swift").click()
    refusal = chat.page.get_by_text("The model “fake” is not available.")
    expect(refusal).to_be_visible()
    again.click()
    chat.page.get_by_role("menuitemradio", name="Thorough").click()
    expect(refusal).to_be_hidden()
    chat.wait_until_answered()
    assert provider.wait_for(2).body["model"] == "thorough-1"


def test_who_answers_in_place_of_a_model_that_is_gone_is_told_before_it_is_asked(
    owner: User, site: Web, models: list[ChatModel], open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    picker(chat).click()
    chat.page.get_by_role("menuitemradio", name="Thorough").click()
    provider.script(SHORT, SHORT)
    chat.send("Hello")
    chat.wait_until_answered()
    chat.reload()
    expect(picker(chat)).to_contain_text("Thorough")
    expect(chat.page.locator("#toasts")).to_be_empty()

    gone = Conversation.objects.get().model_slug
    ChatModel.objects.filter(slug=gone).update(enabled=False)
    chat.reload()

    expect(chat.page.locator("#toasts")).to_contain_text(
        f"The model “{gone}” is not available. Swift answers now."
    )
    expect(picker(chat)).to_contain_text("Swift")
    chat.send("Again")
    chat.wait_until_answered()
    assert provider.wait_for(2).body["model"] == "fake"
    chat.reload()
    expect(picker(chat)).to_contain_text("Swift")
    expect(chat.page.locator("#toasts")).to_be_empty()


def test_settings_go_along_with_the_first_message_and_can_be_changed_later(
    owner: User, site: Web, models: list[ChatModel], open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    open_settings(chat)
    dialog = chat.page.get_by_role("dialog", name="Chat settings")
    dialog.get_by_label("Instructions").fill("Answer in verse.")
    dialog.get_by_label("Choose it for this chat").check()
    dialog.get_by_role("slider", name="Temperature").fill("0.4")
    dialog.get_by_label("Look up the time").uncheck()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    chip = chat.page.locator("#settings-chip")
    expect(chip).to_have_text("Own instructions · Temperature 0.4 · No tools")
    provider.script(SHORT, SHORT)
    chat.send("Hello")
    chat.wait_until_answered()
    body = provider.wait_for(1).body
    assert body["temperature"] == 0.4
    assert body["messages"][0] == {"role": "system", "content": "Answer in verse."}
    assert "tools" not in body

    chat.reload()
    chip.click()
    expect(dialog.get_by_label("Instructions")).to_have_value("Answer in verse.")
    dialog.get_by_label("Instructions").fill("")
    dialog.get_by_label("Choose it for this chat").uncheck()
    dialog.get_by_label("Look up the time").check()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    expect(chip).to_be_hidden()
    chat.send("Again")
    chat.wait_until_answered()
    assert "temperature" not in provider.wait_for(2).body
    chat.page.get_by_role("link", name="New chat").first.click()
    expect(chip).to_be_hidden()


def open_settings(chat: Chat) -> None:
    chat.page.get_by_role("button", name="Chat menu").click()
    chat.page.get_by_role("menuitem", name="Chat settings").click()


# --- The next message ----------------------------------------------------------------------------
def queue(chat: Chat) -> Locator:
    return chat.page.get_by_role("list", name="Next messages").get_by_role("listitem")


def write_next(chat: Chat, text: str) -> None:
    chat.write(text)
    chat.composer.press("Enter")
    expect(chat.composer).to_have_value("")


def test_what_is_written_meanwhile_goes_out_by_itself_over_a_reload_too(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    provider.script(LONG, SHORT, SHORT)
    chat.send("First")
    chat.wait_for_words(10)

    write_next(chat, "Second")
    write_next(chat, "Third")

    expect(queue(chat)).to_have_count(2)
    expect(queue(chat).first).to_contain_text("Next: Second")
    expect(chat.questions).to_have_text(["First"])
    chat.reload()
    expect(queue(chat)).to_have_count(2)
    expect(chat.questions).to_have_text(["First", "Second", "Third"], timeout=60_000)
    answers = chat.page.locator(".assistant .prose")
    expect(answers).to_have_text([plain(160), plain(20), plain(20)])
    chat.wait_until_answered()
    expect(queue(chat)).to_have_count(0)
    sent = Message.objects.filter(role="user").order_by("created_at")
    assert [message.text for message in sent] == ["First", "Second", "Third"]
    assert [message.parent and message.parent.role for message in sent] == [
        None, "assistant", "assistant",
    ]  # fmt: skip


def test_a_waiting_message_can_be_changed_removed_and_sent_now(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    # Other words than those at which the first may be stopped.
    provider.script(LONG, {"text": "And now the last one.", "rate": 100})
    chat.send("First")
    chat.wait_for_words(5)
    for text in ("Second", "Third", "Fourth"):
        write_next(chat, text)

    queue(chat).nth(0).get_by_role("button", name="Remove").click()
    queue(chat).nth(0).get_by_role("button", name="Edit").click()
    expect(chat.composer).to_have_value("Third")
    chat.write("")
    expect(queue(chat)).to_have_count(1)
    queue(chat).get_by_role("button", name="Send now").click()

    expect(chat.questions).to_have_text(["First", "Fourth"])
    expect(chat.prose).to_have_text("And now the last one.")
    chat.wait_until_answered()
    first, second = Message.objects.filter(role="assistant").order_by("created_at")
    assert (first.generation.status, second.generation.status) == ("cancelled", "completed")


def test_after_a_failure_the_next_message_waits_for_its_writer(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    provider.script({**LONG, "cut_after": 60}, SHORT)
    chat.send("First")
    chat.wait_for_words(5)

    write_next(chat, "Second")

    expect(queue(chat)).to_contain_text("Not sent yet: Second")
    expect(chat.questions).to_have_text(["First"])
    queue(chat).get_by_role("button", name="Send now").click()
    expect(chat.questions).to_have_text(["First", "Second"])
    chat.wait_until_answered()


# --- Edit, branches, another model ---------------------------------------------------------------
def test_arrow_up_edits_the_last_message_and_its_versions_can_be_turned(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    provider.script(SHORT, SHORT)
    chat.send("First")
    chat.wait_until_answered()

    chat.composer.press("ArrowUp")
    expect(chat.composer).to_have_value("First")
    expect(chat.page.get_by_text("Editing your message")).to_be_visible()
    expect(chat.page.locator(".message.user")).to_have_attribute("data-editing", "")
    chat.composer.press("Escape")
    expect(chat.composer).to_have_value("")
    expect(chat.page.locator(".message.user")).not_to_have_attribute("data-editing", "")
    chat.composer.press("ArrowUp")
    chat.write("Half an edit")
    chat.reload()
    expect(chat.questions).to_have_text(["First"])
    chat.composer.press("ArrowUp")
    expect(chat.composer).to_have_value("Half an edit")
    chat.send("Better")

    expect(chat.questions).to_have_text(["Better"])
    chat.wait_until_answered()
    question = chat.page.locator(".message.user")
    expect(question.locator(".siblings-count")).to_have_text("2/2")
    question.get_by_role("button", name="Previous version").click()
    expect(chat.questions).to_have_text(["First"])
    expect(question.locator(".siblings-count")).to_have_text("1/2")
    chat.composer.press("ArrowUp")
    expect(chat.composer).to_have_value("First")


def test_an_answer_is_tried_again_with_another_model(
    owner: User, site: Web, models: list[ChatModel], open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    provider.script(SHORT, {"text": "Thought through."})
    chat.send("Hello")
    chat.wait_until_answered()

    chat.answer.locator(".actions").get_by_role("button", name="Try again").click()
    menu = chat.page.get_by_role("menu", name="Try again with")
    expect(menu.get_by_role("menuitemradio", name="Swift")).to_have_attribute(
        "aria-checked", "true"
    )
    menu.get_by_role("menuitemradio", name="Thorough").click()

    expect(chat.prose).to_have_text("Thought through.")
    assert provider.wait_for(2).body["model"] == "thorough-1"
    expect(chat.answer.locator(".siblings-count")).to_have_text("2/2")
    expect(picker(chat)).to_contain_text("Swift")


# --- The library ---------------------------------------------------------------------------------
def open_entry(chat: Chat, name: str) -> None:
    chat.page.get_by_role("button", name="Chat menu").click()
    chat.page.get_by_role("menuitem", name=name).click()


def test_a_prompt_is_written_once_and_used_by_a_slash(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    chat = open_chat(owner, site)
    open_entry(chat, "Prompts and presets")
    library = chat.page.get_by_role("dialog", name="Library")
    for title, text in (("Shorter", "Make this shorter:"), ("Translate", "Into French:")):
        library.get_by_role("button", name="New prompt").click()
        form = chat.page.get_by_role("dialog", name="Prompt", exact=True)
        form.get_by_label("Title").fill(title)
        form.get_by_label("Text").fill(text)
        form.get_by_role("button", name="Save").click()
        expect(form).to_be_hidden()
    expect(library.get_by_role("listitem")).to_have_count(2)
    library.get_by_role("button", name="New prompt").click()
    form = chat.page.get_by_role("dialog", name="Prompt", exact=True)
    form.get_by_label("Title").fill("Shorter")
    form.get_by_label("Text").fill("Again")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_have_text("You have one of this name already.")
    form.get_by_role("button", name="Cancel").click()
    library.get_by_role("button", name="Close").click()

    chat.composer.press_sequentially("/tr")
    popup = chat.page.get_by_role("listbox", name="Prompts")
    expect(popup.get_by_role("option")).to_have_count(1)
    expect(popup.get_by_role("option", name="Translate")).to_be_visible()
    chat.composer.press("Enter")

    expect(chat.composer).to_have_value("Into French:")
    expect(popup).to_be_hidden()
    chat.reload()
    expect(chat.composer).to_have_value("Into French:")
    chat.write("")
    chat.composer.press_sequentially("/")
    expect(popup.get_by_role("option")).to_have_count(2)
    chat.composer.press("ArrowDown")
    expect(popup.get_by_role("option", name="Translate")).to_have_attribute("aria-selected", "true")
    chat.composer.press("Escape")
    expect(popup).to_be_hidden()
    expect(chat.composer).to_have_value("/")


def test_a_prompt_is_deleted_after_a_question(owner: User, site: Web, open_chat: OpenChat) -> None:
    Prompt.objects.create(owner=owner, title="Shorter", text="Make this shorter:")
    chat = open_chat(owner, site)
    open_entry(chat, "Prompts and presets")
    chat.page.get_by_role("button", name="Delete Shorter").click()

    question = chat.page.get_by_role("dialog", name="Delete “Shorter”?")
    question.get_by_role("button", name="Delete").click()

    expect(chat.page.get_by_text("Type / in an empty composer to use one.")).to_be_visible()
    assert not Prompt.objects.exists()


def test_settings_become_a_preset_and_a_new_chat_begins_with_it(
    owner: User, site: Web, models: list[ChatModel], open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    open_entry(chat, "Save settings as a preset")
    form = chat.page.get_by_role("dialog", name="Preset", exact=True)
    form.get_by_label("Name").fill("Poet")
    form.get_by_label("Model").select_option("other")
    form.get_by_label("Instructions").fill("Answer in verse.")
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()

    chat.page.get_by_role("list", name="Presets").get_by_role("button", name="Poet").click()

    expect(picker(chat)).to_contain_text("Thorough")
    expect(chat.page.locator("#settings-chip")).to_have_text("Own instructions")
    provider.script(SHORT)
    chat.send("Hello")
    chat.wait_until_answered()
    body = provider.wait_for(1).body
    assert body["model"] == "thorough-1"
    assert body["messages"][0]["content"] == "Answer in verse."
    open_entry(chat, "Prompts and presets")
    library = chat.page.get_by_role("dialog", name="Library")
    library.get_by_role("button", name="Poet Thorough").click()
    expect(library).to_be_hidden()
    expect(chat.questions).to_have_count(0)
    expect(chat.page.locator("#settings-chip")).to_have_text("Own instructions")
