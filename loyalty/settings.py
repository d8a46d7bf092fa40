"""Settings, read from the environment; ``make run`` keeps its own under ``var/settings.env``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import environ
import structlog
from celery.schedules import crontab
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from loyalty import admin_theme, given

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
VAR_DIR = Path(env.str("VAR_DIR", str(BASE_DIR / "var")))
GIVEN = frozenset(os.environ)  # What the caller said himself, before the files below add to it.
for _name in ("run.env", "settings.env"):
    environ.Env.read_env(VAR_DIR / _name)

# The embedded default: everything on this machine, started by ``make run``. Elsewhere the checks are strict.
EMBEDDED = env.bool("EMBEDDED", False)
DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"] if EMBEDDED else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
PORT = given.port(env.str("PORT", "8000"))
DEMO = env.bool("DEMO", True)
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
# For development: webhooks may go to this machine and its network, without TLS and on any port.
WEBHOOKS_ALLOW_PRIVATE = env.bool("WEBHOOKS_ALLOW_PRIVATE", False)

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "accounts.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "accounts",
    "accounts.history",
    "programs",
    "loyalty",
    "loyalty.api",
    "loyalty.ledger",
    "loyalty.rewards",
    "loyalty.purchases",
    "loyalty.webhooks",
    "loyalty.moving",
    "loyalty.rehearsals",
    "loyalty.engagement",
    "loyalty.insights",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "loyalty.csp.AdminContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

# An e-mail address is unique without regard to case, which a constraint says better than a unique column.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]

ROOT_URLCONF = "loyalty.urls"
WSGI_APPLICATION = "loyalty.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

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
            ],
        },
    },
]

# --- Database: one SQLite file, or PostgreSQL by DATABASE_URL -----------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": given.database(env.str("DATABASE_URL", "") or f"sqlite:///{VAR_DIR / 'loyalty.sqlite3'}"),
}
_database = DATABASES["default"]
_database["ATOMIC_REQUESTS"] = False  # A request that waits for the worker must not hold SQLite's only write lock.
if _database["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE makes writers queue up instead of failing with "database is locked" when they upgrade a read lock.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
else:
    _database["OPTIONS"] = {"prepare_threshold": 5, "server_side_binding": True, **_database.get("OPTIONS", {})}
    # Web processes borrow from a pool; Celery closes Django's pool after each task, so workers keep one connection.
    if env.bool("WEB_PROCESS", False):
        _database["OPTIONS"]["pool"] = {"min_size": 2, "max_size": env.int("DATABASE_POOL", 16), "timeout": 10}
    else:
        _database["CONN_MAX_AGE"] = None
        _database["CONN_HEALTH_CHECKS"] = True

# --- Broker and cache: REDIS_URL, or the Valkey server that ``make run`` starts on a socket ------------------------

REDIS_URL = given.broker(env.str("REDIS_URL", ""))
VALKEY_SOCKET = VAR_DIR / "valkey.sock"
if REDIS_URL:
    CELERY_BROKER_URL = REDIS_URL
    _cache_url = REDIS_URL
else:
    CELERY_BROKER_URL = f"redis+socket://{VALKEY_SOCKET}?virtual_host=0"
    _cache_url = f"unix://{VALKEY_SOCKET}?db=2"
_redis = {
    "LOCATION": _cache_url,
    "KEY_PREFIX": "loyalty",
    "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
}
CACHES = {
    "default": {"BACKEND": "accounts.cache.SteadyCache", **_redis},
    # Says at once when the broker's server is down, which Celery takes seconds to find.
    "broker": {"BACKEND": "django.core.cache.backends.redis.RedisCache", **_redis},
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 540
CELERY_TASK_SOFT_TIME_LIMIT = 500
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_PUBLISH_RETRY = False  # The sweep finds what a lost nudge would have told.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 600, "socket_timeout": 5, "socket_connect_timeout": 2}
# A receiver that does not answer must hold up nothing but other news: the sender is a worker of its own.
CELERY_TASK_ROUTES = {"loyalty.webhooks.send": {"queue": "webhooks"}}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "loyalty.purchases.sweep", "schedule": 5.0, "options": {"expires": 20}},
    "rehearsals": {"task": "loyalty.rehearsals.sweep", "schedule": 10.0, "options": {"expires": 20}},
    "due-work": {"task": "loyalty.purchases.run_due", "schedule": 60.0, "options": {"expires": 50}},
    "moving": {"task": "loyalty.moving.sweep", "schedule": 30.0, "options": {"expires": 25}},
    "moving-tidy": {"task": "loyalty.moving.tidy", "schedule": 3600.0, "options": {"expires": 600}},
    "purge-answers": {"task": "loyalty.api.purge_answers", "schedule": 3600.0, "options": {"expires": 600}},
    "send-webhooks": {"task": "loyalty.webhooks.send", "schedule": 5.0, "options": {"expires": 10}},
    "purge-webhooks": {"task": "loyalty.webhooks.purge", "schedule": 3600.0, "options": {"expires": 600}},
    "foresee-expiry": {"task": "loyalty.webhooks.foresee", "schedule": crontab(hour="3", minute="10")},
}

# --- Sign-in -----------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 600
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 3
ACCOUNT_LOGIN_BY_CODE_FORMAT = {"numeric": True, "length": 6, "dashed": False}
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.LoginForm",
    "request_login_code": "accounts.forms.RequestLoginCodeForm",
    "confirm_login_code": "accounts.forms.ConfirmLoginCodeForm",
    "reset_password": "accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.forms.ResetPasswordKeyForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "set_password": "accounts.forms.SetPasswordForm",
}
LOGIN_URL = reverse_lazy("account_request_login_code")
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = LOGIN_URL

# --- Mail ----------------------------------------------------------------------------------------------------------

DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Loyalty <loyalty@localhost>")
MAIL_DIR = VAR_DIR / "mail"
# Without a mail server the embedded default keeps mails as files and shows them on a page.
EMAIL_URL = env.str("EMAIL_URL", "")
SHOWS_MAIL = EMBEDDED and not EMAIL_URL
if SHOWS_MAIL:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(MAIL_DIR)
else:
    globals().update(given.mail(EMAIL_URL or "smtp://localhost:25"))

# --- Web -----------------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(VAR_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000

# The strict policy is everywhere; ``loyalty.csp`` loosens it for the admin alone, whose theme needs eval and inline.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}
ADMIN_CONTENT_SECURITY_POLICY = {
    "script-src": [SELF, UNSAFE_EVAL, UNSAFE_INLINE],
    "style-src": [SELF, UNSAFE_INLINE],
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
HTTPS = env.bool("HTTPS", not EMBEDDED and not DEBUG)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = env.bool("SSL_REDIRECT", False)
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", False) else None

# --- Languages and time --------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- API -----------------------------------------------------------------------------------------------------------

# Calls of one key, unless it says otherwise.
API_LIMIT_PER_MINUTE = given.limit(env.str("API_LIMIT_PER_MINUTE", "6000"))
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["loyalty.api.authentication.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["loyalty.api.authentication.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["loyalty.api.decoding.BodyParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "loyalty.api.problems.handle",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Loyalty API",
    "VERSION": "1",
    "DESCRIPTION": "For tills, web shops and apps: members, purchases, refunds and what they earned.",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": ["loyalty.webhooks.schema.add_webhooks", "loyalty.api.schema.add_components"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SERVE_PUBLIC": True,
}

# --- Logs: one line of JSON each, to standard error; ``make run`` gathers them under ``var/log`` -------------------

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
            "foreign_pre_chain": [
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
        },
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("LOG_LEVEL", "INFO")},
    "loggers": {"django.request": {"level": "ERROR"}, "celery.app.trace": {"level": "WARNING"}},
}

UNFOLD = admin_theme.UNFOLD
