"""Every setting comes from the environment and has a working default for development."""

from pathlib import Path

import dj_database_url
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from chatsite import logs
from chatsite.environment import OURS, address, broker_url, flag, number, pairs, text, whole, words
from chatsite.unfold import UNFOLD  # noqa: F401

BASE_DIR = Path(__file__).resolve().parent.parent
DEBUG = flag("DEBUG")
DATA_DIR = Path(text("DATA_DIR", ".data")).absolute()

# --- Secrets and hosts ---------------------------------------------------------------------------
DEVELOPMENT_KEY = "development-only-key-that-refuses-to-start-without-debug"
SECRET_KEY = text("SECRET_KEY", DEVELOPMENT_KEY)
if not DEBUG and SECRET_KEY == DEVELOPMENT_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Give it 50 random characters, or set DEBUG=1 on your own machine."
    )
SECRET_KEY_FALLBACKS = words("SECRET_KEY_FALLBACKS")
# For secrets in the database; the first one encrypts, all of them decrypt.
ENCRYPTION_KEYS = words("ENCRYPTION_KEYS") or [SECRET_KEY, *SECRET_KEY_FALLBACKS]
SITE_URL = text("SITE_URL", f"http://localhost:{text('PORT', '8000')}").rstrip("/")
ALLOWED_HOSTS = words("ALLOWED_HOSTS", "*" if DEBUG else "localhost,127.0.0.1")
CSRF_TRUSTED_ORIGINS = words("CSRF_TRUSTED_ORIGINS", SITE_URL)
# Full origins that may open a WebSocket beside the page's own host; empty: same origin only.
WEBSOCKET_ORIGINS = words("WEBSOCKET_ORIGINS", "" if DEBUG else SITE_URL)

# --- Applications --------------------------------------------------------------------------------
INSTALLED_APPS = [
    "daphne",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "csp",
    "django_structlog",
    "accounts",
    "llm",
    "conversations",
    "streaming",
    "api",
    "chatsite",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.language.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
]
ROOT_URLCONF = "chatsite.urls"
ASGI_APPLICATION = "chatsite.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.preferences.preferences",
                "chatsite.home_screen.home_screen",
            ],
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Database ------------------------------------------------------------------------------------
DATABASE_URL = text("DATABASE_URL", f"sqlite:///{DATA_DIR / 'db.sqlite3'}")
DATABASES = {"default": dj_database_url.parse(DATABASE_URL)}
# Persistent connections leak under ASGI, so there are none: on PostgreSQL a pool takes their place.
DATABASES["default"]["CONN_MAX_AGE"] = 0
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A transaction that begins by reading and then writes cannot wait for the lock in SQLite; one
    # that takes the lock at once can. With WAL readers go on meanwhile.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"]["OPTIONS"] = {
        **DATABASES["default"].get("OPTIONS", {}),
        "pool": {
            "min_size": 2,
            "max_size": whole("DATABASE_POOL_SIZE", 20, low=2),
            "timeout": 5,
        },
        "connect_timeout": 3,
        # Planning a statement costs the server more than running it: the same few come all day.
        "server_side_binding": True,
        "prepare_threshold": 5,
        "options": "-c statement_timeout=15000 -c idle_in_transaction_session_timeout=15000",
    }

# --- Redis: cache, broker, stream log and channel layer ------------------------------------------
REDIS_URL = text("REDIS_URL", f"unix://{DATA_DIR / 'redis.sock'}")
REDIS_PREFIX = text("REDIS_PREFIX", "chatsite")
CACHES = {
    # Rate limits must count for all processes together.
    "default": {
        "BACKEND": "chatsite.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
        "KEY_PREFIX": f"{REDIS_PREFIX}:cache",
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "streaming.delivery.EventLayer",
        "CONFIG": {
            "hosts": [{"address": REDIS_URL, "socket_connect_timeout": 2, "socket_timeout": 5}],
            "prefix": REDIS_PREFIX,
        },
    }
}

# --- Celery --------------------------------------------------------------------------------------
CELERY_BROKER_URL = broker_url(REDIS_URL)
CELERY_TASK_DEFAULT_QUEUE = "generations"
CELERY_TASK_IGNORE_RESULT = True
# The lease in the database decides who runs a generation, so a message is acknowledged on receipt:
# acknowledged late, a lost connection to Redis would start every running answer a second time.
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_CONCURRENCY = whole("WORKER_CONCURRENCY", 128, low=1)
# Answers that wait for their users leave their places to others, so many of them at most.
WORKER_WAITING = whole("WORKER_WAITING", 256, low=0)
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_DISABLE_PREFETCH = True
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "health_check_interval": 10,
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
    "global_keyprefix": f"{REDIS_PREFIX}:celery:",
}
CELERY_BEAT_SCHEDULE = {
    "clear-sessions": {
        "task": "accounts.tasks.clear_sessions",
        "schedule": 24 * 3600,
        "options": {"queue": "background"},
    },
    "purge-conversations": {
        "task": "conversations.tasks.purge",
        "schedule": 10 * 60,
        "options": {"queue": "background"},
    },
    "expire-conversations": {
        "task": "api.tasks.expire_conversations",
        "schedule": 10 * 60,
        "options": {"queue": "background"},
    },
    "pick-up-removals": {
        "task": "api.tasks.pick_up_removals",
        "schedule": 10 * 60,
        "options": {"queue": "background"},
    },
    "pick-up-imports": {
        "task": "api.tasks.pick_up_imports",
        "schedule": 60,
        "options": {"queue": "background"},
    },
    "purge-attachments": {
        "task": "conversations.tasks.purge_attachments",
        "schedule": 3600,
        "options": {"queue": "background"},
    },
}

# --- Streaming -----------------------------------------------------------------------------------
MESSAGE_CHARS = whole("MESSAGE_CHARS", 32_000, low=1)
TICK_SECONDS = number("TICK_SECONDS", 0.04, low=0.001)
LEASE_SECONDS = number("LEASE_SECONDS", 10, low=1)
RENEW_SECONDS = number("RENEW_SECONDS", 3, low=0.1)
SWEEP_SECONDS = number("SWEEP_SECONDS", 3, low=0.1)
MODELS_KEPT_SECONDS = number("MODELS_KEPT_SECONDS", 1)
QUEUED_TOO_LONG_SECONDS = number("QUEUED_TOO_LONG_SECONDS", 5, low=0.1)
MAX_ATTEMPTS = whole("MAX_ATTEMPTS", 3, low=1)
DRAIN_SECONDS = number("DRAIN_SECONDS", 60)
WEB_DRAIN_SECONDS = number("WEB_DRAIN_SECONDS", 5)
ANSWER_CHARS = whole("ANSWER_CHARS", 1_000_000, low=1)
GENERATION_SECONDS = number("GENERATION_SECONDS", 900, low=1)
# How long an answer waits for its user to approve a tool call.
APPROVAL_SECONDS = number("APPROVAL_SECONDS", 600, low=1)
MAX_PAUSE_SECONDS = number("MAX_PAUSE_SECONDS", 30, low=1)
LOG_TTL_SECONDS = whole("LOG_TTL_SECONDS", 3600, low=10)
FINISHED_LOG_TTL_SECONDS = whole("FINISHED_LOG_TTL_SECONDS", 300, low=1)

# --- Conversations -------------------------------------------------------------------------------
# How long a deleted conversation can be brought back before its rows are removed.
DELETED_KEPT_MINUTES = whole("DELETED_KEPT_MINUTES", 60)
REQUESTS_KEPT_HOURS = whole("REQUESTS_KEPT_HOURS", 24, low=1)
TEMPORARY_HOURS = whole("TEMPORARY_HOURS", 24, low=1)
# Which model writes titles; empty: the one that answered, `off`: the first words stay.
TITLE_MODEL = text("TITLE_MODEL")

# --- Models: time limits in seconds --------------------------------------------------------------
LLM_CONNECT_TIMEOUT = number("LLM_CONNECT_TIMEOUT", 10, low=0.1)
LLM_FIRST_TOKEN_TIMEOUT = number("LLM_FIRST_TOKEN_TIMEOUT", 120, low=0.1)
LLM_TOKEN_TIMEOUT = number("LLM_TOKEN_TIMEOUT", 60, low=0.1)
LLM_MAX_RETRIES = whole("LLM_MAX_RETRIES", 2)
LLM_BREAKER_FAILURES = whole("LLM_BREAKER_FAILURES", 5, low=1)
LLM_BREAKER_SECONDS = number("LLM_BREAKER_SECONDS", 60, low=1)
LLM_TOOLS = words("LLM_TOOLS")
LLM_FILTERS = words("LLM_FILTERS")
LLM_CACHE_SECONDS = whole("LLM_CACHE_SECONDS", 86_400, low=1)
LLM_CACHE_ENTRIES = whole("LLM_CACHE_ENTRIES", 500, low=1)
LLM_CACHE_ENTRY_BYTES = whole("LLM_CACHE_ENTRY_BYTES", 65_536, low=1)
# Chains and graphs offered as models: `slug=dotted.path`.
LLM_RUNNABLES = pairs("LLM_RUNNABLES")
# Servers of the own network that the tool which fetches pages may ask, as `host:port`.
FETCH_ALLOWED_HOSTS = words("FETCH_ALLOWED_HOSTS")
# Commands that MCP servers set in the admin may run on the workers.
MCP_COMMANDS = words("MCP_COMMANDS")
OPENAI_BASE_URL = address("OPENAI_BASE_URL")
OPENAI_MODEL = words("OPENAI_MODEL")
ANTHROPIC_BASE_URL = address("ANTHROPIC_BASE_URL")
ANTHROPIC_MODEL = words("ANTHROPIC_MODEL")

# --- Accounts ------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = text("ACCOUNT_EMAIL_VERIFICATION", "optional")
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
SIGN_UP_OPEN = flag("SIGN_UP_OPEN", True)
EMAIL_BACKEND = text(
    "EMAIL_BACKEND",
    f"django.core.mail.backends.{'console' if DEBUG else 'smtp'}.EmailBackend",
)
EMAIL_HOST = text("EMAIL_HOST", "localhost")
EMAIL_PORT = whole("EMAIL_PORT", 25, low=1)
EMAIL_HOST_USER = text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = flag("EMAIL_USE_TLS")
DEFAULT_FROM_EMAIL = text("DEFAULT_FROM_EMAIL", "chatsite@localhost")
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 30 * 24 * 3600

# --- Files, language and time --------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = text("STATIC_ROOT", str(DATA_DIR / "static"))
NODE_MODULES = BASE_DIR / "node_modules"
# Only the folders that the page uses, each under a name of its own.
STATICFILES_DIRS = [
    BASE_DIR / "static",
    *(
        (f"npm/{name}", NODE_MODULES / folder)
        for name, folder in {
            "marked": "marked/lib",
            "dompurify": "dompurify/dist",
            "highlight": "@highlightjs/cdn-assets",
            "katex": "katex/dist",
            "mermaid": "mermaid/dist",
            "inter": "@fontsource-variable/inter",
        }.items()
        if (NODE_MODULES / folder).is_dir()
    ),
]
# What users upload: out of reach of the static files, served by a view to its owner alone.
MEDIA_ROOT = text("MEDIA_ROOT", str(DATA_DIR / "media"))
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
ATTACHMENT_MB = whole("ATTACHMENT_MB", 20, low=1)
ATTACHMENT_TOTAL_MB = whole("ATTACHMENT_TOTAL_MB", 1000, low=1)
ATTACHMENTS_PER_MESSAGE = whole("ATTACHMENTS_PER_MESSAGE", 10, low=1)
ATTACHMENT_PAGES = whole("ATTACHMENT_PAGES", 500, low=1)
ATTACHMENT_CHARS = whole("ATTACHMENT_CHARS", 200_000, low=1)
IMPORT_MB = whole("IMPORT_MB", 200, low=1)
IMPORT_UNPACKED_MB = whole("IMPORT_UNPACKED_MB", 1000, low=1)
STATICFILES_FINDERS = [
    "chatsite.finders.PackageFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "chatsite.static.ModuleStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
LANGUAGE_CODE = "en"
# Each in its own language, for those who cannot read the others.
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = text("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True

# --- Security ------------------------------------------------------------------------------------
HTTPS = SITE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = whole("SECURE_HSTS_SECONDS", 31_536_000 if HTTPS else 0)
CSRF_FAILURE_VIEW = "chatsite.errors.csrf_failure"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        # Diagrams are drawn in a frame without an origin, see chatsite/policy.py.
        "frame-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    },
}

# --- Metrics -------------------------------------------------------------------------------------
# /metrics answers this machine alone, and whoever sends this as a bearer token.
METRICS_TOKEN = text("METRICS_TOKEN")
# Workers have no web server; 0: none is started for their metrics.
WORKER_METRICS_PORT = whole("WORKER_METRICS_PORT", 0)
WORKER_METRICS_BIND = text("WORKER_METRICS_BIND", "127.0.0.1")

# --- Logs ----------------------------------------------------------------------------------------
LOG_FORMAT = text("LOG_FORMAT", "console" if DEBUG else "json")
LOG_LEVEL = text("LOG_LEVEL", "INFO").upper()
LOGGING = logs.configure(LOG_FORMAT, LOG_LEVEL)
LOGGING_CONFIG = "logging.config.dictConfig"

# The variables that all this was read from. No key of a provider is among them.
OWN_VARIABLES = frozenset(OURS)
