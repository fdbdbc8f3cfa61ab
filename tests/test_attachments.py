"""Files of users: what is taken and what is refused, who sees them, and when they go."""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone
from PIL import Image
from pytest_django import Settings

from accounts.models import User
from conversations.attachments.claim import block_of
from conversations.attachments.images import MAX_SIDE
from conversations.attachments.keep import keep
from conversations.attachments.names import MAX_CHARS, clean_name
from conversations.models import Attachment, Conversation, Message
from conversations.refused import Refused
from conversations.tasks import purge_attachments
from tests import files
from tests.rows import answered, asked

pytestmark = pytest.mark.database
API = "/api/v1/attachments"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    """A folder for one test's files; and pages of errors without a `collectstatic` before."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


@pytest.fixture
def browser(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


Upload = Callable[..., Any]


@pytest.fixture
def upload(browser: Client) -> Upload:
    def send(name: str, content: bytes, status: int = 201) -> Any:
        answer = browser.post(API, {"file": SimpleUploadedFile(name, content)})
        assert answer.status_code == status, answer.content
        return answer.json()

    return send


def bytes_kept(media: Path) -> list[Path]:
    return [path for path in media.rglob("*") if path.is_file()]


def stored(shape: dict[str, Any]) -> Attachment:
    return Attachment.objects.get(pk=shape["id"])


# --- What is taken -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.png", files.image(), ("a.png", "image/png")),
        ("a.jpeg", files.image("JPEG"), ("a.jpeg", "image/jpeg")),
        ("a.webp", files.image("WEBP"), ("a.jpg", "image/jpeg")),
        ("a.gif", files.image("GIF"), ("a.png", "image/png")),
        ("grey.png", files.image("PNG", colour=90, mode="L"), ("grey.png", "image/png")),
        ("print.jpg", files.image("JPEG", colour=0, mode="CMYK"), ("print.jpg", "image/jpeg")),
        ("named wrongly.txt", files.image(), ("named wrongly.png", "image/png")),
    ],
)
def test_an_image_is_taken(
    upload: Upload, name: str, content: bytes, expected: tuple[str, str]
) -> None:
    shape = upload(name, content)
    assert (shape["name"], shape["media_type"]) == expected
    assert (shape["kind"], shape["width"], shape["height"]) == ("image", 60, 40)
    assert (shape["reads"], shape["sent"], shape["pages"]) == ("whole", False, None)
    assert files.opened(stored(shape).file.read()).size == (60, 40)


@pytest.mark.parametrize(
    ("name", "content", "media_type", "text"),
    [
        ("a.txt", b"Hello", "text/plain", "Hello"),
        ("a.md", b"# Hello", "text/markdown", "# Hello"),
        ("a.csv", b"a,b\r\n1,2", "text/csv", "a,b\n1,2"),
        ("a.json", b"{}", "application/json", "{}"),
        ("a.py", b"print()", "text/plain", "print()"),
        ("Makefile", b"all:\n\ttrue", "text/plain", "all:\n\ttrue"),
        ("signed.txt", b"\xef\xbb\xbfHello", "text/plain", "Hello"),
        ("wide.txt", "Grüße".encode("utf-16"), "text/plain", "Grüße"),
        ("drawing.svg", SVG, "text/plain", SVG.decode()),
        ("page.html", b"<script>alert(1)</script>", "text/plain", "<script>alert(1)</script>"),
    ],
)
def test_text_is_taken(
    upload: Upload, name: str, content: bytes, media_type: str, text: str
) -> None:
    shape = upload(name, content)
    assert (shape["name"], shape["kind"], shape["media_type"]) == (name, "text", media_type)
    assert shape["size"] == len(content)
    assert stored(shape).text == text


def test_a_pdf_is_taken_with_its_text(upload: Upload) -> None:
    shape = upload("report.pdf", files.pdf("Chapter one", "Chapter two"))
    assert (shape["kind"], shape["pages"], shape["reads"]) == ("pdf", 2, "whole")
    assert stored(shape).text == "Chapter one\n\nChapter two"


def test_a_pdf_without_text_says_that_there_is_nothing_to_read(upload: Upload) -> None:
    shape = upload("scan.pdf", files.pdf(""))
    assert (shape["pages"], shape["reads"]) == (1, "none")


def test_a_pdf_that_is_locked_against_printing_alone_is_taken(upload: Upload) -> None:
    assert stored(upload("locked.pdf", files.pdf("Open", password=""))).text == "Open"


def test_a_long_text_is_cut_and_says_so(upload: Upload, settings: Settings) -> None:
    settings.ATTACHMENT_CHARS = 10
    shape = upload("long.txt", b"0123456789ABC")
    assert shape["reads"] == "part"
    assert stored(shape).text == "0123456789\n\n[The rest of this file is left out.]"
    assert upload("short.txt", b"0123456789")["reads"] == "whole"


def test_a_long_pdf_is_cut_and_says_so(upload: Upload, settings: Settings) -> None:
    settings.ATTACHMENT_CHARS = 10
    shape = upload("long.pdf", files.pdf("0123456", "789ABC", "never read"))
    assert (shape["pages"], shape["reads"]) == (3, "part")
    assert "never" not in stored(shape).text


# --- What is drawn anew --------------------------------------------------------------------------
def test_an_image_forgets_where_it_was_taken_and_stands_upright(upload: Upload) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Camera"
    exif.get_ifd(0x8825)[1] = "N"
    shape = upload("photo.jpg", files.image("JPEG", exif=exif))
    drawn = files.opened(stored(shape).file.read())
    assert (drawn.size, dict(drawn.getexif())) == ((40, 60), {})
    assert (shape["width"], shape["height"]) == (40, 60)


def test_a_large_image_is_made_smaller_and_keeps_its_shape(upload: Upload) -> None:
    shape = upload("wide.png", files.image(size=(3000, 1500)))
    assert (shape["width"], shape["height"]) == (MAX_SIDE, MAX_SIDE // 2)


def test_what_is_transparent_stays_so(upload: Upload) -> None:
    shape = upload("logo.webp", files.image("WEBP", mode="RGBA", colour=(9, 9, 9, 0)))
    assert shape["media_type"] == "image/png"
    assert files.opened(stored(shape).file.read()).getpixel((1, 1))[3] == 0  # type: ignore[index]


def test_grey_of_sixteen_bits_keeps_its_shades(upload: Upload) -> None:
    shape = upload("scan.png", files.image(mode="I;16", colour=0x8000))
    assert files.opened(stored(shape).file.read()).convert("L").getpixel((1, 1)) in (127, 128)


def test_nothing_that_rides_behind_the_pixels_is_kept(upload: Upload) -> None:
    for content in (files.image("GIF"), files.image("JPEG"), files.image("PNG")):
        hostile = content + b"<script>alert(1)</script>" + files.pdf("hidden")
        held = stored(upload("polyglot.png", hostile)).file.read()
        assert b"<script>" not in held
        assert b"%PDF" not in held


# --- What is refused -----------------------------------------------------------------------------
ZIP = b"PK\x03\x04" + bytes(range(256))


@pytest.mark.parametrize(
    ("name", "content", "code", "words"),
    [
        ("empty.txt", b"", "file_empty", "empty"),
        ("blank.txt", b" \n ", "file_empty", "empty"),
        ("archive.zip", ZIP, "file_type", "cannot be read"),
        ("program.exe", b"MZ\x90\x00" + bytes(200), "file_type", "cannot be read"),
        ("letter.docx", ZIP, "file_type", "cannot be read"),
        ("old.csv", "é;à".encode("latin-1"), "file_type", "UTF-8"),
        ("nul.txt", b"a\x00b", "file_type", "UTF-8"),
        ("page.png", b"<html><script>alert(1)</script>", "file_type", "not what its name says"),
        ("notes.pdf", b"just text", "file_type", "not what its name says"),
        ("broken.png", files.image()[:60], "file_unreadable", "damaged"),
        ("head.jpg", b"\xff\xd8\xff\xe0" + bytes(40), "file_unreadable", "damaged"),
        ("nothing.pdf", files.pdf(), "file_unreadable", "no pages"),
        ("secret.pdf", files.pdf("x", password="open"), "file_unreadable", "password"),
        ("noise.pdf", b"%PDF-1.7\n" + bytes(range(256)) * 9, "file_unreadable", "damaged"),
    ],
)
def test_a_file_is_refused(
    upload: Upload, media: Path, name: str, content: bytes, code: str, words: str
) -> None:
    answer = upload(name, content, 400)
    assert answer["code"] == code
    assert words in answer["message"]
    assert (bytes_kept(media), Attachment.objects.count()) == ([], 0)


def test_an_image_that_unpacks_to_much_more_is_refused(upload: Upload, media: Path) -> None:
    bomb = files.image("PNG", size=(20_000, 20_000), mode="1", colour=0)
    answer = upload("bomb.png", bomb, 400)
    assert answer["code"] == "file_too_large"
    assert "million pixels" in answer["message"]
    assert (bytes_kept(media), Attachment.objects.count()) == ([], 0)


def test_a_pdf_of_too_many_pages_is_refused(upload: Upload, settings: Settings) -> None:
    settings.ATTACHMENT_PAGES = 2
    answer = upload("long.pdf", files.pdf("1", "2", "3"), 400)
    assert (answer["code"], "3 pages" in answer["message"]) == ("file_too_large", True)


def test_a_pdf_that_would_be_read_for_ever_is_ended(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conversations.attachments.documents.SECONDS", 0)
    monkeypatch.setattr("conversations.attachments.documents.GRACE_SECONDS", 0.001)
    assert "too complicated" in upload("slow.pdf", files.pdf("x"), 400)["message"]


def test_a_file_over_the_limit_is_refused(upload: Upload, settings: Settings) -> None:
    settings.ATTACHMENT_MB = 1
    upload("fits.txt", b"x" * 1_000_000)
    assert upload("large.txt", b"x" * 1_000_001, 400)["code"] == "file_too_large"


def test_a_user_cannot_keep_more_than_is_theirs(
    upload: Upload, settings: Settings, media: Path, stranger: User
) -> None:
    settings.ATTACHMENT_TOTAL_MB = 1
    upload("first.txt", b"x" * 600_000)
    assert upload("second.txt", b"x" * 600_000, 400)["code"] == "storage_full"
    assert len(bytes_kept(media)) == 1
    other = Client()
    other.force_login(stranger)
    answer = other.post(API, {"file": SimpleUploadedFile("mine.txt", b"x" * 600_000)})
    assert answer.status_code == 201


def test_a_form_without_a_file_is_refused(browser: Client) -> None:
    assert browser.post(API, {"file": "a text"}).status_code == 422


def test_who_is_not_signed_in_cannot_upload(client: Client, transactional_db: None) -> None:
    answer = client.post(API, {"file": SimpleUploadedFile("a.txt", b"Hello")})
    assert (answer.status_code, Attachment.objects.count()) == (401, 0)


def test_another_site_cannot_upload_in_the_users_name(owner: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    answer = strict.post(API, {"file": SimpleUploadedFile("a.txt", b"Hello")})
    assert (answer.status_code, Attachment.objects.count()) == (403, 0)


# --- Names ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        (r"C:\Users\me\notes.txt", "notes.txt"),
        ("a\r\nSet-Cookie: x.txt", "aSet-Cookie: x.txt"),
        ("nul\x00.txt", "nul.txt"),
        ("annual\u202etxt.exe", "annualtxt.exe"),
        ("  spaced \t out .txt", "spaced out .txt"),
        ("...", "file"),
        ("", "file"),
        ("\u202e", "file"),
        ("Grüße 👩‍👧 日本.md", "Grüße 👩‍👧 日本.md"),
        ("e\u0301.txt", "é.txt"),
    ],
)
def test_a_name_cannot_act(name: str, shown: str) -> None:
    assert clean_name(name) == shown


def test_a_long_name_keeps_its_suffix() -> None:
    short = clean_name("x" * 500 + ".pdf")
    assert (len(short), short[-5:]) == (MAX_CHARS, "….pdf")


def test_no_name_gets_into_a_path(upload: Upload, media: Path) -> None:
    shape = upload("../../escape.txt", b"Hello")
    (path,) = bytes_kept(media)
    held = uuid.UUID(shape["id"]).hex
    assert path == media / "attachments" / held[:2] / held


# --- Serving -------------------------------------------------------------------------------------
def test_an_image_is_shown_to_its_owner(upload: Upload, browser: Client) -> None:
    answer = browser.get(f"/attachments/{upload('a.png', files.image())['id']}/")
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Disposition"] == 'inline; filename="a.png"'
    assert files.opened(answer.content).size == (60, 40)


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("drawing.svg", SVG, "text/plain"),
        ("page.html", b"<script>alert(1)</script>", "text/plain"),
        ("report.pdf", files.pdf("Hello"), "application/octet-stream"),
    ],
)
def test_what_a_browser_could_run_is_only_ever_saved(
    upload: Upload, browser: Client, name: str, content: bytes, media_type: str
) -> None:
    answer = browser.get(f"/attachments/{upload(name, content)['id']}/")
    assert answer["Content-Type"] == media_type
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer.content == content


def test_a_file_may_do_nothing_in_a_browser(upload: Upload, browser: Client) -> None:
    for shape in (upload("a.png", files.image()), upload("a.svg", SVG)):
        answer = browser.get(f"/attachments/{shape['id']}/")
        policy = {part.strip() for part in answer["Content-Security-Policy"].split(";")}
        assert policy == {"default-src 'none'", "sandbox"}
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "private" in answer["Cache-Control"]


def test_a_stranger_finds_no_file_of_the_owner(
    upload: Upload, browser: Client, stranger: User
) -> None:
    shape = upload("a.txt", b"Hello")
    other = Client()
    other.force_login(stranger)
    for path in (f"/attachments/{shape['id']}/", f"{API}/{shape['id']}"):
        assert other.get(path).status_code == 404
        assert browser.get(path).status_code == 200
        assert Client().get(path).status_code in (302, 401)
    assert other.delete(f"{API}/{shape['id']}").status_code == 404
    assert Attachment.objects.filter(pk=shape["id"]).exists()


def test_a_file_of_a_deleted_conversation_is_hidden(
    upload: Upload, browser: Client, owner: User
) -> None:
    shape = upload("a.txt", b"Hello")
    made = asked(owner, attachments=[uuid.UUID(shape["id"])])
    Conversation.objects.filter(pk=made.conversation.pk).update(deleted_at=timezone.now())
    assert browser.get(f"/attachments/{shape['id']}/").status_code == 404


def test_a_file_whose_bytes_are_lost_is_not_found(
    upload: Upload, browser: Client, media: Path
) -> None:
    shape = upload("a.txt", b"Hello")
    bytes_kept(media)[0].unlink()
    assert browser.get(f"/attachments/{shape['id']}/").status_code == 404


# --- Sending -------------------------------------------------------------------------------------
@pytest.fixture
def ready(upload: Upload) -> Callable[..., list[uuid.UUID]]:
    def make(*names: str) -> list[uuid.UUID]:
        return [uuid.UUID(upload(name, name.encode())["id"]) for name in names]

    return make


Ready = Callable[..., list[uuid.UUID]]


def test_a_message_names_its_files_in_their_order(
    owner: User, upload: Upload, ready: Ready
) -> None:
    picture = upload("a.png", files.image())
    report = upload("b.pdf", files.pdf("Hello"))
    ids = [uuid.UUID(report["id"]), uuid.UUID(picture["id"]), *ready("c.txt")]
    content = asked(owner, "What is this?", attachments=ids).message.content
    assert [block["type"] for block in content] == ["file", "image", "file", "text"]
    assert content[0]["extras"] == {"name": "b.pdf", "size": report["size"], "pages": 1}
    assert content[1] == {
        "type": "image",
        "file_id": picture["id"],
        "mime_type": "image/png",
        "extras": {"name": "a.png", "size": picture["size"], "width": 60, "height": 40},
    }
    assert content[3] == {"type": "text", "text": "What is this?"}


def test_files_alone_are_a_message_named_after_the_first(owner: User, ready: Ready) -> None:
    made = asked(owner, "  ", attachments=ready("notes.txt", "more.txt"))
    assert [block["type"] for block in made.message.content] == ["file", "file"]
    assert made.conversation.title == "notes.txt"


def test_a_sent_file_is_the_conversations(owner: User, browser: Client, ready: Ready) -> None:
    (file,) = ready("a.txt")
    made = asked(owner, attachments=[file])
    assert Attachment.objects.get(pk=file).conversation == made.conversation
    assert browser.get(f"{API}/{file}").json()["sent"] is True
    answer = browser.delete(f"{API}/{file}")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_sending_twice_is_sending_once(owner: User, ready: Ready) -> None:
    mine, number = ready("a.txt", "b.txt"), uuid.uuid4()
    first = asked(owner, "", client_message_id=number, attachments=mine)
    second = asked(owner, "", client_message_id=number, attachments=mine)
    assert (first.created, second.created) == (True, False)
    assert second.message == first.message
    with pytest.raises(Refused) as refused:
        asked(owner, "", client_message_id=number, attachments=mine[:1])
    assert refused.value.code == "conflict"


def test_an_edit_keeps_the_files_that_it_names(owner: User, ready: Ready) -> None:
    first, second = ready("a.txt", "b.txt")
    made = answered(owner, attachments=[first, second])
    edit = asked(
        owner, "Again", conversation=made.conversation.pk, attachments=[second, *ready("c.txt")]
    )
    names = [block["extras"]["name"] for block in edit.message.content[:-1]]
    assert names == ["b.txt", "c.txt"]


def refuse(owner: User, code: str, ids: list[uuid.UUID], **fields: Any) -> None:
    before = Message.objects.count()
    with pytest.raises(Refused) as refused:
        asked(owner, attachments=ids, **fields)
    assert (refused.value.code, Message.objects.count()) == (code, before)


def test_a_file_of_another_conversation_cannot_be_sent(owner: User, ready: Ready) -> None:
    (file,) = ready("a.txt")
    made = asked(owner, attachments=[file])
    refuse(owner, "not_found", [file])
    assert Attachment.objects.get(pk=file).conversation == made.conversation


def test_a_strangers_file_and_a_missing_one_are_refused_alike(stranger: User, ready: Ready) -> None:
    (file,) = ready("a.txt")
    refuse(stranger, "not_found", [file])
    refuse(stranger, "not_found", [uuid.uuid4()])
    assert Attachment.objects.get(pk=file).conversation is None


def test_a_refused_message_takes_none_of_its_files(owner: User, ready: Ready) -> None:
    (file,) = ready("a.txt")
    refuse(owner, "not_found", [file, uuid.uuid4()])
    assert Attachment.objects.get(pk=file).conversation is None


def test_too_many_files_are_refused(owner: User, ready: Ready, settings: Settings) -> None:
    settings.ATTACHMENTS_PER_MESSAGE = 2
    refuse(owner, "too_many_files", ready("a.txt", "b.txt", "c.txt"))


def test_a_file_that_is_named_twice_is_sent_once(owner: User, ready: Ready) -> None:
    (file,) = ready("a.txt")
    assert len(asked(owner, "", attachments=[file, file]).message.content) == 1


# --- Going ---------------------------------------------------------------------------------------
def test_a_file_that_is_not_sent_can_be_removed(
    upload: Upload, browser: Client, media: Path
) -> None:
    shape = upload("a.txt", b"Hello")
    assert browser.delete(f"{API}/{shape['id']}").status_code == 204
    assert (bytes_kept(media), Attachment.objects.count()) == ([], 0)
    assert browser.delete(f"{API}/{shape['id']}").status_code == 404


def test_files_go_with_their_conversation(owner: User, ready: Ready, media: Path) -> None:
    made = asked(owner, attachments=ready("a.txt"))
    ready("stays.txt")
    Conversation.objects.filter(pk=made.conversation.pk).delete()
    assert len(bytes_kept(media)) == Attachment.objects.count() == 1


def test_files_go_with_their_owner(owner: User, ready: Ready, media: Path) -> None:
    asked(owner, attachments=ready("a.txt"))
    ready("never sent.txt")
    owner.delete()
    assert (bytes_kept(media), Attachment.objects.count()) == ([], 0)


def test_what_was_never_sent_goes_after_a_day(owner: User, ready: Ready, media: Path) -> None:
    old, sent, _ = ready("old.txt", "sent.txt", "new.txt")
    asked(owner, attachments=[sent])
    yesterday = timezone.now() - timedelta(days=1, minutes=1)
    Attachment.objects.filter(pk__in=[old, sent]).update(created_at=yesterday)
    purge_attachments()
    purge_attachments()
    names = set(Attachment.objects.values_list("name", flat=True))
    assert names == {"sent.txt", "new.txt"}
    assert len(bytes_kept(media)) == 2


# --- At the same moment --------------------------------------------------------------------------
def together(*calls: Callable[[], Any]) -> list[Any]:
    """What each of some threads, which begin at the same moment, got or was refused with."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            start.wait(10)
            return call()
        except Refused as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_only_one_of_two_conversations_gets_a_file(owner: User, ready: Ready) -> None:
    for _ in range(5):
        (file,) = ready("a.txt")
        ends = together(*[partial(asked, owner, attachments=[file])] * 2)
        (refused,) = [end for end in ends if isinstance(end, Refused)]
        (made,) = [end for end in ends if not isinstance(end, Refused)]
        assert refused.code == "not_found"
        assert Attachment.objects.get(pk=file).conversation == made.conversation


def test_a_file_is_sent_or_purged_and_never_both(owner: User, ready: Ready) -> None:
    for _ in range(5):
        (file,) = ready("a.txt")
        Attachment.objects.update(created_at=timezone.now() - timedelta(days=2))
        sent, _ = together(partial(asked, owner, attachments=[file]), purge_attachments)
        assert Attachment.objects.filter(pk=file).exists() == (not isinstance(sent, Refused))
        assert Message.objects.filter(role="user").count() == Attachment.objects.count()


def test_many_uploads_at_once_do_not_pass_the_limit(
    owner: User, settings: Settings, media: Path
) -> None:
    settings.ATTACHMENT_TOTAL_MB = 1

    def upload() -> Any:
        return keep(owner, SimpleUploadedFile("a.txt", b"x" * 400_000))

    ends = together(*[upload] * 4)
    assert len([end for end in ends if isinstance(end, Refused)]) == 2
    assert len(bytes_kept(media)) == Attachment.objects.count() == 2


def test_a_block_of_a_file_has_no_text_of_it(owner: User, upload: Upload) -> None:
    attachment = stored(upload("a.txt", b"a secret"))
    assert "a secret" not in str(block_of(attachment))
