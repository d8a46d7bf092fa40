"""Sign-in, from allauth by name: only the pages that are used exist. And what belongs to no program."""

from allauth.account import views as allauth
from django.urls import path, re_path

from accounts import views

urlpatterns = [
    path("favicon.ico", views.favicon, name="favicon"),
    path("brand/<slug:slug>.css", views.brand, name="brand"),
    path("dev/mail/", views.mailbox, name="dev_mail"),
    path("accounts/login/", allauth.login, name="account_login"),
    path("accounts/login/code/", allauth.request_login_code, name="account_request_login_code"),
    path("accounts/login/code/confirm/", allauth.confirm_login_code, name="account_confirm_login_code"),
    path("accounts/logout/", allauth.logout, name="account_logout"),
    path("accounts/inactive/", allauth.account_inactive, name="account_inactive"),
    path("accounts/signup/", allauth.signup, name="account_signup"),
    path("accounts/reauthenticate/", allauth.reauthenticate, name="account_reauthenticate"),
    path("accounts/password/change/", allauth.password_change, name="account_change_password"),
    path("accounts/password/set/", allauth.password_set, name="account_set_password"),
    path("accounts/password/reset/", allauth.password_reset, name="account_reset_password"),
    path("accounts/password/reset/done/", allauth.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^accounts/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        allauth.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "accounts/password/reset/key/done/",
        allauth.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
]
