"""Every line that a process writes is one JSON object, Celery's own too."""

import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from accounts.models import User
from chatsite import logs
from tests.conftest import OpenTab
from tests.stack import Process, Stack

CELERY = ["-m", "celery", "--quiet", "-A", "chatsite"]
WORKER = ["worker", "--without-gossip", "--without-mingle", "-Q", "generations,background"]


def lines(path: Path) -> list[dict[str, Any]]:
    # Celery's signal handler prints this sentence past all logging, with an empty line before it.
    text = path.read_text().replace("\nworker: Warm shutdown (MainProcess)\n", "")
    found: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    assert found
    for line in found:
        assert {"timestamp", "level", "logger", "event"} <= set(line), line
    return found


def test_web_node_and_worker_write_json_with_the_ids_as_fields(
    stack: Stack, owner: User, open_tab: OpenTab, tmp_path: Path
) -> None:
    worker = Process("worker", [*CELERY, *WORKER], stack.env, tmp_path / "worker.log")
    stack.processes.append(worker)
    web = stack.web()
    tab = open_tab(owner, web)
    ack = tab.submit("Hello")
    tab.wait_for_end(ack["generation"])
    worker.wait_for_line("generation_ended")
    web.stop()
    worker.stop()
    ended = next(line for line in lines(worker.log) if line["event"] == "generation_ended")
    assert ended["generation"] == ack["generation"]
    assert ended["conversation"] == ack["conversation"]
    assert ended["attempt"] == 1
    assert any(line["event"] == "web_drains" for line in lines(web.log))
    assert any(line["logger"].startswith("celery.") for line in lines(worker.log))


def test_beat_writes_json(stack: Stack, tmp_path: Path) -> None:
    command = [*CELERY, "beat", "-s", str(tmp_path / "schedule"), "--pidfile="]
    beat = Process("beat", command, {**stack.env, "LOG_LEVEL": "DEBUG"}, tmp_path / "beat.log")
    stack.processes.append(beat)
    # Later than "Starting", when nothing keeps it from ending in order yet.
    beat.wait_for_line("Waking up in")
    beat.stop()
    lines(beat.log)


def test_a_traceback_is_part_of_its_line_and_shows_no_variables(
    stack: Stack, tmp_path: Path
) -> None:
    program = (
        "import django; django.setup(); import logging, warnings\n"
        "def break_it(password):\n"
        "    raise ValueError('broken')\n"
        "try:\n"
        "    break_it(''.join(('hun', 'ter2')))\n"
        "except ValueError:\n"
        "    logging.getLogger('somewhere').exception('it %s', 'broke')\n"
        "warnings.warn('careful')\n"
    )
    env = {**stack.env, "DJANGO_SETTINGS_MODULE": "chatsite.settings"}
    process = Process("script", ["-c", program], env, tmp_path / "script.log")
    stack.processes.append(process)
    assert process._process.wait(30) == os.EX_OK
    broke, careful = lines(process.log)
    assert (broke["event"], broke["logger"]) == ("it broke", "somewhere")
    assert broke["exception"][0]["exc_value"] == "broken"
    assert "hunter2" not in json.dumps(broke)
    assert "careful" in careful["event"]


@pytest.mark.parametrize(
    ("log_format", "level", "sentence"),
    [
        ("xml", "INFO", "LOG_FORMAT: expected one of json, console, got 'xml'"),
        ("json", "LOUD", "LOG_LEVEL: expected one of DEBUG, .*, got 'LOUD'"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_a_sentence(
    log_format: str, level: str, sentence: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=sentence):
        logs.configure(log_format, level)


def test_the_console_is_short_and_says_where() -> None:
    dictionary = logs.configure("console", "INFO")["formatters"]["default"]
    formatter = dictionary["()"](
        processors=dictionary["processors"], foreign_pre_chain=dictionary["foreign_pre_chain"]
    )
    record = logging.LogRecord("celery.beat", logging.INFO, "", 0, "beat: %s", ("up",), None)
    text = formatter.format(record)
    assert text.split()[1:] == ["[info", "]", "beat:", "up", "[celery.beat]"]
    assert len(text) < 80
