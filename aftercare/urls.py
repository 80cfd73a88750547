"""Every address of the site."""

from allauth.account import views as account
from django.urls import include, path

urlpatterns = [
    path("", include("patients.urls")),
    path("", include("reminders.urls")),
    # Of signing in only what a closed site needs: nobody signs up, resets or changes by themselves.
    path("accounts/login/", account.login, name="account_login"),
    path("accounts/logout/", account.logout, name="account_logout"),
    path("accounts/signup/", account.signup, name="account_signup"),
    path("accounts/inactive/", account.account_inactive, name="account_inactive"),
]
