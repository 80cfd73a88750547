from django.apps import AppConfig


class RemindersConfig(AppConfig):
    name = "reminders"

    def ready(self) -> None:
        from reminders import mail_events, notices  # noqa: F401  (importing one connects it)

        notices.listen()
