"""Logs: one line per fact, ids as fields, JSON in production and readable in development."""

import logging
from typing import Any

import structlog
from celery.signals import setup_logging
from django.core.exceptions import ImproperlyConfigured

FORMATS = ("json", "console")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
EVENT_COLUMNS = 24


@setup_logging.connect
def keep_ours(**_: Any) -> None:
    """Celery leaves the logging as it is where somebody answers this signal; otherwise its tasks
    get a handler and a format of their own. Its option --loglevel is without effect then."""


def configure(log_format: str, level: str) -> dict[str, Any]:
    """Set structlog up and return the `LOGGING` dictionary. `log_format` is `json` or `console`."""
    expect("LOG_FORMAT", log_format, FORMATS)
    expect("LOG_LEVEL", level, LEVELS)
    logging.captureWarnings(True)
    shared = processors(log_format)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "default": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *renderers(log_format),
                ],
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "default"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Django gives these two handlers of its own; the one of the root is enough.
            "django": {"level": "NOTSET", "handlers": [], "propagate": True},
            "django.server": {"level": "NOTSET", "handlers": [], "propagate": True},
            # Access logs belong to the proxy in front; these only repeat them per request.
            "daphne": {"level": "WARNING"},
            "django.channels.server": {"level": "WARNING"},
            "django_structlog": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
        },
    }


def expect(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ImproperlyConfigured(f"{name}: expected one of {', '.join(allowed)}, got {value!r}")


def processors(log_format: str) -> list[Any]:
    """What every record goes through, ours and other packages' alike."""
    whole = log_format == "json"
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso" if whole else "%H:%M:%S", utc=whole),
        structlog.processors.StackInfoRenderer(),
    ]


def renderers(log_format: str) -> list[Any]:
    if log_format == "json":
        # Local variables hold what users wrote, and keys; structlog's own choice is to show them.
        frames = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        return [
            structlog.processors.ExceptionRenderer(frames),
            structlog.processors.JSONRenderer(),
        ]
    return [
        structlog.dev.ConsoleRenderer(
            colors=False,
            pad_event_to=EVENT_COLUMNS,
            exception_formatter=structlog.dev.plain_traceback,
        )
    ]
