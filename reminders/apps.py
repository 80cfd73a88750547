from django.apps import AppConfig


class RemindersConfig(AppConfig):
    name = "reminders"

    def ready(self) -> None:
        from reminders import mail_events  # noqa: F401  (importing connects the receiver)
